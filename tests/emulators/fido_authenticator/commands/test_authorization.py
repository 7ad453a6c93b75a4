from typing import Any

import msgspec
import pytest
from fido2.ctap2.pin import ClientPin
from fido2.webauthn import AuthenticatorData

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.pin_uv_auth import FIRST_USE, USER_PRESENT
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from emulators.fido_authenticator.user import Act, Decision, Prompt, ScriptedUser, UserPresence, UserVerification
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    HASH,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
    descriptor,
    register,
    request,
)
from tests.emulators.fido_authenticator.pin_keys import PIN, client_pin, key, with_options

MC, GA = ClientPin.PERMISSION.MAKE_CREDENTIAL, ClientPin.PERMISSION.GET_ASSERTION
LBW = ClientPin.PERMISSION.LARGE_BLOB_WRITE
UP, UV = AuthenticatorData.FLAG.UP, AuthenticatorData.FLAG.UV
EVERY_PROTOCOL = pytest.mark.parametrize("protocol", [1, 2])


def _make(authenticator: Authenticator, *, token: bytes = b"", protocol: int = 2, **changes: Any) -> tuple[Status, int]:
    """The status of a makeCredential, and the flags UP and UV; ``token`` signs it."""
    return _call(authenticator, MAKE_CREDENTIAL, creation(**changes), token, protocol)


def _get(authenticator: Authenticator, *, token: bytes = b"", protocol: int = 2, **changes: Any) -> tuple[Status, int]:
    """The status of a getAssertion, and the flags UP and UV; ``token`` signs it."""
    return _call(authenticator, GET_ASSERTION, assertion(**changes), token, protocol)


def _call(
    authenticator: Authenticator,
    command: int,
    parameters: dict[int, Any],
    token: bytes,
    protocol: int,
) -> tuple[Status, int]:
    if token:
        proof = client_pin(authenticator, protocol).protocol.authenticate(token, HASH)
        at = 8 if command == MAKE_CREDENTIAL else 6
        parameters = {**parameters, at: proof, at + 1: protocol}
    status, response = call(authenticator, command, parameters)
    return status, AuthenticatorData(response[2]).flags & (UP | UV) if response else 0


@pytest.mark.parametrize(("pin", "expected"), [(None, Status.PIN_NOT_SET), (PIN, Status.PIN_INVALID)])
@pytest.mark.parametrize("command", [MAKE_CREDENTIAL, GET_ASSERTION])
def test_a_proof_of_length_zero_asks_which_key_and_whether_it_has_a_pin(
    command: int, pin: str | None, expected: Status
) -> None:
    """Step 1: the answer costs a touch, and needs no protocol."""
    user = ScriptedUser([Act(), Act(Decision.DENIED)])
    authenticator = key(pin, user=user)
    parameters = creation({8: b""}) if command == MAKE_CREDENTIAL else assertion({6: b""})
    assert call(authenticator, command, parameters)[0] is expected
    assert call(authenticator, command, parameters)[0] is Status.OPERATION_DENIED
    assert len(user.requests) == 2


@EVERY_PROTOCOL
def test_a_token_verifies_the_user_and_is_spent_by_the_touch(protocol: int) -> None:
    """Step 11 and 14: flags UP and UV, then the token needs a new PIN entry."""
    authenticator = key(PIN)
    token = client_pin(authenticator, protocol).get_pin_token(PIN, MC | GA | LBW, "example.com")
    assert _make(authenticator, token=token, protocol=protocol, changes={7: {"rk": True}}) == (Status.SUCCESS, UP | UV)
    assert _get(authenticator, token=token, protocol=protocol) == (Status.PIN_AUTH_INVALID, 0)
    token = client_pin(authenticator, protocol).get_pin_token(PIN, GA, "example.com")
    assert _get(authenticator, token=token, protocol=protocol) == (Status.SUCCESS, UP | UV)
    assert _get(authenticator, token=token, protocol=protocol) == (Status.PIN_AUTH_INVALID, 0)


def test_a_touch_without_a_token_spends_the_token_that_a_host_holds() -> None:
    """§6.1.2 step 14.4, §6.2.2 step 9.4: these clear the token whether or not it came with the command."""
    authenticator = key(PIN)
    known = {3: [descriptor(register(authenticator))]}
    for touch, changes in ((_make, {}), (_get, known)):
        token = client_pin(authenticator).get_pin_token(PIN, MC | GA, "example.com")
        assert touch(authenticator, changes=changes) == (Status.SUCCESS, UP)
        assert _get(authenticator, token=token, changes={**known, 5: {"up": False}})[0] is Status.PIN_AUTH_INVALID


