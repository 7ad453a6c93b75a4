"""A FIDO key and its client in forty lines, so that each member of a response can be made wrong on purpose."""

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

RP_ID = "localhost"
USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40
AAGUID = bytes(16)


@dataclass
class SoftKey:
    """One credential. What is not given is right."""

    origin: str
    rp_id: str = RP_ID
    flags: int = USER_PRESENT
    sign_count: int = 0
    private_key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def create(self, public_key: dict[str, Any]) -> dict[str, Any]:
        """A RegistrationResponseJSON for creation options."""
        cose = cbor.encode(ES256.from_cryptography_key(self.private_key.public_key()))  # type: ignore[no-untyped-call] # python-fido2
        attested = AAGUID + struct.pack(">H", len(self.credential_id)) + self.credential_id + cose
        auth_data = self._auth_data(ATTESTED) + attested
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": auth_data})
        return self._response(
            {
                "clientDataJSON": websafe_encode(self._client_data("webauthn.create", public_key)),
                "attestationObject": websafe_encode(attestation),
            }
        )

    def get(self, public_key: dict[str, Any], user_handle: bytes | None = None) -> dict[str, Any]:
        """An AuthenticationResponseJSON for request options."""
        client_data, auth_data = self._client_data("webauthn.get", public_key), self._auth_data(0)
        signature = self.private_key.sign(auth_data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self._response(
            {
                "clientDataJSON": websafe_encode(client_data),
                "authenticatorData": websafe_encode(auth_data),
                "signature": websafe_encode(signature),
                "userHandle": websafe_encode(user_handle) if user_handle else None,
            }
        )

    def _auth_data(self, more_flags: int) -> bytes:
        rp_id_hash = hashlib.sha256(self.rp_id.encode()).digest()
        return rp_id_hash + struct.pack(">BI", self.flags | more_flags, self.sign_count)

    def _client_data(self, kind: str, public_key: dict[str, Any]) -> bytes:
        members = {"type": kind, "challenge": public_key["challenge"], "origin": self.origin, "crossOrigin": False}
        return json.dumps(members).encode()

    def _response(self, response: dict[str, Any]) -> dict[str, Any]:
        name = websafe_encode(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
