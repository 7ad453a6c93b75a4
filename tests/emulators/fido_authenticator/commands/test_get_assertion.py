from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.ctap2.base import AssertionResponse
from fido2.ctap2.pin import ClientPin
from fido2.webauthn import AuthenticatorData

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.algorithms import ALGORITHMS
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.messages import UserEntity
from emulators.fido_authenticator.pin_uv_auth import MAX_USAGE
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import Save
from emulators.fido_authenticator.user import Act, AutomaticUser, Decision, Prompt, ScriptedUser
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    GET_INFO,
    GET_NEXT_ASSERTION,
    HASH,
    assertion,
    call,
    descriptor,
    register,
)
from tests.emulators.fido_authenticator.pin_keys import PIN, client_pin, key

RESIDENT = {7: {"rk": True}}


def _key(*users: bytes) -> tuple[Authenticator, SimulatedClock]:
    """A key on which these users have discoverable credentials."""
    clock = SimulatedClock()
    authenticator = Authenticator(Env(clock, Env.simulated(1).random))
    for user in users:
        register(authenticator, RESIDENT, user=user)
    return authenticator, clock


def _user(response: Mapping[Any, Any]) -> bytes:
    user = response[4]["id"]
    assert isinstance(user, bytes)
    return user


@pytest.mark.parametrize("options", [{"rk": True}, {"rk": False}])
def test_an_allowed_credential_signs(options: dict[str, bool]) -> None:
    """The signature holds for the credential's public key; a list of several gives the first that is here, alone."""
    authenticator, _ = _key()
    credential_id = register(authenticator, {7: options})
    other = register(authenticator, user=b"bob")
    allowed = [descriptor(b"unknown"), {"id": other, "type": "future"}, descriptor(credential_id), descriptor(other)]
    status, response = call(authenticator, GET_ASSERTION, assertion({3: allowed}))
    assert (status, response[1]) == (Status.SUCCESS, descriptor(credential_id))
    assert 5 not in response
    credential = authenticator._state.find("example.com", credential_id)
    assert credential is not None
    public = ES256(ALGORITHMS[-7].load(credential.private_key).public_key())
    AssertionResponse.from_dict(response).verify(HASH, public)
    data = AuthenticatorData(response[2])
    assert data.flags == AuthenticatorData.FLAG.UP
    # A sealed credential remembers no user; a discoverable one shows the id, without verification no more.
    assert response.get(4) == ({"id": b"ada"} if options["rk"] else None)


def test_discoverable_credentials_come_newest_first_one_by_one() -> None:
    """NumberOfCredentials stands in the first answer only; after the last, getNextAssertion is not allowed."""
    authenticator, _ = _key(b"ada", b"bob", b"eve")
    register(authenticator, user=b"sealed")
    status, response = call(authenticator, GET_ASSERTION, assertion())
    seen = [_user(response)]
    assert (status, response[5]) == (Status.SUCCESS, 3)
    counters = [AuthenticatorData(response[2]).counter]
    for _ in range(2):
        status, response = call(authenticator, GET_NEXT_ASSERTION)
        assert (status, 5 in response, response[4].keys()) == (Status.SUCCESS, False, {"id"})
        seen.append(_user(response))
        counters.append(AuthenticatorData(response[2]).counter)
    assert seen == [b"eve", b"bob", b"ada"]
    assert counters == sorted(set(counters))
    assert call(authenticator, GET_NEXT_ASSERTION) == (Status.NOT_ALLOWED, {})


def test_a_single_account_has_no_next_one() -> None:
    """Neither does an empty allow list, which counts as none, nor the time before any getAssertion."""
    authenticator, _ = _key(b"ada")
    assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.NOT_ALLOWED
    nobody: dict[int, Any] = {3: []}
    for changes in ({}, nobody):
        status, response = call(authenticator, GET_ASSERTION, assertion(changes))
        assert (status, 5 in response, _user(response)) == (Status.SUCCESS, False, b"ada")
        assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.NOT_ALLOWED


def test_the_walk_ends_after_half_a_minute_of_silence() -> None:
    """Each step starts the time anew."""
    authenticator, clock = _key(b"ada", b"bob", b"eve")
    call(authenticator, GET_ASSERTION, assertion())
    clock.advance(29.9)
    assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.SUCCESS
    clock.advance(29.9)
    assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.SUCCESS
    call(authenticator, GET_ASSERTION, assertion())
    clock.advance(30.1)
    assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.NOT_ALLOWED


