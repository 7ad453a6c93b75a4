from hashlib import sha256

import msgspec
import pytest
from fido2.client import DefaultClientDataCollector, Fido2Client
from fido2.ctap1 import ApduError, Ctap1
from fido2.ctap2.base import Ctap2
from fido2.hid import CAPABILITY
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.store import Change, MemoryStore, StoreError, dump
from emulators.fido_authenticator.transports.in_process import InProcessTransport
from emulators.fido_authenticator.user import Act, AutomaticUser, Decision, HandUser, ScriptedUser, User
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    HASH,
    MAKE_CREDENTIAL,
    SELECTION,
    assertion,
    call,
    creation,
    descriptor,
    register,
    request,
)

APPLICATION = sha256(b"example.com").digest()
CHALLENGE = HASH
TOUCH_NEEDED, WRONG_DATA, NOT_ALLOWED = 0x6985, 0x6A80, 0x6986


def _key(user: User | None = None, *, always_uv: bool = False) -> Authenticator:
    profile = profiles.load()
    options = {**profile.options, "alwaysUv": True} if always_uv else profile.options
    return Authenticator(Env.simulated(1), msgspec.structs.replace(profile, options=options), user=user)


def _ctap1(authenticator: Authenticator) -> Ctap1:
    return Ctap1(InProcessTransport(CtapHid(authenticator)).open_device())


def _pass(authenticator: Authenticator, seconds: float) -> None:
    assert isinstance(authenticator.env.clock, SimulatedClock)
    authenticator.env.clock.advance(seconds)


def _status(authenticator: Authenticator, *, ins: int, data: bytes = b"", p1: int = 0, cla: int = 0) -> int:
    answer = authenticator.u2f.answer(bytes((cla, ins, p1, 0, 0)) + len(data).to_bytes(2) + data + bytes(2))
    return int.from_bytes(answer[-2:])


def _signing(handle: bytes, application: bytes = APPLICATION) -> bytes:
    return CHALLENGE + application + bytes((len(handle),)) + handle


def test_python_fido2_registers_and_authenticates() -> None:
    """Its CTAP1 client verifies the registration, the assertion, and the counter that goes up."""
    ctap1 = _ctap1(_key())
    assert ctap1.get_version() == "U2F_V2"
    made = ctap1.register(CHALLENGE, APPLICATION)
    made.verify(APPLICATION, CHALLENGE)
    with pytest.raises(ApduError) as mine:
        ctap1.authenticate(CHALLENGE, APPLICATION, made.key_handle, check_only=True)
    assert mine.value.code == TOUCH_NEEDED
    counters = []
    for _ in range(2):
        signed = ctap1.authenticate(CHALLENGE, APPLICATION, made.key_handle)
        signed.verify(APPLICATION, CHALLENGE, made.public_key)
        assert signed.user_presence == 1
        counters.append(signed.counter)
    assert counters[0] < counters[1]


def test_a_handle_works_for_its_application_and_key_only() -> None:
    """Another application, another key, and a damaged handle are all WRONG_DATA."""
    authenticator = _key()
    handle = _ctap1(authenticator).register(CHALLENGE, APPLICATION).key_handle
    other = Authenticator(Env.simulated(2))
    for key, data in (
        (authenticator, _signing(handle, bytes(32))),
        (other, _signing(handle)),
        (authenticator, _signing(handle[:-1] + bytes((handle[-1] ^ 1,)))),
        (authenticator, _signing(b"")),
    ):
        for p1 in (0x03, 0x07, 0x08):
            assert _status(key, ins=2, p1=p1, data=data) == WRONG_DATA


def test_signing_without_presence_says_so() -> None:
    """Control byte 0x08 needs nobody, and the presence bit that is signed is zero."""
    authenticator = _key(ScriptedUser([Act()]))
    made = _ctap1(authenticator).register(CHALLENGE, APPLICATION)
    answer = authenticator.u2f.answer(
        b"\0\2\x08\0\0" + len(_signing(made.key_handle)).to_bytes(2) + _signing(made.key_handle)
    )
    assert (answer[0], answer[-2:]) == (0, b"\x90\0")


