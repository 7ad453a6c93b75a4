import contextlib
import typing
from pathlib import Path

import fido2.utils
import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from fido2 import cbor
from fido2.cose import ES256, EdDSA
from fido2.webauthn import AuthenticationResponse, PublicKeyCredentialDescriptor, UserVerificationRequirement

from server_stub.factors import fido2_speed
from server_stub.factors.attestation import AttestationPolicy
from server_stub.factors.fido import AssertionJson, Fido, FidoRefused
from server_stub.settings import Settings
from server_stub.store.users import FidoCredential
from tests.server_stub.soft_key import SoftKey

ORIGIN = "http://localhost"
USER_ID = b"u" * 16
PARTY = Fido(Settings(data_dir=Path(), origins=(ORIGIN,), token_bytes=bytes), AttestationPolicy())


def credential(number: int) -> FidoCredential:
    """One that nobody has to check."""
    return FidoCredential(bytes([number]) * 16, USER_ID, "localhost", "key", b"", 0)


def test_the_hints_are_computed_once_and_are_the_same() -> None:
    """Doing it twice changes nothing."""
    for _ in range(2):
        fido2_speed.remember()
    ask = vars(fido2.utils)["get_type_hints"]
    first = ask(PublicKeyCredentialDescriptor)
    assert first == typing.get_type_hints(PublicKeyCredentialDescriptor)
    assert ask(PublicKeyCredentialDescriptor) is first


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("alone", [False, True])
def test_options_are_those_that_the_library_would_make(count: int, *, alone: bool) -> None:
    """Twice, for the second time they come from what the first has left."""
    credentials = [credential(number) for number in range(count)]
    wanted = UserVerificationRequirement("required" if alone else "preferred")
    descriptors = [PublicKeyCredentialDescriptor(type="public-key", id=each.id) for each in credentials]  # type: ignore[arg-type] # converted
    whole, state = PARTY._server.authenticate_begin(descriptors or None, user_verification=wanted, challenge=bytes(32))
    for _ in range(2):
        options = PARTY.request_options(credentials, alone=alone)
        assert msgspec.json.encode(options.public_key, order="sorted") == msgspec.json.encode(
            dict(whole.public_key), order="sorted"
        )
        assert options.state == state


def test_a_response_is_read_as_the_library_would_read_it() -> None:
    """Member by member; the types are the library's own."""
    assertion = an_assertion()
    theirs = AuthenticationResponse.from_dict(assertion)
    ours = fido2_speed.authentication_response(
        theirs.raw_id,
        theirs.response.client_data,
        theirs.response.authenticator_data,
        theirs.response.signature,
        theirs.response.user_handle,
    )
    for name in ("id", "raw_id", "type"):
        assert getattr(ours, name) == getattr(theirs, name)
    for name in ("client_data", "authenticator_data", "signature", "user_handle"):
        assert getattr(ours.response, name) == getattr(theirs.response, name)
        assert type(getattr(ours.response, name)) is type(getattr(theirs.response, name))


def test_two_names_of_one_credential_must_be_the_same() -> None:
    """``id`` and ``rawId``: the library looks at that where it reads a dictionary, so we must here."""
    assertion = an_assertion()
    mixed = msgspec.convert({**assertion, "id": "AAAA"}, AssertionJson)
    with pytest.raises(FidoRefused, match="id does not match rawId"):
        PARTY.verify_assertion({"challenge": ""}, USER_ID, [], mixed)


def an_assertion() -> dict[str, typing.Any]:
    """By a key that is not registered."""
    key = SoftKey(origin=ORIGIN)
    options = PARTY.request_options(())
    return key.get(options.public_key, USER_ID)


@pytest.mark.parametrize(
    ("wrong", "refused"),
    [
        ({}, None),
        ({-1: 2}, "Unsupported elliptic curve"),
        ({-2: bytes(31) + b"\1"}, "curve"),
        ({-3: bytes(32)}, "curve"),
    ],
)
def test_a_kept_key_judges_as_the_library_judges(wrong: dict[int, typing.Any], refused: str | None) -> None:
    """A right signature and a wrong one; another curve, and a point that is not on it."""
    private = ec.generate_private_key(ec.SECP256R1())
    theirs = ES256({**ES256.from_cryptography_key(private.public_key()), **wrong})  # type: ignore[no-untyped-call] # python-fido2
    message, signature = b"signed", private.sign(b"signed", ec.ECDSA(hashes.SHA256()))
    stored = bytes(16) + (16).to_bytes(2, "big") + bytes(16) + cbor.encode(theirs)
    ours = fido2_speed.attested(stored).public_key
    assert type(ours) is not ES256
    for key in (theirs, ours):
        for _ in range(2):
            with pytest.raises(ValueError, match=refused) if refused else contextlib.nullcontext():
                key.verify(message, signature)
        with pytest.raises(ValueError if refused else InvalidSignature):
            key.verify(message + b"!", signature)


def test_keys_of_other_kinds_are_left_to_the_library() -> None:
    """EdDSA, for one."""
    theirs = EdDSA.from_cryptography_key(ed25519.Ed25519PrivateKey.generate().public_key())  # type: ignore[no-untyped-call] # python-fido2
    stored = bytes(16) + (16).to_bytes(2, "big") + bytes(16) + cbor.encode(theirs)
    assert type(fido2_speed.attested(stored).public_key) is EdDSA
