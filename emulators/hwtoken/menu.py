"""The menu behind a long press on OK: what the token says about itself, and what its user may change."""

from dataclasses import dataclass
from enum import Enum, auto

from emulators.hwtoken.memory import MemoryFault
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.profile import Profile

SCAN = "Scan"
"""What a personality calls its beginning where that is the camera."""
BACK = "Back"
ERASE_WORD = "9999"
"""Typed to erase everything, so that no slip of a finger does."""


class Action(Enum):
    """What an entry of the menu does."""

    SCAN = auto()
    ACCOUNTS = auto()
    INFO = auto()
    SELF_TEST = auto()
    NETWORK = auto()
    CHANGE_PIN = auto()
    DURESS_PIN = auto()
    ERASE = auto()
    BACK = auto()


@dataclass(frozen=True, slots=True)
class Item:
    """One entry."""

    label: str
    action: Action


def items(profile: Profile) -> tuple[Item, ...]:
    """The entries of this model's menu."""
    pin = (Item("Change PIN", Action.CHANGE_PIN), Item("Duress PIN", Action.DURESS_PIN)) if profile.pin else ()
    network = (Item("Go on or offline", Action.NETWORK),) if profile.behaviour.network else ()
    scan = (Item("Scan a code", Action.SCAN),) if profile.behaviour.camera else ()
    return (
        *scan,
        *network,
        Item("Accounts", Action.ACCOUNTS),
        Item("About", Action.INFO),
        Item("Self-test", Action.SELF_TEST),
        *pin,
        Item("Erase all", Action.ERASE),
        Item(BACK, Action.BACK),
    )


def about(parts: Parts) -> tuple[str, ...]:
    """Serial, firmware version, counter: what a help desk asks for."""
    contents = parts.memory.contents
    return (contents.serial, f"Firmware {parts.profile.firmware}", f"Counter {contents.counter}")


def self_test(parts: Parts) -> tuple[str, ...]:
    """Try what can be tried, and name each part with what was found."""
    try:
        parts.memory.update()
        memory = "ok"
    except MemoryFault:
        memory = "FAILED"
    clock = "none" if not parts.profile.behaviour.has_rtc else "ok" if parts.clock.now() is not None else "FAILED"
    draws = {parts.random.token_bytes(16) for _ in range(2)}
    return (f"Memory {memory}", f"Clock {clock}", f"Random {'ok' if len(draws) == 2 else 'FAILED'}")
