import pytest

from offline_qr.otq1 import Damaged
from offline_qr.otq1.reader import Reader


def test_values_come_off_the_front() -> None:
    """Bytes, big-endian numbers, texts, and then nothing."""
    reader = Reader("thing", b"\1\2\3\4\3\xc3\xa4b")
    assert (reader.number(), reader.number(2), reader.take(1), reader.text()) == (1, 0x0203, b"\4", "äb")
    reader.end()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "the thing is cut: expected 1 bytes more, found 0"),
        (b"\2a", "the thing is cut: expected 2 bytes more, found 1"),
        (b"\2\xc3(", "not UTF-8"),
        (b"\1ab", "the thing ends here: expected no bytes more, found 1"),
    ],
)
def test_what_is_cut_or_left_over_is_damaged(data: bytes, sentence: str) -> None:
    """The sentence names the thing."""
    reader = Reader("thing", data)
    with pytest.raises(Damaged, match=sentence):  # noqa: PT012 - either of the two steps may be the one that refuses
        reader.text()
        reader.end()
