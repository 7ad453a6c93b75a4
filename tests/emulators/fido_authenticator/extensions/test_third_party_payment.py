from typing import Any

import pytest

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import MAKE_CREDENTIAL, call, creation
from tests.emulators.fido_authenticator.pin_host import PinHost

PAYMENT = {"payment": {"isPayment": True}}


@pytest.mark.parametrize("resident", [True, False])
def test_a_credential_made_for_payment_says_so(*, resident: bool) -> None:
    """Discoverable or not; one that was not made for it says that too; nobody is told who does not ask."""
    host = PinHost()
    paying, _ = host.register(PAYMENT, resident=resident)
    plain, _ = host.register(user=b"bob", resident=resident)
    assert paying.extensions is None
    assert host.log_in(paying, PAYMENT)[0].extensions == {"thirdPartyPayment": True}
    assert host.log_in(plain, PAYMENT)[0].extensions == {"thirdPartyPayment": False}
    assert host.log_in(paying)[0].extensions is None


@pytest.mark.parametrize("value", [1, b"", "yes"])
def test_the_input_is_a_boolean(value: Any) -> None:
    """Anything else is refused."""
    authenticator = Authenticator(Env.simulated(1))
    request = creation({6: {"thirdPartyPayment": value}})
    assert call(authenticator, MAKE_CREDENTIAL, request)[0] is Status.CBOR_UNEXPECTED_TYPE
