"""FIDO: WebAuthn options out, WebAuthn responses in (Web Authentication Level 3 §7), on python-fido2's server."""

import contextlib
import hashlib
import hmac
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from fido2.attestation.base import Attestation, InvalidAttestation
from fido2.cose import CoseKey
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationConveyancePreference,
    AuthenticationResponse,
    AuthenticatorData,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from msgspec import Meta

from server_stub.factors import fido2_speed
from server_stub.factors.attestation import AttestationPolicy
from server_stub.settings import Settings
from server_stub.store.users import FidoCredential, User

log = logging.getLogger(__name__)

ALGORITHMS = (-7, -8, -257)
"""COSE algorithms offered: ES256, EdDSA, RS256, in this order of preference."""
CHALLENGE_LENGTH = 32

Base64Url = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]*$(?!\n)", max_length=32768)]


class AssertionData(msgspec.Struct, frozen=True):
    """AuthenticatorAssertionResponseJSON."""

    client_data_json: Base64Url = msgspec.field(name="clientDataJSON")
    authenticator_data: Base64Url = msgspec.field(name="authenticatorData")
    signature: Base64Url = msgspec.field(name="signature")
    user_handle: Base64Url | None = msgspec.field(default=None, name="userHandle")


class AssertionJson(msgspec.Struct, frozen=True, rename="camel"):
    """AuthenticationResponseJSON. Members that are not looked at may be there."""

    id: Base64Url
    raw_id: Base64Url
    type: Literal["public-key"]
    response: AssertionData


class AttestationData(msgspec.Struct, frozen=True):
    """AuthenticatorAttestationResponseJSON."""

    client_data_json: Base64Url = msgspec.field(name="clientDataJSON")
    attestation_object: Base64Url = msgspec.field(name="attestationObject")


class AttestationJson(msgspec.Struct, frozen=True, rename="camel"):
    """RegistrationResponseJSON. Members that are not looked at may be there."""

    id: Base64Url
    raw_id: Base64Url
    type: Literal["public-key"]
    response: AttestationData


class FidoRefused(Exception):  # noqa: N818 - a verdict, not a mistake of the program
    """The response does not prove what it should; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the client gets, and what the server keeps to check the response."""

    public_key: dict[str, Any]
    state: dict[str, Any]


