"""The token's own PIN: a try is spent in the memory before the PIN is looked at, so that no power cut gives it back."""

import hashlib
import hmac
import itertools
from enum import Enum, auto

import msgspec

from emulators.env import Random
from emulators.hwtoken.contents import StoredPin
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import PinPolicy

COMMON = frozenset({"1004", "1342", "2000", "2580", "5683", "6969", "7410", "8520", "147258", "159753", "789456"})
"""PINs that people choose and thieves try, beside runs, repetitions and years."""


class Verdict(Enum):
    """What a typed PIN was."""

    RIGHT = auto()
    DURESS = auto()
    """The user is forced: everything goes on as if it were right, with other codes."""
    WRONG = auto()
    LOCKED = auto()
    """Wrong, or any PIN once all tries are spent."""


class PinLock:
    """Sets and checks the PIN of the token that ``memory`` belongs to, by the rules of its model."""

    def __init__(self, memory: TokenMemory, policy: PinPolicy, random: Random) -> None:
        self._memory = memory
        self._policy = policy
        self._random = random

    @property
    def is_set(self) -> bool:
        """Whether there is a PIN."""
        return self._memory.contents.pin is not None

    @property
    def tries_left(self) -> int:
        """How many PINs may still be typed."""
        return max(0, self._policy.tries - self._memory.contents.pin_tries_spent)

    @property
    def is_locked(self) -> bool:
        """Whether no PIN helps any more."""
        return self.is_set and self.tries_left == 0

    def finish_wipe(self) -> None:
        """Wipe a token whose last try was spent when the power went, where its model does so. Raises MemoryFault."""
        if self.is_locked and self._policy.wipe_when_spent:
            self._memory.wipe()

    def refuse(self, pin: str) -> str | None:
        """Why ``pin`` must not be chosen, as a sentence; None if it may be."""
        if is_weak(pin):
            return "Too easy to guess. Choose another."
        if self._matches(self._memory.contents.pin, pin) or self._matches(self._memory.contents.duress_pin, pin):
            return "It is in use already. Choose another."
        return None

    def choose(self, pin: str) -> None:
        """Make ``pin`` the PIN; all tries are there again. Raises MemoryFault."""
        self._memory.update(pin=self._stored(pin), pin_tries_spent=0)

    def choose_duress(self, pin: str) -> None:
        """Make ``pin`` the one that raises a silent alarm. Raises MemoryFault."""
        self._memory.update(duress_pin=self._stored(pin))

    def check(self, pin: str) -> Verdict:
        """Spend a try, then compare. The last wrong try locks the PIN, or wipes the token where its model does so.

        Raises:
            MemoryFault: the try could not be spent; nothing was compared.
        """
        if self.tries_left == 0:
            return Verdict.LOCKED
        contents = self._memory.contents
        self._memory.update(pin_tries_spent=contents.pin_tries_spent + 1)
        # Both are compared each time, so that the time taken tells nothing.
        right, duress = self._matches(contents.pin, pin), self._matches(contents.duress_pin, pin)
        if right or duress:
            self._memory.update(pin_tries_spent=0)
            return Verdict.RIGHT if right else Verdict.DURESS
        if self.tries_left:
            return Verdict.WRONG
        if self._policy.wipe_when_spent:
            self._memory.wipe()
        return Verdict.LOCKED

    def _stored(self, pin: str) -> StoredPin:
        salt = self._random.token_bytes(16)
        return StoredPin(salt.hex(), _mac(salt, pin))

    @staticmethod
    def _matches(stored: StoredPin | None, pin: str) -> bool:
        return stored is not None and hmac.compare_digest(stored.mac, _mac(bytes.fromhex(stored.salt), pin))


def unlocked(*, keep: bool) -> dict[str, msgspec.Struct | int | None]:
    """The changes to a memory with which a server gives all tries back, and lets the user choose anew unless ``keep``."""
    return {"pin_tries_spent": 0} if keep else {"pin_tries_spent": 0, "pin": None, "duress_pin": None}


def is_weak(pin: str) -> bool:
    """Whether ``pin`` is a run (1234, 9876), a repetition (1111, 1212, 123123), a year, or one of the common ones."""
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    repeats = any(
        pin == pin[:size] * (len(pin) // size) for size in range(1, len(pin) // 2 + 1) if len(pin) % size == 0
    )
    year = len(pin) == 4 and pin[:2] in {"19", "20"}
    return (len(steps) <= 1 and steps <= {0, 1, 9}) or repeats or year or pin in COMMON


def _mac(salt: bytes, pin: str) -> str:
    return hmac.new(salt, pin.encode("ascii"), hashlib.sha256).hexdigest()
