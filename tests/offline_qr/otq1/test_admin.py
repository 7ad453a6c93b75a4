from dataclasses import replace

import oath  # type: ignore[import-untyped] # oath ships no types
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from offline_qr import base45_strict, gcm_siv
from offline_qr.otq1 import (
    AdminMessage,
    BadSignature,
    Command,
    Damaged,
    Flags,
    Header,
    MessageType,
    NotEncodable,
    NotForThisToken,
    Otq1Error,
    Unsupported,
    compute_admin_code,
    decode_admin,
    derive_keys,
    encode_admin,
    key_id,
)

SERIAL = "QT1-00000042"
KEYS = derive_keys(SERIAL, bytes(range(32)))
HEADER = Header(MessageType.ADMIN, key_id(SERIAL), bytes(12), 1_767_225_600, 300)
MESSAGES = [
    AdminMessage(HEADER, 1, Command.CLOCK_SYNC),
    AdminMessage(HEADER, 2, Command.COUNTER_SYNC, 0x0102030405060708),
    AdminMessage(HEADER, 3, Command.PIN_UNLOCK, 1),
    AdminMessage(HEADER, 2**32 - 1, Command.WIPE),
]
BODIES = ["0000000101", "00000002020102030405060708", "000000030301", "ffffffff04"]


def sealed(body: bytes) -> bytes:
    """A text that a server with the right key, and without any checks, would make."""
    header = HEADER.pack()
    return b"OTQ1:" + base45_strict.encode(header + gcm_siv.seal(KEYS.qr_seal, bytes(12), body, header)).encode()


@pytest.mark.parametrize(("message", "body"), list(zip(MESSAGES, BODIES, strict=True)))
def test_each_command_in_both_directions(message: AdminMessage, body: str) -> None:
    """Byte by byte."""
    assert message.body.hex() == body
    assert decode_admin(encode_admin(message, KEYS), KEYS, SERIAL) == message
    assert decode_admin(sealed(bytes.fromhex(body)), KEYS, SERIAL) == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.command.name)
def test_every_flipped_bit_is_refused(message: AdminMessage) -> None:
    """No command turns into another one."""
    data = base45_strict.decode(encode_admin(message, KEYS).removeprefix("OTQ1:").encode())
    for bit in range(len(data) * 8):
        flipped = (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))
        with pytest.raises(Otq1Error):
            decode_admin("OTQ1:" + base45_strict.encode(flipped), KEYS, SERIAL)


@pytest.mark.parametrize(
    ("body", "error", "sentence"),
    [
        ("0000000100", Unsupported, "unknown command: expected 1 to 4, found 0"),
        ("0000000105", Unsupported, "unknown command: expected 1 to 4, found 5"),
        ("0000000001", Damaged, r"the sequence is 1 to 2\^32-1, found 0"),
        ("000000010100", Damaged, "expected no bytes more, found 1"),
        ("0000000102", Damaged, "cut: expected 8 bytes more, found 0"),
        ("000000010201020304050607", Damaged, "cut: expected 8 bytes more, found 7"),
        ("0000000103", Damaged, "cut: expected 1 bytes more, found 0"),
        ("000000010302", Damaged, "the argument of PIN_UNLOCK is 0 to 1, found 2"),
        ("000001", Damaged, "a message has 47 to 400 bytes, found 45"),
    ],
)
def test_a_seal_excuses_no_bad_command(body: str, error: type[Otq1Error], sentence: str) -> None:
    """A token does not trust its server to know the rules."""
    with pytest.raises(error, match=sentence):
        decode_admin(sealed(bytes.fromhex(body)), KEYS, SERIAL)


def test_impossible_commands_cannot_be_made() -> None:
    """The sender hears of it."""
    good = MESSAGES[1]
    for changed in (
        {"sequence": 0},
        {"sequence": 2**32},
        {"argument": None},
        {"argument": -1},
        {"argument": 2**64},
        {"command": Command.WIPE},
        {"header": replace(HEADER, type=MessageType.LOGIN)},
    ):
        with pytest.raises(NotEncodable, match="found"):
            replace(good, **changed)
    with pytest.raises(Unsupported, match="found 9"):
        replace(good, command=9)  # type: ignore[arg-type] # as a number off the wire


def test_the_code_needs_only_plain_ocra_and_the_admin_key() -> None:
    """Computed by the PyPI package ``oath``; another command is another question."""
    suite = oath.str2ocrasuite("OCRA-1:HOTP-SHA256-8:QH64")
    codes = [compute_admin_code(message, KEYS) for message in MESSAGES]
    assert codes == [suite(KEYS.ocra_admin, Q=message.question) for message in MESSAGES]
    assert len(set(codes)) == len(codes)


def test_a_command_for_another_token_or_by_another_server_is_refused() -> None:
    """A wipe above all."""
    text = encode_admin(MESSAGES[3], KEYS)
    with pytest.raises(NotForThisToken):
        decode_admin(text, KEYS, "QT1-00000043")
    with pytest.raises(Damaged, match="seal is broken"):
        decode_admin(text, derive_keys(SERIAL, bytes(32)), SERIAL)


def test_commands_can_be_signed() -> None:
    """And then have to be."""
    signing_key = bytes(range(32))
    verify_key = Ed25519PrivateKey.from_private_bytes(signing_key).public_key().public_bytes_raw()
    signed = replace(MESSAGES[3], header=replace(HEADER, flags=Flags.SIGNED))
    assert decode_admin(encode_admin(signed, KEYS, signing_key), KEYS, SERIAL, verify_key=verify_key) == signed
    with pytest.raises(BadSignature):
        decode_admin(encode_admin(MESSAGES[3], KEYS), KEYS, SERIAL, verify_key=verify_key)


@given(st.binary(max_size=20))
def test_any_sealed_bytes_are_a_command_or_refused(body: bytes) -> None:
    """And what is a command has one spelling."""
    try:
        message = decode_admin(sealed(body), KEYS, SERIAL)
    except Otq1Error:
        return
    assert message.body == body
