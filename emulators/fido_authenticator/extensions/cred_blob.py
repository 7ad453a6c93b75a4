"""credBlob: a few bytes kept with a credential for its relying party (CTAP 2.3 §12.2)."""

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.extensions.extension import Assertion, Creation, Extension, requested
from emulators.fido_authenticator.state import State
from emulators.fido_authenticator.status import CtapError, Status


class CredBlob(Extension):
    """Keeps the bytes with a discoverable credential, whose memory is the key's own."""

    identifier = "credBlob"

    def add_info(self, state: State, info: dict[int, CborValue]) -> None:
        """Say how many bytes there may be."""
        info[0x0F] = state.profile.limits.max_cred_blob_length

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Keep the bytes, and say whether they are kept: too many are no error."""
        if value is None:
            return
        if type(value) is not bytes:
            raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
        kept = creation.discoverable and len(value) <= creation.state.profile.limits.max_cred_blob_length
        if kept:
            creation.kept[self.identifier] = value
        creation.outputs[self.identifier] = kept

    def get_assertion(self, assertion: Assertion, value: CborValue) -> None:
        """Give the bytes back: none at all for a credential without them."""
        if requested(value):
            assertion.outputs[self.identifier] = assertion.credential.extensions.get(self.identifier, b"")
