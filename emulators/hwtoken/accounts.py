"""What keys a token holds, whichever protocol they are of: to look through, and to remove one."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities import otq1_accounts
from emulators.hwtoken.personalities.slots import slot_removal

PROTOCOLS = {
    "otq1": "OTQ1",
    "tiqr": "tiqr",
    "lseqr": "LinOTP",
    "powerauth": "PowerAuth",
    "otp": "Passcodes",
    "ocra_keypad": "OCRA",
}
COUNTING = frozenset({"otq1", "otp", "ocra_keypad"})
"""Those whose slots may have a counter."""


@dataclass(frozen=True, slots=True)
class Account:
    """One of them, by the name that the panel calls it."""

    name: str
    about: tuple[str, ...]
    removal: dict[str, Any] = field(repr=False)
    """The change to the memory that forgets it."""


def accounts(parts: Parts) -> tuple[Account, ...]:
    """All that are in the memory."""
    return tuple(_accounts(parts))


def _accounts(parts: Parts) -> Iterator[Account]:
    for account in otq1_accounts.accounts_of(parts):
        if account.is_first:
            yield Account(account.name, (account.name, "OTQ1", f"Counter {account.counter}"), account.removal())
    for number, slot in enumerate(parts.memory.contents.slots):
        counter = (f"Counter {slot.counter}",) if slot.personality in COUNTING else ()
        about = (slot.name, PROTOCOLS.get(slot.personality, slot.personality), *counter)
        yield Account(slot.name, about, slot_removal(parts, number))
