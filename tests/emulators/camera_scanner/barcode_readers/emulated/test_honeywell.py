import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.honeywell import Honeywell
from emulators.env import Env
from emulators.usb.serial_pty import SerialPty


def told(reader: Honeywell, text: bytes) -> bytes:
    """What the reader answers to a menu command."""
    reader.receive(b"\x16M\r" + text)
    return reader.take_output()


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"TRGSTO5000!", b"TRGSTO5000\x06!"),
        (b"TRGSTO5000;BEPDCD0.", b"TRGSTO5000\x06;BEPDCD0\x06."),
        (b"NOSUCH1.", b"NOSUCH1\x05."),
        (b"BEPDCD7.", b"BEPDCD7\x15."),
        (b"BEPDCD?.", b"BEPDCD?1\x06."),
        (b"BEPDCD^.", b"BEPDCD^1\x06."),
        (b"BEPDCD*.", b"BEPDCD*[01]\x06."),
        (b"NOSUCH?.", b"NOSUCH?\x05."),
        (b"DEFALT.", b"DEFALT\x06."),
        (b".", b"\x05."),
    ],
)
def test_menu_commands_are_echoed_with_what_became_of_them(command: bytes, answer: bytes) -> None:
    """ACK, ENQ for no such tag, NAK for no such value."""
    assert told(Honeywell(Env.simulated(1)), command) == answer


def test_the_terminator_decides_what_outlives_a_power_cut() -> None:
    """A full stop keeps, an exclamation mark does not, and keeping one tag does not keep another."""
    reader = Honeywell(Env.simulated(1))
    told(reader, b"BEPDCD0!")
    told(reader, b"TRGSTO1234.")
    assert told(reader, b"BEPDCD?.") == b"BEPDCD?0\x06."
    reader.power_cycle()
    assert told(reader, b"BEPDCD?.") == b"BEPDCD?1\x06."
    assert told(reader, b"TRGSTO?.") == b"TRGSTO?1234\x06."


def test_the_host_triggers_and_frames_reads() -> None:
    """SYN T CR; prefix and suffix in hexadecimal, 5C81 for the AIM identifier."""
    reader = Honeywell(Env.simulated(1))
    told(reader, b"PREBK299025C81;SUFBK299030D!")
    reader.show(Code(b"\x00\xff"))
    assert reader.take_output() == b""
    reader.receive(b"\x16T\r")
    assert reader.take_output() == b"\x02]Q1\x00\xff\x03\r"
    told(reader, b"PRECA2;SUFCA2!")
    reader.receive(b"\x16T\r")
    assert reader.take_output() == b"\x00\xff"
    reader.show(None)
    reader.receive(b"\x16T\r\x16U\r")
    reader.show(Code(b"late"))
    assert reader.take_output() == b""


def test_a_host_with_pyserial_changes_the_baud_rate() -> None:
    """The answer comes at the old rate."""
    with SerialPty(Honeywell(Env.real())) as line, serial.Serial(line.path, 115_200, timeout=5) as port:
        port.write(b"\x16M\r232BAD5.")
        assert port.read(9) == b"232BAD5\x06."
        port.baudrate = 9600
        port.write(b"\x16M\r232BAD?.")
        assert port.read(10) == b"232BAD?5\x06."


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_noise_never_breaks_it(noise: list[bytes]) -> None:
    """No crash; a command after the end of whatever the noise began is obeyed."""
    reader = Honeywell(Env.simulated(1))
    for piece in noise:
        reader.receive(piece)
    reader.power_cycle()
    assert told(reader, b"DEFALT.") == b"DEFALT\x06."
