import pytest
from fido2.ctap2.pin import PinProtocol, PinProtocolV1, PinProtocolV2
from fido2.utils import websafe_encode
from fido2.webauthn import AuthenticatorData

from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import MAKE_CREDENTIAL, call, creation
from tests.emulators.fido_authenticator.extensions.hmac_host import SALT_1, SALT_2, HmacHost
from tests.emulators.fido_authenticator.pin_host import PinHost


@pytest.mark.parametrize("protocol", [PinProtocolV1(), PinProtocolV2()], ids=["one", "two"])
@pytest.mark.parametrize("resident", [True, False])
def test_a_client_evaluates_prf_at_registration(protocol: PinProtocol, *, resident: bool) -> None:
    """The secrets are those of the logins that follow."""
    host = PinHost(protocol)
    salts = {"prf": {"eval": {"first": websafe_encode(b"one"), "second": websafe_encode(b"two")}}}
    registered, outputs = host.register(salts, resident=resident)
    assert outputs["prf"]["enabled"] is True
    assert host.log_in(registered, salts)[1]["prf"]["results"] == outputs["prf"]["results"]


def test_the_secrets_of_an_unverified_registration_are_those_of_unverified_logins() -> None:
    """And no others."""
    asking = HmacHost(PinHost())
    request = creation({6: {"hmac-secret": True, "hmac-secret-mc": asking.input(SALT_1 + SALT_2)}})
    response = call(asking.host.authenticator, MAKE_CREDENTIAL, request)[1]
    made = AuthenticatorData(response[2])
    assert made.credential_data is not None
    secrets = asking.outputs(response[2], "hmac-secret-mc")
    credential_id = made.credential_data.credential_id
    assert secrets == asking.secrets(credential_id, SALT_1 + SALT_2)
    assert secrets != asking.secrets(credential_id, SALT_1 + SALT_2, verified=True)


@pytest.mark.parametrize("others", [{}, {"hmac-secret": False}])
def test_it_comes_with_hmac_secret_only(others: dict[str, object]) -> None:
    """Alone it is refused, and no credential is made."""
    asking = HmacHost(PinHost())
    extensions = {**others, "hmac-secret-mc": asking.input(SALT_1)}
    answer = call(asking.host.authenticator, MAKE_CREDENTIAL, creation({6: extensions}))
    assert answer == (Status.MISSING_PARAMETER, {})


def test_a_wrong_input_makes_no_credential() -> None:
    """Salts that are not the host's, or of a wrong length."""
    asking = HmacHost(PinHost())
    for value, expected in (
        (asking.input(SALT_1, {3: bytes(32)}), Status.PIN_AUTH_INVALID),
        (asking.input(bytes(48)), Status.INVALID_LENGTH),
        (True, Status.CBOR_UNEXPECTED_TYPE),
    ):
        request = creation({6: {"hmac-secret": True, "hmac-secret-mc": value}})
        assert call(asking.host.authenticator, MAKE_CREDENTIAL, request) == (expected, {})
    assert asking.host.authenticator.store.count() == 0
