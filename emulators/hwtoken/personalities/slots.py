"""What the personalities share that keep their keys in slots."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from emulators.hwtoken.contents import Slot
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Answer, Confirmation, Outgoing, PinUse, Rejected
from emulators.hwtoken.screens import ErrorKind

MAX_SLOTS = 64
LAST_COUNTER = 2**64 - 1


@dataclass(frozen=True, slots=True)
class SlotProposal:
    """A challenge to one slot's key; nothing in these protocols says how long it lives, nor how to decline it."""

    title: str
    entries: tuple[Entry, ...]
    compute: Callable[[Confirmation], Answer | Outgoing] = field(repr=False)
    pin_use: PinUse = PinUse.NONE
    one_entry_a_page: bool = False
    while_locked = False

    def check_time(self) -> None:
        """Only the server knows."""

    def answer(self, confirmation: Confirmation) -> Answer | Outgoing:
        """As the personality computes it."""
        return self.compute(confirmation)

    def decline(self) -> None:
        """There is no such code."""
        return

    def refuse(self) -> None:
        """Nobody is told."""
        return


def slots_of(parts: Parts, personality: str) -> Iterator[tuple[int, Slot]]:
    """The slots of ``personality``, each with its number."""
    for number, slot in enumerate(parts.memory.contents.slots):
        if slot.personality == personality:
            yield number, slot


def add_slot(parts: Parts, slot: Slot) -> None:
    """Keep one more account.

    Raises:
        ValueError: there is one of that name already, or no room.
        MemoryFault: the store refuses; then nothing has changed.
    """
    slots = parts.memory.contents.slots
    if any((each.personality, each.name) == (slot.personality, slot.name) for each in slots):
        raise ValueError(f"expected a new account, found {slot.name!r}, which is there already")
    if len(slots) >= MAX_SLOTS:
        raise ValueError(f"expected up to {MAX_SLOTS} accounts, found one more")
    parts.memory.update(slots=(*slots, slot))


def take_counter(parts: Parts, number: int) -> int:
    """The counter of slot ``number``, which has moved on durably once this returns, so that none serves twice.

    Raises:
        Rejected: it has reached its end.
        MemoryFault: the store refuses; then nothing has changed.
    """
    counter = parts.memory.contents.slots[number].counter
    if counter >= LAST_COUNTER:
        raise Rejected(ErrorKind.UNSUPPORTED, "The counter of this account has reached its end.")
    change_slot(parts, number, counter=counter + 1)
    return counter


def change_slot(parts: Parts, number: int, **changes: Any) -> None:
    """Keep slot ``number`` with ``changes``. Raises MemoryFault; then nothing has changed."""
    slots = list(parts.memory.contents.slots)
    slots[number] = msgspec.structs.replace(slots[number], **changes)
    parts.memory.update(slots=tuple(slots))


def slot_removal(parts: Parts, number: int) -> dict[str, Any]:
    """The change to the memory that forgets slot ``number``."""
    slots = parts.memory.contents.slots
    return {"slots": (*slots[:number], *slots[number + 1 :])}


def drop_slot(parts: Parts, slot: Slot) -> None:
    """Forget ``slot``, where it is still there. Raises MemoryFault; then nothing has changed."""
    slots = parts.memory.contents.slots
    if slot in slots:
        parts.memory.update(**slot_removal(parts, slots.index(slot)))