def test_the_host_asks_until_the_user_touches() -> None:
    """CONDITIONS_NOT_SATISFIED while the key blinks, once; then the answer."""
    user = ScriptedUser([Act(delay=0.5), Act(Decision.DENIED), Act()])
    authenticator = _key(user)
    data = CHALLENGE + APPLICATION
    for _ in range(3):
        assert _status(authenticator, ins=1, data=data) == TOUCH_NEEDED
        _pass(authenticator, 0.2)
    assert _status(authenticator, ins=1, data=data) == 0x9000
    assert len(user.requests) == 1
    assert _status(authenticator, ins=1, data=data) == TOUCH_NEEDED
    assert _status(authenticator, ins=1, data=data) == 0x9000


def test_a_touch_counts_once_and_not_for_long() -> None:
    """A touch for one request is none for another, nor for the same a second after its host has given up."""
    user = HandUser()
    authenticator = _key(user)
    data, other = CHALLENGE + APPLICATION, CHALLENGE + bytes(32)
    assert _status(authenticator, ins=1, data=data) == TOUCH_NEEDED
    assert user.touch()
    assert _status(authenticator, ins=1, data=other) == TOUCH_NEEDED
    assert _status(authenticator, ins=1, data=data) == TOUCH_NEEDED
    assert user.touch()
    _pass(authenticator, 1.5)
    assert _status(authenticator, ins=1, data=data) == TOUCH_NEEDED
    assert user.touch()
    assert _status(authenticator, ins=1, data=data) == 0x9000
    assert _status(authenticator, ins=1, data=data) == TOUCH_NEEDED


def test_the_key_stops_blinking_when_nobody_asks_any_more() -> None:
    """After a second of silence, or as soon as a CTAP2 command or a power cut comes."""
    user = HandUser()
    authenticator = _key(user)
    hid = CtapHid(authenticator)
    data = CHALLENGE + APPLICATION

    def blink() -> None:
        assert _status(authenticator, ins=1, data=data) == TOUCH_NEEDED
        assert user.pending is not None

    blink()
    deadline = hid.next_deadline()
    assert deadline is not None
    _pass(authenticator, deadline - authenticator.env.clock.monotonic())
    hid.poll()
    assert (user.pending, hid.next_deadline()) == (None, None)
    blink()
    call(authenticator, 0x04)
    assert user.pending is None
    blink()
    hid.host_left()
    assert user.pending is None
    blink()
    authenticator.power_up()
    assert user.pending is None
    execution = authenticator.start(bytes([SELECTION]))
    assert user.touch()
    assert execution.poll() == b"\0"


def test_u2f_and_ctap2_share_credentials() -> None:
    """What one makes the other uses, sealed or discoverable, if it is ES256 and the user need not be verified."""
    authenticator = _key()
    ctap1 = _ctap1(authenticator)
    made = ctap1.register(CHALLENGE, APPLICATION)
    status, response = call(authenticator, GET_ASSERTION, assertion({3: [descriptor(made.key_handle)]}))
    assert status == 0
    ctap2 = Ctap2(InProcessTransport(CtapHid(authenticator)).open_device())
    for options in ({}, {"rk": True}):
        attested = ctap2.make_credential(
            HASH, {"id": "example.com"}, {"id": b"a", "name": "a"}, creation()[4], options=options
        )
        assert attested.auth_data.credential_data is not None
        known = attested.auth_data.credential_data
        public = b"\x04" + known.public_key[-2] + known.public_key[-3]
        ctap1.authenticate(CHALLENGE, APPLICATION, known.credential_id).verify(APPLICATION, CHALLENGE, public)
        assert _status(authenticator, ins=2, p1=7, data=_signing(known.credential_id, bytes(32))) == WRONG_DATA
    for changes in ({4: [{"alg": -8, "type": "public-key"}]}, {6: {"credProtect": 3}}):
        for options in ({}, {"rk": True}):
            handle = register(authenticator, {**changes, 7: options}, user=b"bob")
            assert _status(authenticator, ins=2, p1=7, data=_signing(handle)) == WRONG_DATA
    assert response[1]["id"] == made.key_handle


