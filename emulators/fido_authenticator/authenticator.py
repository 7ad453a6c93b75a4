"""The key itself: power-up, the table of commands, and the running of one command at a time.

Sans-I/O: a shell hands over a request (command byte and parameters), polls the ``Execution`` until it has the answer,
and turns the time in between into whatever its wire does while a user is awaited.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Generic, Protocol, TypeVar

from emulators.env import Env
from emulators.fido_authenticator import cbor
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.algorithms import ALGORITHMS
from emulators.fido_authenticator.attestation import FORMATS
from emulators.fido_authenticator.certificates import TestAuthority
from emulators.fido_authenticator.commands.bio_enrollment import bio_enrollment, bio_enrollment_preview
from emulators.fido_authenticator.commands.client_pin import client_pin
from emulators.fido_authenticator.commands.config import config
from emulators.fido_authenticator.commands.credential_management import (
    CredentialManagementRequest,
    credential_management,
    credential_management_preview,
)
from emulators.fido_authenticator.commands.get_assertion import get_assertion, get_next_assertion
from emulators.fido_authenticator.commands.get_info import get_info
from emulators.fido_authenticator.commands.large_blobs import LargeBlobsRequest, large_blobs
from emulators.fido_authenticator.commands.make_credential import make_credential
from emulators.fido_authenticator.commands.reset import reset
from emulators.fido_authenticator.commands.selection import selection
from emulators.fido_authenticator.extensions.table import EXTENSIONS
from emulators.fido_authenticator.messages import (
    BioEnrollmentRequest,
    ClientPinRequest,
    ConfigRequest,
    EmptyRequest,
    GetAssertionRequest,
    MakeCredentialRequest,
)
from emulators.fido_authenticator.profile import MAX_MESSAGE_BYTES, U2F_V2, Profile, ProfileError
from emulators.fido_authenticator.state import Response, State, Steps, Working
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import MemoryStore, Store, StoreError
from emulators.fido_authenticator.u2f import U2f
from emulators.fido_authenticator.user import AutomaticUser, User, UserRequest

R = TypeVar("R")

logger = logging.getLogger(__name__)


def _always(profile: Profile) -> bool:
    del profile
    return True


def _since_2_1(profile: Profile) -> bool:
    return not {"FIDO_2_1", "FIDO_2_3"}.isdisjoint(profile.versions)


def _with(option: str) -> Callable[[Profile], bool]:
    """Keys on which ``option`` is true."""
    return lambda profile: profile.options.get(option, False)


def _listing(option: str) -> Callable[[Profile], bool]:
    """Keys that list ``option``, which is false as long as nothing is set up."""
    return lambda profile: option in profile.options


def _with_protocols(profile: Profile) -> bool:
    """Also without a PIN there is key agreement, which hmac-secret needs."""
    return bool(profile.pin_uv_auth_protocols)


@dataclass(frozen=True, slots=True)
class Command(Generic[R]):
    """How to read a command's parameters, how to run it, and which keys have it."""

    parse: Callable[[bytes], R]
    run: Callable[[State, R], Steps]
    there: Callable[[Profile], bool] = _always

    def start(self, state: State, parameters: bytes) -> Steps:
        """The command at work on ``parameters``."""
        return self.run(state, self.parse(parameters))


class Startable(Protocol):
    """A ``Command`` whose type of request does not matter."""

    @property
    def there(self) -> Callable[[Profile], bool]:
        """Whether a key of a profile has the command."""
        ...

    def start(self, state: State, parameters: bytes) -> Steps:
        """The command at work on ``parameters``."""
        ...


COMMANDS: dict[int, Startable] = {
    0x01: Command(MakeCredentialRequest.from_cbor, make_credential),
    0x02: Command(GetAssertionRequest.from_cbor, get_assertion),
    0x04: Command(EmptyRequest.from_cbor, get_info),
    0x06: Command(ClientPinRequest.from_cbor, client_pin, _with_protocols),
    0x07: Command(EmptyRequest.from_cbor, reset),
    0x08: Command(EmptyRequest.from_cbor, get_next_assertion),
    0x09: Command(BioEnrollmentRequest.from_cbor, bio_enrollment, _listing("bioEnroll")),
    0x0A: Command(CredentialManagementRequest.from_cbor, credential_management, _with("credMgmt")),
    0x0B: Command(EmptyRequest.from_cbor, selection, _since_2_1),
    0x0C: Command(LargeBlobsRequest.from_cbor, large_blobs, _with("largeBlobs")),
    0x0D: Command(ConfigRequest.from_cbor, config, _with("authnrCfg")),
    0x40: Command(BioEnrollmentRequest.from_cbor, bio_enrollment_preview, _listing("userVerificationMgmtPreview")),
    0x41: Command(CredentialManagementRequest.from_cbor, credential_management_preview, _with("credentialMgmtPreview")),
}

