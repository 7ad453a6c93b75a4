"""CTAP1, also known as U2F v2 (FIDO U2F Raw Message Formats 1.2): register, authenticate and version as APDUs.

Nothing here waits: a host that is told CONDITIONS_NOT_SATISFIED asks again, some times a second, until the user has
touched the key. Credentials are those of CTAP2: the application parameter is the hash of a relying party's id.
"""

import logging
from collections.abc import Callable
from hashlib import sha256

from emulators.fido_authenticator.algorithms import ES256
from emulators.fido_authenticator.apdu import Apdu, ApduError, StatusWord, parse
from emulators.fido_authenticator.attestation import u2f_point, u2f_registration_data
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.profile import U2F_V2
from emulators.fido_authenticator.state import State
from emulators.fido_authenticator.status import CtapError
from emulators.fido_authenticator.store import StoreError
from emulators.fido_authenticator.user import Decision, Prompt, UserPresence

_PATIENCE = 1.0
"""Seconds after a host's last question in which a touch still counts; then the key stops blinking."""

_CHECK_ONLY, _ENFORCE_PRESENCE, _DO_NOT_ENFORCE = 0x07, 0x03, 0x08

logger = logging.getLogger(__name__)


class U2f:
    """The U2F side of the key that ``state`` is."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._asking: tuple[UserPresence, bytes] | None = None
        self._until = 0.0
        self._commands: dict[int, Callable[[Apdu], bytes]] = {
            0x01: self._register,
            0x02: self._authenticate,
            0x03: self._version,
        }

    def answer(self, command: bytes) -> bytes:
        """The answer to one APDU: data and status word."""
        try:
            return self.run(parse(command)) + StatusWord.NO_ERROR.bytes
        except ApduError as error:
            return error.status_word.bytes

    def run(self, apdu: Apdu) -> bytes:
        """The data that answers ``apdu``.

        Raises:
            ApduError: for all that is not a success.
        """
        if apdu.cla != 0:
            raise ApduError(StatusWord.CLA_NOT_SUPPORTED)
        command = self._commands.get(apdu.ins)
        if command is None:
            raise ApduError(StatusWord.INS_NOT_SUPPORTED)
        try:
            return command(apdu)
        except (StoreError, CtapError) as error:
            logger.exception("U2F command 0x%02X failed", apdu.ins)
            raise ApduError(StatusWord.UNKNOWN) from error

    def poll(self) -> None:
        """Stop blinking when the host no longer asks."""
        if self._asking is not None and self._state.env.clock.monotonic() >= self._until:
            self.stop()

    def next_deadline(self) -> float | None:
        """When ``poll`` has something to do, in monotonic seconds; None if the key does not blink."""
        return None if self._asking is None else self._until

    def stop(self) -> None:
        """Stop blinking: the user is needed for something else, or for nothing."""
        if self._asking is not None:
            self._asking = None
            self._state.user.end()

    def _register(self, apdu: Apdu) -> bytes:
        """§4: a new key pair for an application."""
        self._check_allowed()
        if len(apdu.data) != 64:
            raise ApduError(StatusWord.WRONG_LENGTH)
        challenge, application = apdu.data[:32], apdu.data[32:]
        self._need_touch(Prompt.REGISTER, application)
        state = self._state
        unsealed = Credential(b"", "", ES256, state.make_private_key(ES256))
        credential = state.sealer.seal(state.env.random, unsealed, application)
        public_key = state.signing_key(credential).public_key()
        state.commit_counted()
        signed = u2f_registration_data(application, challenge, credential.id, public_key)
        batch = state.authority.batch
        handle = bytes((len(credential.id),)) + credential.id
        return b"\x05" + u2f_point(public_key) + handle + batch.certificate + batch.sign(signed)

    def _authenticate(self, apdu: Apdu) -> bytes:
        """§5: sign with the key pair that the key handle names."""
        self._check_allowed()
        if apdu.p1 not in (_CHECK_ONLY, _ENFORCE_PRESENCE, _DO_NOT_ENFORCE):
            raise ApduError(StatusWord.WRONG_P1_P2)
        data = apdu.data
        if len(data) < 65 or len(data) != 65 + data[64]:
            raise ApduError(StatusWord.WRONG_LENGTH)
        challenge, application, handle = data[:32], data[32:64], data[65:]
        credential = self._find(application, handle)
        if credential is None:
            raise ApduError(StatusWord.WRONG_DATA)
        # The answer "it is mine, but a touch is needed" to a host that only wants to know the first half.
        if apdu.p1 == _CHECK_ONLY:
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
        if apdu.p1 == _ENFORCE_PRESENCE:
            self._need_touch(Prompt.LOG_IN, application, handle)
        counter = self._state.commit_counted()
        shown = bytes((apdu.p1 == _ENFORCE_PRESENCE,)) + counter.to_bytes(4)
        return shown + self._state.signing_key(credential).sign(application + shown + challenge)

    def _version(self, apdu: Apdu) -> bytes:
        """§6."""
        if apdu.data:
            raise ApduError(StatusWord.WRONG_LENGTH)
        return U2F_V2.encode()

    def _check_allowed(self) -> None:
        """CTAP 2.3 §7.2.4: U2F cannot verify the user, so it is off where verification is always required."""
        if self._state.settings.always_uv:
            raise ApduError(StatusWord.COMMAND_NOT_ALLOWED)

    def _find(self, application: bytes, handle: bytes) -> Credential | None:
        credential = self._state.store.credential(handle)
        if credential is None:
            credential = self._state.sealer.open_by_hash(handle, application)
        elif sha256(credential.rp_id.encode()).digest() != application:
            return None
        if credential is None or credential.algorithm != ES256:
            return None
        return None if self._state.hidden(credential, listed=True, user_verified=False) else credential

    def _need_touch(self, prompt: Prompt, application: bytes, handle: bytes = b"") -> None:
        """Go on if the user has touched the key since this was first asked for; otherwise blink."""
        state = self._state
        now = state.env.clock.monotonic()
        self.poll()
        asking = UserPresence(prompt, state.store.rp_id(application) or ""), application + handle
        if self._asking != asking:
            self.stop()
            self._asking = asking
            state.user.begin(asking[0], now)
        self._until = now + _PATIENCE
        decision = state.user.decision(now)
        if decision is None:
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
        self.stop()
        if decision is Decision.DENIED:
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
