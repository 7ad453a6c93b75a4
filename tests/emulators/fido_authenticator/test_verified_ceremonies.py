"""An unmodified python-fido2 client and relying party, which demand verification, in front of each kind of key."""

from collections.abc import Callable

import pytest
from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap2.bio import FPBioEnrollment
from fido2.ctap2.config import Config
from fido2.ctap2.pin import ClientPin
from fido2.server import Fido2Server
from fido2.webauthn import (
    AuthenticatorAttachment,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.in_process import InProcessTransport
from emulators.fido_authenticator.user import Act, Decision, ScriptedUser
from tests.emulators.fido_authenticator.pin_keys import PIN, client_pin, ctap2, key

REQUIRED = UserVerificationRequirement.REQUIRED
RP = PublicKeyCredentialRpEntity(id="example.com", name="Example")
ADA = PublicKeyCredentialUserEntity(id=b"ada", name="ada", display_name="Ada")


class _Person(UserInteraction):
    def __init__(self, pin: str) -> None:
        self._pin = pin

    def request_pin(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> str:
        del permissions, rp_id
        return self._pin


def _client(authenticator: Authenticator, pin: str = PIN) -> Fido2Client:
    device = InProcessTransport(CtapHid(authenticator)).open_device()
    return Fido2Client(device, DefaultClientDataCollector("https://example.com"), _Person(pin))


def _register_and_log_in(client: Fido2Client, resident: ResidentKeyRequirement) -> None:
    server = Fido2Server(RP)
    attachment = AuthenticatorAttachment.CROSS_PLATFORM
    options, state = server.register_begin(ADA, None, resident, REQUIRED, attachment)
    registered = server.register_complete(state, client.make_credential(options.public_key))
    assert registered.is_user_verified()
    credential = registered.credential_data
    assert credential is not None
    known = None if resident is ResidentKeyRequirement.REQUIRED else [credential]
    request, state = server.authenticate_begin(known, REQUIRED)
    response = client.get_assertion(request.public_key).get_response(0)
    assert server.authenticate_complete(state, [credential], response) == credential


def _with_a_pin() -> Authenticator:
    return key(PIN)


def _with_a_finger() -> Authenticator:
    authenticator = key(PIN, profiles.load("authrig-bio"))
    pin = client_pin(authenticator)
    token = pin.get_pin_token(PIN, ClientPin.PERMISSION.BIO_ENROLL)
    context = FPBioEnrollment(ctap2(authenticator), pin.protocol, token).enroll()
    while context.capture() is None:
        pass
    return authenticator


def _with_a_passcode() -> Authenticator:
    return key(None, profiles.load("authrig-passcode"))


def _with_always_uv() -> Authenticator:
    authenticator = key(None)
    Config(ctap2(authenticator)).toggle_always_uv()
    client_pin(authenticator).set_pin(PIN)
    return authenticator


@pytest.mark.parametrize("plug_in", [_with_a_pin, _with_a_finger, _with_a_passcode, _with_always_uv])
@pytest.mark.parametrize("resident", [ResidentKeyRequirement.REQUIRED, ResidentKeyRequirement.DISCOURAGED])
def test_the_user_is_verified(plug_in: Callable[[], Authenticator], resident: ResidentKeyRequirement) -> None:
    """Both ceremonies, over full CTAPHID framing, with the flag UV that the relying party demands."""
    _register_and_log_in(_client(plug_in()), resident)


def test_the_wrong_person_is_not_verified() -> None:
    """A wrong PIN, and a wrong passcode as often as the key allows in one command."""
    server = Fido2Server(RP)
    options, _ = server.register_begin(ADA, user_verification=REQUIRED)
    stranger = ScriptedUser([Act(Decision.MISMATCH)] * 3)
    for client in (
        _client(key(PIN), "wrong"),
        _client(key(None, profiles.load("authrig-passcode"), user=stranger)),
    ):
        with pytest.raises(ClientError):
            client.make_credential(options.public_key)
