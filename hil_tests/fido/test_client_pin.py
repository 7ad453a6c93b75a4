"""PIN and UV: key agreement, PIN and tokens, by both PIN/UV auth protocols (CTAP 2.3 §6.5). No try is lost for good."""

import hashlib
from typing import Any

import pytest
from fido2.ctap2.base import Info

from hil_tests.fido.host import (
    CLIENT_DATA_HASH,
    CLIENT_PIN,
    EACH_PROTOCOL,
    ERR,
    GET_ASSERTION,
    MAKE_CREDENTIAL,
    OTHER_RP_ID,
    RP_ID,
    Host,
    P,
    assertion,
    creation,
    descriptor,
    refused,
)

pytestmark = pytest.mark.hil("fido", caps=["CTAP2", "PIN"])

GET_KEY_AGREEMENT, GET_TOKEN, GET_TOKEN_WITH_PERMISSIONS = 2, 5, 9
WITH_PERMISSIONS = pytest.mark.hil("fido", caps=["pinUvAuthToken"])


def _ask_token(host: Host, number: int, subcommand: int, changes: dict[int, Any], pin: str = "") -> dict[int, Any]:
    """Ask for a token with ``pin``, the key's by default; ``changes`` is what the host does otherwise."""
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(host.key_agreement(number))
    digest = hashlib.sha256((pin or host.pin).encode()).digest()[:16]
    members = {0x01: number, 0x02: subcommand, 0x03: platform_key, 0x06: protocol.encrypt(secret, digest), **changes}
    return host.ask(CLIENT_PIN, {key: value for key, value in members.items() if value is not None})


def _superseded_token(host: Host, number: int) -> bytes:
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(host.key_agreement(number))
    digest = hashlib.sha256(host.pin.encode()).digest()[:16]
    request = {0x01: number, 0x02: GET_TOKEN, 0x03: platform_key, 0x06: protocol.encrypt(secret, digest)}
    return protocol.decrypt(secret, host.ask(CLIENT_PIN, request)[0x02])


def _wrong(pin: str) -> str:
    return "0" * len(pin) if pin != "0" * len(pin) else "1" * len(pin)


@pytest.mark.clause("CTAP 2.3 §6.5.5.2")
def test_retries_are_told(host: Host) -> None:
    """The member pinRetries is a number from 1 to 8 as long as the PIN is not blocked."""
    assert 1 <= host.pin_retries() <= 8


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.4")
def test_key_agreement_is_a_point(host: Host, number: int) -> None:
    """The subcommand getKeyAgreement gives an ECDH-ES+HKDF-256 key on P-256, without other members."""
    key = host.key_agreement(number)
    assert set(key) == {1, 3, -1, -2, -3}
    assert (key[1], key[3], key[-1], len(key[-2]), len(key[-3])) == (2, -25, 1, 32, 32)


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_right_pin_gets_a_token(host: Host, number: int) -> None:
    """It has 16 or 32 bytes with protocol one, 32 with protocol two."""
    assert len(host.token(P.MAKE_CREDENTIAL, RP_ID, number)) in ((16, 32) if number == 1 else (32,))


@WITH_PERMISSIONS
@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_tokens_differ(host: Host, number: int) -> None:
    """Each token is a new one; that of CTAP 2.0 serves until power-down."""
    assert host.token(P.MAKE_CREDENTIAL, RP_ID, number) != host.token(P.MAKE_CREDENTIAL, RP_ID, number)


