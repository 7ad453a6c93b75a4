"""What python-fido2 works out anew for each object that it makes, worked out once.

It reads the type hints of a class for every object of it, looks whether every member of it has its type, and makes a
dictionary member by member. Medians on the build machine: ``Fido.request_options`` 450 us without all of this and 3
with it, ``Fido.verify_assertion`` 750 us and 120, of which the bare signature is 80 to 100.
"""

import functools
import typing
from typing import Any

import fido2.utils
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorData,
    CollectedClientData,
)

_NAME = "get_type_hints"


def remember() -> None:
    """Ask for the type hints of a class once in this process; they do not change, and python-fido2 only reads them.

    Where python-fido2 no longer asks, nothing happens.
    """
    if getattr(fido2.utils, _NAME, None) is typing.get_type_hints:
        cached: Any = functools.cache(typing.get_type_hints)
        setattr(fido2.utils, _NAME, cached)


class _TypedAssertion(AuthenticatorAssertionResponse):
    """One whose members have their types."""

    def __post_init__(self) -> None:
        """There is nothing to convert."""


class _TypedAuthentication(AuthenticationResponse):
    """One whose members have their types."""

    def __post_init__(self) -> None:
        """There is nothing to convert."""
        object.__setattr__(self, "id", websafe_encode(self.raw_id))


def authentication_response(
    credential_id: bytes, client_data: bytes, authenticator_data: bytes, signature: bytes, user_handle: bytes | None
) -> AuthenticationResponse:
    """What ``AuthenticationResponse.from_dict`` makes of these members.

    Raises:
        ValueError: if client data or authenticator data are malformed; other exceptions of python-fido2's parsers, too.
    """
    response = _TypedAssertion(
        client_data=CollectedClientData(client_data),
        authenticator_data=AuthenticatorData(authenticator_data),
        signature=signature,
        user_handle=user_handle,
    )
    return _TypedAuthentication(raw_id=credential_id, response=response)


class _KnownES256(ES256):
    """A P-256 key whose point has been looked for on the curve: python-fido2 does so for each signature."""

    @functools.cached_property
    def _point(self) -> ec.EllipticCurvePublicKey:
        x, y = (int.from_bytes(self[coordinate], "big") for coordinate in (-2, -3))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    def verify(self, message: bytes, signature: bytes) -> None:
        """As python-fido2's.

        Raises:
            InvalidSignature: if the signature is wrong.
            ValueError: if the key is of another curve, or no point on it.
        """
        if self[-1] != 1:
            raise ValueError("Unsupported elliptic curve")
        self._point.verify(signature, message, _ECDSA)


_ECDSA = ec.ECDSA(hashes.SHA256())


@functools.lru_cache(maxsize=1024)
def attested(credential_data: bytes) -> AttestedCredentialData:
    """A stored credential, read. It cannot be changed, so those of the last users are kept."""
    credential = AttestedCredentialData(credential_data)
    if type(credential.public_key) is ES256:
        object.__setattr__(credential, "public_key", _KnownES256(credential.public_key))
    return credential
