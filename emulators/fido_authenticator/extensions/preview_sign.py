"""previewSign: a second key pair of a credential, which signs anything (draft of the WebAuthn sign extension, version 4).

The key pair follows from the credential's own, so only its parameters are kept. What is derived by others from its public key, with
ARKG, needs no storage at all.
"""

import hmac
from dataclasses import dataclass, field
from typing import Final, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.algorithms import ES256
from emulators.fido_authenticator.arkg import ORDER, PrivateSeed
from emulators.fido_authenticator.attestation import (
    NONE,
    USER_PRESENT,
    USER_VERIFIED,
    Claim,
    attest,
    attested_credential_data,
    authenticator_data,
    choose_format,
)
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.credentials import Credential, derive_secret
from emulators.fido_authenticator.extensions.extension import Assertion, Creation, Extension
from emulators.fido_authenticator.messages import Members, as_list, as_map, members, optional
from emulators.fido_authenticator.status import CtapError, Status

ESP256: Final = -9
SPLIT: Final = (-300, -70009)
"""ESP256-split: the host hashes, the key signs the hash. The number that is asked for, and one that prototypes use."""
ARKG: Final = -65539
"""ESP256-split with private keys derived by ARKG-P256, a placeholder."""

_ALGORITHMS = (ESP256, ES256, *SPLIT, ARKG)
_ARKG_SEED_KEY_TYPE, _ARKG_P256, _ECDH = -65537, -65700, -25

UNATTENDED, REQUIRE_PRESENCE, REQUIRE_VERIFICATION = 0b000, 0b001, 0b101
_PRESENCE, _VERIFICATION = 0b001, 0b100
_PURPOSE = b"previewSign"
_HASH_BYTES = 32
_CURVE = ec.SECP256R1()

_KEY_HANDLE, _ALGORITHM, _FLAGS, _TO_BE_SIGNED, _ARGUMENTS = 2, 3, 4, 6, 7
_SIGNATURE, _ATTESTATION_OBJECT = 6, 7
_UNSIGNED_OUTPUTS_OF_CREATION = 0x06