@WITH_PERMISSIONS
@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_new_token_ends_the_old_one(host: Host, number: int) -> None:
    """A token no longer proves anything once another one was handed out."""
    protocol = host.protocol(number)
    old = host.token(P.MAKE_CREDENTIAL, RP_ID, number)
    host.token(P.MAKE_CREDENTIAL, RP_ID, number)
    param = protocol.authenticate(old, CLIENT_DATA_HASH)
    with refused(ERR.PIN_AUTH_INVALID, ERR.PIN_TOKEN_EXPIRED):
        host.ask(MAKE_CREDENTIAL, creation({0x08: param, 0x09: number}))


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.1.2 step 11")
def test_token_registers_and_logs_in(host: Host, number: int) -> None:
    """Each protocol's proof is taken by makeCredential and by getAssertion."""
    protocol = host.protocol(number)
    param = protocol.authenticate(host.token(P.MAKE_CREDENTIAL, RP_ID, number), CLIENT_DATA_HASH)
    registered = host.register({0x08: param, 0x09: number})
    assert registered.auth_data.is_user_verified()
    param = protocol.authenticate(host.token(P.GET_ASSERTION, RP_ID, number), CLIENT_DATA_HASH)
    allowed = {0x03: [descriptor(registered.id)], 0x06: param, 0x07: number}
    assert host.ask(GET_ASSERTION, assertion(allowed))[0x02][32] & 0x04


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_wrong_pin_costs_a_try_and_the_right_one_gives_it_back(host: Host, number: int) -> None:
    """PIN_INVALID takes one of the tries; the right PIN afterwards restores them all."""
    host.token(P.MAKE_CREDENTIAL, RP_ID, number)
    full = host.pin_retries()
    with refused(ERR.PIN_INVALID):
        _ask_token(host, number, GET_TOKEN, {}, _wrong(host.pin))
    assert host.pin_retries() == full - 1
    host.token(P.MAKE_CREDENTIAL, RP_ID, number)
    assert host.pin_retries() == full


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_wrong_pin_changes_the_key_agreement(host: Host, number: int) -> None:
    """After a wrong PIN the key makes a new key agreement key."""
    before = host.key_agreement(number)
    with refused(ERR.PIN_INVALID):
        _ask_token(host, number, GET_TOKEN, {}, _wrong(host.pin))
    assert host.key_agreement(number) != before
    host.token(P.MAKE_CREDENTIAL, RP_ID, number)


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7.1")
def test_superseded_subcommand_still_gives_tokens(host: Host, number: int) -> None:
    """The subcommand getPinToken, for hosts of CTAP 2.0, answers with a token that makes credentials."""
    param = host.protocol(number).authenticate(_superseded_token(host, number), CLIENT_DATA_HASH)
    assert host.register({0x08: param, 0x09: number}).auth_data.is_user_verified()


@EACH_PROTOCOL
@WITH_PERMISSIONS
@pytest.mark.clause("CTAP 2.3 §6.5.5.7.1")
def test_superseded_subcommand_takes_no_permissions(host: Host, number: int) -> None:
    """The subcommand getPinToken with permissions is INVALID_PARAMETER."""
    with refused(ERR.INVALID_PARAMETER):
        _ask_token(host, number, GET_TOKEN, {0x09: 1})


@WITH_PERMISSIONS
@pytest.mark.clause("CTAP 2.3 §6.5.5.7.2")
@pytest.mark.parametrize(
    ("member", "value", "expected"),
    [
        (0x09, 0, ERR.INVALID_PARAMETER),
        (0x09, None, ERR.MISSING_PARAMETER),
        (0x06, None, ERR.MISSING_PARAMETER),
        (0x03, None, ERR.MISSING_PARAMETER),
    ],
    ids=["no permission at all", "permissions left out", "pinHashEnc left out", "keyAgreement left out"],
)
def test_token_request_must_be_whole(host: Host, member: int, value: int | None, expected: ERR) -> None:
    """Asking for no permission is INVALID_PARAMETER, leaving out a member MISSING_PARAMETER; neither costs a try."""
    full = host.pin_retries()
    number = host.protocol().VERSION
    with refused(expected):
        _ask_token(host, number, GET_TOKEN_WITH_PERMISSIONS, {0x09: 1, 0x0A: RP_ID, member: value})
    assert host.pin_retries() == full


