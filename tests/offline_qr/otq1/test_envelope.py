from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from offline_qr import base45_strict
from offline_qr.otq1 import (
    BadSignature,
    Challenge,
    Damaged,
    Field,
    Flags,
    Header,
    MessageType,
    NotEncodable,
    NotOurs,
    Otq1Error,
    Tag,
    Unsupported,
    decode,
    derive_keys,
    encode,
    key_id,
    read_header,
)

SERIAL = "QT1-00000042"
KEYS = derive_keys(SERIAL, bytes(range(32)))
SIGNING_KEY = bytes(range(32, 64))
VERIFY_KEY = Ed25519PrivateKey.from_private_bytes(SIGNING_KEY).public_key().public_bytes_raw()
HEADER = Header(MessageType.LOGIN, key_id(SERIAL), bytes(12), 1_767_225_600, 180, flags=Flags.SIGNED)
CHALLENGE = Challenge(HEADER, (Field(Tag.SERVICE, "e-Banking"),))
UNSIGNED = replace(CHALLENGE, header=replace(HEADER, flags=Flags.NONE))
TEXT = encode(CHALLENGE, KEYS, SIGNING_KEY)
MESSAGE = base45_strict.decode(TEXT.removeprefix("OTQ1:").encode())


def as_text(message: bytes) -> bytes:
    """``message`` as its QR code would carry it."""
    return b"OTQ1:" + base45_strict.encode(message).encode()


def test_a_signed_challenge_is_read_with_the_servers_key() -> None:
    """And the signature is Ed25519 over a name, a zero byte, header and sealed body: 64 bytes at the end."""
    assert decode(TEXT, KEYS, SERIAL, verify_key=VERIFY_KEY) == CHALLENGE
    Ed25519PublicKey.from_public_bytes(VERIFY_KEY).verify(MESSAGE[-64:], b"OTQ1 signature\0" + MESSAGE[:-64])
    assert len(MESSAGE) == 26 + len(CHALLENGE.body) + 16 + 64


def test_every_flipped_bit_of_a_signed_message_is_refused() -> None:
    """Header, body, tag or signature."""
    for bit in range(len(MESSAGE) * 8):
        flipped = (int.from_bytes(MESSAGE) ^ 1 << bit).to_bytes(len(MESSAGE))
        with pytest.raises(Otq1Error):
            decode(as_text(flipped), KEYS, SERIAL, verify_key=VERIFY_KEY)


def test_every_cut_signed_message_is_refused() -> None:
    """At whatever byte it ends; a byte more is no better."""
    for message in [MESSAGE[:end] for end in range(len(MESSAGE))] + [MESSAGE + b"\0"]:
        with pytest.raises(Damaged):
            decode(as_text(message), KEYS, SERIAL, verify_key=VERIFY_KEY)


def test_whoever_has_only_the_seed_makes_nothing_that_a_token_with_the_servers_key_shows() -> None:
    """Neither with another key, nor without a signature, nor with one moved over from another message."""
    other = replace(CHALLENGE, header=replace(HEADER, challenge_id=b"another id!!"))
    moved = base45_strict.decode(encode(other, KEYS, bytes(32)).removeprefix("OTQ1:").encode())[:-64] + MESSAGE[-64:]
    for text in (encode(CHALLENGE, KEYS, bytes(32)), as_text(moved)):
        with pytest.raises(BadSignature, match="not by the server"):
            decode(text, KEYS, SERIAL, verify_key=VERIFY_KEY)
    with pytest.raises(BadSignature, match="without a signature"):
        decode(encode(UNSIGNED, KEYS), KEYS, SERIAL, verify_key=VERIFY_KEY)


def test_a_token_without_the_servers_key_does_not_ignore_a_signature() -> None:
    """It says that it cannot do what is asked."""
    with pytest.raises(Unsupported, match="no key to check a signature with"):
        decode(TEXT, KEYS, SERIAL)


def test_flag_and_signing_key_go_together() -> None:
    """The sender hears of it."""
    for challenge, key in ((CHALLENGE, None), (UNSIGNED, SIGNING_KEY)):
        with pytest.raises(NotEncodable, match="flag bit 0"):
            encode(challenge, KEYS, key)


def test_the_largest_signed_message_fits() -> None:
    """A body of 260 bytes."""
    fields = (Field(Tag.REFERENCE, "a" * 120), Field(Tag.FROM_ACCOUNT, "b" * 120), Field(Tag.USER, "c" * 13))
    largest = replace(CHALLENGE, fields=fields)
    assert len(largest.body) == 260
    assert decode(encode(largest, KEYS, SIGNING_KEY), KEYS, SERIAL, verify_key=VERIFY_KEY) == largest


def test_the_header_tells_the_type_and_proves_nothing() -> None:
    """A token picks the decoder by it."""
    assert read_header(TEXT) == HEADER
    assert read_header(as_text(HEADER.pack())) == HEADER
    with pytest.raises(NotOurs):
        read_header("https://example.org/")
    with pytest.raises(Damaged, match="not base45"):
        read_header("OTQ1:a")


@given(st.binary(max_size=300))
def test_no_bytes_pass_for_a_signed_message(data: bytes) -> None:
    """Behind a good header, with the token that could be fooled."""
    with pytest.raises(Otq1Error):
        decode(as_text(HEADER.pack() + data), KEYS, SERIAL, verify_key=VERIFY_KEY)
