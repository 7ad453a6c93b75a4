from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import serial

from emulators.camera_scanner.barcode_readers.drivers.de2120 import De2120Driver
from emulators.camera_scanner.barcode_readers.drivers.gm65 import Gm65Driver
from emulators.camera_scanner.barcode_readers.drivers.honeywell import HoneywellDriver
from emulators.camera_scanner.barcode_readers.drivers.newland import NewlandDriver
from emulators.camera_scanner.barcode_readers.drivers.plain import PlainDriver
from emulators.camera_scanner.barcode_readers.drivers.port import BarcodeReader, ReaderError
from emulators.camera_scanner.barcode_readers.drivers.zebra_ssi import ZebraSsiDriver
from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.de2120 import De2120
from emulators.camera_scanner.barcode_readers.emulated.gm65 import Gm65
from emulators.camera_scanner.barcode_readers.emulated.honeywell import Honeywell
from emulators.camera_scanner.barcode_readers.emulated.newland import Newland
from emulators.camera_scanner.barcode_readers.emulated.plain import PlainReader
from emulators.camera_scanner.barcode_readers.emulated.reader import Damage, SerialReader
from emulators.camera_scanner.barcode_readers.emulated.zebra_ssi import ZebraSsi
from emulators.env import Clock, Env, SystemClock
from emulators.usb.serial_pty import SerialPty

FAMILIES: dict[str, tuple[Callable[[Env], SerialReader], Callable[[serial.Serial, Clock], BarcodeReader]]] = {
    "de2120": (De2120, De2120Driver),
    "gm65": (Gm65, Gm65Driver),
    "honeywell": (Honeywell, HoneywellDriver),
    "newland": (Newland, NewlandDriver),
    "plain": (PlainReader, PlainDriver),
    "zebra-ssi": (ZebraSsi, ZebraSsiDriver),
}
COMMANDED = [name for name in FAMILIES if name != "plain"]


@contextmanager
def wired(family: str) -> Iterator[tuple[BarcodeReader, SerialPty[SerialReader]]]:
    """A driver and the emulated reader that it talks to over a terminal, at the reader's own speed."""
    make_reader, make_driver = FAMILIES[family]
    reader = make_reader(Env.real())
    with SerialPty(reader) as line, serial.Serial(line.path, reader.baud_rate, timeout=1) as port:
        yield make_driver(port, SystemClock()), line


@pytest.mark.parametrize("family", FAMILIES)
def test_a_driver_configures_triggers_and_reads(family: str) -> None:
    """Any bytes, also the suffix in the middle of a code; nothing in view gives None in time."""
    with wired(family) as (driver, line):
        driver.configure()
        for data in (b"OTP 123456", b"\x00\xff\x16\x06", b"two\r\nlines\ralso", bytes(range(256)) * 3):
            with line.using() as reader:
                reader.show(None)
            driver.trigger()
            with line.using() as reader:
                reader.show(Code(data))
            assert driver.read(5) == data
        with line.using() as reader:
            reader.show(None)
        driver.trigger()
        assert driver.read(0.1) is None


@pytest.mark.parametrize("family", [name for name in COMMANDED if name != "zebra-ssi"])
@pytest.mark.parametrize("damage", Damage)
def test_a_damaged_answer_is_an_error_and_no_hang(family: str, damage: Damage) -> None:
    """The sentence says what was expected; the next try works."""
    with wired(family) as (driver, line):
        with line.using() as reader:
            reader.damage_next(damage)
        with pytest.raises(ReaderError, match=r"expected|damaged|refused"):
            driver.configure()
        driver.configure()


@pytest.mark.parametrize("damage", Damage)
def test_ssi_mends_a_damaged_read(damage: Damage) -> None:
    """A packet that came damaged is asked for again, one that was lost is sent again."""
    with wired("zebra-ssi") as (driver, line):
        driver.configure()
        driver.trigger()
        with line.using() as reader:
            reader.damage_next(damage)
            reader.show(Code(b"OTP 123456"))
        assert driver.read(8) == b"OTP 123456"
        assert driver.read(0.1) is None


@pytest.mark.parametrize("family", ["gm65", "honeywell", "newland", "de2120", "plain"])
def test_a_read_that_breaks_off_is_not_taken_for_a_code(family: str) -> None:
    """Half of it is no read."""
    with wired(family) as (driver, line):
        driver.configure()
        driver.trigger()
        with line.using() as reader:
            reader.damage_next(Damage.CUT)
            reader.show(Code(b"OTP 123456"))
        with pytest.raises(ReaderError, match="broke off"):
            driver.read(5)


@pytest.mark.parametrize("family", ["gm65", "zebra-ssi"])
def test_at_the_wrong_speed_a_driver_says_that_no_answer_came(family: str) -> None:
    """In time, and by name."""
    make_reader, make_driver = FAMILIES[family]
    with (
        SerialPty(make_reader(Env.real())) as line,
        serial.Serial(line.path, 4800, timeout=1) as port,
        pytest.raises(ReaderError, match=r"sent no answer|did not acknowledge PARAM_SEND"),
    ):
        make_driver(port, SystemClock()).configure()