def test_verification_by_the_key_itself_leaves_the_token_alone() -> None:
    """§6.1.2 step 13, §6.2.2 step 8: these go past the step that spends it."""
    authenticator = key(PIN, _passcode())
    known = {3: [descriptor(register(authenticator, {7: {"uv": True}}))]}
    token = client_pin(authenticator).get_pin_token(PIN, GA, "example.com")
    assert _make(authenticator, changes={7: {"uv": True}}) == (Status.SUCCESS, UP | UV)
    assert _get(authenticator, changes={**known, 5: {"uv": True}}) == (Status.SUCCESS, UP | UV)
    assert _get(authenticator, token=token, changes=known) == (Status.SUCCESS, UP | UV)


def test_a_silent_assertion_does_not_spend_the_token() -> None:
    """Hosts look silently for credentials first; without UP the flags say only that the user was verified."""
    authenticator = key(PIN)
    known = {3: [descriptor(register(authenticator))]}
    token = client_pin(authenticator).get_pin_token(PIN, GA)
    assert _get(authenticator, token=token, changes={**known, 5: {"up": False}}) == (Status.SUCCESS, UV)
    assert _get(authenticator, token=token, changes=known) == (Status.SUCCESS, UP | UV)


def test_the_first_use_binds_a_token_to_its_relying_party() -> None:
    """A token without a relying party of its own cannot be carried to another one."""
    authenticator = key(PIN)
    known = {3: [descriptor(register(authenticator))]}
    token = client_pin(authenticator).get_pin_token(PIN, GA | MC)
    assert _get(authenticator, token=token, changes={**known, 5: {"up": False}})[0] is Status.SUCCESS
    assert _make(authenticator, token=token, rp_id="example.org")[0] is Status.PIN_AUTH_INVALID
    assert _make(authenticator, token=token)[0] is Status.SUCCESS


@pytest.mark.parametrize(
    ("permissions", "rp_id", "wait"), [(GA, "example.com", 0), (MC, "example.org", 0), (MC, None, FIRST_USE + 1)]
)
def test_a_token_for_something_else_is_refused(permissions: int, rp_id: str | None, wait: float) -> None:
    """The wrong permission, the wrong relying party, or too late."""
    clock = SimulatedClock()
    authenticator = key(PIN, clock=clock)
    token = client_pin(authenticator).get_pin_token(PIN, ClientPin.PERMISSION(permissions), rp_id)
    clock.advance(wait)
    assert _make(authenticator, token=token) == (Status.PIN_AUTH_INVALID, 0)


def test_a_proof_over_other_client_data_is_refused() -> None:
    """And the user is not bothered."""
    user = ScriptedUser([])
    authenticator = key(PIN, user=user)
    token = client_pin(authenticator).get_pin_token(PIN, MC)
    assert _make(authenticator, token=token, changes={1: bytes(32)})[0] is Status.PIN_AUTH_INVALID
    assert user.requests == []


@pytest.mark.parametrize(
    ("not_required", "discoverable", "expected"),
    [
        (True, False, Status.SUCCESS),
        (True, True, Status.PUAT_REQUIRED),
        (False, False, Status.PUAT_REQUIRED),
        (False, True, Status.PUAT_REQUIRED),
    ],
)
def test_make_cred_uv_not_rqd(*, not_required: bool, discoverable: bool, expected: Status) -> None:
    """Steps 7, 8 and 10: on a key with a PIN, what may be made without it; without a PIN all may."""
    options = with_options(makeCredUvNotRqd=not_required)
    changes = {7: {"rk": discoverable}}
    assert _make(key(PIN, options), changes=changes)[0] is expected
    assert _make(key(None, options), changes=changes)[0] is Status.SUCCESS


@pytest.mark.parametrize(("pin", "barred"), [(None, False), (PIN, False), (PIN, True)])
def test_always_uv_takes_nothing_unverified(*, pin: str | None, barred: bool) -> None:
    """Steps 6 and 5: PUAT_REQUIRED while a PIN can help; only the silent look for credentials is exempt."""
    authenticator = key(pin, with_options(alwaysUv=True, noMcGaPermissionsWithClientPin=barred))
    expected = Status.OPERATION_DENIED if barred else Status.PUAT_REQUIRED
    assert _make(authenticator)[0] is expected
    assert _get(authenticator)[0] is expected
    assert _get(authenticator, changes={5: {"up": False}})[0] is Status.NO_CREDENTIALS


