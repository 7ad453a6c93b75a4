import json
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.powerauth import (
    CodeKeys,
    PowerAuthError,
    compute_code,
    group_code,
    next_counter,
    normalise_code,
    verify_code,
)

VECTORS = json.loads((Path(__file__).parents[2] / "data/powerauth_offline.json").read_text(encoding="utf-8"))["vectors"]
KEYS = CodeKeys(b"possession key 1", b"knowledge key 22")
COUNTER = bytes(range(16))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["signature"] for vector in VECTORS])
def test_the_published_codes(vector: dict[str, str]) -> None:
    """PowerAuth's own, with one factor and with two."""
    two = "-" in vector["signature"]
    keys = CodeKeys(b64decode(vector["possession_key"]), b64decode(vector["knowledge_key"]) if two else None)
    assert compute_code(b64decode(vector["data"]), keys, b64decode(vector["counter"])) == vector["signature"]


def test_the_server_finds_a_counter_up_to_twenty_ahead() -> None:
    """And moves on; one behind is a replay."""
    counters = [COUNTER]
    for _ in range(21):
        counters.append(next_counter(counters[-1]))
    for ahead in (0, 1, 19):
        typed = group_code(compute_code(b"data", KEYS, counters[ahead]))
        assert verify_code(typed, b"data", KEYS, COUNTER) == counters[ahead + 1]
    late = compute_code(b"data", KEYS, counters[20])
    assert verify_code(late, b"data", KEYS, COUNTER) is None
    assert verify_code(compute_code(b"data", KEYS, COUNTER), b"data", KEYS, counters[1]) is None


def test_both_factors_must_be_right() -> None:
    """A wrong PIN gives another knowledge key, and the second number is wrong."""
    right = compute_code(b"data", KEYS, COUNTER)
    wrong = compute_code(b"data", CodeKeys(KEYS.possession, b"another key 2222"), COUNTER)
    assert right.split("-")[0] == wrong.split("-")[0]
    assert verify_code(wrong, b"data", KEYS, COUNTER) is None
    assert verify_code(right, b"datb", KEYS, COUNTER) is None
    assert verify_code(right.split("-")[0], b"data", KEYS, COUNTER) is None


def test_a_code_is_shown_in_groups_and_typed_as_one_likes() -> None:
    """Sixteen digits as four times four."""
    assert group_code("12345678-90123456") == "1234-5678-9012-3456"
    assert group_code("1234567-8901234") == "1234567-8901234"
    for typed in ("1234-5678-9012-3456", "12345678-90123456", "1234567890123456", "1234 5678 9012 3456"):
        assert normalise_code(typed, 2) == "12345678-90123456"
    for typed in ("", "123", "1234567890123456x", "1" * 18, "1" * 15, "\u0661" * 16):
        assert normalise_code(typed, 2) == ""


@pytest.mark.parametrize("digits", [4, 5, 6, 7, 8])
def test_shorter_numbers_are_the_ends_of_longer_ones(digits: int) -> None:
    """Modulo a power of ten."""
    longest = compute_code(b"data", KEYS, COUNTER).split("-")
    assert compute_code(b"data", KEYS, COUNTER, digits).split("-") == [number[-digits:] for number in longest]


def test_wrong_lengths_are_named_and_keys_not_printed() -> None:
    """The sentences hold numbers only."""
    with pytest.raises(PowerAuthError, match="counter has 16 bytes, found 8"):
        compute_code(b"", KEYS, bytes(8))
    with pytest.raises(PowerAuthError, match="4 to 8 digits, found 9"):
        compute_code(b"", KEYS, COUNTER, 9)
    with pytest.raises(PowerAuthError, match="key has 16 bytes, found 3"):
        CodeKeys(KEYS.possession, b"abc")
    assert repr(KEYS) == "CodeKeys()"


@given(st.text(max_size=24))
def test_a_text_that_is_no_code_is_wrong(typed: str) -> None:
    """Whatever was typed."""
    if normalise_code(typed, 2) != compute_code(b"data", KEYS, COUNTER):
        assert verify_code(typed, b"data", KEYS, COUNTER, look_ahead=1) is None
