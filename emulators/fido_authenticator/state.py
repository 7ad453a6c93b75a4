"""What a command reads and changes: the profile, the env, the store, the user, and what is forgotten at power-down."""

import hmac
from collections import OrderedDict
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from emulators.env import Env
from emulators.fido_authenticator.algorithms import ALGORITHMS, RS256, SigningKey
from emulators.fido_authenticator.built_in_uv import BuiltInUv
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.certificates import ATTESTATION_KEYS, TestAuthority
from emulators.fido_authenticator.credentials import Credential, Sealer
from emulators.fido_authenticator.pin import Pin
from emulators.fido_authenticator.pin_uv_auth import PinUv
from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.rsa import Search
from emulators.fido_authenticator.settings import Settings
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Change, Erase, Put, Store
from emulators.fido_authenticator.user import Answer, Decision, Prompt, User, UserPresence, UserRequest

if TYPE_CHECKING:
    from emulators.fido_authenticator.extensions.extension import Extension

Response: TypeAlias = Mapping[int, CborValue]
"""The map that follows the status byte; empty for a command that answers with its status alone."""


@dataclass(frozen=True, slots=True)
class Working:
    """A long computation looks up, so that the host can be told that the key still works; nothing is asked."""


Steps: TypeAlias = Generator[UserRequest | Working, Answer, Response]
"""A command at work: it yields what it asks of the user, is resumed with the decision, and returns its response."""

DEVICE_KEY = "device_key"
SIGNATURE_COUNTER = "signature_counter"
PERSISTENT_TOKEN = "persistent_token"  # noqa: S105 - the name of a record, not its value
STORE_STATE = "credential_store_state"

_READY_KEYS = 4


@dataclass(slots=True)
class Walk:
    """What a stateful command leaves behind for its follow-ups (CTAP 2.3 §6), one subclass per command.

    It is forgotten ``expires`` (monotonic seconds), at power-down, and as soon as any command comes that is not
    ``command`` on ``channel``.
    """

    command: int
    channel: int
    expires: float


W = TypeVar("W", bound=Walk)


