import pytest

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.newland import Newland
from emulators.env import Env


def told(reader: Newland, tags: bytes) -> bytes:
    """What the reader answers to ``tags``."""
    reader.receive(b"~\x010000" + tags + b"\x03")
    return reader.take_output()


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        (b"@CPRENA1,SET02;", b"\x02\x010000@CPRENA1\x06,SET02\x06;\x03"),
        (b"@CPRENA*,SET*;", b"\x02\x010000@CPRENA0\x06,SET\x06;\x03"),
        (b"@CPR*;", b"\x02\x010000@CPRENA0\x06,SET\x06;\x03"),
        (b"#SCNMOD^;", b"\x02\x010000#SCNMOD0|2|3|8\x06;\x03"),
        (b"#ORTSET&;", b"\x02\x010000#ORTSET3000\x06;\x03"),
        (b"@NOSUCH*;", b"\x02\x010000@NOSUCH*\x15;\x03"),
        (b"@cprena1;", b"\x02\x010000@cprena1\x05;\x03"),
        (b"?x;", b""),
    ],
)
def test_the_guides_examples(tags: bytes, answer: bytes) -> None:
    """Those of the HR42's guide are about another group; small letters are no tag."""
    assert told(Newland(Env.simulated(1)), tags) == answer


def test_reads_are_framed_and_triggered_by_the_host() -> None:
    """Prefix, AIM identifier, data, suffix, terminator."""
    reader = Newland(Env.simulated(1))
    told(reader, b"#AIDENA1;CPRENA1;CPRSET02;CSUENA1;CSUSET03;TSUSET0D0A;")
    reader.show(Code(b"\x00\xff"))
    assert told(reader, b"@SCNTRG1;") == b"\x02\x010000@SCNTRG1\x06;\x03\x02]Q1\x00\xff\x03\r\n"