def test_a_key_that_always_verifies_does_no_u2f() -> None:
    """CTAP 2.3 §7.2.4: U2F could not verify, so it is not allowed."""
    authenticator = _key(always_uv=True)
    assert _status(authenticator, ins=1, data=CHALLENGE + APPLICATION) == NOT_ALLOWED
    assert _status(authenticator, ins=2, p1=3, data=_signing(b"x" * 60)) == NOT_ALLOWED


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ({"ins": 1, "data": bytes(63)}, 0x6700),
        ({"ins": 1, "data": bytes(65)}, 0x6700),
        ({"ins": 2, "p1": 3, "data": bytes(64)}, 0x6700),
        ({"ins": 2, "p1": 3, "data": bytes(64) + b"\x05abcd"}, 0x6700),
        ({"ins": 2, "p1": 4, "data": bytes(64) + b"\x01a"}, 0x6A86),
        ({"ins": 3, "data": b"x"}, 0x6700),
        ({"ins": 4}, 0x6D00),
        ({"ins": 3, "cla": 1}, 0x6E00),
    ],
)
def test_malformed_commands_have_their_own_status(command: dict[str, int | bytes], expected: int) -> None:
    """Length, control byte, instruction and class are told apart, and nothing changes."""
    authenticator = _key()
    before = dump(authenticator.store)
    assert _status(authenticator, **command) == expected  # type: ignore[arg-type] # a table of keyword arguments
    assert dump(authenticator.store) == before


def test_a_failing_memory_gives_no_signature() -> None:
    """The counter could not be kept, so nothing was signed."""

    class Full(MemoryStore):
        full = False

        def commit(self, *changes: Change) -> None:
            if self.full:
                raise StoreError("key file: disk full")
            super().commit(*changes)

    store = Full()
    authenticator = Authenticator(Env.simulated(1), store=store)
    store.full = True
    assert _status(authenticator, ins=1, data=CHALLENGE + APPLICATION) == 0x6F00


def test_a_webauthn_client_falls_back_to_u2f() -> None:
    """A key that speaks U2F only says so on the HID layer, and python-fido2's client and server still do with it."""
    authenticator = Authenticator(Env.simulated(1), profiles.load("u2f-only"))
    device = InProcessTransport(CtapHid(authenticator)).open_device()
    assert device.capabilities & (CAPABILITY.CBOR | CAPABILITY.NMSG) == 0
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id="example.com", name="Example"),
        attestation=AttestationConveyancePreference.DIRECT,
    )
    client = Fido2Client(device, DefaultClientDataCollector("https://example.com"))
    user = PublicKeyCredentialUserEntity(id=b"ada", name="ada", display_name="Ada")
    options, state = server.register_begin(user, user_verification=UserVerificationRequirement.DISCOURAGED)
    response = client.make_credential(options.public_key)
    assert response.response.attestation_object.fmt == "fido-u2f"
    known = server.register_complete(state, response).credential_data
    assert known is not None
    wanted, state = server.authenticate_begin([known], user_verification=UserVerificationRequirement.DISCOURAGED)
    server.authenticate_complete(state, [known], client.get_assertion(wanted.public_key).get_response(0))


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=140)
    | st.builds(lambda ins, rest: bytes((0, ins)) + rest, st.integers(1, 3), st.binary(max_size=140))
)
def test_nothing_that_a_host_sends_breaks_it(command: bytes) -> None:
    """Every answer ends with a status word; all but success is nothing else, and leaves no trace."""
    authenticator = _key(AutomaticUser(None))
    before = dump(authenticator.store)
    answer = authenticator.u2f.answer(command)
    assert answer == b"U2F_V2\x90\0" or (len(answer) == 2 and answer != b"\x90\0")
    assert dump(authenticator.store) == before
    assert authenticator.start(request(MAKE_CREDENTIAL, creation())).answer is None
