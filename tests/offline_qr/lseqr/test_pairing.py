import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.lseqr import (
    Damaged,
    LseqrError,
    NotEncodable,
    NotOurs,
    PairingResponse,
    PairingUrl,
    Unsupported,
    open_response,
    parse_pairing_url,
    seal_response,
    wire,
)

VECTORS = json.loads((Path(__file__).parents[2] / "data/lseqr_vectors.json").read_text(encoding="utf-8"))["vectors"]
RESPONSE: dict[str, Any] = next(vector for vector in VECTORS if vector["kind"] == "pairing_response")
SERVER_KEY = bytes.fromhex(RESPONSE["server_priv"])
SERVER_PUBLIC_KEY = wire.public_key(SERVER_KEY)
URL = PairingUrl(7, SERVER_PUBLIC_KEY, "QR0001", "https://example.org/cb", "+41790000000", 8, 1)
SHORT = PairingUrl(0, SERVER_PUBLIC_KEY, "QR0001")


def raw(text: str) -> bytes:
    """The bytes of a URL."""
    return wire.decode(text.rpartition("/")[2])


def as_url(data: bytes) -> str:
    """A pairing URL of any bytes."""
    return "lseqr://pair/" + wire.encode(data)


def test_the_published_response_in_both_directions() -> None:
    """Character by character."""
    response = open_response(RESPONSE["b64url"], SERVER_KEY)
    assert response.pack().hex() == RESPONSE["plaintext"]
    assert (response.partition, response.user_token_id) == (RESPONSE["partition"], 42)
    assert (response.serial, response.login) == ("QR0001", "alice")
    assert seal_response(response, SERVER_PUBLIC_KEY, bytes.fromhex(RESPONSE["eph_priv"])) == RESPONSE["b64url"]


def test_every_flipped_bit_of_the_response_is_refused() -> None:
    """Version, partition, key, seal or tag; bit 255 of an X25519 key is ignored by its definition."""
    data = wire.decode(RESPONSE["b64url"])
    for bit in set(range(len(data) * 8)) - {8 * (len(data) - 5 - 31) - 1}:
        flipped = (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))
        with pytest.raises(LseqrError):
            open_response(wire.encode(flipped), SERVER_KEY)


def test_a_pairing_code_in_both_directions() -> None:
    """With everything and with the least; the bytes of the least are those of the page."""
    for url in (URL, SHORT):
        assert parse_pairing_url(url.text) == url
        assert parse_pairing_url(url.text.encode()) == url
    assert raw(SHORT.text) == bytes([2, 2, 3, 0, 0, 0, 0, 0, 0, 0]) + SERVER_PUBLIC_KEY + b"QR0001\0"
    assert raw(URL.text)[2] == 0b111111


@pytest.mark.parametrize("text", ["", "lseqr://chal/AA", "LSEQR://pair/AA", "https://example.org/", b"\xff"])
def test_another_code_is_not_ours(text: str | bytes) -> None:
    """Also an lseqr challenge."""
    with pytest.raises(NotOurs):
        parse_pairing_url(text)


@pytest.mark.parametrize(
    ("data", "error", "sentence"),
    [
        (b"", Damaged, "cut: expected 1 bytes"),
        (b"\3" + raw(SHORT.text)[1:], Unsupported, "unknown version: expected 2, found 3"),
        (b"\2\1" + raw(SHORT.text)[2:], Unsupported, "unknown token type: expected 2, found 1"),
        (b"\2\2\x43" + raw(SHORT.text)[3:], Unsupported, "unknown flags: .* found 1000011"),
        (b"\2\2\1" + raw(SHORT.text)[3:], Unsupported, "unknown flags: .* found 1"),
        (raw(SHORT.text)[:-1], Damaged, "the serial has up to 63 bytes and a zero byte"),
        (raw(SHORT.text) + b"\0", Damaged, "expected no bytes more, found 1"),
        (raw(URL.text)[:-2] + b"\5\1", Damaged, "number of digits is 6 to 12, found 5"),
        (raw(SHORT.text)[:-2] + b"\xff\0", Damaged, "serial is not UTF-8"),
    ],
)
def test_a_bad_pairing_code_is_refused(data: bytes, error: type[LseqrError], sentence: str) -> None:
    """With the part that is wrong."""
    with pytest.raises(error, match=sentence):
        parse_pairing_url(as_url(data))


@pytest.mark.parametrize("change", [lambda t: t + "=", lambda t: t + "AAA", lambda t: t[:-1] + "B", lambda t: t + "\n"])
def test_base64url_has_one_spelling(change: Any) -> None:
    """No padding, no spare bits, no line end."""
    with pytest.raises(Damaged, match="base64url"):
        parse_pairing_url(change(SHORT.text))
    with pytest.raises(Damaged, match="longer than any QR code"):
        parse_pairing_url("lseqr://pair/" + "A" * 8000)


def test_a_public_key_that_gives_everyone_one_secret_is_refused() -> None:
    """The point of low order."""
    response = PairingResponse(0, 1, bytes(32), "S", "L")
    with pytest.raises(Damaged, match="no good one"):
        seal_response(response, bytes(32), b"e" * 32)


def test_impossible_values_cannot_be_made() -> None:
    """The sender hears of it."""
    for values in (
        (-1, SERVER_PUBLIC_KEY, "S"),
        (2**32, SERVER_PUBLIC_KEY, "S"),
        (0, b"short", "S"),
        (0, SERVER_PUBLIC_KEY, "S" * 64),
        (0, SERVER_PUBLIC_KEY, "a\0b"),
        (0, SERVER_PUBLIC_KEY, "\ud800"),
    ):
        with pytest.raises(NotEncodable):
            PairingUrl(*values)
    with pytest.raises(NotEncodable, match="6 to 12, found 13"):
        PairingUrl(0, SERVER_PUBLIC_KEY, "S", digits=13)
    for response in (
        (0, 2**32, SERVER_PUBLIC_KEY, "S", "L"),
        (0, 0, b"", "S", "L"),
        (-1, 0, SERVER_PUBLIC_KEY, "", ""),
    ):
        with pytest.raises(NotEncodable):
            PairingResponse(*response)


@given(st.binary(max_size=90), st.sampled_from([b"", b"\2\2", raw(SHORT.text)[:42], raw(URL.text)[:42]]))
def test_any_bytes_are_a_pairing_code_or_refused(data: bytes, start: bytes) -> None:
    """What is one has one spelling."""
    try:
        url = parse_pairing_url(as_url(start + data))
    except LseqrError:
        return
    assert raw(url.text) == start + data


@given(st.binary(max_size=120))
def test_no_bytes_pass_for_a_response(data: bytes) -> None:
    """Behind a good version."""
    with pytest.raises(LseqrError):
        open_response(base64.urlsafe_b64encode(b"\1" + data).decode().rstrip("="), SERVER_KEY)
