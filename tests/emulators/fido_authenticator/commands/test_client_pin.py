from typing import Any

import msgspec
import pytest
from fido2.cose import CoseKey
from fido2.ctap import CtapError
from fido2.ctap2.base import Info
from fido2.ctap2.pin import ClientPin
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.commands.config import config
from emulators.fido_authenticator.messages import ConfigRequest, PinUvAuth
from emulators.fido_authenticator.pin import RETRIES
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import Change, MemoryStore, dump
from emulators.fido_authenticator.user import Act, Decision, ScriptedUser
from tests.emulators.fido_authenticator.ctap_requests import GET_INFO, MAKE_CREDENTIAL, RESET, call, creation
from tests.emulators.fido_authenticator.pin_keys import PIN, PROTOCOLS, WRONG, client_pin, key, with_options

CLIENT_PIN = 0x06
PERMISSION = ClientPin.PERMISSION
EVERY_PROTOCOL = pytest.mark.parametrize("protocol", sorted(PROTOCOLS))


def _refusal(action: Any, *arguments: Any) -> Status:
    with pytest.raises(CtapError) as refused:
        action(*arguments)
    return Status(refused.value.code)


def _agreed(authenticator: Authenticator, protocol: int = 2) -> tuple[Any, bytes]:
    """A platform key as a plain map, and the secret that it shares with the key."""
    response = call(authenticator, CLIENT_PIN, {1: protocol, 2: 2})[1]
    return PROTOCOLS[protocol]().encapsulate(CoseKey.parse(response[1]))


def _set_pin_request(authenticator: Authenticator, padded: bytes, protocol: int = 2) -> dict[int, Any]:
    platform_key, secret = _agreed(authenticator, protocol)
    host = PROTOCOLS[protocol]()
    encrypted = host.encrypt(secret, padded)
    return {1: protocol, 2: 3, 3: platform_key, 4: host.authenticate(secret, encrypted), 5: encrypted}


@EVERY_PROTOCOL
def test_python_fido2_sets_changes_and_uses_a_pin(protocol: int) -> None:
    """GetInfo shows it, and only the new one works afterwards."""
    authenticator = key(None)
    pin = client_pin(authenticator, protocol)
    assert call(authenticator, GET_INFO)[1][4]["clientPin"] is False
    pin.set_pin(PIN)
    assert call(authenticator, GET_INFO)[1][4]["clientPin"] is True
    assert len(pin.get_pin_token(PIN)) == 32
    pin.change_pin(PIN, "5678")
    assert _refusal(pin.get_pin_token, PIN) is Status.PIN_INVALID
    assert pin.get_pin_retries() == (RETRIES - 1, False)
    assert len(pin.get_pin_token("5678", PERMISSION.GET_ASSERTION, "example.com")) == 32
    assert pin.get_pin_retries() == (RETRIES, False)


def test_a_pin_is_set_once() -> None:
    """Step 3 of setPIN: afterwards it can only be changed."""
    authenticator = key(PIN)
    before = dump(authenticator.store)
    assert _refusal(client_pin(authenticator).set_pin, "5678") is Status.PIN_AUTH_INVALID
    assert dump(authenticator.store) == before


def test_the_memory_never_holds_the_pin_itself() -> None:
    """Only half of its SHA-256."""
    records, _ = dump(key(PIN).store)
    assert not any(PIN.encode() in (value or b"") for value in records.values())


@pytest.mark.parametrize(
    ("padded", "expected"),
    [
        (b"1234".ljust(64, b"\0"), Status.SUCCESS),
        (b"123".ljust(64, b"\0"), Status.PIN_POLICY_VIOLATION),
        (bytes(64), Status.PIN_POLICY_VIOLATION),
        ("äöü".encode().ljust(64, b"\0"), Status.PIN_POLICY_VIOLATION),
        ("äöüß".encode().ljust(64, b"\0"), Status.SUCCESS),
        (b"1" * 63 + b"\0", Status.SUCCESS),
        (b"1" * 64, Status.PIN_POLICY_VIOLATION),
        (b"\xff\xfe\xfd\xfc".ljust(64, b"\0"), Status.PIN_POLICY_VIOLATION),
        (b"1234".ljust(48, b"\0"), Status.INVALID_PARAMETER),
        (b"1234".ljust(80, b"\0"), Status.INVALID_PARAMETER),
    ],
)
@EVERY_PROTOCOL
def test_which_pins_are_taken(protocol: int, padded: bytes, expected: Status) -> None:
    """Four to 63 bytes, counted in code points, in exactly 64 bytes of padding."""
    authenticator = key(None)
    before = dump(authenticator.store)
    assert call(authenticator, CLIENT_PIN, _set_pin_request(authenticator, padded, protocol))[0] is expected
    assert (dump(authenticator.store) == before) == (expected is not Status.SUCCESS)


