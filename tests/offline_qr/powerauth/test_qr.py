import base64
from dataclasses import replace
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_qr.powerauth import (
    BadSignature,
    Damaged,
    KeyType,
    NotOurs,
    Operation,
    PowerAuthError,
    encode,
    parse,
    parse_operation_data,
)

SERVER_KEY = ec.derive_private_key(0x1234567890, ec.SECP256R1())
OTHER_KEY = ec.derive_private_key(0x987654321, ec.SECP256R1())
SERVER_KEYS = {KeyType.PERSONAL: SERVER_KEY.public_key()}
OPERATION = Operation(
    "5ff1b1ed-a3cc-45a3-8ab0-ed60950312b6",
    "Payment",
    "Please confirm this payment\nto Müller \\ Söhne",
    parse_operation_data("A1*A100CZK*ICZ2730300000001165254011*D20180425"),
    base64.b64decode("AD8bOO0Df73kNaIGb3Vmpg=="),
    KeyType.PERSONAL,
    "BF",
)


@cache
def text() -> str:
    """What the server draws."""
    return encode(OPERATION, SERVER_KEY)


def signed(lines: list[str]) -> str:
    """Any lines, signed by the server."""
    message = "\n".join(lines)
    return message + base64.b64encode(SERVER_KEY.sign(message.encode(), ec.ECDSA(SHA256()))).decode()


def test_an_operation_in_both_directions() -> None:
    """In the lines that the format has."""
    assert text().split("\n")[:6] == [
        "5ff1b1ed-a3cc-45a3-8ab0-ed60950312b6",
        "Payment",
        "Please confirm this payment\\nto Müller \\\\ Söhne",
        "A1*A100CZK*ICZ2730300000001165254011*D20180425",
        "BF",
        "AD8bOO0Df73kNaIGb3Vmpg==",
    ]
    assert text().split("\n")[6][0] == "1"
    assert parse(text(), SERVER_KEYS) == parse(text().encode(), SERVER_KEYS) == OPERATION
    assert OPERATION.fraud_warning
    assert not replace(OPERATION, flags="B").fraud_warning


def test_the_code_covers_id_data_and_nonce() -> None:
    """As an HTTP request that was never sent (PowerAuth's normalised data)."""
    assert OPERATION.signed_data == b"&".join(
        (
            b"POST",
            base64.b64encode(b"/operation/authorize/offline"),
            b"AD8bOO0Df73kNaIGb3Vmpg==",
            base64.b64encode(b"5ff1b1ed-a3cc-45a3-8ab0-ed60950312b6&" + OPERATION.data.text.encode()),
            b"offline",
        )
    )


def test_what_another_server_signed_is_refused() -> None:
    """Whatever key it names."""
    with pytest.raises(BadSignature, match="not by the server"):
        parse(encode(OPERATION, OTHER_KEY), SERVER_KEYS)
    with pytest.raises(BadSignature, match="does not have"):
        parse(encode(replace(OPERATION, key_type=KeyType.MASTER), SERVER_KEY), SERVER_KEYS)
    both = SERVER_KEYS | {KeyType.MASTER: OTHER_KEY.public_key()}
    with pytest.raises(BadSignature, match="not by the server"):
        parse(text().replace("\n1", "\n0"), both)


def test_no_flipped_bit_says_anything_else() -> None:
    """Refused, or a spare bit at the end of the base64 that changes nothing."""
    data = text().encode()
    for bit in range(len(data) * 8):
        flipped = (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))
        try:
            operation = parse(flipped, SERVER_KEYS)
        except PowerAuthError:
            continue
        assert operation == OPERATION
        assert bit < 32


def test_lines_of_a_later_version_are_signed_and_left_aside() -> None:
    """They stand before the nonce."""
    lines = text().split("\n")
    later = [*lines[:5], "NEW", lines[5], "1"]
    assert parse(signed(later), SERVER_KEYS) == OPERATION
    with pytest.raises(BadSignature):
        parse("\n".join([*lines[:5], "NEW", *lines[5:]]), SERVER_KEYS)


@pytest.mark.parametrize(
    "other", ["", "https://example.org/", "a\nb", "\n" * 7, b"\xff" * 9, "OTQ1:ABC", "x" * 3000, "\ud800"]
)
def test_another_code_is_not_ours(other: str | bytes) -> None:
    """Also texts of several lines, such as a contact."""
    with pytest.raises(NotOurs):
        parse(other, SERVER_KEYS)


@pytest.mark.parametrize(
    ("line", "content", "sentence"),
    [
        (1, "a\\tb", "backslash"),
        (1, "a\u202eb", "title has no hidden characters"),
        (2, "a\tb", "message has no hidden characters"),
        (3, "B1", "version A"),
        (4, "b", "flags"),
        (5, "AAAA", "nonce has 16 bytes, found 3"),
        (5, "?", "nonce is no base64"),
    ],
)
def test_a_signature_excuses_no_bad_line(line: int, content: str, sentence: str) -> None:
    """A token does not trust its server to know the rules."""
    lines = text().split("\n")
    lines[line], lines[6] = content, "1"
    with pytest.raises(Damaged, match=sentence):
        parse(signed(lines), SERVER_KEYS)


def test_an_unknown_key_type_or_no_signature_is_damaged() -> None:
    """The sentence names it."""
    lines = text().split("\n")
    for last, sentence in (("2abc", "found '2'"), ("", "found ''"), ("1?", "signature is no base64")):
        with pytest.raises(Damaged, match=sentence):
            parse("\n".join([*lines[:6], last]), SERVER_KEYS)
    with pytest.raises(BadSignature):
        parse("\n".join([*lines[:6], "1"]), SERVER_KEYS)


def test_impossible_operations_cannot_be_made() -> None:
    """The sender hears of it."""
    for changed in ({"id": "a b"}, {"id": ""}, {"flags": "bf"}, {"title": "a\u200bb"}, {"nonce": b"short"}):
        with pytest.raises(Damaged):
            replace(OPERATION, **changed)


@settings(max_examples=50)
@given(st.text(max_size=80), st.sampled_from(["", "a\nb\nc\nA2\n\nAAAAAAAAAAAAAAAAAAAAAA==\n1"]))
def test_no_text_passes_without_a_signature(tail: str, start: str) -> None:
    """Whatever follows a good beginning."""
    with pytest.raises(PowerAuthError):
        parse(start + tail, SERVER_KEYS)
