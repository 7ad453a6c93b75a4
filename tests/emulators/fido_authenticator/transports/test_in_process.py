from fido2.client import DefaultClientDataCollector, Fido2Client
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
)

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.in_process import InProcessTransport

RP = PublicKeyCredentialRpEntity(id="example.com", name="Example")
ADA = PublicKeyCredentialUserEntity(id=b"ada", name="ada", display_name="Ada")


def test_an_unmodified_client_registers_and_logs_in_over_reports() -> None:
    """python-fido2's client and server, which know nothing of this project, complete both ceremonies."""
    reports: list[tuple[str, bytes]] = []
    hid = CtapHid(Authenticator(Env.simulated(1)), lambda direction, report: reports.append((direction, report)))
    client = Fido2Client(InProcessTransport(hid).open_device(), DefaultClientDataCollector("https://example.com"))
    server = Fido2Server(RP, attestation=AttestationConveyancePreference.DIRECT)
    options, state = server.register_begin(ADA)
    auth_data = server.register_complete(state, client.make_credential(options.public_key))
    assert auth_data.credential_data is not None
    request, state = server.authenticate_begin([auth_data.credential_data])
    response = client.get_assertion(request.public_key).get_response(0)
    assert server.authenticate_complete(state, [auth_data.credential_data], response) == auth_data.credential_data
    assert {direction for direction, _ in reports} == {"to_key", "to_host"}
    assert all(len(report) == 64 for _, report in reports)
