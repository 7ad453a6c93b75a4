from typing import Any

import pytest
from fido2.ctap2.pin import PinProtocol, PinProtocolV1, PinProtocolV2
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import AuthenticatorData
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    GET_NEXT_ASSERTION,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
    register,
)
from tests.emulators.fido_authenticator.extensions.hmac_host import SALT_1, SALT_2, HmacHost
from tests.emulators.fido_authenticator.pin_host import PinHost

PROTOCOLS = pytest.mark.parametrize("protocol", [PinProtocolV1(), PinProtocolV2()], ids=["one", "two"])
ASKED = {6: {"hmac-secret": True}}


def _results(outputs: dict[str, Any]) -> tuple[bytes, bytes]:
    results = outputs["prf"]["results"]
    return websafe_decode(results["first"]), websafe_decode(results["second"])


@PROTOCOLS
@pytest.mark.parametrize("resident", [True, False])
def test_a_client_evaluates_prf(protocol: PinProtocol, *, resident: bool) -> None:
    """WebAuthn's prf: one or two salts, the same secret each time, also after a power-down; another user, another."""
    host = PinHost(protocol)
    registered, outputs = host.register({"prf": {}}, resident=resident)
    assert outputs == {"prf": {"enabled": True}}
    one, two = websafe_encode(b"one"), websafe_encode(b"two")
    first, nothing = _results(host.log_in(registered, {"prf": {"eval": {"first": one}}})[1])
    assert (len(first), len(nothing)) == (32, 0)
    host.authenticator.power_up()
    again, second = _results(host.log_in(registered, {"prf": {"eval": {"first": one, "second": two}}})[1])
    assert (again == first, second == first) == (True, False)
    other, _ = host.register({"prf": {}}, resident=resident, user=b"bob")
    assert _results(host.log_in(other, {"prf": {"eval": {"first": one}}})[1])[0] != first


def test_the_raw_extension_gives_the_outputs_of_the_salts() -> None:
    """hmacGetSecret, as libraries without a browser use it."""
    host = PinHost()
    registered, outputs = host.register({"hmacCreateSecret": True})
    assert outputs == {"hmacCreateSecret": True}
    inputs = {"hmacGetSecret": {"salt1": websafe_encode(SALT_1), "salt2": websafe_encode(SALT_2)}}
    secrets = host.log_in(registered, inputs)[1]["hmacGetSecret"]
    assert secrets["output1"] != secrets["output2"]


@PROTOCOLS
def test_verified_users_have_other_secrets(protocol: PinProtocol) -> None:
    """What a thief with a touch gets tells nothing about what the PIN protects; each half depends on its salt only."""
    asking = HmacHost(PinHost(protocol))
    credential_id = register(asking.host.authenticator, ASKED)
    without = asking.secrets(credential_id, SALT_1 + SALT_2)
    verified = asking.secrets(credential_id, SALT_1 + SALT_2, verified=True)
    assert len({*without, *verified}) == 4
    assert asking.secrets(credential_id, SALT_2) == without[1:]
    assert asking.secrets(credential_id, SALT_2 + SALT_1, verified=True) == verified[::-1]


def test_protocol_one_is_meant_where_none_is_named() -> None:
    """As before there were two."""
    asking = HmacHost(PinHost(PinProtocolV1()))
    credential_id = register(asking.host.authenticator, ASKED)
    status, response = asking.ask(credential_id, asking.input(SALT_1, {4: None}))
    assert status is Status.SUCCESS
    assert asking.outputs(response[2], "hmac-secret") == asking.secrets(credential_id, SALT_1)


def test_without_the_extension_at_registration_there_is_no_secret() -> None:
    """The login works and says nothing; False at registration asks for nothing."""
    asking = HmacHost(PinHost())
    for inputs in ({}, {6: {"hmac-secret": False}}):
        credential_id = register(asking.host.authenticator, inputs)
        status, response = asking.ask(credential_id, asking.input(SALT_1))
        assert (status, AuthenticatorData(response[2]).extensions) == (Status.SUCCESS, None)


