"""Any commands in any order, against a model of the specification's state that shares no code with the key.

The host is python-fido2. The model knows which credentials there are, the PIN and its tries, what the last token allows
and until when, how far an enumeration has got, and when the key was plugged in; from that it foretells every status.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2
from fido2.ctap2.credman import CredentialManagement
from fido2.ctap2.pin import ClientPin, PinProtocolV2
from fido2.webauthn import PublicKeyCredentialDescriptor, PublicKeyCredentialType
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from emulators.env import Env, SeededRandom, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.transports.in_process import InProcessDevice

HASH = bytes(32)
ES256: list[Mapping[str, Any]] = [{"alg": -7, "type": "public-key"}]
ROOM = 4
RETRIES, RETRIES_PER_POWER_CYCLE = 8, 3
RESET_WINDOW, WALK_TIME, FIRST_USE_TIME, TOKEN_TIME = 10.0, 30.0, 30.0, 600.0
ERR = CtapError.ERR
PERMISSION = ClientPin.PERMISSION

relying_parties = st.sampled_from(["a.example", "b.example"])
users = st.sampled_from([b"ada", b"bob", b"cleo"])
pins = st.sampled_from(["first pin", "other pin", "third pin"])
# Amounts of which no sum is one of the limits: what happens at the very instant is nobody's promise.
pauses = st.sampled_from([1.01, 7.03, 11.07, 31.13, 700.7])
choices = st.integers(0, 20)
seldom = st.sampled_from([None] * 8 + [0, 1, 2, 3])


@dataclass
class Token:
    """What the model knows of the last token that the key gave out."""

    value: bytes
    permissions: PERMISSION
    rp_id: str | None
    begun: float
    used: bool = False


@dataclass
class Walk:
    """Users whose assertions are still to come, the next one first, and until when they may be asked for."""

    users: list[bytes]
    until: float


@dataclass
class Model:
    """The specification's state. ``kept`` maps relying party and user to a discoverable credential, oldest first."""

    powered_up_at: float = 0.0
    pin: str | None = None
    retries: int = RETRIES
    mismatches: int = 0
    kept: dict[tuple[str, bytes], bytes] = field(default_factory=dict)
    sealed: list[tuple[str, bytes]] = field(default_factory=list)
    counter: int = 0
    token: Token | None = None
    ended: list[bytes] = field(default_factory=list)
    """The tokens of before, which must not work any more."""
    walk: Walk | None = None

    def end_token(self) -> None:
        """The last token is no longer one."""
        if self.token is not None:
            self.ended.append(self.token.value)
            self.token = None

    def of(self, rp_id: str) -> list[tuple[bytes, bytes]]:
        """The users and credential ids of a relying party, newest first."""
        return [(user, kept) for (owner, user), kept in reversed(self.kept.items()) if owner == rp_id]


