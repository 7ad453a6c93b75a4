import json
from datetime import date
from hashlib import sha256

import pytest
from cryptography import x509
from fido2.attestation.base import UntrustedAttestation
from fido2.ctap2.base import AttestationResponse
from fido2.mds3 import (
    AuthenticatorStatus,
    MdsAttestationVerifier,
    MetadataBlobPayload,
    MetadataBlobPayloadEntry,
    MetadataStatement,
    StatusReport,
)
from fido2.webauthn import AttestationObject

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.metadata import metadata_statement
from tests.emulators.fido_authenticator.ctap_requests import HASH, MAKE_CREDENTIAL, call, creation

NAMES = {0x01: "versions", 0x03: "aaguid", 0x04: "options", 0x0A: "algorithms", 0x19: "encIdentifier"}


def _statement(authenticator: Authenticator) -> MetadataStatement:
    """As a relying party reads it, after a trip through JSON."""
    statement: MetadataStatement = MetadataStatement.from_dict(
        json.loads(json.dumps(metadata_statement(authenticator, NAMES)))
    )
    return statement


def _verifier(*statements: MetadataStatement) -> MdsAttestationVerifier:
    today = date(2026, 1, 1)
    status = [StatusReport(AuthenticatorStatus.NOT_FIDO_CERTIFIED, effective_date=today)]
    entries = [
        MetadataBlobPayloadEntry(
            status_reports=status,
            time_of_last_status_change=today,
            aaguid=statement.aaguid,
            metadata_statement=statement,
        )
        for statement in statements
    ]
    return MdsAttestationVerifier(MetadataBlobPayload(legal_header="test", no=1, next_update=today, entries=entries))


def _registration(authenticator: Authenticator) -> AttestationObject:
    made = AttestationResponse.from_dict(call(authenticator, MAKE_CREDENTIAL, creation())[1])
    return AttestationObject.create(made.fmt, made.auth_data, made.att_stmt)


def test_a_relying_party_trusts_a_key_by_its_statement() -> None:
    """python-fido2's metadata verifier accepts the key whose statement it has, and refuses another one of the model."""
    authenticator, other = Authenticator(Env.simulated(1)), Authenticator(Env.simulated(2))
    verifier = _verifier(_statement(authenticator))
    verifier.verify_attestation(_registration(authenticator), HASH)
    with pytest.raises(UntrustedAttestation):
        verifier.verify_attestation(_registration(other), HASH)


@pytest.mark.parametrize("name", profiles.names())
def test_every_profile_has_a_statement(name: str) -> None:
    """It names the model, the root that has signed the batch certificate, and that this is a test device."""
    authenticator = Authenticator(Env.simulated(1), profiles.load(name))
    statement = _statement(authenticator)
    (root,) = map(x509.load_der_x509_certificate, statement.attestation_root_certificates)
    batch = x509.load_der_x509_certificate(authenticator.authority.batch.certificate)
    batch.verify_directly_issued_by(root)
    assert "TEST" in statement.description
    assert statement.schema == 3
    assert statement.authentication_algorithms
    assert statement.upv
    if statement.protocol_family == "fido2":
        assert statement.aaguid is not None
        assert bytes(statement.aaguid) == authenticator.profile.aaguid.bytes
        assert statement.authenticator_get_info is not None
        assert statement.authenticator_get_info["versions"] == list(authenticator.profile.versions)
        assert "encIdentifier" not in statement.authenticator_get_info
    else:
        public_key = batch.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        assert (statement.attestation_certificate_key_identifiers, statement.aaguid) == ([public_key], None)


def test_a_statement_does_not_touch_the_key() -> None:
    """It can be taken twice, and says the same."""
    authenticator = Authenticator(Env.simulated(1))
    first, second = (json.dumps(metadata_statement(authenticator, NAMES)) for _ in range(2))
    assert sha256(first.encode()).digest() == sha256(second.encode()).digest()