@WITH_PERMISSIONS
@pytest.mark.clause("CTAP 2.3 §6.5.5.7.2")
def test_permission_that_the_key_has_not_is_refused(host: Host, info: Info) -> None:
    """A permission for a command that the key does not have is UNAUTHORIZED_PERMISSION."""
    lacking = [
        permission
        for permission, option in ((P.BIO_ENROLL, "bioEnroll"), (P.LARGE_BLOB_WRITE, "largeBlobs"))
        if option not in info.options
    ]
    if not lacking:
        pytest.skip("the key has all of them")
    with refused(ERR.UNAUTHORIZED_PERMISSION):
        _ask_token(host, host.protocol().VERSION, GET_TOKEN_WITH_PERMISSIONS, {0x09: lacking[0]})


@WITH_PERMISSIONS
@pytest.mark.clause("CTAP 2.3 §6.2.2 step 6, §6.1.2 step 11")
def test_token_without_rp_id_is_bound_by_its_first_use(host: Host) -> None:
    """A token that names no relying party belongs to the first one that it is used for, and to no other."""
    protocol = host.protocol()
    number = protocol.VERSION
    allowed = {0x03: [descriptor(host.register().id)], 0x05: {"up": False}}
    param = protocol.authenticate(_superseded_token(host, number), CLIENT_DATA_HASH)
    host.ask(GET_ASSERTION, assertion({**allowed, 0x06: param, 0x07: number}))
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(MAKE_CREDENTIAL, creation({0x02: {"id": OTHER_RP_ID}, 0x08: param, 0x09: number}))


@WITH_PERMISSIONS
@pytest.mark.clause("CTAP 2.3 §6.5.5.7, §6.1.2 step 14")
def test_touch_uses_up_the_permissions(host: Host) -> None:
    """After a touched registration the token makes no second credential: only large blobs could still be written."""
    protocol = host.protocol()
    token = host.token(P.MAKE_CREDENTIAL, RP_ID)
    param, number = protocol.authenticate(token, CLIENT_DATA_HASH), protocol.VERSION
    host.register({0x08: param, 0x09: number})
    with refused(ERR.PIN_AUTH_INVALID, ERR.PUAT_REQUIRED, ERR.PIN_TOKEN_EXPIRED):
        host.ask(MAKE_CREDENTIAL, creation({0x08: param, 0x09: number}))


@pytest.mark.clause("CTAP 2.3 §6.5.5")
def test_request_without_subcommand_is_refused(host: Host) -> None:
    """MISSING_PARAMETER."""
    with refused(ERR.MISSING_PARAMETER):
        host.ask(CLIENT_PIN, {0x01: 1})


@pytest.mark.clause("CTAP 2.3 §6.5.5")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_unknown_subcommand_is_refused(host: Host) -> None:
    """INVALID_SUBCOMMAND; some keys say INVALID_PARAMETER."""
    with refused(ERR.INVALID_SUBCOMMAND, ERR.INVALID_PARAMETER):
        host.ask(CLIENT_PIN, {0x01: host.protocol().VERSION, 0x02: 0x63})


@pytest.mark.clause("CTAP 2.3 §6.5.5.4")
def test_key_agreement_by_an_unknown_protocol_is_refused(host: Host) -> None:
    """INVALID_PARAMETER; MISSING_PARAMETER without any."""
    with refused(ERR.INVALID_PARAMETER):
        host.ask(CLIENT_PIN, {0x01: 99, 0x02: GET_KEY_AGREEMENT})
    with refused(ERR.MISSING_PARAMETER):
        host.ask(CLIENT_PIN, {0x02: GET_KEY_AGREEMENT})


@pytest.mark.clause("CTAP 2.3 §6.5.6")
def test_key_that_is_no_point_is_refused(host: Host) -> None:
    """A keyAgreement that is not on the curve is INVALID_PARAMETER, and never a token."""
    point = {1: 2, 3: -25, -1: 1, -2: bytes(32), -3: b"\x01" * 32}
    number = host.protocol().VERSION
    with refused(ERR.INVALID_PARAMETER):
        _ask_token(host, number, GET_TOKEN, {0x03: point})
    host.token(P.MAKE_CREDENTIAL, RP_ID)