@pytest.mark.parametrize("pin", ["1111", "1234", "4321", "abcdef", "zzzzzz"])
def test_a_complexity_policy_refuses_what_everybody_would_try(pin: str) -> None:
    """Where it is on; elsewhere the same PIN will do."""
    strict = msgspec.structs.replace(profiles.load(), pin=profiles.Pin(complexity_policy=True))
    assert _refusal(client_pin(key(None, strict)).set_pin, pin) is Status.PIN_POLICY_VIOLATION
    client_pin(key(None, strict)).set_pin("1235")
    client_pin(key(None)).set_pin(pin)


@pytest.mark.parametrize("member", [3, 4, 5])
def test_set_pin_needs_all_its_parameters(member: int) -> None:
    """Step 1 of setPIN."""
    authenticator = key(None)
    request = _set_pin_request(authenticator, b"1234".ljust(64, b"\0"))
    del request[member]
    assert call(authenticator, CLIENT_PIN, request)[0] is Status.MISSING_PARAMETER


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({1: 3}, Status.INVALID_PARAMETER),
        ({3: {1: 2, 3: -25, -1: 1, -2: bytes(32), -3: bytes(32)}}, Status.INVALID_PARAMETER),
        ({3: b"key"}, Status.CBOR_UNEXPECTED_TYPE),
        ({4: bytes(32)}, Status.PIN_AUTH_INVALID),
        ({4: b""}, Status.PIN_AUTH_INVALID),
        ({5: bytes(80)}, Status.PIN_AUTH_INVALID),
        ({2: 8}, Status.INVALID_SUBCOMMAND),
        ({2: 0}, Status.INVALID_SUBCOMMAND),
        ({2: "3"}, Status.CBOR_UNEXPECTED_TYPE),
    ],
)
def test_a_set_pin_that_is_not_right_sets_nothing(change: dict[int, Any], expected: Status) -> None:
    """Steps 2, 4 and 5 of setPIN."""
    authenticator = key(None)
    request = {**_set_pin_request(authenticator, b"1234".ljust(64, b"\0")), **change}
    before = dump(authenticator.store)
    assert call(authenticator, CLIENT_PIN, request)[0] is expected
    assert dump(authenticator.store) == before


@EVERY_PROTOCOL
def test_ciphertext_of_a_wrong_length_is_refused_though_signed(protocol: int) -> None:
    """Step 6 of setPIN: the host knows the secret, but there is nothing to decrypt."""
    authenticator = key(None)
    platform_key, secret = _agreed(authenticator, protocol)
    proof = PROTOCOLS[protocol]().authenticate(secret, b"x")
    request = {1: protocol, 2: 3, 3: platform_key, 4: proof, 5: b"x"}
    assert call(authenticator, CLIENT_PIN, request)[0] is Status.PIN_AUTH_INVALID


def test_three_wrong_pins_need_a_power_cycle_and_eight_a_reset() -> None:
    """Malware without hands cannot block a key; a thief with hands has eight tries."""
    authenticator = key(PIN)
    pin = client_pin(authenticator)
    for left in range(RETRIES - 1, -1, -1):
        blocked = left == 0
        unplug = (RETRIES - left) % 3 == 0
        expected = Status.PIN_BLOCKED if blocked else Status.PIN_AUTH_BLOCKED if unplug else Status.PIN_INVALID
        assert _refusal(pin.get_pin_token, WRONG) is expected
        assert pin.get_pin_retries() == (left, unplug)
        if unplug:
            assert _refusal(pin.get_pin_token, PIN) is Status.PIN_AUTH_BLOCKED
            assert _refusal(pin.change_pin, PIN, "5678") is Status.PIN_AUTH_BLOCKED
            assert pin.get_pin_retries()[0] == left
            authenticator.power_up()
    assert _refusal(pin.get_pin_token, PIN) is Status.PIN_BLOCKED
    authenticator.power_up()
    assert _refusal(pin.change_pin, PIN, "5678") is Status.PIN_BLOCKED
    assert call(authenticator, 0x07)[0] is Status.SUCCESS
    pin.set_pin("5678")
    assert pin.get_pin_retries() == (RETRIES, False)


