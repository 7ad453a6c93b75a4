from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.otq1 import Damaged, Flags, Header, MessageType, NotEncodable, Otq1Error, Unsupported
from offline_qr.otq1.header import parse_header

HEADER = Header(MessageType.LOGIN, bytes(4), bytes(12), issued_at=1_767_225_600, ttl=180)


def patched(offset: int, *values: int) -> bytes:
    """A good header with other bytes at ``offset``."""
    packed = bytearray(HEADER.pack())
    packed[offset : offset + len(values)] = bytes(values)
    return bytes(packed)


def test_the_published_headers_in_both_directions(vector: dict[str, Any]) -> None:
    """Parsed and packed again."""
    packed = bytes.fromhex(vector["header"])
    header = parse_header(packed)
    assert header.pack() == packed
    assert (header.type, header.challenge_id.hex()) == (vector["type"], vector["challenge_id"])


def test_each_part_stands_at_its_offset() -> None:
    """The table of the protocol."""
    header = Header(MessageType.LOGIN, b"KEY!", b"challenge id", 0x01020304, 0x0203, suite=2, flags=Flags(14))
    assert header.pack() == bytes([1, 1, 2, 14]) + b"KEY!challenge id" + bytes([1, 2, 3, 4, 2, 3])


@pytest.mark.parametrize(
    ("offset", "value", "sentence"),
    [
        (0, 0, "unknown version: expected 1, found 0"),
        (0, 2, "unknown version: expected 1, found 2"),
        (1, 0, "unknown message type: expected 1 to 5, found 0"),
        (1, 6, "unknown message type: .* found 6"),
        (2, 0, "unknown suite: .* found 0"),
        (2, 7, "unknown suite: .* found 7"),
        (3, 16, "unknown flags: .* found 00010000"),
        (3, 128, "unknown flags: .* found 10000000"),
    ],
)
def test_what_is_not_known_is_unsupported_and_never_tried(offset: int, value: int, sentence: str) -> None:
    """A token of today does not guess at a message of tomorrow."""
    with pytest.raises(Unsupported, match=sentence):
        parse_header(patched(offset, value))


def test_another_version_is_unsupported_whatever_its_length() -> None:
    """The rest of the header belongs to the version."""
    with pytest.raises(Unsupported, match="found 2"):
        parse_header(b"\2")


def test_six_digits_sign_no_transaction() -> None:
    """Suite 2 is for logins only, on either side."""
    assert replace(HEADER, suite=2).ocra_suite.digits == 6
    with pytest.raises(Unsupported, match=r"type 2 \(transaction\) has a suite of \[1, 3, 4, 5, 6\], found 2"):
        parse_header(patched(1, 2, 2))
    with pytest.raises(Unsupported, match=r"type 2 \(transaction\)"):
        replace(HEADER, type=MessageType.TRANSACTION, suite=2)


ALLOWED = {1: ({1, 2, 3, 4, 5, 6}, 15), 2: ({1, 3, 4, 5, 6}, 15), 3: ({1, 6}, 1), 4: ({1, 6}, 1), 5: ({1}, 12)}


@pytest.mark.parametrize("kind", ALLOWED)
def test_each_type_has_its_suites_and_flags(kind: int) -> None:
    """The tables of the protocol, by trying all there are."""
    suites, flags = ALLOWED[kind]
    for suite in range(8):
        for flag in range(16):
            good = suite in suites and not flag & ~flags and not (suite == 4 and flag & 2)
            data = patched(1, kind, suite, flag)
            if good:
                assert parse_header(data).pack() == data
            else:
                with pytest.raises(Unsupported):
                    parse_header(data)


def test_the_pin_is_judged_once() -> None:
    """Either the token checks it or the server does: two counters would give more tries than either allows."""
    with pytest.raises(Unsupported, match="the server judges the PIN"):
        replace(HEADER, suite=4, flags=Flags.PIN_REQUIRED)


@pytest.mark.parametrize("ttl", [0, 29, 3601, 65535])
def test_a_life_too_short_or_too_long_is_refused(ttl: int) -> None:
    """30 seconds to an hour, by the sender and by the token."""
    with pytest.raises(NotEncodable, match=f"30 to 3600 seconds, found {ttl}"):
        replace(HEADER, ttl=ttl)
    with pytest.raises(Damaged, match=f"30 to 3600 seconds, found {ttl}"):
        parse_header(patched(24, *ttl.to_bytes(2)))


def test_the_shortest_and_the_longest_life_are_good() -> None:
    """The bounds belong to the range."""
    for ttl in (30, 3600):
        assert parse_header(patched(24, *ttl.to_bytes(2))).ttl == ttl


def test_a_header_with_impossible_parts_cannot_be_made() -> None:
    """The sender hears of it at once."""
    for changed in ({"key_id": b"abc"}, {"challenge_id": bytes(16)}, {"issued_at": -1}, {"issued_at": 2**32}):
        with pytest.raises(NotEncodable, match="found"):
            replace(HEADER, **changed)


def test_a_cut_header_is_damaged() -> None:
    """At every byte."""
    for end in range(26):
        with pytest.raises(Damaged, match=f"26 bytes, found {end}"):
            parse_header(HEADER.pack()[:end])


def test_a_challenge_expires_after_its_life_and_the_drift() -> None:
    """The last good second is good."""
    end = HEADER.issued_at + 180
    assert not HEADER.expired_at(end, drift=0)
    assert HEADER.expired_at(end + 0.001, drift=0)
    assert not HEADER.expired_at(end + 120, drift=120)
    assert HEADER.expired_at(end + 121, drift=120)


def test_a_challenge_from_the_future_is_one() -> None:
    """A token whose clock is behind by more than the drift can say so."""
    assert not HEADER.in_the_future_at(HEADER.issued_at - 120, drift=120)
    assert HEADER.in_the_future_at(HEADER.issued_at - 121, drift=120)


def test_time_goes_on_after_2038() -> None:
    """Seconds are unsigned: the last one is in 2106."""
    last = replace(HEADER, issued_at=2**32 - 1)
    assert parse_header(last.pack()) == last
    assert not last.expired_at(2**32, drift=0)


@given(st.binary(max_size=60) | st.binary(min_size=25, max_size=25).map(b"\1".__add__))
def test_any_bytes_are_a_header_or_refused(data: bytes) -> None:
    """And what is a header packs to the same bytes."""
    try:
        header = parse_header(data)
    except Otq1Error:
        return
    assert header.pack() == data[:26]