def test_the_walk_ends_with_the_token_that_began_it() -> None:
    """§6: ten minutes after it was given out a token is none any more, in the middle of a walk too."""
    clock = SimulatedClock()
    authenticator = key(PIN, clock=clock)
    pin = client_pin(authenticator)
    for user in (b"ada", b"bob", b"eve"):
        token = pin.get_pin_token(PIN, ClientPin.PERMISSION.MAKE_CREDENTIAL, "example.com")
        register(authenticator, {7: {"rk": True}, 8: pin.protocol.authenticate(token, HASH), 9: 2}, user=user)
    token = pin.get_pin_token(PIN, ClientPin.PERMISSION.GET_ASSERTION, "example.com")
    proven = {6: pin.protocol.authenticate(token, HASH), 7: 2}
    assert call(authenticator, GET_ASSERTION, assertion({**proven, 5: {"up": False}}))[0] is Status.SUCCESS
    clock.advance(MAX_USAGE - 20)
    assert call(authenticator, GET_ASSERTION, assertion(proven))[0] is Status.SUCCESS
    assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.SUCCESS
    clock.advance(20.1)
    assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.NOT_ALLOWED


def test_any_other_command_channel_or_power_cycle_ends_the_walk() -> None:
    """A second host cannot read the accounts that the first one asked for."""
    authenticator, _ = _key(b"ada", b"bob", b"eve")
    call(authenticator, GET_ASSERTION, assertion(), channel=1)
    assert call(authenticator, GET_NEXT_ASSERTION, channel=2)[0] is Status.NOT_ALLOWED
    assert call(authenticator, GET_NEXT_ASSERTION, channel=1)[0] is Status.NOT_ALLOWED
    call(authenticator, GET_ASSERTION, assertion())
    call(authenticator, GET_INFO)
    assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.NOT_ALLOWED
    call(authenticator, GET_ASSERTION, assertion())
    authenticator.power_up()
    assert call(authenticator, GET_NEXT_ASSERTION)[0] is Status.NOT_ALLOWED


def test_a_silent_assertion_asks_nobody() -> None:
    """up:false signs without a touch, and says so in the flags; the counter moves on."""
    user = ScriptedUser([Act()])
    authenticator = Authenticator(Env.simulated(1), user=user)
    known = {3: [descriptor(register(authenticator))], 5: {"up": False}}
    status, response = call(authenticator, GET_ASSERTION, assertion(known))
    assert (status, AuthenticatorData(response[2]).flags) == (Status.SUCCESS, 0)
    assert [request.prompt for request in user.requests] == [Prompt.REGISTER]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({5: {"rk": True}}, Status.UNSUPPORTED_OPTION),
        ({5: {"rk": False}}, Status.UNSUPPORTED_OPTION),
        ({5: {"uv": True}}, Status.INVALID_OPTION),
        ({6: bytes(16), 7: 3}, Status.INVALID_PARAMETER),
        ({6: bytes(16)}, Status.MISSING_PARAMETER),
        ({3: [descriptor(b"x")] * 65}, Status.LIMIT_EXCEEDED),
        ({3: [descriptor(b"unknown")]}, Status.NO_CREDENTIALS),
        ({3: [{"id": b"known", "type": "future"}], 1: "example.org"}, Status.NO_CREDENTIALS),
        ({1: "example.org"}, Status.NO_CREDENTIALS),
    ],
)
def test_what_cannot_be_is_refused_before_the_touch(changes: dict[int, Any], expected: Status) -> None:
    """Each with its own status."""
    user = ScriptedUser([Act()])
    authenticator = Authenticator(Env.simulated(1), user=user)
    register(authenticator, RESIDENT)
    assert call(authenticator, GET_ASSERTION, assertion(changes)) == (expected, {})
    assert len(user.requests) == 1


def test_a_credential_is_useless_for_another_relying_party() -> None:
    """Phishing: the allow list holds the right id, the RP ID is the attacker's."""
    authenticator, _ = _key()
    for options in ({"rk": True}, {"rk": False}):
        allowed = [descriptor(register(authenticator, {7: options}))]
        answer = call(authenticator, GET_ASSERTION, assertion({3: allowed}, rp_id="examp1e.com"))
        assert answer == (Status.NO_CREDENTIALS, {})


def test_a_refusal_signs_nothing() -> None:
    """The counter stays where it was."""
    authenticator, _ = _key(b"ada")
    refusing = Authenticator(authenticator.env, store=authenticator.store, user=AutomaticUser(Decision.DENIED))
    assert call(refusing, GET_ASSERTION, assertion()) == (Status.OPERATION_DENIED, {})
    assert call(refusing, GET_ASSERTION, assertion({5: {"up": False}}))[0] is Status.SUCCESS
    assert refusing.store.get("signature_counter") == (2).to_bytes(4)


