"""What the rig does to a security key: plug it in, touch it, and let a client talk to it."""

from collections.abc import Callable
from typing import Any, Final

from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin
from fido2.webauthn import PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions

from authrig.errors import Deviation
from authrig.evidence.ctap_lines import CtapTranscript
from authrig.evidence.recorder import Exhibit, Traffic
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.in_process import InProcessDevice, InProcessTransport


class KeyRefused(Deviation):
    """The key refused; ``status`` is the name of its CTAP status (CTAP 2.3 §8.2), such as ``NO_CREDENTIALS``.

    A flow that provokes the refusal catches it; one that does not has deviated.
    """

    def __init__(self, status: str) -> None:
        super().__init__("the key's answer", "OK", status)
        self.status = status


PIN: Final = "1234"
"""The PIN of the emulated keys of the rig."""


class _KnowsThePin(UserInteraction):
    """The person in front of the client."""

    def request_pin(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> str:
        """Type the PIN."""
        del permissions, rp_id
        return PIN


class EmulatedKey:
    """An emulated key with a PIN, behind the unmodified python-fido2 client, with all its reports on record."""

    def __init__(self, authenticator: Authenticator, on_exhibit: Callable[[Exhibit], None]) -> None:
        self._on_exhibit = on_exhibit
        self._transcript = CtapTranscript()
        # An options entry that is false means: there can be a PIN, and there is none yet.
        with InProcessDevice(authenticator) as device:
            ctap2 = Ctap2(device)
            if ctap2.info.options.get("clientPin") is False:
                ClientPin(ctap2).set_pin(PIN)
        self._transport = InProcessTransport(CtapHid(authenticator, self._transcript.add))

    def make_credential(self, origin: str, options: dict[str, Any]) -> dict[str, Any]:
        """Register at ``origin`` with WebAuthn creation options in JSON; returns a RegistrationResponseJSON.

        Raises:
            KeyRefused: if the key refuses.
        """
        client = self._client(origin)
        try:
            return dict(client.make_credential(PublicKeyCredentialCreationOptions.from_dict(options)))
        except ClientError as error:
            raise _refusal(error) from error

    def get_assertion(self, origin: str, options: dict[str, Any]) -> dict[str, Any]:
        """Log in at ``origin`` with WebAuthn request options in JSON; returns an AuthenticationResponseJSON.

        Raises:
            KeyRefused: if the key refuses.
        """
        client = self._client(origin)
        try:
            selection = client.get_assertion(PublicKeyCredentialRequestOptions.from_dict(options))
            return dict(selection.get_response(0))
        except ClientError as error:
            raise _refusal(error) from error

    def exhibit_traffic(self) -> None:
        """Hand over the CTAP traffic since the last time, decoded."""
        lines = tuple(self._transcript.take_lines())
        self._on_exhibit(Traffic("what client and key said to each other", lines))

    def _client(self, origin: str) -> Fido2Client:
        return Fido2Client(self._transport.open_device(), DefaultClientDataCollector(origin), _KnowsThePin())


def _refusal(error: ClientError) -> KeyRefused:
    """The key's own word inside the client's error."""
    cause = error.cause
    return KeyRefused(cause.code.name if isinstance(cause, CtapError) else error.code.name)
