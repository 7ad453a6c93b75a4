from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from fido2.attestation.packed import _validate_packed_cert
from fido2.webauthn import Aaguid

from emulators.env import SeededRandom
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.certificates import ATTESTATION_KEYS, Attester, TestAuthority
from emulators.fido_authenticator.store import MemoryStore, Put, StoreError

PROFILE = profiles.load()
validate: Callable[[x509.Certificate, Aaguid], None] = _validate_packed_cert


def _certificate(attester: Attester) -> x509.Certificate:
    return x509.load_der_x509_certificate(attester.certificate)


@pytest.mark.parametrize("kind", ["batch", "enterprise"])
def test_certificates_are_as_webauthn_wants_them(kind: str) -> None:
    """python-fido2's check of §8.2.1 passes, for this AAGUID only, and the root has signed."""
    authority = TestAuthority(SeededRandom(1), PROFILE, MemoryStore())
    leaf, root = _certificate(getattr(authority, kind)), _certificate(authority.root)
    validate(leaf, Aaguid(PROFILE.aaguid.bytes))
    with pytest.raises(Exception, match="AAGUID in Authenticator data does not match"):
        validate(leaf, Aaguid(bytes(16)))
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert leaf.version is x509.Version.v3
    assert root.not_valid_before_utc < datetime.now(UTC) < leaf.not_valid_after_utc


def test_nobody_can_take_them_for_a_products() -> None:
    """Every name of every certificate says TEST."""
    authority = TestAuthority(SeededRandom(1), PROFILE, MemoryStore())
    for attester in (authority.root, authority.batch, authority.enterprise):
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
            (name,) = _certificate(attester).subject.get_attributes_for_oid(kind)
            assert str(name.value).startswith("Authrig")
            assert str(name.value).endswith("TEST")


def test_a_seed_and_a_store_fix_the_certificates() -> None:
    """The same seed makes the same CA, a store keeps it, and another seed another one."""
    store = MemoryStore()
    first = TestAuthority(SeededRandom(1), PROFILE, store)
    again = TestAuthority(SeededRandom(1), PROFILE, MemoryStore())
    kept = TestAuthority(SeededRandom(7), PROFILE, store)
    other = TestAuthority(SeededRandom(2), PROFILE, MemoryStore())
    assert store.get(ATTESTATION_KEYS) is None
    assert first.batch.certificate == again.batch.certificate == kept.batch.certificate != other.batch.certificate
    assert first.root.certificate == again.root.certificate == kept.root.certificate != other.root.certificate
    assert "_key" not in repr(first.root)


def test_the_enterprise_certificate_names_the_one_key() -> None:
    """Two keys of one model differ in the serial number that it carries."""
    serials = set()
    for seed in (1, 2):
        certificate = _certificate(TestAuthority(SeededRandom(seed), PROFILE, MemoryStore()).enterprise)
        extension = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.2"))
        assert not extension.critical
        assert isinstance(extension.value, x509.UnrecognizedExtension)
        assert extension.value.value[:2] == b"\x04\x08"
        serials.add(extension.value.value[2:])
    assert len(serials) == 2


@pytest.mark.parametrize(
    ("transports", "bits"),
    [(("usb",), "03020520"), (("nfc", "usb"), "03020430"), (("nfc",), "03020410"), (("smart-card",), None)],
)
def test_the_transports_are_those_of_the_profile(transports: tuple[str, ...], bits: str | None) -> None:
    """The U2F transports extension is a bit string: USB is bit 2, NFC bit 3 (FIDO U2F Authenticator Transports)."""
    profile = msgspec.structs.replace(PROFILE, transports=transports)
    extensions = _certificate(TestAuthority(SeededRandom(1), profile, MemoryStore()).batch).extensions
    found = [item.value for item in extensions if item.oid.dotted_string == "1.3.6.1.4.1.45724.2.1.1"]
    assert [item.value.hex() for item in found if isinstance(item, x509.UnrecognizedExtension)] == (
        [bits] if bits else []
    )


def test_a_damaged_record_is_named() -> None:
    """A key whose memory lost bytes attests nothing, and says why."""
    store = MemoryStore()
    store.commit(Put(ATTESTATION_KEYS, bytes(95)))
    with pytest.raises(StoreError, match=r"attestation_keys .*expected 96 bytes, found 95"):
        TestAuthority(SeededRandom(1), PROFILE, store).batch.sign(b"")