def test_always_uv_is_content_with_a_token() -> None:
    """Registration and login go on as ever."""
    authenticator = key(PIN, with_options(alwaysUv=True))
    token = client_pin(authenticator).get_pin_token(PIN, MC)
    assert _make(authenticator, token=token, changes={7: {"rk": True}}) == (Status.SUCCESS, UP | UV)
    token = client_pin(authenticator).get_pin_token(PIN, GA)
    assert _get(authenticator, token=token) == (Status.SUCCESS, UP | UV)


def test_the_touch_of_a_fingerprint_token_counts_for_thirty_seconds() -> None:
    """The finger on the sensor was there, so the key does not ask again; later it does."""
    for wait, requests in ((0.0, [UserVerification]), (USER_PRESENT + 0.1, [UserVerification, UserPresence])):
        clock, user = SimulatedClock(), ScriptedUser([Act(), Act()])
        authenticator = key(None, _passcode(), clock=clock, user=user)
        pin = client_pin(authenticator)
        token = pin.get_uv_token(MC | GA, "example.com")
        # A first use keeps the token alive beyond the time in which it must be used first.
        assert _get(authenticator, token=token, changes={5: {"up": False}})[0] is Status.NO_CREDENTIALS
        clock.advance(wait)
        assert _make(authenticator, token=token) == (Status.SUCCESS, UP | UV)
        assert [type(request) for request in user.requests] == requests


def _passcode(**options: bool) -> profiles.Profile:
    profile = with_options(uv=True, **options)
    return msgspec.structs.replace(profile, built_in_uv=profiles.BuiltInUv(kind="passcode", retries=4, attempts=2))


def test_the_option_uv_verifies_on_the_key_itself() -> None:
    """Steps 5 and 11.2: one request to the user, which shows presence too."""
    user = ScriptedUser([Act(), Act()])
    authenticator = key(None, _passcode(), user=user)
    assert _make(authenticator, changes={7: {"uv": True, "rk": True}}) == (Status.SUCCESS, UP | UV)
    assert _get(authenticator, changes={5: {"uv": True}}) == (Status.SUCCESS, UP | UV)
    assert user.requests == [
        UserVerification(Prompt.REGISTER, "example.com", "ada"),
        UserVerification(Prompt.LOG_IN, "example.com"),
    ]


@pytest.mark.parametrize(("pin", "expected"), [(None, Status.OPERATION_DENIED), (PIN, Status.PUAT_REQUIRED)])
def test_failing_on_the_key_itself_points_to_the_pin(pin: str | None, expected: Status) -> None:
    """Two attempts fit into one command; four mismatches block, and then nobody is asked any more."""
    user = ScriptedUser([Act(Decision.MISMATCH)] * 4)
    authenticator = key(pin, _passcode(), user=user)
    uv = {7: {"uv": True}}
    assert _make(authenticator, changes=uv)[0] is expected
    assert len(user.requests) == 2
    assert _make(authenticator, changes=uv)[0] is (expected if pin else Status.PIN_BLOCKED)
    assert _make(authenticator, changes=uv)[0] is (expected if pin else Status.PIN_BLOCKED)
    assert len(user.requests) == 4


def test_always_uv_verifies_on_the_key_though_no_host_asked() -> None:
    """Step 6.3 and 5.4."""
    authenticator = key(None, _passcode(alwaysUv=True))
    assert _make(authenticator, changes={7: {"rk": True}}) == (Status.SUCCESS, UP | UV)
    assert _get(authenticator) == (Status.SUCCESS, UP | UV)


def test_a_proof_overrides_the_option_uv() -> None:
    """Step 5.2: the PIN was entered, so the key does not ask for the passcode."""
    user = ScriptedUser([Act()])
    authenticator = key(PIN, _passcode(), user=user)
    token = client_pin(authenticator).get_pin_token(PIN, MC)
    assert _make(authenticator, token=token, changes={7: {"uv": True}}) == (Status.SUCCESS, UP | UV)
    assert [type(request) for request in user.requests] == [UserPresence]


def test_an_excluded_credential_is_answered_alike_whatever_the_user_does() -> None:
    """Step 12: touched, refused, or left alone until the time is over."""
    clock = SimulatedClock()
    user = ScriptedUser([Act(), Act(), Act(Decision.DENIED)])
    authenticator = Authenticator(Env(clock, Env.simulated(1).random), user=user)
    excluding = creation({5: [descriptor(register(authenticator))]})
    for _ in range(2):
        assert call(authenticator, MAKE_CREDENTIAL, excluding)[0] is Status.CREDENTIAL_EXCLUDED
    execution = authenticator.start(request(MAKE_CREDENTIAL, excluding))
    clock.advance(31)
    assert execution.poll() == bytes((Status.CREDENTIAL_EXCLUDED,))


