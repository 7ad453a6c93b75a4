"""largeBlobKey: the key under which a relying party's large blob is encrypted (CTAP 2.3 §12.3)."""

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.extensions.extension import Assertion, Creation, Extension, requested
from emulators.fido_authenticator.status import CtapError, Status

_KEY_BYTES = 32


class LargeBlobKey(Extension):
    """Makes one key with each discoverable credential that asks, and hands it to the host outside of what is signed."""

    identifier = "largeBlobKey"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Make a key and return it; only for a discoverable credential, and False is no choice."""
        if value is None:
            return
        if not requested(value) or not creation.discoverable:
            raise CtapError(Status.INVALID_OPTION)
        key = creation.state.env.random.token_bytes(_KEY_BYTES)
        creation.kept[self.identifier] = key
        creation.response[0x05] = key

    def get_assertion(self, assertion: Assertion, value: CborValue) -> None:
        """Return the key, if the credential has one."""
        if value is None:
            return
        if not requested(value):
            raise CtapError(Status.INVALID_OPTION)
        key = assertion.credential.extensions.get(self.identifier)
        if key is not None:
            assertion.response[0x07] = key

    def add_managed(self, credential: Credential, response: dict[int, CborValue]) -> None:
        """Show the key, with which hosts find blobs that nobody needs any longer."""
        key = credential.extensions.get(self.identifier)
        if key is not None:
            response[0x0B] = key
