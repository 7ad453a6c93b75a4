"""A FIDO key and its client in forty lines, so that each member of a response can be made wrong on purpose."""

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
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
    attester: "Attester | None" = None
    """Who vouches for the model; None means that nobody does."""
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def create(self, public_key: dict[str, Any]) -> dict[str, Any]:
        """A RegistrationResponseJSON for creation options."""
        cose = cbor.encode(ES256.from_cryptography_key(self.private_key.public_key()))  # type: ignore[no-untyped-call] # python-fido2
        aaguid = self.attester.aaguid if self.attester else AAGUID
        attested = aaguid + struct.pack(">H", len(self.credential_id)) + self.credential_id + cose
        auth_data = self._auth_data(ATTESTED) + attested
        client_data = self._client_data("webauthn.create", public_key)
        statement: dict[str, Any] = {"fmt": "none", "attStmt": {}}
        if self.attester:
            signed = auth_data + hashlib.sha256(client_data).digest()
            statement = {"fmt": "packed", "attStmt": self.attester.statement(signed)}
        attestation = cbor.encode({**statement, "authData": auth_data})
        return self._response(
            {
                "clientDataJSON": websafe_encode(client_data),
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


class Attester:
    """A maker of keys: a root, and a batch certificate for one model (WebAuthn §8.2.1)."""

    def __init__(self, aaguid: bytes = bytes(range(16)), valid_days: int = 3650) -> None:
        self.aaguid = aaguid
        self._batch_key = ec.generate_private_key(ec.SECP256R1())
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        times = (now - timedelta(days=3650), now - timedelta(days=3650) + timedelta(days=valid_days + 3650))
        self.root = certificate("Test Root", self.root_key, "Test Root", self.root_key, times)
        extension = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4"), b"\x04\x10" + aaguid)
        self._batch = certificate("Test Key", self._batch_key, "Test Root", self.root_key, times, extension)

    @property
    def root_pem(self) -> bytes:
        """The root, for a file."""
        return self.root.public_bytes(Encoding.PEM)

    def statement(self, signed: bytes) -> dict[str, Any]:
        """A packed attestation statement."""
        signature = self._batch_key.sign(signed, ec.ECDSA(SHA256()))
        return {"alg": -7, "sig": signature, "x5c": [self._batch.public_bytes(Encoding.DER)]}


def certificate(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    times: tuple[datetime, datetime],
    *extensions: x509.ExtensionType,
) -> x509.Certificate:
    """A certificate as attestation wants it (WebAuthn §8.2.1)."""

    def name(common: str) -> x509.Name:
        parts = {NameOID.COUNTRY_NAME: "CH", NameOID.ORGANIZATION_NAME: "Test"}
        parts |= {NameOID.ORGANIZATIONAL_UNIT_NAME: "Authenticator Attestation", NameOID.COMMON_NAME: common}
        return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts.items()])

    builder = x509.CertificateBuilder(
        name(issuer), name(subject), key.public_key(), x509.random_serial_number(), *times
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=subject == issuer, path_length=None), critical=True)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, SHA256())
