import pytest

from offline_qr.reader import Reader


class BrokenError(ValueError):
    """As a protocol has its own."""


def test_values_come_off_the_front() -> None:
    """Bytes, numbers either way round, texts, what is left, and then nothing."""
    reader = Reader("thing", b"\1\2\3\2\3\4\3\xc3\xa4bcd\0ef", BrokenError)
    assert (reader.number(), reader.number(2), reader.number(2, "little"), reader.take(1)) == (1, 0x203, 0x302, b"\4")
    assert (reader.text_after_length(), reader.text_before_zero("name", 2), reader.rest()) == ("äb", "cd", b"ef")
    reader.end()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the thing is cut: expected 1 bytes more, found 0"),
        (b"\2a", "the thing is cut: expected 2 bytes more, found 1"),
        (b"\2\xc3(", "the text is not UTF-8"),
    ],
)
def test_a_text_that_is_cut_or_none_is_damaged(data: bytes, sentence: str) -> None:
    """As the error of the protocol that reads."""
    with pytest.raises(BrokenError, match=sentence):
        Reader("thing", data, BrokenError).text_after_length()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the name has up to 2 bytes and a zero byte after them, found none"),
        (b"abc\0", "the name has up to 2 bytes"),
        (b"\xff\0", "the name is not UTF-8"),
    ],
)
def test_a_text_without_its_zero_byte_is_damaged(data: bytes, sentence: str) -> None:
    """Or too long before it."""
    with pytest.raises(BrokenError, match=sentence):
        Reader("thing", data, BrokenError).text_before_zero("name", 2)


def test_what_is_left_over_is_damaged() -> None:
    """A message has one spelling."""
    with pytest.raises(BrokenError, match="the thing ends here: expected no bytes more, found 2"):
        Reader("thing", b"ab", BrokenError).end()