def test_the_counter_never_goes_back() -> None:
    """Not between credentials, not at power-up, not with another key on the same memory."""
    authenticator, _ = _key(b"ada")
    counters = []
    for round_ in range(6):
        if round_ == 2:
            authenticator.power_up()
        if round_ == 4:
            authenticator = Authenticator(Env.simulated(9), store=authenticator.store)
        response = call(authenticator, GET_ASSERTION, assertion())[1]
        counters.append(AuthenticatorData(response[2]).counter)
    assert counters == [2, 3, 4, 5, 6, 7]


def test_an_exhausted_counter_stops_the_key() -> None:
    """After 2^32-1 signatures there is no honest number left."""
    authenticator, _ = _key(b"ada")
    authenticator._state._counter = 0xFFFF_FFFE
    assert call(authenticator, GET_ASSERTION, assertion())[0] is Status.SUCCESS
    assert call(authenticator, GET_ASSERTION, assertion())[0] is Status.OTHER


def test_a_credential_of_a_newer_version_is_not_found() -> None:
    """A key file that has been used with more algorithms than this version knows does no harm."""
    authenticator, _ = _key(b"ada")
    authenticator.store.commit(
        Save(Credential(b"newer", "example.com", -65000, b"k", UserEntity(b"bob"), discoverable=True))
    )
    status, response = call(authenticator, GET_ASSERTION, assertion())
    assert (status, _user(response), 5 in response) == (Status.SUCCESS, b"ada", False)
    newer = assertion({3: [descriptor(b"newer")]})
    assert call(authenticator, GET_ASSERTION, newer)[0] is Status.NO_CREDENTIALS


@pytest.mark.parametrize("kind", ["batch", "self"])
def test_an_assertion_is_attested_where_the_host_asks(kind: Literal["batch", "self"]) -> None:
    """With a format that the key has in member 0x0A; otherwise there is none."""
    profile = msgspec.structs.replace(profiles.load(), attestation=profiles.Attestation(kind=kind))
    authenticator = Authenticator(Env.simulated(1), profile)
    known = {3: [descriptor(register(authenticator))]}
    _, plain = call(authenticator, GET_ASSERTION, assertion(known))
    _, unknown = call(authenticator, GET_ASSERTION, assertion({**known, 9: ["tpm", "none"]}))
    assert 0x0A not in {*plain, *unknown}
    _, response = call(authenticator, GET_ASSERTION, assertion({**known, 9: ["tpm", "packed"]}))
    statement = response[0x0A]
    assert (0x09 in response, sorted(statement)) == (
        False,
        ["alg", "sig", "x5c"] if kind == "batch" else ["alg", "sig"],
    )
    if kind == "batch":
        key = x509.load_der_x509_certificate(statement["x5c"][0]).public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(statement["sig"], response[2] + HASH, ec.ECDSA(hashes.SHA256()))


def test_an_enterprise_attested_assertion_needs_the_setting() -> None:
    """INVALID_PARAMETER while it is off; then epAtt says that the certificate names this key."""
    profile = profiles.load()
    authenticator = Authenticator(Env.simulated(1), profile)
    known = {3: [descriptor(register(authenticator))], 9: ["packed"]}
    assert call(authenticator, GET_ASSERTION, assertion({**known, 8: 1}))[0] is Status.INVALID_PARAMETER
    enabled = msgspec.structs.replace(profile, options={**profile.options, "ep": True})
    authenticator = Authenticator(Env.simulated(1), enabled)
    known = {3: [descriptor(register(authenticator))], 9: ["packed"]}
    assert call(authenticator, GET_ASSERTION, assertion({**known, 8: 3}))[0] is Status.INVALID_OPTION
    for kind, named in ((1, False), (2, True)):
        status, response = call(authenticator, GET_ASSERTION, assertion({**known, 8: kind}))
        assert (status, response.get(0x09, False)) == (Status.SUCCESS, named)
        assert (authenticator.authority.enterprise.certificate in response[0x0A]["x5c"]) is named


def test_an_answer_that_no_message_carries_is_an_error() -> None:
    """Two ML-DSA-87 signatures are too long; one is not."""
    profile = msgspec.structs.replace(profiles.load(), attestation=profiles.Attestation(kind="self"))
    authenticator = Authenticator(Env.simulated(1), profile)
    known = {3: [descriptor(register(authenticator, {4: [{"alg": -50, "type": "public-key"}]}))]}
    assert call(authenticator, GET_ASSERTION, assertion({**known, 9: ["packed"]}))[0] is Status.REQUEST_TOO_LARGE
    assert call(authenticator, GET_ASSERTION, assertion(known))[0] is Status.SUCCESS