class KeyMachine(RuleBasedStateMachine):
    """A key, its model, and everything that a host or a user may do."""

    def __init__(self) -> None:
        super().__init__()
        profile = profiles.load()
        limits = msgspec.structs.replace(profile.limits, max_discoverable_credentials=ROOM)
        self.clock = SimulatedClock()
        self.key = Authenticator(
            Env(self.clock, SeededRandom("model")), msgspec.structs.replace(profile, limits=limits)
        )
        self.device = InProcessDevice(self.key)
        self.ctap = Ctap2(self.device)
        self.protocol = PinProtocolV2()
        self.client_pin = ClientPin(self.ctap, self.protocol)
        self.model = Model()

    @initialize(
        accounts=st.lists(st.tuples(relying_parties, users), min_size=2, max_size=ROOM, unique=True),
        pin=st.none() | pins,
    )
    def begin(self, accounts: list[tuple[str, bytes]], pin: str | None) -> None:
        """A key that has been in use."""
        for rp_id, user in accounts:
            self.make_credential(rp_id, user, rk=True, verify=False, exclude=None)
        if pin is not None:
            self.set_pin(pin)

    @property
    def now(self) -> float:
        """The key's time."""
        return self.clock.monotonic()

    def expect(self, status: ERR | None, call: Callable[[], Any], *, goes_on: bool = False) -> Any:
        """Make ``call``, which must end with ``status`` (None: success); it ends a walk unless it ``goes_on``."""
        if not goes_on:
            self.model.walk = None
        found, result = None, None
        try:
            result = call()
        except CtapError as error:
            found = error.code
        assert found == status
        return result

    # Time and power

    @rule(seconds=pauses)
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    @rule()
    def replug(self) -> None:
        """Power off and on: tokens, walks and the count of wrong PINs in a row are gone, the rest is not."""
        self.key.power_up()
        self.model.powered_up_at = self.now
        self.model.mismatches = 0
        self.model.walk = None
        self.model.end_token()

    @rule()
    def reset(self) -> None:
        """Within ten seconds after power-up all is forgotten; later nothing is."""
        if self.now - self.model.powered_up_at > RESET_WINDOW:
            self.expect(ERR.NOT_ALLOWED, self.ctap.reset)
            return
        self.expect(None, self.ctap.reset)
        self.model = Model(powered_up_at=self.model.powered_up_at, counter=self.model.counter)

    # The PIN

    @rule(pin=pins)
    def set_pin(self, pin: str) -> None:
        """Only where there is none; tokens of before end."""
        if self.model.pin is not None:
            self.expect(ERR.PIN_AUTH_INVALID, lambda: self.client_pin.set_pin(pin))
            return
        self.expect(None, lambda: self.client_pin.set_pin(pin))
        self.model.pin, self.model.retries, self.model.mismatches = pin, RETRIES, 0
        self.model.end_token()

    @precondition(lambda self: self.model.pin is not None)
    @rule(old=pins, new=pins)
    def change_pin(self, old: str, new: str) -> None:
        """With the right old one; tokens of before end."""
        status = self._enter(old)
        self.expect(status, lambda: self.client_pin.change_pin(old, new))
        if status is None:
            self.model.pin = new
            self.model.end_token()

    @precondition(lambda self: self.model.pin is not None)
    @rule(
        pin=pins,
        permissions=st.sampled_from([PERMISSION.MAKE_CREDENTIAL, PERMISSION.GET_ASSERTION, PERMISSION.CREDENTIAL_MGMT])
        | st.just(PERMISSION.MAKE_CREDENTIAL | PERMISSION.GET_ASSERTION),
        rp_id=relying_parties,
    )
    def get_token(self, pin: str, permissions: PERMISSION, rp_id: str) -> None:
        """With the right PIN a token, which ends the one before."""
        status = self._enter(pin)
        bound = None if permissions == PERMISSION.CREDENTIAL_MGMT else rp_id
        value = self.expect(status, lambda: self.client_pin.get_pin_token(pin, permissions, bound))
        if status is None:
            self.model.end_token()
            self.model.token = Token(value, permissions, bound, self.now)

    def _enter(self, pin: str) -> ERR | None:
        """What becomes of a PIN that is entered: a try is paid for each that is compared."""
        model = self.model
        if model.retries == 0:
            return ERR.PIN_BLOCKED
        if model.mismatches == RETRIES_PER_POWER_CYCLE:
            return ERR.PIN_AUTH_BLOCKED
        if pin == model.pin:
            model.retries, model.mismatches = RETRIES, 0
            return None
        model.retries -= 1
        model.mismatches += 1
        if model.retries == 0:
            return ERR.PIN_BLOCKED
        return ERR.PIN_AUTH_BLOCKED if model.mismatches == RETRIES_PER_POWER_CYCLE else ERR.PIN_INVALID

    # Tokens

    def _authorize(self, permission: PERMISSION, rp_id: str | None) -> bool:
        """Whether the token may be used so now; its first proof, good for this or not, keeps it from lapsing early."""
        token = self.model.token
        if token is None or self.now - token.begun > (TOKEN_TIME if token.used else FIRST_USE_TIME):
            return False
        token.used = True
        return permission in token.permissions and (rp_id is None or token.rp_id in (None, rp_id))

    def _spend(self) -> None:
        """After a touch for anybody the token allows no more than writing large blobs, which the model never asks for."""
        if self.model.token is not None:
            self.model.token.permissions = PERMISSION(0)

    def _proof(self) -> tuple[bytes | None, int | None]:
        if self.model.token is None:
            return None, None
        return self.protocol.authenticate(self.model.token.value, HASH), 2  # type: ignore[no-untyped-call] # python-fido2 left it untyped

    @precondition(lambda self: self.model.pin is not None and self.model.ended)
    @rule(choice=choices, rp_id=relying_parties)
    def use_ended_token(self, choice: int, rp_id: str) -> None:
        """A token that another one, a change of the PIN or a replug has ended proves nothing."""
        token = self.model.ended[choice % len(self.model.ended)]
        param = self.protocol.authenticate(token, HASH)  # type: ignore[no-untyped-call] # python-fido2 left it untyped
        self.expect(
            ERR.PIN_AUTH_INVALID,
            lambda: self.ctap.get_assertion(rp_id, HASH, pin_uv_param=param, pin_uv_protocol=2),
        )

    # Credentials

    @rule(rp_id=relying_parties, user=users, rk=st.booleans(), verify=st.booleans(), exclude=seldom)
    def make_credential(self, rp_id: str, user: bytes, *, rk: bool, verify: bool, exclude: int | None) -> None:
        """Kept or sealed, with or without a PIN, with or without one that it must not double."""
        model = self.model
        param, version = self._proof() if verify else (None, None)
        excluded = None if exclude is None else self._pick(exclude)
        status = self._foretell_making(rp_id, user, excluded, rk=rk, proven=param is not None)
        made = self.expect(
            status,
            lambda: self.ctap.make_credential(
                HASH,
                {"id": rp_id, "name": rp_id},
                {"id": user, "name": user.decode()},
                ES256,
                exclude_list=[{"id": excluded[1], "type": "public-key"}] if excluded else None,
                options={"rk": rk} if rk else None,
                pin_uv_param=param,
                pin_uv_protocol=version,
            ),
        )
        if made is None:
            return
        self._spend()
        self._count(made.auth_data.counter)
        assert made.auth_data.is_user_verified() is (param is not None)
        credential_id = made.auth_data.credential_data.credential_id
        if rk:
            model.kept.pop((rp_id, user), None)
            model.kept[rp_id, user] = credential_id
        else:
            model.sealed.append((rp_id, credential_id))

    def _foretell_making(
        self, rp_id: str, user: bytes, excluded: tuple[str, bytes] | None, *, rk: bool, proven: bool
    ) -> ERR | None:
        model = self.model
        if proven:
            if not self._authorize(PERMISSION.MAKE_CREDENTIAL, rp_id):
                return ERR.PIN_AUTH_INVALID
        elif model.pin is not None and rk:
            return ERR.PUAT_REQUIRED
        if excluded is not None and excluded[0] == rp_id:
            return ERR.CREDENTIAL_EXCLUDED
        if rk and len(model.kept) == ROOM and (rp_id, user) not in model.kept:
            # The touch comes first, and spends the token.
            self._spend()
            return ERR.KEY_STORE_FULL
        return None

    def _pick(self, choice: int) -> tuple[str, bytes] | None:
        """One of all credentials that there are, with its relying party."""
        everything = [*((rp_id, kept) for (rp_id, _), kept in self.model.kept.items()), *self.model.sealed]
        return everything[choice % len(everything)] if everything else None

    @rule(
        rp_id=relying_parties, silently=st.booleans(), waits=st.lists(st.sampled_from([0.0, 1.01, 31.13]), max_size=3)
    )
    def get_all_assertions(self, rp_id: str, *, silently: bool, waits: list[float]) -> None:
        """Account after account, with pauses, as a host does that lets its user choose."""
        self.get_assertion(rp_id, verify=False, up=not silently, allow=None)
        for seconds in waits:
            self.clock.advance(seconds)
            self.get_next_assertion()

    @rule(rp_id=relying_parties, verify=st.booleans(), up=st.booleans(), allow=st.none() | choices)
    def get_assertion(self, rp_id: str, *, verify: bool, up: bool, allow: int | None) -> None:
        """With a credential that the host names, or the newest of all accounts, of which the others can follow."""
        model = self.model
        param, version = self._proof() if verify else (None, None)
        named = None if allow is None else self._pick(allow)
        found = model.of(rp_id)
        if named is not None:
            found = [(b"", named[1])] if named[0] == rp_id else []
        status = None if found else ERR.NO_CREDENTIALS
        if param is not None and not self._authorize(PERMISSION.GET_ASSERTION, rp_id):
            status = ERR.PIN_AUTH_INVALID
        response = self.expect(
            status,
            lambda: self.ctap.get_assertion(
                rp_id,
                HASH,
                allow_list=[{"id": named[1], "type": "public-key"}] if named else None,
                options=None if up else {"up": False},
                pin_uv_param=param,
                pin_uv_protocol=version,
            ),
        )
        if response is None:
            return
        if up:
            self._spend()
        self._count(response.auth_data.counter)
        assert response.credential["id"] == found[0][1]
        assert response.auth_data.is_user_present() is up
        assert response.auth_data.is_user_verified() is (param is not None)
        assert (response.number_of_credentials or 1) == len(found)
        if len(found) > 1:
            model.walk = Walk([user for user, _ in found[1:]], self.now + WALK_TIME)

    @rule()
    def get_next_assertion(self) -> None:
        """The next account, while there is one, nothing came between, and not too long has passed."""
        model = self.model
        walk = model.walk
        if walk is None or not walk.users or self.now > walk.until:
            self.expect(ERR.NOT_ALLOWED, self.ctap.get_next_assertion, goes_on=True)
            return
        response = self.expect(None, self.ctap.get_next_assertion, goes_on=True)
        assert response.user["id"] == walk.users.pop(0)
        self._count(response.auth_data.counter)
        walk.until = self.now + WALK_TIME

    def _count(self, counter: int) -> None:
        """The signature counter only ever grows, also over power cycles and resets."""
        assert counter > self.model.counter
        self.model.counter = counter

    # Credential management

    @precondition(lambda self: self.model.token is not None)
    @rule(rp_id=relying_parties, delete=st.none() | choices)
    def manage(self, rp_id: str, delete: int | None) -> None:
        """What is listed is what was made; what is deleted is gone."""
        model = self.model
        assert model.token is not None
        manager = CredentialManagement(self.ctap, self.protocol, model.token.value)
        if not self._authorize(PERMISSION.CREDENTIAL_MGMT, None):
            self.expect(ERR.PIN_AUTH_INVALID, manager.get_metadata)
            return
        metadata = self.expect(None, manager.get_metadata)
        assert metadata == {1: len(model.kept), 2: ROOM - len(model.kept)}
        owners = {entry[3]["id"] for entry in self.expect(None, manager.enumerate_rps)}
        assert owners == {owner for owner, _ in model.kept}
        hashed = sha256(rp_id.encode()).digest()
        listed = {
            entry[6]["id"]: entry[7]["id"] for entry in self.expect(None, lambda: manager.enumerate_creds(hashed))
        }
        assert listed == dict(model.of(rp_id))
        if delete is not None and listed:
            user = sorted(listed)[delete % len(listed)]
            self.expect(
                None,
                lambda: manager.delete_cred(
                    PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=listed[user])
                ),
            )
            del model.kept[rp_id, user]

    # What can be asked at any time

    @rule()
    def ask(self) -> None:
        """What getInfo and getPINRetries say is what the model knows."""
        info = self.expect(None, self.ctap.get_info)
        assert info.options["clientPin"] is (self.model.pin is not None)
        assert info.remaining_disc_creds == ROOM - len(self.model.kept)
        if self.model.pin is None:
            self.expect(ERR.PIN_NOT_SET, self.client_pin.get_pin_retries)
        else:
            blocked = self.model.mismatches == RETRIES_PER_POWER_CYCLE
            assert self.expect(None, self.client_pin.get_pin_retries) == (self.model.retries, blocked)

    @invariant()
    def nothing_is_lost(self) -> None:
        """The key's memory holds what the model does, no more and no less."""
        store = self.key.store
        kept = {
            (rp_id, credential.user.id if credential.user else b""): credential.id
            for rp_id in store.rp_ids(discoverable=True)
            for credential in store.credentials(rp_id)
        }
        assert kept == self.model.kept


KeyMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestKeyMachine = KeyMachine.TestCase
