import pytest
from fido2.ctap2.config import Config

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import MAKE_CREDENTIAL, call, creation
from tests.emulators.fido_authenticator.pin_host import PERMISSION, PinHost

ASKED = {"minPinLength": True, "pinComplexityPolicy": True}


def test_listed_relying_parties_learn_which_pins_the_key_takes() -> None:
    """Others learn nothing, and that is no error; the list is made by authenticatorConfig."""
    host = PinHost()
    assert host.register(ASKED)[0].extensions is None
    token = host.token(PERMISSION.AUTHENTICATOR_CFG)
    Config(host.ctap, host.protocol, token).set_min_pin_length(6, ["example.com"])
    assert host.register(ASKED)[0].extensions == {"minPinLength": 6, "pinComplexityPolicy": False}
    assert host.register({"minPinLength": True})[0].extensions == {"minPinLength": 6}
    assert host.register({})[0].extensions is None
    assert host.register(ASKED, rp_id="example.org")[0].extensions is None


@pytest.mark.parametrize("identifier", ["minPinLength", "pinComplexityPolicy"])
def test_the_input_is_a_boolean(identifier: str) -> None:
    """Anything else is refused."""
    authenticator = Authenticator(Env.simulated(1))
    request = creation({6: {identifier: 4}})
    assert call(authenticator, MAKE_CREDENTIAL, request)[0] is Status.CBOR_UNEXPECTED_TYPE
