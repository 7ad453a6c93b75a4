import io
from typing import Literal

import numpy as np
import pytest

from authrig.attached.person import Person
from authrig.bench.bench import Bench
from authrig.errors import Deviation, RigError
from authrig.pictures import picture_from_png, print_code
from authrig.rig_file.entries import AttachedScanner, EmulatedScanner, RigFile, Scanner
from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.gm65 import Gm65
from emulators.camera_scanner.barcode_readers.emulated.honeywell import Honeywell
from emulators.camera_scanner.barcode_readers.emulated.reader import SerialReader
from emulators.env import Env, SeededRandom
from emulators.usb.serial_pty import SerialPty

BADGE = picture_from_png(print_code("alice@example.ch"))


def _bench(entry: Scanner) -> Bench:
    person = Person(io.StringIO("\n" * 9), io.StringIO())
    return Bench(RigFile(version=1, devices={"scanner": entry}), SeededRandom(7), lambda _: None, person=person)


def test_an_emulated_scanner_reads_what_is_held_before_it() -> None:
    """Through its lens."""
    with _bench(Scanner(emulated=EmulatedScanner())) as bench:
        scanner = bench.scanner("desk")
        assert scanner.scan(BADGE) == b"alice@example.ch"
        with pytest.raises(Deviation, match="expected a code, found none in the time that one would wait"):
            scanner.scan(np.full((60, 60), 255, np.uint8))


def test_presets_that_do_not_exist_are_a_sentence() -> None:
    """Named as the rig file has them."""
    with _bench(Scanner(emulated=EmulatedScanner(preset="moon"))) as bench, pytest.raises(RigError, match="moon"):
        bench.scanner("desk")


@pytest.mark.parametrize(("family", "make"), [("gm65", Gm65), ("honeywell", Honeywell)])
def test_a_barcode_reader_on_a_serial_line_is_triggered(
    family: Literal["gm65", "honeywell"], make: type[SerialReader]
) -> None:
    """By its driver, at the speed of its family, while somebody holds the badge before it."""
    with SerialPty(make(Env.real())) as line:
        with line.using() as reader:
            reader.show(Code(b"alice@example.ch"))
        with _bench(Scanner(attached=AttachedScanner(family=family, port=line.path))) as bench:
            assert bench.scanner("desk").scan(BADGE) == b"alice@example.ch"


def test_a_reader_that_is_none_is_a_sentence() -> None:
    """Another speed than the reader's makes garbage of what it says."""
    with (
        SerialPty(Gm65(Env.real())) as line,
        _bench(Scanner(attached=AttachedScanner(family="gm65", port=line.path, baud_rate=1200))) as bench,
        pytest.raises(RigError, match=f"the barcode reader {line.path}: the reader sent no "),
    ):
        bench.scanner("desk")
    with (
        _bench(Scanner(attached=AttachedScanner(family="plain", port="/dev/no-such-line"))) as bench,
        pytest.raises(RigError, match="the barcode reader /dev/no-such-line cannot be opened"),
    ):
        bench.scanner("desk")
