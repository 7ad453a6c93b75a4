import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.otq1.seeds import Seed, SeedFileError, read_csv, read_pskc, write_csv, write_pskc
from offline_qr.pskc import PskcKey, WrongPskcKeyError, write

SEEDS = [Seed("QT1-00000042", bytes(range(32))), Seed('QT1-"43",', bytes(32))]
LINE = "QT1-1," + "00" * 32


def test_a_file_of_seeds_in_both_directions() -> None:
    """CSV, PSKC in plain text, PSKC encrypted."""
    assert read_csv(write_csv(SEEDS)) == SEEDS
    assert read_pskc(write_pskc(SEEDS)) == SEEDS
    file = write_pskc(SEEDS, key=bytes(16), draw=lambda size: b"r" * size)
    assert read_pskc(file, key=bytes(16)) == SEEDS
    with pytest.raises(WrongPskcKeyError):
        read_pskc(file, key=b"k" * 16)


def test_a_csv_as_a_spreadsheet_writes_it() -> None:
    """With a byte order mark, upper-case hex and any line end."""
    for end in ("\n", "\r\n"):
        text = "\ufeffserial,seed" + end + "QT1-1," + "AB" * 32 + end
        assert read_csv(text.encode()) == [Seed("QT1-1", b"\xab" * 32)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: expected the columns serial,seed"),
        ("seed,serial\n", "line 1"),
        ("serial,seed\nQT1-1\n", "line 2: expected 2 columns, found 1"),
        (f"serial,seed\n{LINE}\n\n", "line 3: expected 2 columns, found 0"),
        (f"serial,seed\n{LINE},x\n", "line 2: expected 2 columns, found 3"),
        (f"serial,seed\n{LINE}0\n", "64 hex digits, found 65 characters"),
        ("serial,seed\nQT1-1," + "x" * 64 + "\n", "64 hex digits, found 64 characters"),
        ("serial,seed\nQT1 1," + "00" * 32 + "\n", "visible ASCII"),
        (f"serial,seed\n{LINE}\n{LINE}\n", "QT1-1 stands twice"),
        ('serial,seed\n"QT1-1\n', "no CSV"),
        ("serial,seed\n" + "x" * 200_000 + ",\n", "no CSV"),
    ],
)
def test_a_bad_csv_is_refused_by_line(text: str, sentence: str) -> None:
    """And no seed is quoted."""
    with pytest.raises(SeedFileError, match=sentence) as refused:
        read_csv(text.encode())
    assert "0000" not in str(refused.value)


def test_bytes_that_are_no_text_are_no_csv() -> None:
    """Nor is anything of 17 MB."""
    with pytest.raises(SeedFileError, match="no CSV in UTF-8"):
        read_csv(b"serial,seed\n\xff")
    with pytest.raises(SeedFileError, match="too long"):
        read_csv(bytes(16 * 2**20 + 1))


def test_a_pskc_of_other_tokens_is_refused() -> None:
    """A HOTP secret is no seed."""
    hotp = PskcKey("1", bytes(32), "urn:ietf:params:xml:ns:keyprov:pskc:hotp", serial="QT1-1")
    with pytest.raises(SeedFileError, match="no OTQ1 seed"):
        read_pskc(write([hotp]))
    short = write([PskcKey("1", bytes(20), "tag:authrig,2026:otq1-seed", serial="QT1-1")])
    with pytest.raises(SeedFileError, match="32 bytes, found 20"):
        read_pskc(short)


def test_no_seed_is_printed() -> None:
    """Neither of one token."""
    assert repr(SEEDS[0]) == "Seed(serial='QT1-00000042')"


@given(st.text(max_size=60))
def test_any_text_is_a_file_of_seeds_or_refused(text: str) -> None:
    """After a good first line."""
    try:
        seeds = read_csv(b"serial,seed\n" + text.encode("utf-8", "surrogatepass"))
    except SeedFileError:
        return
    assert read_csv(write_csv(seeds)) == seeds
