"""The test CA of one key, and the certificates under it with which the key vouches for new credentials.

The store keeps three private keys, made at first use; the certificates follow from those and the profile, so that they
are the same each time and never disagree with the profile. All of them say TEST: a product's own attestation cannot be
had, and nobody should take this one for it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from emulators.env import Random
from emulators.fido_authenticator.algorithms import ALGORITHMS, ES256
from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.store import Put, Store, StoreError

ATTESTATION_KEYS = "attestation_keys"
"""The record with the private keys of root, batch and enterprise certificate. It outlives a reset, as in a real key."""

AAGUID_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
SERIAL_NUMBER_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.2")
TRANSPORTS_EXTENSION = x509.ObjectIdentifier("1.3.6.1.4.1.45724.2.1.1")

_SCALAR_BYTES = 32
# Fixed, so that no clock can make two certificates of one key differ; UTCTime ends with 2049.
_NOT_BEFORE, _NOT_AFTER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
_COUNTRY = "ZZ"  # ISO 3166 leaves it to users, so it can be nobody's
_ORGANIZATION = "Authrig TEST"
_U2F_TRANSPORTS = {"ble": 0x40, "usb": 0x20, "nfc": 0x10}


@dataclass(frozen=True, slots=True, eq=False)
class Attester:
    """A certificate (DER) and its private key."""

    certificate: bytes
    _key: ec.EllipticCurvePrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """An ES256 signature."""
        return self._key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


class TestAuthority:
    """The test CA; keys are made and certificates signed when they are first needed."""

    __test__ = False  # the name is no invitation to pytest

    def __init__(self, random: Random, profile: Profile, store: Store) -> None:
        self._random = random
        self._profile = profile
        self._store = store

    @cached_property
    def root(self) -> Attester:
        """What a relying party must trust."""
        name = _name("FIDO attestation root")
        key = self._keys[0]
        builder = (
            _builder(name, name, key, key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
        )
        return _signed(builder, key, key)

    @cached_property
    def batch(self) -> Attester:
        """What a real maker puts into 100,000 keys alike."""
        return self._leaf(self._keys[1], f"{self._profile.attestation.subject} batch")

    @cached_property
    def enterprise(self) -> Attester:
        """What names this one key, for an employer that asks for it (WebAuthn §8.2.2)."""
        key = self._keys[2]
        serial = _fingerprint(key)[:8]
        extension = x509.UnrecognizedExtension(SERIAL_NUMBER_EXTENSION, b"\x04\x08" + serial)
        return self._leaf(key, f"{self._profile.attestation.subject} {serial.hex()}", extension)

    @cached_property
    def _keys(self) -> list[ec.EllipticCurvePrivateKey]:
        record = self._store.get(ATTESTATION_KEYS)
        if record is None:
            record = b"".join(ALGORITHMS[ES256].make(self._random) for _ in range(3))
            self._store.commit(Put(ATTESTATION_KEYS, record))
        if len(record) != 3 * _SCALAR_BYTES:
            raise StoreError(
                f"the record {ATTESTATION_KEYS} of the key's memory is damaged: expected {3 * _SCALAR_BYTES} bytes, "
                f"found {len(record)}"
            )
        scalars = (record[at : at + _SCALAR_BYTES] for at in range(0, len(record), _SCALAR_BYTES))
        return [ec.derive_private_key(int.from_bytes(scalar), ec.SECP256R1()) for scalar in scalars]

    def _leaf(
        self, key: ec.EllipticCurvePrivateKey, common_name: str, *extensions: x509.UnrecognizedExtension
    ) -> Attester:
        """A certificate as WebAuthn §8.2.1 wants it."""
        subject = _name(common_name, x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"))
        issuer = x509.load_der_x509_certificate(self.root.certificate).subject
        builder = (
            _builder(subject, issuer, key, self._keys[0])
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
        )
        for extension in (*self._described(), *extensions):
            builder = builder.add_extension(extension, critical=False)
        return _signed(builder, key, self._keys[0])

    def _described(self) -> list[x509.UnrecognizedExtension]:
        """The model, for FIDO2, and the transports, for U2F."""
        profile = self._profile
        extensions = []
        if profile.aaguid.int:
            extensions.append(x509.UnrecognizedExtension(AAGUID_EXTENSION, b"\x04\x10" + profile.aaguid.bytes))
        bits = sum(_U2F_TRANSPORTS.get(transport, 0) for transport in profile.transports)
        if bits:
            unused = (bits & -bits).bit_length() - 1
            extensions.append(x509.UnrecognizedExtension(TRANSPORTS_EXTENSION, bytes((0x03, 0x02, unused, bits))))
        return extensions


def _name(common_name: str, *between: x509.NameAttribute[str]) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, _COUNTRY),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            *between,
            x509.NameAttribute(NameOID.COMMON_NAME, f"Authrig {common_name} TEST"),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        # Positive, at most 20 bytes (RFC 5280 §4.1.2.2), and another one for every key.
        .serial_number(int.from_bytes(b"\1" + _fingerprint(key)[:15]))
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(_NOT_AFTER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )


def _signed(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, issuer_key: ec.EllipticCurvePrivateKey
) -> Attester:
    certificate = builder.sign(issuer_key, hashes.SHA256(), ecdsa_deterministic=True)
    return Attester(certificate.public_bytes(Encoding.DER), key)


def _fingerprint(key: ec.EllipticCurvePrivateKey) -> bytes:
    numbers = key.public_key().public_numbers()
    return sha256(numbers.x.to_bytes(32) + numbers.y.to_bytes(32)).digest()


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