OPTIONS = frozenset(
    {
        "rk",
        "up",
        "plat",
        "uv",
        "clientPin",
        "pinUvAuthToken",
        "noMcGaPermissionsWithClientPin",
        "makeCredUvNotRqd",
        "alwaysUv",
        "ep",
        "setMinPINLength",
        "authnrCfg",
        "uvAcfg",
        "bioEnroll",
        "uvBioEnroll",
        "userVerificationMgmtPreview",
        "perCredMgmtRO",
        "credMgmt",
        "credentialMgmtPreview",
        "largeBlobs",
    }
)
"""The getInfo options that are implemented, so far as a profile sets them."""

VERSIONS = frozenset({U2F_V2, "FIDO_2_0", "FIDO_2_1_PRE", "FIDO_2_1", "FIDO_2_3"})
"""The versions that a profile may claim."""


_SHIFT = 0.05
"""Seconds for which a long computation may keep a shell from anything else, such as the next keepalive."""


class KeepaliveStatus(IntEnum):
    """What the key does while a host waits (CTAP 2.3 §11.2.9.1.7)."""

    PROCESSING = 1
    UPNEEDED = 2


class Execution:
    """One request on its way to its answer. ``answer`` is None until it is there."""

    def __init__(self, state: State, request: bytes, channel: int) -> None:
        self._state = state
        self._asking: UserRequest | Working | None = None
        self._deadline = 0.0
        self._steps: Steps = _run(state, request, channel)
        self.answer: bytes | None = None
        """The status byte and, after SUCCESS, the canonical CBOR of the response."""
        self._resume(partial(next, self._steps))
        self.poll()

    @property
    def status(self) -> KeepaliveStatus:
        """What a keepalive would say right now."""
        works = self._asking is None or isinstance(self._asking, Working)
        return KeepaliveStatus.PROCESSING if works else KeepaliveStatus.UPNEEDED

    def poll(self) -> bytes | None:
        """Work for a while, and see what the user and the time have done; returns ``answer``."""
        began = self._state.env.clock.monotonic()
        while self._asking is not None:
            now = self._state.env.clock.monotonic()
            if isinstance(self._asking, Working):
                if now - began >= _SHIFT:
                    break
                self._asking = None
                self._resume(partial(next, self._steps))
                continue
            decision = self._state.user.decision(now)
            if decision is None:
                if now < self._deadline:
                    break
                self._go_on(lambda: self._steps.throw(CtapError(Status.USER_ACTION_TIMEOUT)))
            else:
                self._go_on(partial(self._steps.send, decision))
        return self.answer

    def next_deadline(self) -> float | None:
        """When ``poll`` has something to do unless the user acts first, in monotonic seconds; None once answered."""
        if self._asking is None:
            return None
        if isinstance(self._asking, Working):
            return self._state.env.clock.monotonic()
        foreseen = self._state.user.next_change()
        return self._deadline if foreseen is None else min(foreseen, self._deadline)

    def cancel(self) -> None:
        """The host no longer wants it: if the user is still awaited, the answer is KEEPALIVE_CANCEL."""
        if self._asking is not None:
            self._state.user.end()
            self._asking = None
            self._steps.close()
            self.answer = bytes((Status.KEEPALIVE_CANCEL,))

    def _go_on(self, step: Callable[[], UserRequest | Working]) -> None:
        self._state.user.end()
        self._asking = None
        self._resume(step)

    def _resume(self, step: Callable[[], UserRequest | Working]) -> None:
        """Let the command work until it asks the user for something, looks up, or is done."""
        try:
            self._asking = step()
        except StopIteration as done:
            response: Response = done.value
            answer = b"\0" + cbor.encode(response) if response else b"\0"
            # Two post-quantum signatures in one assertion are more than a message carries.
            self.answer = answer if len(answer) <= MAX_MESSAGE_BYTES else bytes((Status.REQUEST_TOO_LARGE,))
        except CtapError as error:
            self.answer = bytes((error.status,))
        except StoreError:
            logger.exception("the key's memory failed")
            self.answer = bytes((Status.OTHER,))
        else:
            if not isinstance(self._asking, Working):
                self._ask(self._asking)

    def _ask(self, asking: UserRequest) -> None:
        now = self._state.env.clock.monotonic()
        timeout = self._state.profile.timing.user_action if asking.timeout is None else asking.timeout
        self._deadline = now + timeout
        self._state.user.begin(asking, now)


