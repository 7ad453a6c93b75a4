from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from fido2 import cbor
from fido2.attestation.packed import PackedAttestation
from fido2.cose import ESP256_SPLIT_ARKG_PLACEHOLDER, CoseKey
from fido2.webauthn import AttestationObject, AuthenticatorData

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    HASH,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
    descriptor,
)

SPLIT = (-300, -70009, ESP256_SPLIT_ARKG_PLACEHOLDER)
ALGORITHMS = (-7, -9, *SPLIT)
MESSAGE = b"anything that a relying party wants signed"


class _Made:
    """A credential with a signing key pair, as the host sees it."""

    def __init__(self, authenticator: Authenticator, value: Mapping[int, Any], options: Mapping[str, bool]) -> None:
        self.authenticator = authenticator
        request = creation({6: {"previewSign": value}, 7: options})
        status, response = call(authenticator, MAKE_CREDENTIAL, request)
        assert status is Status.SUCCESS
        outer = AuthenticatorData(response[2])
        assert outer.extensions is not None
        assert outer.credential_data is not None
        self.algorithm = outer.extensions["previewSign"][3]
        self.credential_id = outer.credential_data.credential_id
        inner = cbor.decode(response[6]["previewSign"][7])
        assert isinstance(inner, Mapping)
        self.attestation = AttestationObject.create(inner[1], inner[2], inner[3])
        data = self.attestation.auth_data.credential_data
        assert data is not None
        self.key_handle, self.public_key = data.credential_id, data.public_key

    def sign(self, changes: Mapping[int, Any] | None = None, **request: Any) -> tuple[Status, Any]:
        """The status, and the signature or None."""
        tbs = sha256(MESSAGE).digest() if self.algorithm in SPLIT else MESSAGE
        value = {2: self.key_handle, 6: tbs, **(changes or {})}
        value = {key: item for key, item in value.items() if item is not None}
        members = {3: [descriptor(self.credential_id)], 4: {"previewSign": value}, **request.get("members", {})}
        status, response = call(self.authenticator, GET_ASSERTION, assertion(members))
        if status is not Status.SUCCESS:
            return status, None
        extensions = AuthenticatorData(response[2]).extensions
        assert extensions is not None
        return status, extensions["previewSign"][6]


def _made(algorithm: int = -9, flags: int | None = 0, *, resident: bool = False) -> _Made:
    value = {3: [-18, algorithm], **({} if flags is None else {4: flags})}
    return _Made(Authenticator(Env.simulated(1)), value, {"rk": resident})


def _verifier(made: _Made, context: bytes = b"context") -> tuple[CoseKey, dict[int, Any]]:
    """The key that verifies, and what the host must send for it."""
    if made.algorithm != ESP256_SPLIT_ARKG_PLACEHOLDER:
        return made.public_key, {}
    public_key, args = made.public_key.derive_public_key(bytes(32), context)  # type: ignore[attr-defined] # ARKG's own
    return public_key, {7: cbor.encode(args)}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("resident", [True, False])
def test_the_key_signs_with_a_key_of_its_own(algorithm: int, *, resident: bool) -> None:
    """python-fido2 verifies it; also after a power-down; the credential's own key is another one."""
    made = _made(algorithm, resident=resident)
    assert made.algorithm == algorithm
    verifier, arguments = _verifier(made)
    made.authenticator.power_up()
    status, signature = made.sign(arguments)
    assert status is Status.SUCCESS
    verifier.verify(MESSAGE, signature)
    with pytest.raises(InvalidSignature):
        verifier.verify(MESSAGE + b"!", signature)


def test_the_key_pair_is_attested() -> None:
    """The statement is valid, the counter is 0, and the flags are under its signature."""
    for flags, shown in ((None, 1), (0, 0), (1, 1), (5, 5)):
        attestation = _made(flags=flags).attestation
        assert attestation.auth_data.extensions == {"previewSign": {4: shown}}
        assert (attestation.auth_data.counter, attestation.fmt) == (0, "packed")
        PackedAttestation().verify(attestation.att_stmt, attestation.auth_data, HASH)


def test_without_a_certificate_nobody_vouches_for_the_key_pair() -> None:
    """A key that attests itself says none: this key pair cannot."""
    profile = profiles.load()
    alone = msgspec.structs.replace(profile, attestation=msgspec.structs.replace(profile.attestation, kind="self"))
    made = _Made(Authenticator(Env.simulated(1), alone), {3: [ESP256_SPLIT_ARKG_PLACEHOLDER]}, {})
    assert (made.attestation.fmt, made.attestation.att_stmt) == ("none", {})


