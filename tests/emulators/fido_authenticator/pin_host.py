"""A host that knows the PIN: unmodified python-fido2 in front of a key in its own process."""

from dataclasses import replace
from typing import Any

import msgspec
from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap2.base import Ctap2
from fido2.ctap2.blob import LargeBlobs
from fido2.ctap2.credman import CredentialManagement
from fido2.ctap2.extensions import (
    CredBlobExtension,
    CredPropsExtension,
    CredProtectExtension,
    HmacSecretExtension,
    LargeBlobExtension,
    MinPinLengthExtension,
    PinComplexityPolicyExtension,
    ThirdPartyPaymentExtension,
)
from fido2.ctap2.pin import ClientPin, PinProtocol, PinProtocolV2
from fido2.server import Fido2Server
from fido2.webauthn import (
    AuthenticatorData,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from emulators.env import Env, SeededRandom, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.store import Store
from emulators.fido_authenticator.transports.in_process import InProcessDevice

PIN = "correct horse"
PERMISSION = ClientPin.PERMISSION

EXTENSIONS = (
    HmacSecretExtension(allow_hmac_secret=True),  # type: ignore[no-untyped-call] # python-fido2 left it untyped
    LargeBlobExtension(),
    CredBlobExtension(),
    CredProtectExtension(),
    MinPinLengthExtension(),
    PinComplexityPolicyExtension(),
    CredPropsExtension(),
    ThirdPartyPaymentExtension(),
)


class _KnowsThePin(UserInteraction):
    def request_pin(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> str:
        del permissions, rp_id
        return PIN


class PinHost:
    """One key with a PIN, and everything that speaks to it.

    ``options`` and ``limits`` change the default profile. A key in a ``store`` keeps the PIN that it has.
    """

    def __init__(
        self,
        protocol: PinProtocol | None = None,
        *,
        options: dict[str, bool] | None = None,
        limits: dict[str, int] | None = None,
        store: Store | None = None,
    ) -> None:
        profile = profiles.load()
        profile = msgspec.structs.replace(
            profile,
            options={**profile.options, **(options or {})},
            limits=msgspec.structs.replace(profile.limits, **(limits or {})),
        )
        self.clock = SimulatedClock()
        self.authenticator = Authenticator(Env(self.clock, SeededRandom(1)), profile, store)
        self.device = InProcessDevice(self.authenticator)
        self.ctap = Ctap2(self.device)
        self.protocol = protocol or PinProtocolV2()
        self.pin = ClientPin(self.ctap, self.protocol)
        if not self.ctap.info.options["clientPin"]:
            self.pin.set_pin(PIN)

    def token(self, permissions: ClientPin.PERMISSION, rp_id: str | None = None) -> bytes:
        """A new token with ``permissions``."""
        token: bytes = self.pin.get_pin_token(PIN, permissions, rp_id)
        return token

    def manager(
        self, permissions: ClientPin.PERMISSION = PERMISSION.CREDENTIAL_MGMT, rp_id: str | None = None
    ) -> CredentialManagement:
        """Credential management with a new token."""
        return CredentialManagement(self.ctap, self.protocol, self.token(permissions, rp_id))

    def blobs(self, permissions: ClientPin.PERMISSION = PERMISSION.LARGE_BLOB_WRITE) -> LargeBlobs:
        """Large blobs with a new token."""
        return LargeBlobs(self.ctap, self.protocol, self.token(permissions))

    def client(self, rp_id: str = "example.com") -> Fido2Client:
        """A WebAuthn client that knows every extension."""
        return Fido2Client(
            self.device,
            DefaultClientDataCollector(f"https://{rp_id}"),
            user_interaction=_KnowsThePin(),
            extensions=EXTENSIONS,
        )

    def register(
        self,
        extensions: dict[str, Any] | None = None,
        *,
        rp_id: str = "example.com",
        user: bytes = b"ada",
        resident: bool = True,
        verify: bool = True,
    ) -> tuple[AuthenticatorData, dict[str, Any]]:
        """Register through client and server; returns the authenticator data and the client's extension outputs."""
        server = Fido2Server(PublicKeyCredentialRpEntity(id=rp_id, name=f"RP {rp_id}"))
        options, state = server.register_begin(
            PublicKeyCredentialUserEntity(id=user, name=user.decode(), display_name=user.decode().title()),
            resident_key_requirement=ResidentKeyRequirement.REQUIRED
            if resident
            else ResidentKeyRequirement.DISCOURAGED,
            user_verification=_verification(required=verify),
        )
        result = self.client(rp_id).make_credential(replace(options.public_key, extensions=extensions))
        return server.register_complete(state, result), dict(result.client_extension_results)

    def log_in(
        self,
        registered: AuthenticatorData,
        extensions: dict[str, Any] | None = None,
        *,
        rp_id: str = "example.com",
        verify: bool = True,
    ) -> tuple[AuthenticatorData, dict[str, Any]]:
        """Log in through client and server; returns the authenticator data and the client's extension outputs."""
        server = Fido2Server(PublicKeyCredentialRpEntity(id=rp_id, name=f"RP {rp_id}"))
        assert registered.credential_data is not None
        request, state = server.authenticate_begin(
            [registered.credential_data], user_verification=_verification(required=verify)
        )
        selection = self.client(rp_id).get_assertion(replace(request.public_key, extensions=extensions))
        result = selection.get_response(0)
        server.authenticate_complete(state, [registered.credential_data], result)
        return result.response.authenticator_data, dict(result.client_extension_results)


def _verification(*, required: bool) -> UserVerificationRequirement:
    return UserVerificationRequirement.REQUIRED if required else UserVerificationRequirement.DISCOURAGED
