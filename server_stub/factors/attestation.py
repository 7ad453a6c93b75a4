"""Which models of key may be registered: any, those with an accepted root, those of some AAGUIDs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate, load_der_x509_certificate, load_pem_x509_certificates
from fido2.attestation.base import AttestationResult, AttestationVerifier
from fido2.mds3 import MdsAttestationVerifier, parse_blob
from fido2.webauthn import Aaguid, AuthenticatorData

from server_stub.errors import ServerError
from server_stub.settings import Settings


@dataclass(frozen=True, slots=True)
class AttestationPolicy:
    """``verifier`` is None when nobody has to vouch for a model; ``aaguids`` is empty when any will do."""

    verifier: AttestationVerifier | None = None
    aaguids: frozenset[Aaguid] = frozenset()


class TrustedRoots(AttestationVerifier):
    """Believes attestation whose chain ends at one of some roots, or at one that FIDO metadata (MDS3) lists for the model."""

    def __init__(
        self, roots: Sequence[Certificate], metadata: Sequence[MdsAttestationVerifier], clock: Settings
    ) -> None:
        super().__init__()
        self._roots = roots
        self._metadata = metadata
        self._clock = clock

    def ca_lookup(self, attestation_result: AttestationResult, auth_data: AuthenticatorData) -> bytes | None:
        """The root for a chain whose certificates are all in their time; None for self attestation, which has no chain."""
        chain = [load_der_x509_certificate(each) for each in attestation_result.trust_path]
        now = datetime.fromtimestamp(self._clock.time(), UTC)
        if not chain or any(not each.not_valid_before_utc <= now <= each.not_valid_after_utc for each in chain):
            return None
        for root in self._roots:
            if _issued(root, chain[-1]):
                return root.public_bytes(Encoding.DER)
        for metadata in self._metadata:
            found: bytes | None = metadata.ca_lookup(attestation_result, auth_data)  # type: ignore[no-untyped-call] # it has no types
            if found:
                return found
        return None


def _issued(root: Certificate, certificate: Certificate) -> bool:
    """By name and signature: several roots may have one name."""
    try:
        certificate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def load_policy(settings: Settings) -> AttestationPolicy:
    """The policy that the settings ask for.

    Raises:
        ServerError: if a file cannot be read or is not what it should be, or if roots are given that nobody looks at.
    """
    try:
        aaguids = frozenset(Aaguid.parse(text) for text in settings.fido_aaguids)
    except ValueError as error:
        raise ServerError(f"fido_aaguids: {error}") from error
    if settings.fido_attestation == "none":
        if settings.fido_attestation_roots or settings.fido_metadata:
            raise ServerError('roots for FIDO keys are set, but fido_attestation is "none": nobody would look at them')
        return AttestationPolicy(None, aaguids)
    roots = [root for path in settings.fido_attestation_roots for root in _roots(path)]
    metadata = [_metadata(blob, root) for blob, root in settings.fido_metadata]
    if not roots and not metadata:
        raise ServerError('fido_attestation is "trusted", but no root is set: no key could be registered')
    return AttestationPolicy(TrustedRoots(roots, metadata, settings), aaguids)


def _roots(path: Path) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise ServerError(f"cannot read the FIDO roots {path}: {error.strerror}") from error
    except ValueError as error:
        raise ServerError(f"the FIDO roots {path} are no PEM certificates") from error


def _metadata(blob: Path, root: Path) -> MdsAttestationVerifier:
    [trusted, *_] = _roots(root)
    try:
        return MdsAttestationVerifier(parse_blob(blob.read_bytes().strip(), trusted.public_bytes(Encoding.DER)))
    except OSError as error:
        raise ServerError(f"cannot read the FIDO metadata {blob}: {error.strerror}") from error
    except Exception as error:
        # Whatever a hostile file makes the parser raise is one thing: it is not believed.
        raise ServerError(
            f"the FIDO metadata {blob} is not signed under {root}, or malformed: {type(error).__name__}"
        ) from error