def test_a_key_of_the_first_version_refuses_options_in_its_own_words() -> None:
    """CTAP 2.0 §5.1 and §5.2: not supported is one thing, not valid for the command another."""
    authenticator = key(None, msgspec.structs.replace(profiles.load(), versions=("FIDO_2_0", "FIDO_2_1_PRE")))
    assert _make(authenticator, changes={7: {"uv": True}})[0] is Status.UNSUPPORTED_OPTION
    assert _make(authenticator, changes={7: {"up": True}})[0] is Status.INVALID_OPTION
    assert _get(authenticator, changes={5: {"uv": True}})[0] is Status.UNSUPPORTED_OPTION
    assert _get(authenticator, changes={5: {"rk": True}})[0] is Status.INVALID_OPTION


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("minimal-2.0", Status.PIN_AUTH_INVALID),
        ("google-titan", Status.PIN_AUTH_INVALID),
        ("authrig-2.3", Status.INVALID_PARAMETER),
    ],
)
def test_a_proof_under_an_unknown_protocol_is_refused_in_the_words_of_its_version(
    profile: str, expected: Status
) -> None:
    """CTAP 2.0 §5.1 step 7 and §5.2 step 3 beside CTAP 2.3 §6.1.2 step 2; without any protocol it is incomplete to both."""
    authenticator = Authenticator(Env.simulated(1), profiles.load(profile))
    proof = bytes(16)
    assert call(authenticator, MAKE_CREDENTIAL, creation({8: proof, 9: 3}))[0] is expected
    assert call(authenticator, GET_ASSERTION, assertion({6: proof, 7: 3}))[0] is expected
    assert call(authenticator, MAKE_CREDENTIAL, creation({8: proof}))[0] is Status.MISSING_PARAMETER


@pytest.mark.parametrize(
    ("profile", "expected"), [("yubikey-5.2", Status.PIN_AUTH_INVALID), ("authrig-2.3", Status.SUCCESS)]
)
def test_a_proof_where_there_is_nothing_to_verify(profile: str, expected: Status) -> None:
    """CTAP 2.0 §5.1 step 5 and §5.2 step 1 refuse it; CTAP 2.3 §6.1.2 step 11 asks only a protected key to look at it."""
    authenticator = Authenticator(Env.simulated(1), profiles.load(profile))
    known = {3: [descriptor(register(authenticator))]}
    assert call(authenticator, MAKE_CREDENTIAL, creation({8: bytes(16), 9: 1}))[0] is expected
    assert call(authenticator, GET_ASSERTION, assertion({**known, 6: bytes(16), 7: 1}))[0] is expected


@pytest.mark.parametrize("product", ["yubikey-5.2", "solo-2", "google-titan", "feitian-biopass"])
def test_a_token_of_the_first_version_serves_until_power_down(product: str) -> None:
    """CTAP 2.0 §5.5.2: one for each power-up, for any command, relying party and number of touches; a new PIN ends it."""
    clock = SimulatedClock()
    authenticator = key(None, profiles.load(product), clock=clock)
    pin = client_pin(authenticator, 1)
    pin.set_pin(PIN)
    token = pin.get_pin_token(PIN)
    assert pin.get_pin_token(PIN) == token
    clock.advance(3600)
    for rp_id in ("example.com", "example.org"):
        resident = {7: {"rk": True}}
        assert _make(authenticator, token=token, protocol=1, rp_id=rp_id, changes=resident) == (Status.SUCCESS, UP | UV)
        assert _get(authenticator, token=token, protocol=1, rp_id=rp_id) == (Status.SUCCESS, UP | UV)
    authenticator.power_up()
    assert _get(authenticator, token=token, protocol=1)[0] is Status.PIN_AUTH_INVALID
    token = pin.get_pin_token(PIN)
    pin.change_pin(PIN, "another horse")
    assert _get(authenticator, token=token, protocol=1)[0] is Status.PIN_AUTH_INVALID


@pytest.mark.parametrize("parameters", [creation(), creation({8: b""})])
def test_a_user_who_stays_away_has_refused(parameters: dict[int, Any]) -> None:
    """Steps 1.2 and 14.1.2.2: OPERATION_DENIED after half a minute, and nothing is kept."""
    clock = SimulatedClock()
    authenticator = Authenticator(Env(clock, Env.simulated(1).random), user=ScriptedUser([]))
    before = dump(authenticator.store)
    execution = authenticator.start(request(MAKE_CREDENTIAL, parameters))
    clock.advance(29.9)
    assert execution.poll() is None
    clock.advance(0.2)
    assert execution.poll() == bytes((Status.OPERATION_DENIED,))
    assert dump(authenticator.store) == before
