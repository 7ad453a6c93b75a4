"""Verification by the key itself: a fingerprint sensor with its templates, or a passcode on the key's own pad.

A try is paid for, on record, before the finger is compared, as with the PIN.
"""

from collections.abc import Callable, Generator
from typing import Final

import msgspec

from emulators.fido_authenticator.profile import BuiltInUv as Sensor
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Put, Store, StoreError
from emulators.fido_authenticator.user import (
    Answer,
    Decision,
    Finger,
    Prompt,
    SampleQuality,
    UserRequest,
    UserVerification,
)

_TEMPLATES: Final = "fingerprints"
_RETRIES: Final = "uv_retries"
_SINCE_PIN: Final = "uv_count_since_pin"


class Template(msgspec.Struct, frozen=True):
    """An enrolled finger. ``finger`` is the one that the samples were of; empty: the owner's, whichever."""

    id: bytes
    finger: str
    name: str = ""


class BuiltInUv:
    """The built-in user verification of one key; what changes is all in the store.

    ``pin_is_blocked``: whether there is a PIN of which no try is left.
    """

    def __init__(self, store: Store, sensor: Sensor, pin_is_blocked: Callable[[], bool]) -> None:
        self._store = store
        self.sensor = sensor
        self._pin_is_blocked = pin_is_blocked

    @property
    def templates(self) -> tuple[Template, ...]:
        """The enrolled fingers, oldest first."""
        record = self._store.get(_TEMPLATES)
        if record is None:
            return ()
        try:
            return msgspec.msgpack.decode(record, type=tuple[Template, ...])
        except msgspec.DecodeError as error:
            raise StoreError(f"the record {_TEMPLATES} of the key's memory is damaged: {error}") from error

    def keep(self, templates: tuple[Template, ...]) -> None:
        """Let ``templates`` be the enrolled fingers; without any the tries are back, for there is nothing to guess."""
        changes = [] if templates else [Put(_RETRIES, bytes((self.sensor.retries,)))]
        self._store.commit(Put(_TEMPLATES, msgspec.msgpack.encode(templates)), *changes)

    @property
    def configured(self) -> bool:
        """Whether the key can verify its user now; a passcode is there from the factory."""
        return self.sensor.kind == "passcode" or bool(self.templates)

    @property
    def retries(self) -> int:
        """How many mismatches are left."""
        record = self._store.get(_RETRIES)
        return self.sensor.retries if record is None else record[0]

    @property
    def count_since_pin(self) -> int:
        """How often the key has verified its user since a PIN was entered: uvCountSinceLastPinEntry."""
        return int.from_bytes(self._store.get(_SINCE_PIN) or b"")

    def pin_was_entered(self) -> tuple[Put, ...]:
        """The changes that a right PIN brings: all tries are back."""
        return Put(_RETRIES, bytes((self.sensor.retries,))), Put(_SINCE_PIN, b"")

    def perform(
        self, prompt: Prompt, rp_id: str = "", user_name: str = "", *, internal_retry: bool
    ) -> Generator[UserRequest, Answer, bool]:
        """Whether the user is verified: performBuiltInUv, §6.5.3.1. ``internal_retry``: ask again after a mismatch.

        Raises:
            CtapError: OPERATION_DENIED if the user refuses; USER_ACTION_TIMEOUT comes from whoever runs the command.
        """
        # Step 3: who has used up the PIN's tries gets no more of the finger's.
        if self.retries > 0 and self._pin_is_blocked():
            self._store.commit(Put(_RETRIES, b"\0"))
        attempts = self.sensor.attempts if internal_retry else 1
        while attempts > 0 and self.retries > 0:
            attempts -= 1
            answer = yield UserVerification(prompt, rp_id, user_name)
            if answer is Decision.DENIED:
                raise CtapError(Status.OPERATION_DENIED)
            self._store.commit(Put(_RETRIES, bytes((self.retries - 1,))))
            if self._matches(answer):
                count = (self.count_since_pin + 1).to_bytes(8)
                self._store.commit(Put(_RETRIES, bytes((self.sensor.retries,))), Put(_SINCE_PIN, count))
                return True
        return False

    def _matches(self, answer: Answer) -> bool:
        if answer is Decision.GRANTED:
            return True
        return (
            isinstance(answer, Finger)
            and answer.quality is SampleQuality.GOOD
            and any(template.finger == answer.name for template in self.templates)
        )
