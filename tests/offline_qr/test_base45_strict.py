import base45  # type: ignore[import-untyped] # base45 ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr import base45_strict


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0"), (b"", "")],
)
def test_the_examples_of_the_rfc(data: bytes, text: str) -> None:
    """RFC 9285 §4.3 and §4.4."""
    assert base45_strict.encode(data) == text
    assert base45_strict.decode(text.encode()) == data


@pytest.mark.parametrize(
    "text",
    [b"bb8", b"GGW", b":::", b"B", b"BB8B", b"::", b"BB8\n", b" BB8", b"BB8 ", b"B,8", b"BB\xff", "BÄ8".encode()],
    ids=repr,
)
def test_other_spellings_are_refused(text: bytes) -> None:
    """Lower case, overflow, impossible lengths, line ends, trimmed or added spaces, and other alphabets."""
    with pytest.raises(ValueError, match="base45"):
        base45_strict.decode(text)


@given(st.one_of(st.binary(max_size=60), st.text("0AZ $%*+-./:B8", max_size=30).map(str.encode)))
def test_each_byte_string_has_one_spelling(text: bytes) -> None:
    """What decodes is exactly what the encoder makes."""
    try:
        data = base45_strict.decode(text)
    except ValueError:
        return
    assert base45_strict.encode(data).encode() == text


def test_a_library_that_turns_lenient_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library already drops line ends where it is given str; a later one may do so for bytes."""
    strict = base45.b45decode
    monkeypatch.setattr(base45, "b45decode", lambda text: strict(text.decode()))
    assert base45_strict.decode(b"BB8") == b"AB"
    with pytest.raises(ValueError, match="not the one base45 spelling"):
        base45_strict.decode(b"BB8\n")