def test_a_right_pin_brings_all_tries_back() -> None:
    """Also those that a power cycle would have to give."""
    pin = client_pin(key(PIN))
    for _ in range(5):
        assert _refusal(pin.get_pin_token, WRONG) is Status.PIN_INVALID
        assert _refusal(pin.change_pin, WRONG, "5678") is Status.PIN_INVALID
        pin.get_pin_token(PIN)
        assert pin.get_pin_retries() == (RETRIES, False)


@EVERY_PROTOCOL
def test_a_wrong_pin_costs_the_shared_secret(protocol: int) -> None:
    """Another try needs a new key agreement, so a recorded secret is of no use."""
    authenticator = key(PIN)
    host = PROTOCOLS[protocol]()
    platform_key, secret = _agreed(authenticator, protocol)
    wrong = {1: protocol, 2: 5, 3: platform_key, 6: host.encrypt(secret, bytes(16))}
    before = call(authenticator, CLIENT_PIN, {1: protocol, 2: 2})[1][1]
    assert call(authenticator, CLIENT_PIN, wrong)[0] is Status.PIN_INVALID
    assert call(authenticator, CLIENT_PIN, {1: protocol, 2: 2})[1][1] != before


def test_pin_not_set() -> None:
    """Before there is a PIN, it can neither be changed nor used."""
    pin = client_pin(key(None))
    for action in (lambda: pin.get_pin_token(PIN), lambda: pin.get_pin_token(PIN, PERMISSION(2), "a.example")):
        assert _refusal(action) is Status.PIN_NOT_SET
    assert _refusal(pin.change_pin, PIN, "5678") is Status.PIN_NOT_SET


class _ForgetfulStore(MemoryStore):
    """Loses power instead of making its ``left``-th commit from now."""

    left = 10**9

    def commit(self, *changes: Change) -> None:
        if self.left == 0:
            raise KeyboardInterrupt
        self.left -= 1
        super().commit(*changes)


@pytest.mark.parametrize("left", range(4))
@pytest.mark.parametrize("guess", [PIN, WRONG])
@pytest.mark.parametrize("subcommand", ["token", "change"])
def test_pulling_the_plug_never_gives_a_try_back(subcommand: str, guess: str, left: int) -> None:
    """Whatever write is the last one: the try is paid for before anyone can know whether the PIN was right."""
    store = _ForgetfulStore()
    authenticator = key(PIN, store=store)
    pin = client_pin(authenticator)
    assert _refusal(pin.get_pin_token, WRONG) is Status.PIN_INVALID
    before = dump(store)
    store.left = left
    interrupted = False
    try:
        if subcommand == "token":
            pin.get_pin_token(guess, PERMISSION.GET_ASSERTION, "example.com")
        else:
            pin.change_pin(guess, "5678")
    except KeyboardInterrupt:
        interrupted = True
    except CtapError:
        assert guess == WRONG
    store.left = 10**9
    authenticator.power_up()
    retries, _ = client_pin(authenticator).get_pin_retries()
    if left == 0:
        # Not even the comparison has happened: nobody has learned anything.
        assert (interrupted, dump(store)) == (True, before)
    elif guess == WRONG:
        assert retries == RETRIES - 2
    else:
        assert retries == (RETRIES - 2 if interrupted and left == 1 else RETRIES)
    if subcommand == "change" and guess == PIN and not interrupted:
        client_pin(authenticator).get_pin_token("5678")
    else:
        client_pin(authenticator).get_pin_token(PIN)


