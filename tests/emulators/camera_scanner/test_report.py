import base64
import json
import re

from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.decoders import Read
from emulators.camera_scanner.report import describe, printable, scan_report


def read_of(data: bytes, version: int | None = 7, level: str | None = "M", stage: str = "direct") -> Read:
    """A read that says ``data``."""
    corners = ((1.0, 2.0), (3.0, 2.0), (3.0, 4.0), (1.0, 4.0))
    return Read(data, "]Q1", version, level, corners, "zxing-cpp", stage, 1.23456)


@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_a_report_holds_the_bytes_whole(data: bytes) -> None:
    """Through JSON and back; text stands there only where the bytes are that text."""
    (report,) = json.loads(json.dumps(scan_report([read_of(data)])))
    assert base64.b64decode(report["data_base64"]) == data
    if report["text"] is None:
        assert b"\xff" in data or data.decode("utf-8", "replace").encode() != data
    else:
        assert report["text"].encode() == data


def test_a_report_tells_all_that_the_read_tells() -> None:
    """Under the names of the fields."""
    assert scan_report([read_of(b"hi")]) == [
        {
            "data_base64": "aGk=",
            "text": "hi",
            "symbology": "]Q1",
            "micro": False,
            "version": 7,
            "error_correction": "M",
            "corners": [[1.0, 2.0], [3.0, 2.0], [3.0, 4.0], [1.0, 4.0]],
            "decoder": "zxing-cpp",
            "stage": "direct",
            "milliseconds": 1.235,
        }
    ]


@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_printable_text_has_no_power_and_loses_nothing(data: bytes) -> None:
    """Only printable characters come out, and the bytes can be had back."""
    shown = printable(data)
    assert shown.isprintable()

    def original(match: re.Match[str]) -> str:
        kind, digits = match[1][0], match[1][1:]
        if kind == "\\":
            return "\\"
        code = int(digits, 16)
        return chr(code + 0xDC00) if kind == "x" and code >= 0x80 else chr(code)

    pattern = r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})"
    assert re.sub(pattern, original, shown).encode("utf-8", "surrogateescape") == data


def test_escapes_are_those_that_people_know() -> None:
    """Colours, bells, direction marks and stray bytes are shown; umlauts and smileys are text."""
    data = "Zürich 🔑".encode() + b"\x1b[31m\x07\n\\\xff" + "\u202e\u0085".encode()
    assert printable(data) == r"Zürich 🔑\x1b[31m\x07\x0a\\\xff\u202e\u0085"


def test_what_a_terminal_cannot_write_is_escaped() -> None:
    """As a character, not as a byte."""
    assert printable("Zürich 🔑".encode(), "latin-1") == "Zürich \\U0001f511"
    assert printable("Zürich".encode(), "ascii") == "Z\\u00fcrich"


def test_a_read_is_described_in_a_few_words() -> None:
    """What the decoder does not tell is left out."""
    assert describe(read_of(b"", stage="half-size")) == "QR 7-M, zxing-cpp, half-size, 1.2 ms"
    assert describe(read_of(b"", None, None)) == "QR, zxing-cpp, 1.2 ms"
