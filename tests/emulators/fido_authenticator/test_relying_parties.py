"""Two relying parties that share no code judge what the key makes: python-fido2's server, and py_webauthn."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, cast

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fido2 import cbor
from fido2.attestation.base import AttestationVerifier
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)
from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import AttestationFormat

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.algorithms import ALGORITHMS
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
    descriptor,
)

RP_ID, ORIGIN = "example.com", "https://example.com"
CHALLENGE = bytes(range(32, 64))
USER = PublicKeyCredentialUserEntity(id=b"ada", name="ada", display_name="Ada")
KNOWN_TO_PY_WEBAUTHN = {member.value for member in COSEAlgorithmIdentifier} & set(ALGORITHMS)
FLAGS, COUNTER, AAGUID, ID_LENGTH, ID = 32, 33, 37, 53, 55


def _b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _client_data(kind: str) -> dict[str, Any]:
    return {"type": kind, "challenge": _b64(CHALLENGE), "origin": ORIGIN, "crossOrigin": False}


@dataclass(frozen=True)
class Registration:
    """What a browser would send after create(), in its parts."""

    client_data: Mapping[str, Any]
    fmt: str
    auth_data: bytes
    statement: Mapping[str, Any]
    credential_id: bytes

    def json(self) -> dict[str, Any]:
        """The message itself."""
        attestation = cbor.encode({"fmt": self.fmt, "attStmt": self.statement, "authData": self.auth_data})
        response = {
            "clientDataJSON": _b64(json.dumps(self.client_data).encode()),
            "attestationObject": _b64(attestation),
        }
        return _message(self.credential_id, response)


@dataclass(frozen=True)
class Login:
    """What a browser would send after get(), in its parts."""

    client_data: Mapping[str, Any]
    auth_data: bytes
    signature: bytes
    credential_id: bytes

    def json(self) -> dict[str, Any]:
        """The message itself."""
        client_data = _b64(json.dumps(self.client_data).encode())
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": _b64(self.auth_data),
            "signature": _b64(self.signature),
        }
        return _message(self.credential_id, response)


def _message(credential_id: bytes, response: dict[str, str]) -> dict[str, Any]:
    name = _b64(credential_id)
    return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


class _Trust(AttestationVerifier):
    def __init__(self, root: bytes) -> None:
        super().__init__()
        self._root = root

    def ca_lookup(self, attestation_result: object, auth_data: object) -> bytes:  # noqa: ARG002 - any is to be trusted
        return self._root


class PythonFido2:
    """A relying party on fido2.server that trusts one root and insists on attestation unless told otherwise."""

    def __init__(self, root: bytes, algorithm: int, *, insists: bool) -> None:
        self._server = Fido2Server(
            PublicKeyCredentialRpEntity(id=RP_ID, name="Example"),
            attestation=AttestationConveyancePreference.DIRECT if insists else None,
            verify_attestation=_Trust(root) if insists else None,
        )
        self._server.allowed_algorithms = [
            PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=algorithm)
        ]

    def register(self, message: dict[str, Any]) -> AttestedCredentialData:
        """The credential, or an exception."""
        discouraged = UserVerificationRequirement.DISCOURAGED
        _, state = self._server.register_begin(USER, user_verification=discouraged, challenge=CHALLENGE)
        known = self._server.register_complete(state, message).credential_data
        assert known is not None
        return known

    def log_in(self, message: dict[str, Any], known: AttestedCredentialData) -> None:
        """Nothing, or an exception."""
        discouraged = UserVerificationRequirement.DISCOURAGED
        _, state = self._server.authenticate_begin([known], user_verification=discouraged, challenge=CHALLENGE)
        self._server.authenticate_complete(state, [known], message)


class PyWebauthn:
    """A relying party on py_webauthn that trusts one root."""

    def __init__(self, root: bytes, algorithm: int, *, insists: bool) -> None:
        pem = x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM)
        self._algorithm = COSEAlgorithmIdentifier(algorithm)
        self._roots = {AttestationFormat.PACKED: [pem], AttestationFormat.FIDO_U2F: [pem]} if insists else {}

    def register(self, message: dict[str, Any]) -> AttestedCredentialData:
        """The credential, or an exception."""
        verified = verify_registration_response(
            credential=message,
            expected_challenge=CHALLENGE,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            supported_pub_key_algs=[self._algorithm],
            pem_root_certs_bytes_by_fmt=self._roots,
        )
        key = CoseKey.parse(cast("Mapping[int, Any]", cbor.decode(verified.credential_public_key)))
        return AttestedCredentialData.create(bytes(16), verified.credential_id, key)

    def log_in(self, message: dict[str, Any], known: AttestedCredentialData) -> None:
        """Nothing, or an exception."""
        if message["rawId"] != _b64(known.credential_id):
            raise LookupError("no such credential")
        verify_authentication_response(
            credential=message,
            expected_challenge=CHALLENGE,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            credential_public_key=cbor.encode(known.public_key),
            credential_current_sign_count=0,
        )


RelyingParty = PythonFido2 | PyWebauthn


def _relying_parties(key: Authenticator, algorithm: int, *, insists: bool = True) -> list[RelyingParty]:
    root = key.authority.root.certificate
    parties: list[RelyingParty] = [PythonFido2(root, algorithm, insists=insists)]
    if algorithm in KNOWN_TO_PY_WEBAUTHN:
        parties.append(PyWebauthn(root, algorithm, insists=insists))
    return parties


def _key(kind: str) -> Authenticator:
    profile = profiles.load()
    attestation = msgspec.structs.replace(profile.attestation, kind=kind)
    return Authenticator(Env.simulated(kind), msgspec.structs.replace(profile, attestation=attestation))


def _register(key: Authenticator, algorithm: int, formats: tuple[str, ...] = ()) -> Registration:
    client_data = _client_data("webauthn.create")
    changes = {
        1: sha256(json.dumps(client_data).encode()).digest(),
        4: [{"alg": algorithm, "type": "public-key"}],
        **({0x0B: list(formats)} if formats else {}),
    }
    status, made = call(key, MAKE_CREDENTIAL, creation(changes))
    assert status is Status.SUCCESS
    length = int.from_bytes(made[2][ID_LENGTH:ID])
    return Registration(client_data, made[1], made[2], made[3], made[2][ID : ID + length])


def _log_in(key: Authenticator, credential_id: bytes) -> Login:
    client_data = _client_data("webauthn.get")
    changes = {2: sha256(json.dumps(client_data).encode()).digest(), 3: [descriptor(credential_id)]}
    status, made = call(key, GET_ASSERTION, assertion(changes))
    assert status is Status.SUCCESS
    return Login(client_data, made[2], made[3], credential_id)


def _refuses(judge: Callable[..., object], *arguments: object) -> bool:
    try:
        judge(*arguments)
    except Exception:  # noqa: BLE001 - each library has its own, and any of them is a refusal
        return True
    return False


def _flip(data: bytes, at: int) -> bytes:
    """``data`` with the lowest bit of the byte at ``at`` changed."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def _wrong_client_data(client_data: Mapping[str, Any], other_kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "type", {**client_data, "type": other_kind}
    yield "challenge", {**client_data, "challenge": _b64(_flip(CHALLENGE, 0))}
    yield "origin", {**client_data, "origin": "https://example.org"}
    yield "a member that is only signed", {**client_data, "crossOrigin": True}


