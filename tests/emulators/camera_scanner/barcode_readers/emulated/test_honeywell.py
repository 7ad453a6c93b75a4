import pytest
import serial

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
        (b"bepdcd*.", b"BEPDCD0-1\x06."),
        (b"bepdcd^.", b"BEPDCD1\x06."),
        (b"bepdcd?.", b"BEPDCD1\x06."),
        (b"trg?.", b"TRGMOD0\x06,STO30000\x06."),
        (b"TRGSTO300000!", b"TRGSTO300000\x06!"),
        (b"TRGSTO300001!", b"TRGSTO300001\x15!"),
        (b"NOSUCH?.", b"NOSUCH?\x05."),
    ],
)
def test_the_guides_examples(command: bytes, answer: bytes) -> None:
    """Small letters are answered in capitals; those of the guide are about another setting with the same values."""
    assert told(Honeywell(Env.simulated(1)), command) == answer


def test_the_host_triggers_and_frames_reads() -> None:
    """SYN T CR; prefix and suffix in hexadecimal, none at first, 5C81 for the AIM identifier."""
    reader = Honeywell(Env.simulated(1))
    reader.show(Code(b"\x00\xff"))
    assert reader.take_output() == b""
    reader.receive(b"\x16T\r")
    assert reader.take_output() == b"\x00\xff"
    told(reader, b"PREBK299025C81;SUFBK299030D!")
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
        assert port.read(9) == b"232BAD5\x06."
