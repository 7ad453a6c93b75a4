"""PIN and UV: key agreement, PIN and tokens, by both PIN/UV auth protocols (CTAP 2.3 §6.5). No try is lost for good."""

import hashlib
import os
from typing import Any

import pytest
from fido2.cose import CoseKey
from fido2.ctap2.base import Info
from fido2.ctap2.pin import ClientPin

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

GET_RETRIES, GET_KEY_AGREEMENT, SET_PIN, CHANGE_PIN, GET_TOKEN, GET_TOKEN_WITH_PERMISSIONS = 1, 2, 3, 4, 5, 9
WITH_PERMISSIONS = pytest.mark.hil("fido", caps=["pinUvAuthToken"])


def _retries(host: Host) -> int:
    return int(host.ask(CLIENT_PIN, {0x02: GET_RETRIES})[0x03])


def _key_agreement(host: Host, number: int) -> CoseKey:
    return CoseKey.parse(host.ask(CLIENT_PIN, {0x01: number, 0x02: GET_KEY_AGREEMENT})[0x01])


def _ask_token(host: Host, number: int, subcommand: int, changes: dict[int, Any], pin: str = "") -> dict[int, Any]:
    """Ask for a token with ``pin``, the key's by default; ``changes`` is what the host does otherwise."""
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(_key_agreement(host, number))
    digest = hashlib.sha256((pin or host.pin).encode()).digest()[:16]
    members = {0x01: number, 0x02: subcommand, 0x03: platform_key, 0x06: protocol.encrypt(secret, digest), **changes}
    return host.ask(CLIENT_PIN, {key: value for key, value in members.items() if value is not None})


def _superseded_token(host: Host, number: int) -> bytes:
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(_key_agreement(host, number))
    digest = hashlib.sha256(host.pin.encode()).digest()[:16]
    request = {0x01: number, 0x02: GET_TOKEN, 0x03: platform_key, 0x06: protocol.encrypt(secret, digest)}
    return protocol.decrypt(secret, host.ask(CLIENT_PIN, request)[0x02])


def _wrong(pin: str) -> str:
    return "0" * len(pin) if pin != "0" * len(pin) else "1" * len(pin)