def _run(state: State, request: bytes, channel: int) -> Steps:
    if not request:
        raise CtapError(Status.INVALID_LENGTH)
    if len(request) > state.profile.limits.max_msg_size:
        raise CtapError(Status.REQUEST_TOO_LARGE)
    command = COMMANDS.get(request[0])
    state.channel = channel
    walk = state.walk
    if walk and ((request[0], channel) != (walk.command, walk.channel) or state.env.clock.monotonic() > walk.expires):
        state.walk = None
    if command is None or not command.there(state.profile):
        raise CtapError(Status.INVALID_COMMAND)
    return (yield from command.start(state, request[1:]))


class Authenticator:
    """A security key. Without arguments beyond ``env``: the default profile, in memory, touched automatically.

    Raises:
        ProfileError: if the profile promises what is not implemented.
    """

    def __init__(
        self, env: Env, profile: Profile | None = None, store: Store | None = None, user: User | None = None
    ) -> None:
        self.env = env
        self.profile = profile or profiles.load()
        self.store = MemoryStore() if store is None else store
        self.user = user or AutomaticUser()
        check_implemented(self.profile)
        self._extensions = tuple(EXTENSIONS[name] for name in EXTENSIONS if name in self.profile.extensions)
        self._state = State(self.env, self.profile, self.store, self.user, self._extensions)
        self.u2f = U2f(self._state)
        """The key's U2F side; a shell offers it if the profile has U2F."""

    def power_up(self) -> None:
        """Pull the plug and put it back: all that is not in the store is forgotten, and the reset window opens."""
        self.u2f.stop()
        self._state = State(self.env, self.profile, self.store, self.user, self._extensions)
        self.u2f = U2f(self._state)

    def prepare(self) -> bool:
        """Do a few milliseconds of the work that a later command would wait for; False if there is none left.

        For a shell that has nothing else to do; a key that is never prepared gives the same answers later.
        """
        return self._state.prepare()

    @property
    def authority(self) -> TestAuthority:
        """The test CA, which relying parties must trust if they look at attestation."""
        return self._state.authority

    def start(self, request: bytes, channel: int = 0) -> Execution:
        """Begin the CTAP2 request ``request``: the command byte and the CBOR of its parameters.

        One at a time: a shell starts the next one when this one is answered. ``channel`` tells hosts apart.
        """
        self.u2f.stop()
        return Execution(self._state, request, channel)


def check_implemented(profile: Profile) -> None:
    """Make sure that the key can do all that ``profile`` promises.

    Raises:
        ProfileError: naming what it cannot do.
    """
    for what, promised, implemented in (
        ("versions", profile.versions, VERSIONS),
        ("extensions", profile.extensions, EXTENSIONS),
        ("algorithms", profile.all_algorithms, ALGORITHMS),
        ("options", profile.options, OPTIONS),
        ("attestation_formats", profile.attestation_formats, FORMATS),
    ):
        missing = [str(item) for item in promised if item not in implemented]
        if missing:
            known = ", ".join(sorted(map(str, implemented)))
            raise ProfileError(f"profile {profile.name}: {what}: expected some of {known}, found {', '.join(missing)}")
    for option, needed, there in (
        ("uv", "built_in_uv", profile.built_in_uv is not None),
        ("bioEnroll", "built_in_uv.kind fingerprint", _has_sensor(profile)),
        ("userVerificationMgmtPreview", "built_in_uv.kind fingerprint", _has_sensor(profile)),
        ("clientPin", "pin_uv_auth_protocols", bool(profile.pin_uv_auth_protocols)),
        ("pinUvAuthToken", "pin_uv_auth_protocols", bool(profile.pin_uv_auth_protocols)),
        ("authnrCfg", "config_commands", bool(profile.config_commands)),
    ):
        if option in profile.options and not there:
            raise ProfileError(f"profile {profile.name}: option {option}: expected {needed} with it, found none")
    for extension, needed, there in (
        ("hmac-secret", "pin_uv_auth_protocols", bool(profile.pin_uv_auth_protocols)),
        ("hmac-secret-mc", "hmac-secret", "hmac-secret" in profile.extensions),
        ("largeBlobKey", "option largeBlobs", "largeBlobs" in profile.options),
        ("minPinLength", "option setMinPINLength", "setMinPINLength" in profile.options),
    ):
        if extension in profile.extensions and not there:
            raise ProfileError(f"profile {profile.name}: extension {extension}: expected {needed} with it, found none")


def _has_sensor(profile: Profile) -> bool:
    return profile.built_in_uv is not None and profile.built_in_uv.kind == "fingerprint"