def test_each_account_of_a_list_answers_with_its_own_secret() -> None:
    """GetNextAssertion evaluates the same salts."""
    asking = HmacHost(PinHost())
    key = asking.host.authenticator
    asking.host.ctap.reset()
    asking = HmacHost(asking.host)
    for user in (b"ada", b"bob"):
        register(key, {**ASKED, 7: {"rk": True}}, user=user)
    first = call(key, GET_ASSERTION, assertion({4: {"hmac-secret": asking.input(SALT_1)}}))[1]
    second = call(key, GET_NEXT_ASSERTION)[1]
    secrets = [asking.outputs(response[2], "hmac-secret")[0] for response in (first, second)]
    assert secrets[0] != secrets[1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({1: None}, Status.MISSING_PARAMETER),
        ({2: None}, Status.MISSING_PARAMETER),
        ({3: None}, Status.MISSING_PARAMETER),
        ({1: b"key"}, Status.CBOR_UNEXPECTED_TYPE),
        ({2: "salts"}, Status.CBOR_UNEXPECTED_TYPE),
        ({3: 1}, Status.CBOR_UNEXPECTED_TYPE),
        ({4: "2"}, Status.CBOR_UNEXPECTED_TYPE),
        ({4: 3}, Status.INVALID_PARAMETER),
        ({1: {1: 2, 3: -25, -1: 1, -2: bytes(32), -3: bytes(32)}}, Status.INVALID_PARAMETER),
        ({1: {}}, Status.INVALID_PARAMETER),
        ({3: bytes(32)}, Status.PIN_AUTH_INVALID),
        ({3: b""}, Status.PIN_AUTH_INVALID),
        ({2: bytes(48)}, Status.PIN_AUTH_INVALID),
    ],
)
def test_each_wrong_input_has_its_own_status(changes: dict[int, Any], expected: Status) -> None:
    """No signature is made and none is counted."""
    asking = HmacHost(PinHost())
    credential_id = register(asking.host.authenticator, ASKED)
    before = dump(asking.host.authenticator.store)
    assert asking.ask(credential_id, asking.input(SALT_1, changes)) == (expected, {})
    assert dump(asking.host.authenticator.store) == before


@PROTOCOLS
@pytest.mark.parametrize("size", [16, 48, 80, 96])
def test_salts_are_one_or_two_blocks_of_32_bytes(protocol: PinProtocol, size: int) -> None:
    """Any other number is refused, though it is the host's own."""
    asking = HmacHost(PinHost(protocol))
    credential_id = register(asking.host.authenticator, ASKED)
    assert asking.ask(credential_id, asking.input(bytes(size))) == (Status.INVALID_LENGTH, {})


@PROTOCOLS
@pytest.mark.parametrize("size", [0, 1, 17])
def test_salts_that_are_no_blocks_are_refused(protocol: PinProtocol, size: int) -> None:
    """Also when they are signed."""
    asking = HmacHost(PinHost(protocol))
    credential_id = register(asking.host.authenticator, ASKED)
    signed = {2: bytes(size), 3: protocol.authenticate(asking.secret, bytes(size))}
    assert asking.ask(credential_id, asking.input(SALT_1, signed)) == (Status.INVALID_LENGTH, {})


def test_a_secret_needs_a_touch() -> None:
    """A host that asks silently is refused."""
    asking = HmacHost(PinHost())
    credential_id = register(asking.host.authenticator, ASKED)
    silent = asking.ask(credential_id, asking.input(SALT_1), {5: {"up": False}})
    assert silent == (Status.UNSUPPORTED_OPTION, {})


@pytest.mark.parametrize("value", [1, b"", {1: 1}])
def test_registration_asks_with_a_boolean(value: Any) -> None:
    """Anything else is refused."""
    authenticator = Authenticator(Env.simulated(1))
    request = creation({6: {"hmac-secret": value}})
    assert call(authenticator, MAKE_CREDENTIAL, request)[0] is Status.CBOR_UNEXPECTED_TYPE


_ASKING = HmacHost(PinHost())
_CREDENTIAL = register(_ASKING.host.authenticator, ASKED)
_ANYTHING: st.SearchStrategy[Any] = st.one_of(
    st.integers(-300, 300), st.binary(max_size=70), st.text(max_size=3), st.booleans(), st.just({}), st.just([])
)


@settings(max_examples=150, deadline=None)
@given(_ANYTHING | st.dictionaries(st.integers(0, 5), _ANYTHING, max_size=5))
def test_nobody_gets_a_secret_by_guessing(value: Any) -> None:
    """Whatever stands in the place of the input is refused."""
    status, response = _ASKING.ask(_CREDENTIAL, value)
    assert (status is Status.SUCCESS, response) == (False, {})
