from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.plain import Framing, PlainReader
from emulators.env import Env


def test_a_read_stands_in_its_framing() -> None:
    """Prefix, AIM identifier, bytes as they are, suffix."""
    reader = PlainReader(Env.simulated(1), Framing(b"\x02", b"\x03\r\n", aim_id=True), baud_rate=19200)
    reader.show(Code(b"\x00\xff\r", "]Q2"))
    assert reader.take_output() == b"\x02]Q2\x00\xff\r\x03\r\n"
    assert reader.baud_rate == 19200


def test_it_hears_nothing() -> None:
    """And a code that stays in view is said once."""
    reader = PlainReader(Env.simulated(1))
    reader.show(Code(b"one"))
    reader.receive(b"\x16T\r" * 1000)
    assert reader.take_output() == b"one\r"
    assert reader.take_output() == b""
    reader.show(None)
    reader.show(Code(b"one"))
    assert reader.take_output() == b"one\r"
