from fido2.webauthn import AuthenticatorData

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
)
from tests.emulators.fido_authenticator.pin_host import PERMISSION, PinHost

ASKED = {"uvm": True}
PRESENCE, PIN_FROM_THE_HOST = [[1, 1, 1]], [[0x800, 1, 1]]


def test_a_touch_is_presence() -> None:
    """In both commands; the key is a program, and says so."""
    authenticator = Authenticator(Env.simulated(1))
    made = call(authenticator, MAKE_CREDENTIAL, creation({6: ASKED, 7: {"rk": True}}))[1]
    shown = call(authenticator, GET_ASSERTION, assertion({4: ASKED}))[1]
    for response in (made, shown):
        assert AuthenticatorData(response[2]).extensions == {"uvm": PRESENCE}
    assert AuthenticatorData(call(authenticator, GET_ASSERTION, assertion())[1][2]).extensions is None
    assert call(authenticator, GET_ASSERTION, assertion({4: {"uvm": 1}}))[0] is Status.CBOR_UNEXPECTED_TYPE


def test_a_pin_is_a_passcode_from_outside() -> None:
    """It is typed on the host."""
    host = PinHost()
    request = creation({6: ASKED})
    proof = host.protocol.authenticate(host.token(PERMISSION.MAKE_CREDENTIAL, "example.com"), request[1])
    status, response = call(host.authenticator, MAKE_CREDENTIAL, request | {8: proof, 9: host.protocol.VERSION})
    assert status is Status.SUCCESS
    assert AuthenticatorData(response[2]).extensions == {"uvm": PIN_FROM_THE_HOST}


def test_a_passcode_on_the_keys_own_pad_is_from_inside() -> None:
    """The host sees nothing of it."""
    authenticator = Authenticator(Env.simulated(1), profiles.load("authrig-passcode"))
    status, response = call(authenticator, MAKE_CREDENTIAL, creation({6: ASKED, 7: {"uv": True}}))
    assert status is Status.SUCCESS
    assert AuthenticatorData(response[2]).extensions == {"uvm": [[4, 1, 1]]}
