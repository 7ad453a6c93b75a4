"""What a relying party must know to trust the key: a metadata statement as the FIDO Metadata Service hands them out.

The members are those of the FIDO Metadata Statement 3.0 §4, their words those of the FIDO Registry of Predefined Values.
"""

from base64 import b64encode
from collections.abc import Mapping

from cryptography import x509

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.profile import Profile

_GET_INFO = b"\x04"

_ALGORITHMS = {
    -7: "secp256r1_ecdsa_sha256_raw",
    -8: "ed25519_eddsa_sha512_raw",
    -35: "secp384r1_ecdsa_sha384_raw",
    -36: "secp521r1_ecdsa_sha512_raw",
    -47: "secp256k1_ecdsa_sha256_raw",
    -257: "rsassa_pkcsv15_sha256_raw",
}
"""COSE algorithms that the registry has a word for."""
_UPV = {"U2F_V2": (1, 2), "FIDO_2_0": (1, 0), "FIDO_2_1": (1, 1)}


def metadata_statement(authenticator: Authenticator, member_names: Mapping[int, str]) -> dict[str, object]:
    """The statement about ``authenticator``, to be written as JSON; ``member_names`` are those of the getInfo members."""
    profile = authenticator.profile
    authority = authenticator.authority
    statement: dict[str, object] = {
        "legalHeader": "Describes a test device made of software, which nobody has certified.",
        "description": f"Authrig TEST: {profile.description}"[:200],
        "authenticatorVersion": profile.firmware_version,
        "schema": 3,
        "protocolFamily": "fido2" if profile.has_ctap2 else "u2f",
        "upv": _versions(profile),
        "authenticationAlgorithms": [_ALGORITHMS[cose] for cose in profile.algorithms if cose in _ALGORITHMS],
        "publicKeyAlgAndEncodings": ["cose" if profile.has_ctap2 else "ecc_x962_raw"],
        "attestationTypes": ["basic_full" if profile.attestation.kind == "batch" else "basic_surrogate"],
        "userVerificationDetails": [[{"userVerificationMethod": method}] for method in _verification(profile)],
        "keyProtection": ["software"],
        "matcherProtection": ["software"],
        "cryptoStrength": 128,
        "attachmentHint": _attachment(profile),
        "tcDisplay": [],
        "attestationRootCertificates": [b64encode(authority.root.certificate).decode()],
    }
    if profile.has_ctap2:
        statement["aaguid"] = str(profile.aaguid)
        statement["authenticatorGetInfo"] = _get_info(authenticator, member_names)
    else:
        statement["attestationCertificateKeyIdentifiers"] = [_key_identifier(authority.batch.certificate)]
    return statement


def _versions(profile: Profile) -> list[dict[str, int]]:
    family = profile.versions if not profile.has_ctap2 else [name for name in profile.versions if name != "U2F_V2"]
    return [{"major": _UPV[name][0], "minor": _UPV[name][1]} for name in family if name in _UPV]


def _verification(profile: Profile) -> list[str]:
    methods = ["presence_internal"]
    if "clientPin" in profile.options:
        methods.append("passcode_external")
    if profile.built_in_uv is not None:
        methods.append(f"{profile.built_in_uv.kind}_internal")
    return methods


def _attachment(profile: Profile) -> list[str]:
    hints = ["external"]
    if {"usb", "smart-card"} & set(profile.transports):
        hints.append("wired")
    if "nfc" in profile.transports:
        hints += ["wireless", "nfc"]
    return hints


def _get_info(authenticator: Authenticator, member_names: Mapping[int, str]) -> dict[str, object]:
    answer = authenticator.start(_GET_INFO).answer
    assert answer is not None
    info = cbor.decode(answer[1:])
    assert isinstance(info, Mapping)
    # What is encrypted anew in every answer is of no use to anyone but the key's owner.
    names = {key: name for key, name in member_names.items() if not name.startswith("enc")}
    return {names[key]: _json(value) for key, value in info.items() if key in names}


def _json(value: CborValue) -> object:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_json(item) for item in value]
    return {str(key): _json(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _key_identifier(certificate: bytes) -> str:
    """RFC 5280 §4.2.1.2 method 1, by which U2F keys are looked up, as they have no AAGUID."""
    public_key = x509.load_der_x509_certificate(certificate).public_key()
    return x509.SubjectKeyIdentifier.from_public_key(public_key).digest.hex()
