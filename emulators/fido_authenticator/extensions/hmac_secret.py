"""hmac-secret: a secret that only this key can compute, from a credential and the host's salt (CTAP 2.3 §12.7)."""

import hmac

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.credentials import derive_secret
from emulators.fido_authenticator.extensions.extension import Assertion, Creation, Extension, requested
from emulators.fido_authenticator.messages import as_map, optional, required, required_member
from emulators.fido_authenticator.state import State
from emulators.fido_authenticator.status import CtapError, Status

_SALT_BYTES = 32
_DEFAULT_PROTOCOL = 1


class HmacSecret(Extension):
    """Keeps one bit with the credential: CredRandomWithUV and CredRandomWithoutUV follow from its private key.

    Two random values would say no more, and make the id of a sealed credential twice as long.
    """

    identifier = "hmac-secret"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Make the credential able to answer salts later."""
        if requested(value):
            creation.kept[self.identifier] = True
            creation.outputs[self.identifier] = True

    def get_assertion(self, assertion: Assertion, value: CborValue) -> None:
        """Answer one or two salts; nothing for a credential that was made without the extension."""
        if value is None:
            return
        # A secret for a host that asks behind its user's back would be a way around the touch.
        if not assertion.user_present:
            raise CtapError(Status.UNSUPPORTED_OPTION)
        credential = assertion.credential
        if self.identifier in credential.extensions:
            assertion.outputs[self.identifier] = answer(
                assertion.state, credential.private_key, value, user_verified=assertion.user_verified
            )


def answer(state: State, private_key: bytes, value: CborValue, *, user_verified: bool) -> bytes:
    """One output for each salt in ``value``, encrypted for the host that sent it.

    Raises:
        CtapError: MISSING_PARAMETER or CBOR_UNEXPECTED_TYPE for what is no such request; INVALID_PARAMETER for an
            unknown protocol or a key agreement key that is no point; PIN_AUTH_INVALID if the salts are not the
            host's; INVALID_LENGTH if they are neither one nor two times 32 bytes.
    """
    # Step 1: the shared secret.
    values = as_map(value)
    protocol = optional(values, 4, int)
    shared = state.pin_uv.shared_secret(_DEFAULT_PROTOCOL if protocol is None else protocol, required_member(values, 1))
    # Step 2: the salts are from the host that has it.
    encrypted = required(values, 2, bytes)
    if not shared.verify(encrypted, required(values, 3, bytes)):
        raise CtapError(Status.PIN_AUTH_INVALID)
    # Step 3: one salt or two.
    try:
        salts = shared.decrypt(encrypted)
    except ValueError as error:
        raise CtapError(Status.INVALID_LENGTH) from error
    if len(salts) not in {_SALT_BYTES, 2 * _SALT_BYTES}:
        raise CtapError(Status.INVALID_LENGTH)
    # Step 4: who knows the secrets of a verified user learns nothing about those of anybody else, and vice versa.
    cred_random = derive_secret(private_key, b"CredRandomWithUV" if user_verified else b"CredRandomWithoutUV")
    # Step 5: the outputs.
    outputs = (
        hmac.digest(cred_random, salts[at : at + _SALT_BYTES], "sha256") for at in range(0, len(salts), _SALT_BYTES)
    )
    return shared.encrypt(b"".join(outputs))
