import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr import eax
from offline_qr.lseqr import (
    Challenge,
    ContentType,
    Damaged,
    Exchange,
    LseqrError,
    NotEncodable,
    NotForThisToken,
    NotOurs,
    Unsupported,
    issue,
    read,
    wire,
)

VECTORS = [
    vector
    for vector in json.loads((Path(__file__).parents[2] / "data/lseqr_vectors.json").read_text(encoding="utf-8"))[
        "vectors"
    ]
    if vector["kind"] == "challenge"
]
USER_KEY, SERVER_KEY, EPHEMERAL_KEY = b"u" * 32, b"s" * 32, b"e" * 32
USER_PUBLIC_KEY, SERVER_PUBLIC_KEY = wire.public_key(USER_KEY), wire.public_key(SERVER_KEY)
PAIR = Challenge(ContentType.PAIR, 1, "QR0001", signed=True)
FULL = Challenge(
    ContentType.FREE, 2**64 - 1, "Pay CHF 1250.00 to Zoë " * 9, "https://example.org/cb", "+41790000000", True, True, True
)  # fmt: skip


def send(challenge: Challenge) -> tuple[str, Exchange]:
    """From the server of these tests."""
    return issue(
        challenge,
        user_token_id=42,
        user_public_key=USER_PUBLIC_KEY,
        server_key=SERVER_KEY,
        ephemeral_key=EPHEMERAL_KEY,
    )


def receive(text: str | bytes) -> Exchange:
    """On the token of these tests."""
    return read(text, user_token_id=42, user_key=USER_KEY, server_public_key=SERVER_PUBLIC_KEY)


def forge(plain: bytes) -> str:
    """A challenge that anyone with the user's public key can seal."""
    keys = wire.MessageKeys(wire.agree(EPHEMERAL_KEY, USER_PUBLIC_KEY))
    head = b"\1\x2a\0\0\0"
    sealed = eax.seal(keys.seal_key, keys.challenge_nonce, plain, head)
    return "lseqr://chal/" + wire.encode(head + wire.public_key(EPHEMERAL_KEY) + sealed)


@pytest.mark.parametrize("vector", VECTORS, ids=[str(vector["transaction_id"]) for vector in VECTORS])
def test_the_published_challenges_in_both_directions(vector: dict[str, Any]) -> None:
    """Text, signature and TAN."""
    user_key, server_key = bytes.fromhex(vector["user_priv"]), bytes.fromhex(vector["server_priv"])
    exchange = read(vector["url"], user_token_id=42, user_key=user_key, server_public_key=wire.public_key(server_key))
    challenge = exchange.challenge
    assert (challenge.content_type, challenge.transaction_id) == (vector["content_type"], vector["transaction_id"])
    assert challenge.message == vector["message"]
    assert exchange.signed == bool(vector["flags"] & 8)
    assert exchange.signature_text == vector["user_sig_b64url"]
    assert (exchange.tan(6), exchange.tan()) == (vector["tan6"], vector["tan8"])
    text, kept = issue(
        challenge,
        user_token_id=42,
        user_public_key=wire.public_key(user_key),
        server_key=server_key,
        ephemeral_key=bytes.fromhex(vector["eph_priv"]),
    )
    assert (text, kept) == (vector["url"], exchange)


@pytest.mark.parametrize(
    "challenge", [PAIR, FULL, replace(FULL, compressed=False), replace(PAIR, content_type=ContentType.FREE)]
)
def test_what_is_issued_is_read(challenge: Challenge) -> None:
    """Both sides have the same answer; compression makes no difference to it but by its flag."""
    text, kept = send(challenge)
    assert receive(text) == kept
    assert receive(text.encode()) == kept
    assert kept.challenge == challenge


@pytest.mark.parametrize("challenge", [PAIR, FULL], ids=["pair", "full"])
def test_every_flipped_bit_is_refused(challenge: Challenge) -> None:
    """Bit 255 of an X25519 key is ignored by its definition, and changes nothing."""
    text, kept = send(challenge)
    data = wire.decode(text.removeprefix("lseqr://chal/"))
    ignored = 8 * (len(data) - 5 - 31) - 1
    for bit in range(len(data) * 8):
        flipped = "lseqr://chal/" + wire.encode((int.from_bytes(data) ^ 1 << bit).to_bytes(len(data)))
        if bit == ignored:
            assert receive(flipped) == kept
        else:
            with pytest.raises(LseqrError):
                receive(flipped)


def test_an_ordinary_challenge_proves_nothing_and_says_so() -> None:
    """The weakness of the protocol: the user's public key is all that a forger needs."""
    forged = receive(forge(bytes([0, 0]) + bytes(8) + b"Pay Mallory\0"))
    assert forged.challenge.message == "Pay Mallory"
    assert not forged.signed
    assert receive(send(PAIR)[0]).signed