class State:
    """One key between power-up and power-down. Only ``store`` outlives it."""

    def __init__(
        self, env: Env, profile: Profile, store: Store, user: User, extensions: tuple["Extension", ...]
    ) -> None:
        self.env = env
        self.profile = profile
        self.store = store
        self.user = user
        self.extensions = extensions
        self.powered_up_at = env.clock.monotonic()
        self.channel = 0
        """Where the command that runs came from; transports without channels use 0."""
        self.walk: Walk | None = None
        self.pin_uv = PinUv(env, profile.pin_uv_auth_protocols, lambda: store.get(PERSISTENT_TOKEN))
        self.pin = Pin(store, profile)
        self.built_in_uv = (
            None
            if profile.built_in_uv is None
            else BuiltInUv(store, profile.built_in_uv, lambda: self.pin.is_set and self.pin.retries == 0)
        )
        self.settings = Settings.load(store, profile)
        self.authority = TestAuthority(env.random, profile, store)
        self._rsa = Search.begin(env.random) if RS256 in profile.all_algorithms else None
        self._ready: OrderedDict[bytes, SigningKey] = OrderedDict()
        device_key = store.get(DEVICE_KEY)
        if device_key is None:
            device_key = env.random.token_bytes(32)
            store.commit(Put(DEVICE_KEY, device_key))
        if store.get(PERSISTENT_TOKEN) is None and self.has("perCredMgmtRO"):
            store.commit(*self.new_persistent_token())
        self.sealer = Sealer(device_key)
        self._counter = int.from_bytes(store.get(SIGNATURE_COUNTER) or b"")

    def find(self, rp_id: str, credential_id: bytes) -> Credential | None:
        """The credential with this id, stored or sealed, if it belongs to ``rp_id``."""
        stored = self.store.credential(credential_id)
        if stored is not None:
            return stored if stored.rp_id == rp_id else None
        return self.sealer.open(credential_id, rp_id)

    def hidden(self, credential: Credential, *, listed: bool, user_verified: bool) -> bool:
        """Whether an extension hides ``credential``; ``listed``: the host named it by its id.

        One of an algorithm that only a newer Authrig knows is hidden too.
        """
        return credential.algorithm not in ALGORITHMS or any(
            extension.hides(credential, listed=listed, user_verified=user_verified) for extension in self.extensions
        )

    def signing_key(self, credential: Credential) -> SigningKey:
        """The credential's private key, ready to sign.

        Loading costs as much as signing, and hosts like to ask twice (silently, then with a touch), so the last few
        are kept ready.
        """
        key = self._ready.get(credential.id)
        if key is None:
            key = ALGORITHMS[credential.algorithm].load(credential.private_key)
            self._ready[credential.id] = key
            if len(self._ready) > _READY_KEYS:
                self._ready.popitem(last=False)
        return key

    def make_private_key(self, algorithm: int) -> bytes:
        """A new private key; one for RS256 takes a quarter of a second unless ``prepare`` has found it already."""
        if algorithm != RS256 or self._rsa is None:
            return ALGORITHMS[algorithm].make(self.env.random)
        private_key = self._rsa.finish()
        self._rsa = Search.begin(self.env.random)
        return private_key

    def finish_preparing(self, algorithm: int) -> Generator[Working, Answer, None]:
        """Do what is left of that work for a key of ``algorithm``, looking up every few milliseconds."""
        while algorithm == RS256 and self.prepare():
            yield Working()

    def prepare(self) -> bool:
        """Do a few milliseconds of the work that a later command would wait for; False if there is none left."""
        return self._rsa is not None and self._rsa.step()

    @property
    def next_counter(self) -> int:
        """What ``commit_counted`` will return.

        Raises:
            CtapError: OTHER once the counter has run out.
        """
        if self._counter == 0xFFFF_FFFF:
            raise CtapError(Status.OTHER)
        return self._counter + 1

    def commit_counted(self, *changes: Change) -> int:
        """Make ``changes`` and count one signature, all or nothing; returns the new signature counter.

        One counter serves all credentials, is on record before any answer shows it, and outlives a reset.
        """
        counter = self.next_counter
        self.store.commit(*changes, Put(SIGNATURE_COUNTER, counter.to_bytes(4)))
        self._counter = counter
        return counter

    def erase(self) -> None:
        """Forget all but the signature counter and the keys of the attestation.

        A new device key makes sure that no sealed credential opens again.
        """
        device_key = self.env.random.token_bytes(32)
        attestation_keys = self.store.get(ATTESTATION_KEYS)
        self.store.commit(
            Erase(),
            Put(DEVICE_KEY, device_key),
            Put(SIGNATURE_COUNTER, self._counter.to_bytes(4)),
            *([Put(ATTESTATION_KEYS, attestation_keys)] if attestation_keys else []),
            *self.new_persistent_token(),
        )
        self.sealer = Sealer(device_key)
        self._ready.clear()
        self.walk = None
        self.pin = Pin(self.store, self.profile)
        self.settings = Settings.of(self.profile)
        self.pin_uv.reset_tokens()

    @property
    def identifier(self) -> bytes:
        """16 bytes that name this key until it is reset."""
        return self._named_bytes(b"identifier")

    @property
    def store_state(self) -> bytes:
        """16 bytes that change with every discoverable credential that comes, goes or changes."""
        return self.store.get(STORE_STATE) or self._named_bytes(b"store state")

    def _named_bytes(self, name: bytes) -> bytes:
        return hmac.digest(self.store.get(DEVICE_KEY) or b"", name, "sha256")[:16]

    @property
    def only_2_0(self) -> bool:
        """Whether the key is none of CTAP 2.1 or later, which refuse some options in other words."""
        return not any(version in self.profile.versions for version in ("FIDO_2_1", "FIDO_2_3"))

    @property
    def uv_enabled(self) -> bool:
        """Whether built-in user verification is supported and configured: the option ID uv is true."""
        return self.built_in_uv is not None and self.built_in_uv.configured

    @property
    def protected(self) -> bool:
        """Whether the key is protected by some form of user verification."""
        return self.pin.is_set or self.uv_enabled

    def has(self, option: str) -> bool:
        """Whether the profile's option of this name is there and true."""
        return self.profile.options.get(option, False)

    def set(self, settings: Settings, *changes: Change) -> None:
        """Keep ``settings``; ``changes`` are made with them."""
        self.store.commit(settings.put(), *changes)
        self.settings = settings

    def new_persistent_token(self) -> tuple[Change, ...]:
        """The changes of resetPersistentPinUvAuthToken: who was given the old one can no longer use it.

        A fresh one is known to nobody until it is given to a host, so it needs no flag that says whether it may be used.
        """
        if not self.has("perCredMgmtRO"):
            return ()
        return (Put(PERSISTENT_TOKEN, self.env.random.token_bytes(32)),)

    def new_store_state(self) -> tuple[Change, ...]:
        """The changes that tell holders of the persistent token that a discoverable credential came, went or changed."""
        if not self.has("perCredMgmtRO"):
            return ()
        return (Put(STORE_STATE, self.env.random.token_bytes(16)),)

    def current_walk(self, kind: type[W]) -> W:
        """The walk that a follow-up continues; its time starts anew.

        Raises:
            CtapError: NOT_ALLOWED if there is none of this kind.
        """
        walk = self.walk
        if not isinstance(walk, kind):
            raise CtapError(Status.NOT_ALLOWED)
        walk.expires = self.stateful_deadline()
        return walk

    def stateful_deadline(self) -> float:
        """When a stateful command's state will be forgotten if it was used just now, in monotonic seconds."""
        return self.env.clock.monotonic() + self.profile.timing.stateful_command


def ask_presence(prompt: Prompt, rp_id: str = "", user_name: str = "") -> Generator[UserRequest, Answer, None]:
    """Wait for a touch.

    Raises:
        CtapError: OPERATION_DENIED if the user refuses. (Whoever runs the command throws USER_ACTION_TIMEOUT into it
            when the time is over, and ends it on cancel.)
    """
    if (yield UserPresence(prompt, rp_id, user_name)) is Decision.DENIED:
        raise CtapError(Status.OPERATION_DENIED)