def test_the_try_is_on_record_before_the_pin_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen at the comparison itself."""
    authenticator = key(PIN)
    seen = []
    pin = authenticator._state.pin

    def matches(pin_hash: bytes) -> bool:
        seen.append((len(pin_hash), authenticator.store.get("pin_retries")))
        return False

    monkeypatch.setattr(pin, "matches", matches)
    assert _refusal(client_pin(authenticator).get_pin_token, PIN) is Status.PIN_INVALID
    assert seen == [(16, bytes((RETRIES - 1,)))]


@pytest.mark.parametrize(
    ("options", "permissions", "expected"),
    [
        ({}, 0, Status.INVALID_PARAMETER),
        ({}, 0x80, Status.SUCCESS),
        ({"credMgmt": False}, PERMISSION.CREDENTIAL_MGMT, Status.UNAUTHORIZED_PERMISSION),
        ({}, PERMISSION.BIO_ENROLL, Status.UNAUTHORIZED_PERMISSION),
        ({"largeBlobs": False}, PERMISSION.LARGE_BLOB_WRITE, Status.UNAUTHORIZED_PERMISSION),
        ({"authnrCfg": False}, PERMISSION.AUTHENTICATOR_CFG, Status.UNAUTHORIZED_PERMISSION),
        ({"noMcGaPermissionsWithClientPin": True}, PERMISSION.GET_ASSERTION, Status.UNAUTHORIZED_PERMISSION),
        ({"noMcGaPermissionsWithClientPin": True}, PERMISSION.AUTHENTICATOR_CFG, Status.SUCCESS),
        ({"perCredMgmtRO": False}, PERMISSION.PERSISTENT_CREDENTIAL_MGMT, Status.UNAUTHORIZED_PERMISSION),
        ({}, PERMISSION.PERSISTENT_CREDENTIAL_MGMT | PERMISSION.GET_ASSERTION, Status.UNAUTHORIZED_PERMISSION),
        ({}, PERMISSION.PERSISTENT_CREDENTIAL_MGMT, Status.SUCCESS),
    ],
)
def test_permissions_that_the_key_cannot_give(options: dict[str, bool], permissions: int, expected: Status) -> None:
    """Steps 3 and 4, before the PIN is looked at; unknown permissions are ignored."""
    authenticator = key(PIN, with_options(**options))
    pin = client_pin(authenticator)
    if expected is Status.SUCCESS:
        assert len(pin.get_pin_token(PIN, PERMISSION(permissions))) == 32
    else:
        assert _refusal(pin.get_pin_token, WRONG, PERMISSION(permissions)) is expected
    assert pin.get_pin_retries()[0] == RETRIES


@pytest.mark.parametrize("extra", [{9: 1}, {10: "example.com"}])
def test_the_old_subcommand_takes_no_permissions(extra: dict[int, Any]) -> None:
    """Steps 3 and 4 of getPinToken."""
    authenticator = key(PIN)
    platform_key, _ = _agreed(authenticator)
    request = {1: 2, 2: 5, 3: platform_key, 6: bytes(32), **extra}
    assert call(authenticator, CLIENT_PIN, request)[0] is Status.INVALID_PARAMETER


def test_the_persistent_token_outlives_power_and_ends_with_its_pin() -> None:
    """The same one is given out until the PIN changes or the key is reset."""
    authenticator = key(PIN)
    pcmr = PERMISSION.PERSISTENT_CREDENTIAL_MGMT
    first = client_pin(authenticator, 1).get_pin_token(PIN, pcmr)
    authenticator.power_up()
    assert client_pin(authenticator).get_pin_token(PIN, pcmr) == first
    client_pin(authenticator).change_pin(PIN, "5678")
    second = client_pin(authenticator).get_pin_token("5678", pcmr)
    assert call(authenticator, 0x07)[0] is Status.SUCCESS
    client_pin(authenticator).set_pin(PIN)
    assert len({first, second, client_pin(authenticator).get_pin_token(PIN, pcmr)}) == 3


def test_the_holder_of_the_persistent_token_knows_the_key_and_sees_changes() -> None:
    """python-fido2 decrypts encIdentifier and encCredStoreState; both are fresh noise each time to others."""
    authenticator = key(PIN)
    token = client_pin(authenticator).get_pin_token(PIN, PERMISSION.PERSISTENT_CREDENTIAL_MGMT)

    def info() -> Info:
        return Info.from_dict(call(authenticator, GET_INFO)[1])

    one, other = info(), info()
    assert one.enc_identifier != other.enc_identifier
    identifier, state = one.get_identifier(token), one.get_cred_store_state(token)
    assert (other.get_identifier(token), other.get_cred_store_state(token)) == (identifier, state)
    make = {1: bytes(32), 2: {"id": "a.example"}, 3: {"id": b"a"}, 4: [{"alg": -7, "type": "public-key"}]}
    pin = client_pin(authenticator)
    proof = pin.protocol.authenticate(pin.get_pin_token(PIN, PERMISSION.MAKE_CREDENTIAL), bytes(32))
    assert call(authenticator, 0x01, {**make, 7: {"rk": True}, 8: proof, 9: 2})[0] is Status.SUCCESS
    assert info().get_identifier(token) == identifier
    assert info().get_cred_store_state(token) != state


def test_a_key_without_pin_or_sensor_has_key_agreement_only() -> None:
    """Hosts need a shared secret for hmac-secret also there."""
    profile = profiles.load()
    options = {name: value for name, value in profile.options.items() if name not in {"clientPin", "pinUvAuthToken"}}
    authenticator = Authenticator(Env.simulated(1), msgspec.structs.replace(profile, options=options))
    for subcommand in range(1, 10):
        expected = Status.SUCCESS if subcommand == 2 else Status.INVALID_SUBCOMMAND
        assert call(authenticator, CLIENT_PIN, {1: 2, 2: subcommand})[0] is expected
    assert call(authenticator, CLIENT_PIN, {2: 2})[0] is Status.MISSING_PARAMETER
    assert call(authenticator, CLIENT_PIN, {1: 4, 2: 2})[0] is Status.INVALID_PARAMETER


def _passcode(*, retries: int = 5, attempts: int = 3, platform_attempts: int = 3) -> profiles.Profile:
    sensor = profiles.BuiltInUv("passcode", retries, attempts, platform_attempts)
    return msgspec.structs.replace(with_options(uv=True, uvAcfg=False), built_in_uv=sensor)


@EVERY_PROTOCOL
def test_a_token_by_built_in_verification(protocol: int) -> None:
    """Mismatches count down, a match brings all tries back, and the passcode counts since the last PIN."""
    user = ScriptedUser([Act(Decision.MISMATCH), Act(), Act(Decision.DENIED), Act()])
    authenticator = key(None, _passcode(retries=3), user=user)
    pin = client_pin(authenticator, protocol)
    assert _refusal(pin.get_uv_token, PERMISSION.GET_ASSERTION) is Status.UV_INVALID
    assert pin.get_uv_retries() == 2
    assert len(pin.get_uv_token(PERMISSION.GET_ASSERTION)) == 32
    assert pin.get_uv_retries() == 3
    assert _refusal(pin.get_uv_token, PERMISSION.GET_ASSERTION) is Status.OPERATION_DENIED
    assert _refusal(pin.get_uv_token, PERMISSION.AUTHENTICATOR_CFG) is Status.UNAUTHORIZED_PERMISSION
    assert call(authenticator, GET_INFO)[1][0x17] == 1
    pin.set_pin(PIN)
    assert call(authenticator, GET_INFO)[1][0x17] == 0


def test_built_in_verification_is_blocked_until_the_pin_is_entered() -> None:
    """Across power cycles, and nobody is asked any more."""
    user = ScriptedUser([Act(Decision.MISMATCH)] * 2)
    authenticator = key(PIN, _passcode(retries=2), user=user)
    pin = client_pin(authenticator)
    assert _refusal(pin.get_uv_token, PERMISSION.GET_ASSERTION) is Status.UV_INVALID
    assert _refusal(pin.get_uv_token, PERMISSION.GET_ASSERTION) is Status.UV_BLOCKED
    authenticator.power_up()
    assert _refusal(pin.get_uv_token, PERMISSION.GET_ASSERTION) is Status.UV_BLOCKED
    assert (len(user.requests), pin.get_uv_retries()) == (2, 0)
    pin.get_pin_token(PIN)
    assert pin.get_uv_retries() == 2


def test_a_blocked_pin_blocks_built_in_verification() -> None:
    """§6.5.3.1 step 3: nobody is asked any more, by whichever command; a reset helps."""
    user = ScriptedUser([Act()])
    authenticator = key(PIN, _passcode(), user=user)
    for _ in range(RETRIES):
        authenticator.power_up()
        with pytest.raises(CtapError):
            client_pin(authenticator).get_pin_token(WRONG)
    pin = client_pin(authenticator)
    assert pin.get_uv_retries() == 5
    making = creation({7: {"uv": True}})
    assert call(authenticator, MAKE_CREDENTIAL, making)[0] is Status.PUAT_REQUIRED
    assert pin.get_uv_retries() == 0
    assert _refusal(pin.get_uv_token, PERMISSION.GET_ASSERTION) is Status.UV_BLOCKED
    assert user.requests == []
    authenticator.power_up()
    assert call(authenticator, RESET)[0] is Status.SUCCESS
    assert client_pin(authenticator).get_uv_retries() == 5


def test_a_key_that_retries_by_itself_does_so() -> None:
    """PreferredPlatformUvAttempts of one: the key asks again within one command."""
    user = ScriptedUser([Act(Decision.MISMATCH), Act()])
    pin = client_pin(key(None, _passcode(platform_attempts=1, attempts=2), user=user))
    assert len(pin.get_uv_token(PERMISSION.GET_ASSERTION)) == 32


def test_verification_times_out_without_costing_a_try() -> None:
    """Nobody was there, so nothing was compared."""
    pin = client_pin(key(None, _passcode(retries=2), user=ScriptedUser([])))
    assert _refusal(pin.get_uv_token, PERMISSION.GET_ASSERTION) is Status.USER_ACTION_TIMEOUT
    assert pin.get_uv_retries() == 2


def test_a_demanded_change_lets_no_old_pin_through() -> None:
    """ForcePINChange: the PIN is right, and still only a different one opens the key."""
    authenticator = key(PIN)
    pin = client_pin(authenticator)
    token = pin.get_pin_token(PIN, PERMISSION.AUTHENTICATOR_CFG)
    proof = pin.protocol.authenticate(token, b"\xff" * 32 + b"\x0d\x03\xa1\x03\xf5")
    request = ConfigRequest(3, {3: True}, PinUvAuth(proof, 2))
    with pytest.raises(StopIteration):
        next(config(authenticator._state, request))
    assert call(authenticator, GET_INFO)[1][0x0C] is True
    assert _refusal(pin.get_pin_token, PIN) is Status.PIN_INVALID
    assert _refusal(pin.get_pin_token, PIN, PERMISSION.GET_ASSERTION) is Status.PIN_POLICY_VIOLATION
    assert pin.get_pin_retries()[0] == RETRIES
    assert _refusal(pin.change_pin, PIN, PIN) is Status.PIN_POLICY_VIOLATION
    pin.change_pin(PIN, "5678")
    assert call(authenticator, GET_INFO)[1][0x0C] is False
    assert len(pin.get_pin_token("5678")) == 32


_VALUES = st.one_of(st.integers(-3, 300), st.binary(max_size=80), st.text(max_size=5), st.booleans())


@settings(max_examples=150, deadline=None)
@given(
    parameters=st.dictionaries(st.integers(1, 11), _VALUES | st.dictionaries(st.integers(-3, 3), _VALUES)),
    subcommand=st.integers(1, 9),
)
def test_no_request_breaks_the_key_or_guesses_the_pin(parameters: dict[int, Any], subcommand: int) -> None:
    """Any members of any types: an error of its own, the PIN as before, and at most one try spent."""
    authenticator = key(PIN)
    store = authenticator.store
    pin = store.get("pin")
    status, _ = call(authenticator, CLIENT_PIN, {**parameters, 2: subcommand})
    assert status is not Status.OTHER
    assert store.get("pin") == pin
    assert (store.get("pin_retries") or b"\x08")[0] >= RETRIES - 1


def test_retries_of_no_pin() -> None:
    """There are none to count; a PIN that is set starts with all."""
    authenticator = key(None)
    assert _refusal(client_pin(authenticator).get_pin_retries) is Status.PIN_NOT_SET
    client_pin(authenticator).set_pin(PIN)
    assert client_pin(authenticator).get_pin_retries() == (RETRIES, False)