@dataclass(frozen=True, slots=True)
class _Signer:
    """The signing key pair: what its algorithm and flags are, and the seed that it follows from."""

    algorithm: int
    flags: int
    seed: bytes = field(repr=False)

    @property
    def key_handle(self) -> bytes:
        """What names the key pair: its parameters, and proof that they are this key's for this credential."""
        parameters = cbor.encode([self.algorithm, self.flags])
        return parameters + hmac.digest(self.seed, b"key handle" + parameters, "sha256")

    def _scalar(self, label: bytes) -> int:
        # Twice as many bits as needed make the reduction's bias negligible.
        digest = hmac.digest(self.seed, label + self.algorithm.to_bytes(4, signed=True), "sha512")
        return int.from_bytes(digest) % (ORDER - 1) + 1

    def _arkg_seed(self) -> PrivateSeed:
        return PrivateSeed(self._scalar(b"blinding"), self._scalar(b"encapsulation"))

    def public_key(self) -> dict[int, CborValue]:
        """The COSE_Key by which signatures are verified, or from which others derive such keys."""
        if self.algorithm != ARKG:
            return _point(self._scalar(b"signing"), ES256 if self.algorithm == ES256 else ESP256)
        seed = self._arkg_seed()
        return {
            1: _ARKG_SEED_KEY_TYPE,
            3: _ARKG_P256,
            -1: _point(seed.blinding, ESP256),
            -2: _point(seed.encapsulation, _ECDH),
            -3: ESP256,
        }

    def sign(self, message: bytes, arguments: bytes | None = None) -> bytes:
        """The signature over ``message``, for a split algorithm the hash of one.

        Raises:
            CtapError: INVALID_LENGTH if that is no hash; MISSING_PARAMETER or INVALID_CREDENTIAL if ``arguments`` do
                not lead to a derived key.
        """
        if self.algorithm in (ESP256, ES256):
            return _sign(self._scalar(b"signing"), message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        scalar = self._derived(arguments) if self.algorithm == ARKG else self._scalar(b"signing")
        if len(message) != _HASH_BYTES:
            raise CtapError(Status.INVALID_LENGTH)
        prehashed = ec.ECDSA(utils.Prehashed(hashes.SHA256()), deterministic_signing=True)
        return _sign(scalar, message, prehashed)

    def _derived(self, arguments: bytes | None) -> int:
        """The private key that COSE_Sign_Args lead to: the algorithm (3), ARKG's key handle (-1) and context (-2)."""
        if arguments is None:
            raise CtapError(Status.MISSING_PARAMETER)
        values = members(arguments)
        key_handle, context = values.get(-1), values.get(-2)
        if values.get(3) != self.algorithm or type(key_handle) is not bytes or type(context) is not bytes:
            raise CtapError(Status.INVALID_CREDENTIAL)
        try:
            return self._arkg_seed().derive(key_handle, context)
        except ValueError as error:
            raise CtapError(Status.INVALID_CREDENTIAL) from error


def _point(scalar: int, algorithm: int) -> dict[int, CborValue]:
    numbers = ec.derive_private_key(scalar, _CURVE).public_key().public_numbers()
    return {1: 2, 3: algorithm, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}


def _sign(scalar: int, message: bytes, scheme: ec.ECDSA) -> bytes:
    return ec.derive_private_key(scalar, _CURVE).sign(message, scheme)


class PreviewSign(Extension):
    """Makes the key pair with the credential, attests it, and signs with it at a login."""

    identifier = "previewSign"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Make a key pair of the first algorithm in the host's list that this key has, and attest it."""
        if value is None:
            return
        values = as_map(value)
        algorithm = next((number for number in _wanted(values) if number in _ALGORITHMS), None)
        if algorithm is None:
            raise CtapError(Status.UNSUPPORTED_ALGORITHM)
        flags = optional(values, _FLAGS, int)
        flags = REQUIRE_PRESENCE if flags is None else flags
        if flags not in (UNATTENDED, REQUIRE_PRESENCE, REQUIRE_VERIFICATION):
            raise CtapError(Status.INVALID_OPTION)
        signer = _Signer(algorithm, flags, derive_secret(creation.private_key, _PURPOSE))
        creation.kept[self.identifier] = [algorithm, flags]
        creation.outputs[self.identifier] = {_ALGORITHM: algorithm}
        # It carries a signature of its own, so it stands outside of what the credential's statement signs.
        creation.response[_UNSIGNED_OUTPUTS_OF_CREATION] = {
            self.identifier: {_ATTESTATION_OBJECT: self._attestation_object(creation, signer)}
        }

    def _attestation_object(self, creation: Creation, signer: _Signer) -> bytes:
        state, request = creation.state, creation.request
        credential = Credential(signer.key_handle, request.rp.id, signer.algorithm, b"")
        auth_data = authenticator_data(
            request.rp.id,
            USER_PRESENT | (USER_VERIFIED if creation.user_verified else 0),
            0,
            attested_credential_data(state.profile.aaguid.bytes, credential, signer),
            {self.identifier: {_FLAGS: signer.flags}},
        )
        # A key pair that signs hashes, or from which others derive keys, cannot vouch for itself.
        alone = state.profile.attestation.kind == "self"
        statement_format = NONE if alone else choose_format(state.profile, request.attestation_formats, ESP256)
        claim = Claim(credential, signer, auth_data, request.client_data_hash)
        statement = attest(state.authority, state.profile, claim, statement_format)
        return cbor.encode({1: statement_format, 2: auth_data, 3: statement})

    def get_assertion(self, assertion: Assertion, value: CborValue) -> None:
        """Sign what the host sends, with the key pair of the one credential that it names."""
        if value is None:
            return
        values = as_map(value)
        key_handle, message = optional(values, _KEY_HANDLE, bytes), optional(values, _TO_BE_SIGNED, bytes)
        if not assertion.request.allow_list or key_handle is None or message is None:
            raise CtapError(Status.INVALID_OPTION)
        kept = assertion.credential.extensions.get(self.identifier)
        if kept is None:
            raise CtapError(Status.INVALID_CREDENTIAL)
        algorithm, flags = cast("list[int]", kept)
        signer = _Signer(algorithm, flags, derive_secret(assertion.credential.private_key, _PURPOSE))
        if not hmac.compare_digest(signer.key_handle, key_handle):
            raise CtapError(Status.INVALID_CREDENTIAL)
        if signer.flags & _PRESENCE and not assertion.user_present:
            raise CtapError(Status.UP_REQUIRED)
        if signer.flags & _VERIFICATION and not assertion.user_verified:
            raise CtapError(Status.PUAT_REQUIRED)
        signature = signer.sign(message, optional(values, _ARGUMENTS, bytes))
        assertion.outputs[self.identifier] = {_SIGNATURE: signature}


def _wanted(values: Members) -> list[CborValue]:
    if _ALGORITHM not in values:
        raise CtapError(Status.INVALID_OPTION)
    return as_list(values[_ALGORITHM])
