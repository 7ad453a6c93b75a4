"""The PIN: its hash, how many wrong ones are left, and which new ones will do (CTAP 2.3 §6.5.1).

A try is paid for, on record, before the PIN is compared: pulling the plug never gives a try back.
"""

import hmac
from hashlib import sha256
from itertools import pairwise
from typing import Final

from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.settings import Settings
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Change, Put, Store

RETRIES: Final = 8
"""Wrong PINs in a row until only a reset helps."""
RETRIES_PER_POWER_CYCLE: Final = 3
"""Wrong PINs in a row until the key must be unplugged, so that malware alone cannot block it."""
MAX_BYTES: Final = 63

_PIN: Final = "pin"
_RETRIES: Final = "pin_retries"
_HASH_BYTES: Final = 16


def _hash(pin: bytes) -> bytes:
    return sha256(pin).digest()[:_HASH_BYTES]


class Pin:
    """The PIN of one key between power-up and power-down."""

    def __init__(self, store: Store, profile: Profile) -> None:
        self._store = store
        self._profile = profile
        self._mismatches = 0

    @property
    def is_set(self) -> bool:
        """Whether there is a PIN."""
        return self._store.get(_PIN) is not None

    @property
    def length(self) -> int:
        """PINCodePointLength: how many Unicode code points the PIN has; 0 without one."""
        record = self._store.get(_PIN)
        return record[_HASH_BYTES] if record else 0

    @property
    def retries(self) -> int:
        """How many wrong PINs are left."""
        record = self._store.get(_RETRIES)
        return RETRIES if record is None else record[0]

    @property
    def needs_power_cycle(self) -> bool:
        """Whether no PIN is taken until the key has been unplugged."""
        return self._mismatches >= RETRIES_PER_POWER_CYCLE

    def check_not_blocked(self) -> None:
        """Refuse to go on when no try is left.

        Raises:
            CtapError: PIN_NOT_SET, PIN_BLOCKED or PIN_AUTH_BLOCKED.
        """
        if not self.is_set:
            raise CtapError(Status.PIN_NOT_SET)
        if self.retries == 0:
            raise CtapError(Status.PIN_BLOCKED)
        if self.needs_power_cycle:
            raise CtapError(Status.PIN_AUTH_BLOCKED)

    def spend_retry(self) -> None:
        """Pay for the comparison that follows."""
        self._store.commit(Put(_RETRIES, bytes((self.retries - 1,))))
        self._mismatches += 1

    def matches(self, pin_hash: bytes) -> bool:
        """Whether ``pin_hash``, the first 16 bytes of its SHA-256, is the PIN's; in constant time."""
        record = self._store.get(_PIN)
        return record is not None and hmac.compare_digest(record[:_HASH_BYTES], pin_hash)

    def mismatch(self) -> CtapError:
        """How a wrong PIN is answered."""
        if self.retries == 0:
            return CtapError(Status.PIN_BLOCKED)
        return CtapError(Status.PIN_AUTH_BLOCKED if self.needs_power_cycle else Status.PIN_INVALID)

    def restore_retries(self, *changes: Change) -> None:
        """The PIN was right: all tries are back; ``changes`` are made with it."""
        self._store.commit(Put(_RETRIES, bytes((RETRIES,))), *changes)
        self._mismatches = 0

    def check_new(self, padded: bytes, settings: Settings) -> bytes:
        """The PIN in ``padded``, which is 64 bytes filled up with zeros.

        Raises:
            CtapError: INVALID_PARAMETER for another length; PIN_POLICY_VIOLATION if the PIN is no UTF-8, too short or
                too long, known to be weak where that counts, or the old one where a change is demanded.
        """
        if len(padded) != MAX_BYTES + 1:
            raise CtapError(Status.INVALID_PARAMETER)
        new = padded.rstrip(b"\0")
        try:
            text = new.decode()
        except UnicodeDecodeError as error:
            raise CtapError(Status.PIN_POLICY_VIOLATION) from error
        longest = self._profile.pin.max_length
        if len(new) > MAX_BYTES or not settings.min_pin_length <= len(text) <= longest:
            raise CtapError(Status.PIN_POLICY_VIOLATION)
        if settings.pin_complexity_policy and is_weak(text):
            raise CtapError(Status.PIN_POLICY_VIOLATION)
        if settings.force_pin_change and self.matches(_hash(new)):
            raise CtapError(Status.PIN_POLICY_VIOLATION)
        return new

    def set(self, new: bytes, *changes: Change) -> None:
        """Take ``new`` as the PIN; ``changes`` are made with it."""
        record = _hash(new) + bytes((len(new.decode()),))
        self._store.commit(Put(_PIN, record), Put(_RETRIES, bytes((RETRIES,))), *changes)
        self._mismatches = 0


def is_weak(pin: str) -> bool:
    """Whether ``pin`` is one character again and again, or a run such as 1234 or dcba."""
    steps = {ord(after) - ord(before) for before, after in pairwise(pin)}
    return len(steps) <= 1 and steps <= {-1, 0, 1}