class Fido:
    """The relying party, as the settings describe it; ``attestation`` says which models may be registered."""

    def __init__(self, settings: Settings, attestation: AttestationPolicy) -> None:
        fido2_speed.remember()
        self.rp_id = settings.rp_id
        self._token_bytes = settings.token_bytes
        self._user_verification = UserVerificationRequirement(settings.fido_user_verification)
        self._aaguids = attestation.aaguids
        self._requests: dict[UserVerificationRequirement, tuple[dict[str, Any], dict[str, Any]]] = {}
        self._vouched = attestation.verifier is not None
        self._server = Fido2Server(
            PublicKeyCredentialRpEntity(name=settings.service_name, id=settings.rp_id),
            AttestationConveyancePreference.DIRECT if attestation.verifier else AttestationConveyancePreference.NONE,
            verify_origin=lambda origin: origin in settings.origins,
            verify_attestation=attestation.verifier,
        )
        self._server.allowed_algorithms = [
            PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=alg) for alg in ALGORITHMS
        ]

    def creation_options(self, user: User, existing: Sequence[FidoCredential]) -> Options:
        """PublicKeyCredentialCreationOptionsJSON for one more credential of ``user``."""
        options, state = self._server.register_begin(
            PublicKeyCredentialUserEntity(name=user.username, id=user.id, display_name=user.username),
            _descriptors(existing),
            resident_key_requirement=ResidentKeyRequirement.PREFERRED,
            user_verification=self._user_verification,
            challenge=self._token_bytes(CHALLENGE_LENGTH),
        )
        return Options(dict(options.public_key), state)

    def request_options(
        self, credentials: Sequence[FidoCredential], *, alone: bool = False, about: bytes = b""
    ) -> Options:
        """PublicKeyCredentialRequestOptionsJSON that only ``credentials`` can answer; any discoverable one when there are none.

        ``alone``: nothing else proves who it is, so the user must be verified. ``about``: what the challenge stands for.
        """
        wanted = UserVerificationRequirement.REQUIRED if alone else self._user_verification
        public_key, state = self._request(wanted)
        challenge = websafe_encode(bound_challenge(self._token_bytes(CHALLENGE_LENGTH), about))
        allowed = [{"type": "public-key", "id": websafe_encode(each.id)} for each in credentials]
        mine = {"challenge": challenge, "allowCredentials": allowed} if allowed else {"challenge": challenge}
        return Options({**public_key, **mine}, {**state, "challenge": challenge})

    def _request(self, user_verification: UserVerificationRequirement) -> tuple[dict[str, Any], dict[str, Any]]:
        """Options and state that python-fido2 makes, once; all but the challenge and the credentials stays the same."""
        if user_verification not in self._requests:
            options, state = self._server.authenticate_begin(user_verification=user_verification)
            self._requests[user_verification] = dict(options.public_key), state
        return self._requests[user_verification]

    def verify_registration(self, state: dict[str, Any], credential: AttestationJson) -> AuthenticatorData:
        """The authenticator data of a new credential; its ``credential_data`` is there and its key usable.

        Raises:
            FidoRefused: if the response is not a right answer to ``state``.
        """
        with _refusing():
            response = RegistrationResponse.from_dict(msgspec.to_builtins(credential))
            _check_same_origin(response.response.client_data)
            data = self._server.register_complete(state, response)
            if not self._vouched:
                _check_statement(response)
            if data.credential_data is None:
                raise FidoRefused("the response holds no credential")
            if data.credential_data.credential_id != response.raw_id:
                raise FidoRefused("the credential id differs from the one in the attestation")
            _check_key(data.credential_data.public_key)
            if self._aaguids and data.credential_data.aaguid not in self._aaguids:
                raise FidoRefused(f"keys of the model {data.credential_data.aaguid} are not accepted")
        return data

    def verify_assertion(
        self, state: dict[str, Any], user_id: bytes, credentials: Sequence[FidoCredential], credential: AssertionJson
    ) -> tuple[bytes, int]:
        """Credential id and signature counter of a right answer to ``state`` by one of ``credentials``.

        Raises:
            FidoRefused: for anything else.
        """
        with _refusing():
            response = _authentication_response(credential)
            _check_same_origin(response.response.client_data)
            handle = response.response.user_handle
            if handle and handle != user_id:
                raise FidoRefused("the credential belongs to another user")
            known = [fido2_speed.attested(each.credential_data) for each in credentials]
            used = self._server.authenticate_complete(state, known, response)
            return used.credential_id, response.response.authenticator_data.counter


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Whatever hostile bytes make the parsers and checks raise is one thing: the response is refused."""
    try:
        yield
    except FidoRefused:
        raise
    except InvalidAttestation as error:
        raise FidoRefused(f"the attestation is not trusted: {type(error).__name__}") from error
    except ValueError as error:
        raise FidoRefused(str(error)[:200]) from error
    except Exception as error:
        log.info("a FIDO response could not be read: %s", type(error).__name__)
        raise FidoRefused("the response is malformed") from error


def _authentication_response(credential: AssertionJson) -> AuthenticationResponse:
    if credential.id != credential.raw_id:
        raise FidoRefused("id does not match rawId")
    response, handle = credential.response, credential.response.user_handle
    return fido2_speed.authentication_response(
        websafe_decode(credential.raw_id),
        websafe_decode(response.client_data_json),
        websafe_decode(response.authenticator_data),
        websafe_decode(response.signature),
        None if handle is None else websafe_decode(handle),
    )


def _check_same_origin(client_data: Any) -> None:
    if client_data.cross_origin:
        raise FidoRefused("the response was made inside a page of another site")


def _check_statement(response: RegistrationResponse) -> None:
    """WebAuthn §7.1: of a format that we know, and right, even where nobody has to vouch for the model."""
    attestation, client_data = response.response.attestation_object, response.response.client_data
    Attestation.for_type(attestation.fmt)().verify(attestation.att_stmt, attestation.auth_data, client_data.hash)


def _check_key(key: CoseKey) -> None:
    if key.get(3) not in ALGORITHMS:
        raise FidoRefused(f"COSE algorithm {key.get(3)} was not offered")
    # A key that no signature can be checked with would only be noticed at the next login.
    with contextlib.suppress(InvalidSignature):
        key.verify(b"", b"\0" * 64)


def _descriptors(credentials: Sequence[FidoCredential]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=each.id) for each in credentials]


def bound_challenge(random: bytes, about: bytes) -> bytes:
    """A challenge that stands for ``about``, if there is anything: 32 random bytes, and SHA-256 over them and it.

    What the key signs then says what it was asked: the signed client data is evidence for that alone.
    """
    return random + hashlib.sha256(random + about).digest() if about else random


def stands_for(state: dict[str, Any], about: bytes) -> bool:
    """Whether the challenge in ``state`` was made for ``about``."""
    challenge = websafe_decode(state["challenge"])
    return hmac.compare_digest(challenge, bound_challenge(challenge[:CHALLENGE_LENGTH], about))


def user_handle(credential: AssertionJson) -> bytes:
    """Whose credential it says that it is (WebAuthn §7.2 step 6, when nobody is known yet); empty when it does not say."""
    return websafe_decode(credential.response.user_handle or "")
