"""hmac-secret-mc: the answer of hmac-secret already when the credential is made (CTAP 2.3 §12.8)."""

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.extensions.extension import Creation, Extension
from emulators.fido_authenticator.extensions.hmac_secret import HmacSecret, answer
from emulators.fido_authenticator.status import CtapError, Status


class HmacSecretMc(Extension):
    """Answers salts for the credential that is being made; it stands after hmac-secret in the table."""

    identifier = "hmac-secret-mc"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Answer one or two salts; only together with hmac-secret."""
        if value is None:
            return
        if HmacSecret.identifier not in creation.kept:
            raise CtapError(Status.MISSING_PARAMETER)
        creation.outputs[self.identifier] = answer(
            creation.state, creation.private_key, value, user_verified=creation.user_verified
        )
