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


CLIENT = {
    "challenge": client_data(challenge=websafe_encode(bytes(32))),
    "origin": client_data(origin="http://evil.example"),
    "port": client_data(origin="http://localhost:1"),
    "type": client_data(type="webauthn.evil"),
}
ASSERTION: dict[str, Change] = {
    **CLIENT,
    "type of a registration": client_data(type="webauthn.create"),
    "a harmless member of the client data": client_data(crossOrigin=False, extra=1),
    **{f"relying party, byte {position}": flip("authenticatorData", position) for position in (0, 31)},
    "user present": flip("authenticatorData", 32, USER_PRESENT),
    "user verified": flip("authenticatorData", 32, USER_VERIFIED),
    **{f"counter, byte {position}": flip("authenticatorData", position) for position in range(33, 37)},
    **{f"signature, byte {position}": flip("signature", position) for position in (0, 5, 20, -1)},
    "credential id": rename,
}
REGISTRATION: dict[str, Change] = {
    **CLIENT,
    "type of an assertion": client_data(type="webauthn.get"),
    "relying party": flip_auth_data(0),
    "user present": flip_auth_data(32, USER_PRESENT),
    "user verified": flip_auth_data(32, USER_VERIFIED),
    "attested data flag": flip_auth_data(32, 0x40),
    "extension data flag": flip_auth_data(32, 0x80),
    "credential id": rename,
}


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
    except FidoRefused:
        return "refused"
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


@pytest.mark.parametrize("what", ["nothing", *REGISTRATION])
def test_both_judges_refuse_a_registration_that_is_wrong_in_one_thing(what: str) -> None:
    """And accept it when it is right."""
    _, state, public_key, response = registered()
    if what != "nothing":
        REGISTRATION[what](response)
    expected = "accepted" if what == "nothing" else "refused"
    assert our_registration(state, response) == expected
    if what != "credential id":  # py_webauthn does not compare the one outside with the one that is attested
        assert their_registration(public_key, response) == expected


@pytest.mark.parametrize("what", ["nothing", *ASSERTION])
def test_both_judges_refuse_an_assertion_that_is_wrong_in_one_thing(what: str) -> None:
    """And accept it when it is right."""
    key, state, _, response = registered()
    data = PARTY.verify_registration(state, msgspec.convert(response, AttestationJson))
    assert data.credential_data is not None
    known = FidoCredential(key.credential_id, USER.id, "localhost", "x", bytes(data.credential_data), 0)
    options = PARTY.request_options([known])
    public_key = parsed(options.public_key)
    assertion = key.get(public_key, USER.id)
    if what != "nothing":
        ASSERTION[what](assertion)
    try:
        PARTY.verify_assertion(options.state, USER.id, [known], msgspec.convert(assertion, AssertionJson))
        ours = "accepted"
    except FidoRefused:
        ours = "refused"
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
        theirs = "accepted"
    except (WebAuthnException, ValueError):
        theirs = "refused"
    expected = "accepted" if what == "nothing" else "refused"
    assert ours == expected
    if what != "credential id":  # py_webauthn is told the key, and leaves the id to its caller
        assert theirs == expected


def test_the_judges_agree_on_random_damage() -> None:
    """Any byte of any member: never one accepts what the other refuses."""
    chance = Random(7)  # noqa: S311 - which bits a test flips
    for _ in range(60):
        _, state, public_key, response = registered()
        member = chance.choice(["clientDataJSON", "attestationObject"])
        length = len(websafe_decode(response["response"][member]))
        flip(member, chance.randrange(length), 1 << chance.randrange(8))(response)
        assert our_registration(state, response) in {their_registration(public_key, response), "refused"}