def _wrong_registrations(good: Registration) -> Iterator[tuple[str, Registration]]:
    """``good`` with one field changed at a time, by the field's name: all that the statement's format protects."""
    for name, client_data in _wrong_client_data(good.client_data, "webauthn.get"):
        yield f"client data: {name}", replace(good, client_data=client_data)
    fields = {"rpIdHash": 0, "credential id": ID, "public key": len(good.auth_data) - 1}
    if good.fmt == "packed":  # U2F signs neither the flags nor anything else that U2F does not know
        fields |= {"public key's map": ID + len(good.credential_id) + 2}
        fields |= {"flags": FLAGS, "UV flag": FLAGS, "counter": COUNTER, "AAGUID": AAGUID, "id length": ID_LENGTH + 1}
    for name, at in fields.items():
        yield f"authenticator data: {name}", replace(good, auth_data=_flip(good.auth_data, at))
    yield "format", replace(good, fmt="tpm")
    yield "no statement", replace(good, statement={})
    for name, value in good.statement.items():
        yield f"statement: {name}", replace(good, statement={**good.statement, name: _wrong_member(value)})


def _wrong_member(value: object) -> object:
    """Another algorithm, another signature, or a certificate with another signature."""
    if isinstance(value, int):
        return -35 if value == -36 else -36
    return _flip(value, len(value) - 1) if isinstance(value, bytes) else [_flip(item, -1) for item in _bytes(value)]


