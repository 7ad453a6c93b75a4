"""Every member of a valid response made wrong, one at a time, before two judges: ours and py_webauthn."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import webauthn
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode
from webauthn.helpers.exceptions import WebAuthnException

from server_stub.factors.attestation import AttestationPolicy
from server_stub.factors.fido import AssertionJson, AttestationJson, Fido, FidoRefused
from server_stub.settings import Settings
from server_stub.store.users import FidoCredential, User
from tests.server_stub.soft_key import USER_PRESENT, USER_VERIFIED, SoftKey

ORIGIN = "http://localhost"
USER = User(b"u" * 16, "alice", "", b"", ())
PARTY = Fido(Settings(data_dir=Path(), origins=(ORIGIN,), fido_user_verification="required"), AttestationPolicy())
Response = dict[str, Any]
Change = Callable[[Response], None]


def client_data(**changes: Any) -> Change:
    """Members of the client data."""

    def change(response: Response) -> None:
        members = json.loads(websafe_decode(response["response"]["clientDataJSON"])) | changes
        response["response"]["clientDataJSON"] = websafe_encode(json.dumps(members).encode())

    return change


def flip(member: str, position: int, bit: int = 1) -> Change:
    """One bit of a member."""

    def change(response: Response) -> None:
        data = bytearray(websafe_decode(response["response"][member]))
        data[position] ^= bit
        response["response"][member] = websafe_encode(bytes(data))

    return change


def attestation_of(response: Response) -> dict[str, Any]:
    """The attestation object, decoded."""
    decoded: Any = cbor.decode(websafe_decode(response["response"]["attestationObject"]))
    return dict(decoded)


def flip_auth_data(position: int, bit: int = 1) -> Change:
    """One bit of the authenticator data inside of an attestation object."""

    def change(response: Response) -> None:
        attestation = attestation_of(response)
        data = bytearray(attestation["authData"])
        data[position] ^= bit
        response["response"]["attestationObject"] = websafe_encode(
            cbor.encode({**attestation, "authData": bytes(data)})
        )

    return change


def rename(response: Response) -> None:
    """Another credential id."""
    response["id"] = response["rawId"] = websafe_encode(bytes(32))


def attested(**members: Any) -> Change:
    """Members of the attestation object."""

    def change(response: Response) -> None:
        attestation = cbor.encode({**attestation_of(response), **members})
        response["response"]["attestationObject"] = websafe_encode(attestation)

    return change


def cose(**parts: Any) -> Change:
    """Members of the public key, by what COSE calls them."""

    def change(response: Response) -> None:
        data = attestation_of(response)["authData"]
        # WebAuthn §6.1: 37 bytes, AAGUID, length and credential id, then the key.
        start = 37 + 16 + 2 + 32
        key: Any = cbor.decode(data[start:])
        changed = key | {{"alg": 3, "crv": -1, "x": -2}[name]: value for name, value in parts.items()}
        attested(authData=data[:start] + cbor.encode(changed))(response)

    return change


def outside(**members: Any) -> Change:
    """Members of the response around it all."""
    return lambda response: response.update(members)


CLIENT = {
    "challenge": (client_data(challenge=websafe_encode(bytes(32))), "Wrong challenge"),
    "challenge that is empty": (client_data(challenge=""), "Wrong challenge"),
    "origin": (client_data(origin="http://evil.example"), "Invalid origin"),
    "origin that begins like ours": (client_data(origin="http://localhost.evil.example"), "Invalid origin"),
    "port": (client_data(origin="http://localhost:1"), "Invalid origin"),
    "type": (client_data(type="webauthn.evil"), "Incorrect type"),
    "another site around it": (client_data(crossOrigin=True), "a page of another site"),
    "id and raw id": (outside(rawId=websafe_encode(bytes(32))), ""),
    "kind of credential": (outside(type="password"), "Invalid enum value"),
}
ASSERTION: dict[str, tuple[Change, str]] = {
    **CLIENT,
    "type of a registration": (client_data(type="webauthn.create"), "Incorrect type"),
    "a harmless member of the client data": (client_data(crossOrigin=False, extra=1), "Invalid signature"),
    **{
        f"relying party, byte {position}": (flip("authenticatorData", position), "Wrong RP ID hash")
        for position in (0, 31)
    },
    "user present": (flip("authenticatorData", 32, USER_PRESENT), "User Present flag not set"),
    "user verified": (flip("authenticatorData", 32, USER_VERIFIED), "user verified flag not set"),
    **{
        f"counter, byte {position}": (flip("authenticatorData", position), "Invalid signature")
        for position in range(33, 37)
    },
    **{
        f"signature, byte {position}": (flip("signature", position), "Invalid signature") for position in (0, 5, 20, -1)
    },
    "credential id": (rename, "Unknown credential ID"),
    "user handle": (
        lambda response: response["response"].update(userHandle=websafe_encode(b"x" * 16)),
        "belongs to another user",
    ),
}
REGISTRATION: dict[str, tuple[Change, str]] = {
    **CLIENT,
    "type of an assertion": (client_data(type="webauthn.get"), "Incorrect type"),
    "relying party": (flip_auth_data(0), "Wrong RP ID hash"),
    "user present": (flip_auth_data(32, USER_PRESENT), "User Present flag not set"),
    "user verified": (flip_auth_data(32, USER_VERIFIED), "User Verified flag not set"),
    "attested data flag": (flip_auth_data(32, 0x40), "attestation_object"),
    "extension data flag": (flip_auth_data(32, 0x80), "malformed"),
    "length of the credential id": (flip_auth_data(54), ""),
    "credential id": (rename, "differs from the one in the attestation"),
    "algorithm": (cose(alg=-65535), "COSE algorithm -65535 was not offered"),
    "curve": (cose(crv=2), ""),
    "point": (cose(x=bytes(32)), ""),
    "length of the point": (cose(x=bytes(31)), ""),
    "format of the attestation": (attested(fmt="made-up"), "not trusted"),
    "statement of no attestation": (attested(attStmt={"x": 1}), "not trusted"),
}
ONLY_OURS = {
    "credential id",
    "user handle",
    "another site around it",
    "curve",
    "point",
    "length of the point",
    "statement of no attestation",
}
"""What py_webauthn leaves to its caller, who knows which key and which user it is about, or to the first login, or lets be."""


def parsed(public_key: Any) -> Response:
    """Options as a browser gets them."""
    return dict(json.loads(msgspec.json.encode(public_key)))


def registered() -> tuple[SoftKey, dict[str, Any], Response, Response]:
    """A key, and a right answer to the options for its registration."""
    key = SoftKey(ORIGIN, flags=USER_PRESENT | USER_VERIFIED)
    options = PARTY.creation_options(USER, [])
    public_key = parsed(options.public_key)
    return key, options.state, public_key, key.create(public_key)


def our_registration(state: dict[str, Any], response: Response) -> str:
    """Our verdict."""
    try:
        PARTY.verify_registration(state, msgspec.convert(response, AttestationJson))
    except (FidoRefused, msgspec.ValidationError) as refused:
        return f"refused: {refused}"
    return "accepted"


def their_registration(public_key: Response, response: Response) -> str:
    """py_webauthn's verdict."""
    try:
        webauthn.verify_registration_response(
            credential=response,
            expected_challenge=websafe_decode(public_key["challenge"]),
            expected_rp_id="localhost",
            expected_origin=ORIGIN,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        return "refused"
    return "accepted"


def test_both_judges_accept_what_is_right() -> None:
    """Otherwise everything below would prove nothing."""
    _, state, public_key, response = registered()
    assert our_registration(state, response) == their_registration(public_key, response) == "accepted"
    assert judged_assertion(lambda _: None) == ("accepted", "accepted")


@pytest.mark.parametrize("what", REGISTRATION)
def test_both_judges_refuse_a_registration_that_is_wrong_in_one_thing(what: str) -> None:
    """And ours says in what."""
    change, sentence = REGISTRATION[what]
    _, state, public_key, response = registered()
    change(response)
    ours = our_registration(state, response)
    assert ours.startswith("refused")
    assert sentence in ours
    if what not in ONLY_OURS:
        assert their_registration(public_key, response) == "refused"


@pytest.mark.parametrize("what", ASSERTION)
def test_both_judges_refuse_an_assertion_that_is_wrong_in_one_thing(what: str) -> None:
    """And ours says in what."""
    change, sentence = ASSERTION[what]
    ours, theirs = judged_assertion(change)
    assert ours.startswith("refused")
    assert sentence in ours
    if what not in ONLY_OURS:
        assert theirs == "refused"


def judged_assertion(change: Change) -> tuple[str, str]:
    """Our verdict and py_webauthn's on an assertion to which ``change`` was done."""
    key, state, _, response = registered()
    data = PARTY.verify_registration(state, msgspec.convert(response, AttestationJson))
    assert data.credential_data is not None
    known = FidoCredential(key.credential_id, USER.id, "localhost", "x", bytes(data.credential_data), 0)
    options = PARTY.request_options([known])
    public_key = parsed(options.public_key)
    assertion = key.get(public_key, USER.id)
    change(assertion)
    ours = theirs = "accepted"
    try:
        PARTY.verify_assertion(options.state, USER.id, [known], msgspec.convert(assertion, AssertionJson))
    except (FidoRefused, msgspec.ValidationError) as refused:
        ours = f"refused: {refused}"
    try:
        webauthn.verify_authentication_response(
            credential=assertion,
            expected_challenge=websafe_decode(public_key["challenge"]),
            expected_rp_id="localhost",
            expected_origin=ORIGIN,
            credential_public_key=cbor.encode(data.credential_data.public_key),
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        theirs = "refused"
    return ours, theirs


def test_the_judges_agree_on_random_damage() -> None:
    """Any byte of any member: never one accepts what the other refuses."""
    chance = Random(7)  # noqa: S311 - which bits a test flips
    for _ in range(60):
        _, state, public_key, response = registered()
        member = chance.choice(["clientDataJSON", "attestationObject"])
        length = len(websafe_decode(response["response"][member]))
        flip(member, chance.randrange(length), 1 << chance.randrange(8))(response)
        ours = our_registration(state, response)
        assert ours.startswith("refused") or their_registration(public_key, response) == "accepted"