@pytest.mark.clause("CTAP 2.3 §6.5.5.2")
def test_retries_are_told(host: Host) -> None:
    """The member pinRetries is a number from 1 to 8 as long as the PIN is not blocked."""
    assert 1 <= _retries(host) <= 8


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.4")
def test_key_agreement_is_a_point(host: Host, number: int) -> None:
    """The subcommand getKeyAgreement gives an ECDH-ES+HKDF-256 key on P-256, without other members."""
    key = _key_agreement(host, number)
    assert set(key) == {1, 3, -1, -2, -3}
    assert (key[1], key[3], key[-1], len(key[-2]), len(key[-3])) == (2, -25, 1, 32, 32)


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_right_pin_gets_a_token(host: Host, number: int) -> None:
    """It has 16 or 32 bytes with protocol one, 32 with protocol two."""
    assert len(host.token(P.MAKE_CREDENTIAL, RP_ID, number)) in ((16, 32) if number == 1 else (32,))


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_tokens_differ(host: Host, number: int) -> None:
    """Each token is a new one."""
    assert host.token(P.MAKE_CREDENTIAL, RP_ID, number) != host.token(P.MAKE_CREDENTIAL, RP_ID, number)


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
    full = _retries(host)
    with refused(ERR.PIN_INVALID):
        _ask_token(host, number, GET_TOKEN, {}, _wrong(host.pin))
    assert _retries(host) == full - 1
    host.token(P.MAKE_CREDENTIAL, RP_ID, number)
    assert _retries(host) == full


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_wrong_pin_changes_the_key_agreement(host: Host, number: int) -> None:
    """After a wrong PIN the key makes a new key agreement key."""
    before = _key_agreement(host, number)
    with refused(ERR.PIN_INVALID):
        _ask_token(host, number, GET_TOKEN, {}, _wrong(host.pin))
    assert _key_agreement(host, number) != before
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
    full = _retries(host)
    number = host.protocol().VERSION
    with refused(expected):
        _ask_token(host, number, GET_TOKEN_WITH_PERMISSIONS, {0x09: 1, 0x0A: RP_ID, member: value})
    assert _retries(host) == full


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


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.5")
def test_pin_that_is_set_is_not_set_again(host: Host, number: int) -> None:
    """The subcommand setPIN on a key with a PIN is PIN_AUTH_INVALID (NOT_ALLOWED on some)."""
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(_key_agreement(host, number))
    new = protocol.encrypt(secret, b"86420".ljust(64, b"\0"))
    request = {0x01: number, 0x02: SET_PIN, 0x03: platform_key, 0x04: protocol.authenticate(secret, new), 0x05: new}
    with refused(ERR.PIN_AUTH_INVALID, ERR.NOT_ALLOWED):
        host.ask(CLIENT_PIN, request)
    host.token(P.MAKE_CREDENTIAL, RP_ID, number)


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.6")
def test_pin_is_changed_and_changed_back(host: Host, info: Info, number: int) -> None:
    """After a change only the new PIN is right; the test changes it back."""
    if info.pin_complexity_policy:
        pytest.skip("the key has rules for PINs that this host does not know")
    client = ClientPin(host.ctap2, host.protocol(number))
    new = "2580147" if host.pin != "2580147" else "7410852"
    client.change_pin(host.pin, new)
    try:
        with refused(ERR.PIN_INVALID):
            client.get_pin_token(host.pin, P.MAKE_CREDENTIAL, RP_ID)
        assert client.get_pin_token(new, P.MAKE_CREDENTIAL, RP_ID)
    finally:
        client.change_pin(new, host.pin)
    assert client.get_pin_token(host.pin, P.MAKE_CREDENTIAL, RP_ID)


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.6 step 5")
def test_change_with_a_wrong_proof_costs_no_try(host: Host, number: int) -> None:
    """A changePIN whose pinUvAuthParam is wrong is PIN_AUTH_INVALID before the PIN is looked at."""
    full = _retries(host)
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(_key_agreement(host, number))
    new = protocol.encrypt(secret, b"86420".ljust(64, b"\0"))
    old = protocol.encrypt(secret, hashlib.sha256(host.pin.encode()).digest()[:16])
    wrong = os.urandom(len(protocol.authenticate(secret, new + old)))
    request = {0x01: number, 0x02: CHANGE_PIN, 0x03: platform_key, 0x04: wrong, 0x05: new, 0x06: old}
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(CLIENT_PIN, request)
    assert _retries(host) == full


NEW_PINS = {
    "too short": (b"123".ljust(64, b"\0"), ERR.PIN_POLICY_VIOLATION),
    "no end": (b"1" * 64, ERR.PIN_POLICY_VIOLATION),
    "48 bytes": (b"1234567".ljust(48, b"\0"), ERR.INVALID_PARAMETER),
}


@pytest.mark.parametrize("case", NEW_PINS)
@pytest.mark.clause("CTAP 2.3 §6.5.5.6 steps 9 to 12")
def test_new_pin_that_breaks_the_rules_is_refused(host: Host, case: str) -> None:
    """Shorter than the minimum, longer than 63 bytes, or not padded to 64: refused, and the old PIN stays."""
    padded, expected = NEW_PINS[case]
    protocol = host.protocol()
    platform_key, secret = protocol.encapsulate(_key_agreement(host, protocol.VERSION))
    new = protocol.encrypt(secret, padded)
    old = protocol.encrypt(secret, hashlib.sha256(host.pin.encode()).digest()[:16])
    param = protocol.authenticate(secret, new + old)
    members = {0x01: protocol.VERSION, 0x02: CHANGE_PIN, 0x03: platform_key, 0x04: param, 0x05: new, 0x06: old}
    # Keys of CTAP 2.0 had one code for all of them.
    with refused(expected, ERR.PIN_POLICY_VIOLATION):
        host.ask(CLIENT_PIN, members)
    host.token(P.MAKE_CREDENTIAL, RP_ID)


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