def test_a_forged_signature_is_found_out() -> None:
    """Nor can the parts that must be signed be sent without one."""
    with pytest.raises(Damaged, match="not by the server"):
        receive(forge(bytes([1, 8]) + bytes(8) + bytes(32) + b"QR0001\0"))
    for start in (bytes([1, 0]), bytes([0, 18])):
        with pytest.raises(Damaged, match="expected a signature"):
            receive(forge(start + bytes(8) + b"QR0001\0https://evil.example/\0"[: 7 if start[0] else None]))
    with pytest.raises(NotEncodable, match="expected a signature"):
        replace(PAIR, signed=False)
    other = issue(
        PAIR, user_token_id=42, user_public_key=USER_PUBLIC_KEY, server_key=b"x" * 32, ephemeral_key=EPHEMERAL_KEY
    )
    with pytest.raises(Damaged, match="not by the server"):
        receive(other[0])


@pytest.mark.parametrize(
    ("plain", "error", "sentence"),
    [
        (b"", Damaged, "cut: expected 10 bytes"),
        (b"\3\0" + bytes(9), Unsupported, "unknown content type: expected 0 to 2, found 3"),
        (b"\0\x20" + bytes(9), Unsupported, "unknown flags"),
        (b"\0\x08" + bytes(9), Damaged, "cut: expected 32 bytes"),
        (b"\0\0" + bytes(8) + b"abc", Damaged, "message has up to 511 bytes and a zero byte"),
        (b"\0\0" + bytes(8) + b"a" * 512 + b"\0", Damaged, "up to 511 bytes"),
        (b"\0\0" + bytes(8) + b"abc\0d", Damaged, "expected no bytes more, found 1"),
        (b"\0\2" + bytes(8) + b"abc\0", Damaged, "URL has up to 511 bytes"),
        (b"\0\4" + bytes(8) + b"abc\0" + b"1" * 32 + b"\0", Damaged, "SMS number has up to 31 bytes"),
        (b"\0\0" + bytes(8) + b"\xff\0", Damaged, "message is not UTF-8"),
        (b"\0\1" + bytes(8) + b"abc\0", Damaged, "compressed texts cannot be read"),
        (b"\0\1" + bytes(8) + zlib.compress(b"abc\0")[:-1], Damaged, "are cut"),
        (b"\0\1" + bytes(8) + zlib.compress(b"abc\0") + b"x", Damaged, "are cut"),
        (b"\0\1" + bytes(8) + zlib.compress(bytes(10**6)), Damaged, "more than 1056 bytes"),
    ],
)
def test_a_seal_excuses_no_bad_content(plain: bytes, error: type[LseqrError], sentence: str) -> None:
    """Since anyone can make one."""
    with pytest.raises(error, match=sentence):
        receive(forge(plain))


def test_another_code_pairing_or_version_is_named() -> None:
    """Each by its own error."""
    text, _ = send(PAIR)
    with pytest.raises(NotOurs):
        receive("lseqr://pair/AAAA")
    with pytest.raises(NotForThisToken):
        read(text, user_token_id=43, user_key=USER_KEY, server_public_key=SERVER_PUBLIC_KEY)
    with pytest.raises(Damaged, match="seal is broken"):
        read(text, user_token_id=42, user_key=b"x" * 32, server_public_key=SERVER_PUBLIC_KEY)
    with pytest.raises(Unsupported, match="found 2"):
        receive("lseqr://chal/Ag")
    with pytest.raises(Damaged, match="base64url"):
        receive(text + "=")


def test_impossible_challenges_cannot_be_made() -> None:
    """The sender hears of it."""
    for changed in (
        {"message": "x" * 64},
        {"message": "a\0b"},
        {"transaction_id": -1},
        {"transaction_id": 2**64},
        {"url": "x" * 512},
        {"sms": "1" * 32},
    ):
        with pytest.raises(NotEncodable):
            replace(PAIR, **changed)
    with pytest.raises(Unsupported, match="found 3"):
        replace(PAIR, content_type=3)  # type: ignore[arg-type] # as a number off the wire
    with pytest.raises(NotEncodable, match="token id"):
        issue(PAIR, user_token_id=-1, user_public_key=USER_PUBLIC_KEY, server_key=SERVER_KEY, ephemeral_key=b"e" * 32)


def test_the_answer_is_not_printed() -> None:
    """A log of the server holds no TAN."""
    _, kept = send(PAIR)
    assert "signature" not in repr(kept)


@given(st.text(max_size=60), st.booleans(), st.none() | st.text(max_size=20))
def test_any_message_arrives(message: str, compressed: bool, url: str | None) -> None:  # noqa: FBT001 - Hypothesis gives it
    """Or cannot be made."""
    try:
        challenge = Challenge(ContentType.FREE, 1, message, url, compressed=compressed)
    except NotEncodable:
        return
    text, kept = send(challenge)
    assert receive(text) == kept


@given(st.binary(max_size=120))
def test_any_sealed_bytes_are_a_challenge_or_refused(plain: bytes) -> None:
    """Nothing else comes out."""
    try:
        exchange = receive(forge(plain))
    except LseqrError:
        return
    assert exchange.challenge.pack_head() == plain[:10]
