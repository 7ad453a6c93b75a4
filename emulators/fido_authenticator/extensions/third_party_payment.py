"""thirdPartyPayment: a credential that also others than its relying party may ask for, to pay (CTAP 2.3 §12.10)."""

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.extensions.extension import Assertion, Creation, Extension, requested


class ThirdPartyPayment(Extension):
    """Keeps one bit with the credential. What it allows is for the browser to decide."""

    identifier = "thirdPartyPayment"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Set the bit; there is no output."""
        if requested(value):
            creation.kept[self.identifier] = True

    def get_assertion(self, assertion: Assertion, value: CborValue) -> None:
        """Say whether it is set."""
        if requested(value):
            assertion.outputs[self.identifier] = assertion.credential.extensions.get(self.identifier, False)

    def add_managed(self, credential: Credential, response: dict[int, CborValue]) -> None:
        """Show the bit."""
        response[0x0C] = credential.extensions.get(self.identifier, False)
