"""The OTQ1 accounts of one token: the first, which the maker or the first server gave, and further ones in key slots.

All have the token's serial; each has a seed of its own, so each message opens for one of them only.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from emulators.hwtoken.contents import Contents, Slot
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.slots import slot_removal, slots_of
from offline_qr import otq1

NAME = "otq1"
UNNAMED = "First account"
"""What a token calls an account that no activation gave a name."""


@dataclass(frozen=True, slots=True)
class Otq1Account:
    """One account, read from the memory each time: counters move.

    ``number`` is its slot's; None for the first account, whose server may set the clock, unlock the PIN and wipe all.
    """

    parts: Parts
    number: int | None = None

    @property
    def is_first(self) -> bool:
        """Whether its server is the one that the whole token belongs to."""
        return self.number is None

    @property
    def name(self) -> str:
        """The server's name for it."""
        return (self._contents.label or UNNAMED) if self.number is None else self._slot.name

    @property
    def keys(self) -> otq1.Keys:
        """Made of its seed."""
        seed = self._contents.seed if self.number is None else self._slot.values["seed"]
        return otq1.derive_keys(self._contents.serial, bytes.fromhex(seed or ""))

    @property
    def verify_key(self) -> bytes | None:
        """Its server's public key; then it takes signed messages only."""
        key = self._contents.verify_key if self.number is None else self._slot.values.get("verify_key")
        return bytes.fromhex(key) if key else None

    @property
    def counter(self) -> int:
        """The counter that the next code under suite 3 uses."""
        return self._contents.counter if self.number is None else self._slot.counter

    @property
    def sequence(self) -> int:
        """That of the last admin message obeyed."""
        return self._contents.sequence if self.number is None else int(self._slot.values["sequence"])

    def changes(self, *, counter: int | None = None, sequence: int | None = None) -> dict[str, Any]:
        """The change to the memory that moves what is given."""
        counter = self.counter if counter is None else counter
        sequence = self.sequence if sequence is None else sequence
        if self.number is None:
            return {"counter": counter, "sequence": sequence}
        slots = list(self._contents.slots)
        values = {**self._slot.values, "sequence": str(sequence)}
        slots[self.number] = msgspec.structs.replace(self._slot, counter=counter, values=values)
        return {"slots": tuple(slots)}

    def removal(self) -> dict[str, Any]:
        """The change to the memory that forgets it."""
        if self.number is None:
            return {"seed": None, "label": None, "verify_key": self._contents.factory_verify_key} | FRESH
        return slot_removal(self.parts, self.number)

    @property
    def _contents(self) -> Contents:
        return self.parts.memory.contents

    @property
    def _slot(self) -> Slot:
        assert self.number is not None
        return self._contents.slots[self.number]


FRESH: dict[str, Any] = {"sequence": 0, "counter": 0}
"""What a new seed begins with."""


def accounts_of(parts: Parts) -> tuple[Otq1Account, ...]:
    """All that have a seed, the first one first."""
    contents = parts.memory.contents
    first = (Otq1Account(parts),) if contents.seed is not None else ()
    return first + tuple(Otq1Account(parts, number) for number, _ in slots_of(parts, NAME))


def account_entry(account: Otq1Account, *, named: bool) -> tuple[Entry, ...]:
    """Whose account a message is for, where there are several."""
    return (Entry("Account", account.name),) if named else ()


def further_slot(account: otq1.Account, seed: bytes) -> Slot:
    """The slot of an account that comes after the first."""
    values = {"seed": seed.hex(), "sequence": "0"}
    if account.verify_key is not None:
        values["verify_key"] = account.verify_key.hex()
    return Slot(NAME, account.label, values)