def _bytes(value: object) -> list[bytes]:
    assert isinstance(value, list)
    return value


def _wrong_logins(good: Login) -> Iterator[tuple[str, Login]]:
    for name, client_data in _wrong_client_data(good.client_data, "webauthn.create"):
        yield f"client data: {name}", replace(good, client_data=client_data)
    for name, at in {"rpIdHash": 0, "UP flag": FLAGS, "counter": COUNTER, "last byte": -1}.items():
        yield f"authenticator data: {name}", replace(good, auth_data=_flip(good.auth_data, at))
    yield "signature", replace(good, signature=_flip(good.signature, len(good.signature) - 1))
    yield "credential id", replace(good, credential_id=_flip(good.credential_id, 20))


def test_py_webauthn_judges_what_it_knows() -> None:
    """It has no ES384, ES256K, Ed448 and none of RFC 9864's identifiers; python-fido2 alone judges these."""
    assert {-7, -8, -36, -257, -48, -49, -50} == KNOWN_TO_PY_WEBAUTHN


@pytest.mark.parametrize(
    ("kind", "algorithm", "formats"),
    [
        *((kind, algorithm, ()) for kind in ("batch", "self") for algorithm in sorted(ALGORITHMS)),
        ("batch", -7, ("fido-u2f",)),
    ],
)
def test_both_accept_the_true_and_refuse_the_changed(kind: str, algorithm: int, formats: tuple[str, ...]) -> None:
    """A registration and a login pass as they are, and with any single field changed neither passes."""
    key = _key(kind)
    registration = _register(key, algorithm, formats)
    login = _log_in(key, registration.credential_id)
    assert registration.fmt == (formats[0] if formats else "packed")
    for party in _relying_parties(key, algorithm):
        known = party.register(registration.json())
        party.log_in(login.json(), known)
        for name, wrong in _wrong_registrations(registration):
            assert _refuses(party.register, wrong.json()), f"{type(party).__name__} takes a wrong {name}"
        for name, wrong_login in _wrong_logins(login):
            assert _refuses(party.log_in, wrong_login.json(), known), f"{type(party).__name__} takes a wrong {name}"


@pytest.mark.parametrize("algorithm", [-7, -8])
def test_no_attestation_is_accepted_where_none_is_wanted(algorithm: int) -> None:
    """An empty statement passes where attestation does not matter; the login is as strict as ever."""
    key = _key("batch")
    registration = _register(key, algorithm, ("none",))
    assert (registration.fmt, registration.statement) == ("none", {})
    login = _log_in(key, registration.credential_id)
    for party in _relying_parties(key, algorithm, insists=False):
        known = party.register(registration.json())
        party.log_in(login.json(), known)
        for name, client_data in _wrong_client_data(registration.client_data, "webauthn.get"):
            if name != "a member that is only signed":
                assert _refuses(party.register, replace(registration, client_data=client_data).json())
        for name, wrong_login in _wrong_logins(login):
            assert _refuses(party.log_in, wrong_login.json(), known), f"{type(party).__name__} takes a wrong {name}"


def test_another_keys_root_is_not_trusted() -> None:
    """The certificate of one test CA proves nothing to who trusts another one."""
    key, other = _key("batch"), _key("self")
    for formats in ((), ("fido-u2f",)):
        registration = _register(key, -7, formats)
        for party in _relying_parties(other, -7):
            assert _refuses(party.register, registration.json())


def test_a_copied_statement_does_not_vouch_for_another_credential() -> None:
    """Statement and authenticator data of two registrations cannot be combined."""
    key = _key("batch")
    one, other = _register(key, -7), _register(key, -7)
    for party in _relying_parties(key, -7):
        party.register(one.json())
        assert _refuses(party.register, replace(one, statement=other.statement).json())
