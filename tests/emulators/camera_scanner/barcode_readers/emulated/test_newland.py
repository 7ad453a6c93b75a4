import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        (b"@ORTSET5000;", b"\x02\x010000@ORTSET5000\x06;\x03"),
        (b"#AIDENA1;RRDENA0;", b"\x02\x010000#AIDENA1\x06;RRDENA0\x06;\x03"),
        (b"@NOSUCH;", b"\x02\x010000@NOSUCH\x05;\x03"),
        (b"@AIDENA7;", b"\x02\x010000@AIDENA7\x15;\x03"),
        (b"@ORTSET*;", b"\x02\x010000@ORTSET*3000\x06;\x03"),
        (b"?x;", b""),
    ],
)
def test_commands_are_echoed_with_what_became_of_them(tags: bytes, answer: bytes) -> None:
    """ACK, ENQ for no such tag, NAK for no such value; nothing for what is no command."""
    assert told(Newland(Env.simulated(1)), tags) == answer


def test_reads_are_framed_and_triggered_by_the_host() -> None:
    """Prefix, AIM identifier, data, suffix, terminator."""
    reader = Newland(Env.simulated(1))
    told(reader, b"#AIDENA1;CPRENA1;CPRSET02;CSUENA1;CSUSET03;TSUSET0D0A;")
    reader.show(Code(b"\x00\xff"))
    assert told(reader, b"@SCNTRG1;") == b"\x02\x010000@SCNTRG1\x06;\x03\x02]Q1\x00\xff\x03\r\n"


def test_only_what_was_set_with_an_at_sign_outlives_a_power_cut() -> None:
    """A number sign is for now."""
    reader = Newland(Env.simulated(1))
    told(reader, b"#AIDENA1;")
    told(reader, b"@232BAD9;")
    assert reader.baud_rate == 115_200
    reader.power_cycle()
    assert reader.baud_rate == 115_200
    assert told(reader, b"@AIDENA*;") == b"\x02\x010000@AIDENA*0\x06;\x03"
    told(reader, b"@FACDEF;")
    assert reader.baud_rate == 9600


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_noise_never_breaks_it(noise: list[bytes]) -> None:
    """No crash on any bytes."""
    reader = Newland(Env.simulated(1))
    for piece in noise:
        reader.receive(piece)
    reader.power_cycle()
    assert b"\x06" in told(reader, b"@FACDEF;")
