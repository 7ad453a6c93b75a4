import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.fido_authenticator.apdu import Apdu, ApduError, StatusWord, parse

HEADER = b"\x00\x01\x02\x03"


@pytest.mark.parametrize(
    ("body", "data", "expected", "extended"),
    [
        (b"", b"", 0, False),
        (b"\x05", b"", 5, False),
        (b"\x00", b"", 256, False),
        (b"\x02ab", b"ab", 0, False),
        (b"\x02ab\x07", b"ab", 7, False),
        (b"\x02ab\x00", b"ab", 256, False),
        (b"\x00\x01\x02", b"", 0x0102, True),
        (b"\x00\x00\x00", b"", 65536, True),
        (b"\x00\x00\x02ab", b"ab", 0, True),
        (b"\x00\x00\x02ab\x01\x00", b"ab", 256, True),
        (b"\x00\x00\x02ab\x00\x00", b"ab", 65536, True),
        (b"\x00\x00\x00\x00\x00", b"", 65536, True),
    ],
)
def test_the_seven_cases_are_read(body: bytes, data: bytes, expected: int, *, extended: bool) -> None:
    """ISO 7816-3 §12.1.3: with and without data and expected length, short and extended; and U2F's empty extended one."""
    assert parse(HEADER + body) == Apdu(0, 1, 2, 3, data, expected, extended)


@pytest.mark.parametrize(
    "command",
    [b"", b"\0\1\2", HEADER + b"\x02a", HEADER + b"\x02abcd", HEADER + b"\x00\x01", HEADER + b"\x00\x00\x02abc"],
)
def test_lengths_that_do_not_agree_are_refused(command: bytes) -> None:
    """Too short, too long, or half a length."""
    with pytest.raises(ApduError) as refused:
        parse(command)
    assert refused.value.status_word is StatusWord.WRONG_LENGTH


@given(st.binary(max_size=300))
def test_anything_is_read_or_refused(command: bytes) -> None:
    """Nothing else is raised, and data is never longer than the command."""
    try:
        apdu = parse(command)
    except ApduError:
        return
    assert apdu.data in command
    assert 0 <= apdu.expected <= 65536
