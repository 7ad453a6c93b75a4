"""credProtect: a credential that shows itself only after user verification (CTAP 2.3 §12.1)."""

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.extensions.extension import Creation, Extension
from emulators.fido_authenticator.status import CtapError, Status

UV_OPTIONAL = 1
UV_OPTIONAL_WITH_CREDENTIAL_ID_LIST = 2
UV_REQUIRED = 3


class CredProtect(Extension):
    """Keeps the level with the credential, and hides the credential accordingly."""

    identifier = "credProtect"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Keep the level that the host asks for and report it."""
        if value is None:
            return
        if type(value) is not int:
            raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
        if not UV_OPTIONAL <= value <= UV_REQUIRED:
            raise CtapError(Status.INVALID_OPTION)
        creation.kept[self.identifier] = value
        creation.outputs[self.identifier] = value

    def add_managed(self, credential: Credential, response: dict[int, CborValue]) -> None:
        """Show the level."""
        response[0x0A] = credential.extensions.get(self.identifier, UV_OPTIONAL)

    def hides(self, credential: Credential, *, listed: bool, user_verified: bool) -> bool:
        """Level 2 hides from hosts that do not know the id, level 3 from everybody, until the user is verified."""
        level = credential.extensions.get(self.identifier, UV_OPTIONAL)
        if user_verified or level == UV_OPTIONAL:
            return False
        return level == UV_REQUIRED or not listed