def test_every_credential_has_its_own_key_pair() -> None:
    """One's key handle is nothing to the other, nor is one that was changed."""
    authenticator = Authenticator(Env.simulated(1))
    one, two = (_Made(authenticator, {3: [-9], 4: 0}, {}) for _ in range(2))
    assert one.public_key != two.public_key
    for wrong in (two.key_handle, b"", one.key_handle[:-1] + bytes([one.key_handle[-1] ^ 1])):
        assert one.sign({2: wrong}) == (Status.INVALID_CREDENTIAL, None)
    plain = AuthenticatorData(call(authenticator, MAKE_CREDENTIAL, creation())[1][2]).credential_data
    assert plain is not None
    allowed = {3: [descriptor(plain.credential_id)]}
    assert one.sign(members=allowed) == (Status.INVALID_CREDENTIAL, None)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({3: [-18]}, Status.UNSUPPORTED_ALGORITHM),
        ({3: []}, Status.UNSUPPORTED_ALGORITHM),
        ({}, Status.INVALID_OPTION),
        ({3: [-9], 4: 2}, Status.INVALID_OPTION),
        ({3: [-9], 4: 4}, Status.INVALID_OPTION),
        ({3: [-9], 4: 9}, Status.INVALID_OPTION),
        ({3: [-9], 4: -1}, Status.INVALID_OPTION),
        ({3: [-9], 4: True}, Status.CBOR_UNEXPECTED_TYPE),
        ({3: -9}, Status.CBOR_UNEXPECTED_TYPE),
        (True, Status.CBOR_UNEXPECTED_TYPE),
    ],
)
def test_a_wrong_creation_makes_nothing(value: Any, expected: Status) -> None:
    """Each with its own status."""
    authenticator = Authenticator(Env.simulated(1))
    before = dump(authenticator.store)
    answer = call(authenticator, MAKE_CREDENTIAL, creation({6: {"previewSign": value}, 7: {"rk": True}}))
    assert answer == (expected, {})
    assert dump(authenticator.store) == before


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({2: None}, Status.INVALID_OPTION),
        ({6: None}, Status.INVALID_OPTION),
        ({2: "handle"}, Status.CBOR_UNEXPECTED_TYPE),
        ({6: [b""]}, Status.CBOR_UNEXPECTED_TYPE),
        ({6: bytes(31)}, Status.INVALID_LENGTH),
        ({7: None}, Status.MISSING_PARAMETER),
        ({7: {3: ESP256_SPLIT_ARKG_PLACEHOLDER}}, Status.CBOR_UNEXPECTED_TYPE),
        ({7: b"\xff"}, Status.INVALID_CBOR),
        ({7: cbor.encode({-1: b"", -2: b""})}, Status.INVALID_CREDENTIAL),
        ({7: cbor.encode({3: -9, -1: b"", -2: b""})}, Status.INVALID_CREDENTIAL),
        ({7: cbor.encode({3: ESP256_SPLIT_ARKG_PLACEHOLDER, -1: bytes(81), -2: b""})}, Status.INVALID_CREDENTIAL),
        ({7: cbor.encode({3: ESP256_SPLIT_ARKG_PLACEHOLDER, -1: 1, -2: b""})}, Status.INVALID_CREDENTIAL),
    ],
)
def test_a_wrong_request_is_not_signed(changes: dict[int, Any], expected: Status) -> None:
    """Nor is the login, and nothing is counted."""
    made = _made(ESP256_SPLIT_ARKG_PLACEHOLDER)
    arguments = _verifier(made)[1]
    before = dump(made.authenticator.store)
    assert made.sign({**arguments, **changes}) == (expected, None)
    assert dump(made.authenticator.store) == before
    assert made.sign(arguments)[0] is Status.SUCCESS


def test_the_flags_are_kept() -> None:
    """Unattended signs silently; the others ask for a touch, or for a verified user."""
    silent = {"members": {5: {"up": False}}}
    assert _made(flags=0).sign(**silent)[0] is Status.SUCCESS
    for flags in (None, 1, 5):
        assert _made(flags=flags).sign(**silent) == (Status.UP_REQUIRED, None)
    assert _made(flags=1).sign()[0] is Status.SUCCESS
    assert _made(flags=5).sign() == (Status.PUAT_REQUIRED, None)


def test_a_signature_is_for_the_one_credential_that_the_host_names() -> None:
    """Not for whichever is found."""
    made = _made(resident=True)
    assert made.sign(members={3: None}) == (Status.INVALID_OPTION, None)
    assert made.sign(members={3: []}) == (Status.INVALID_OPTION, None)
