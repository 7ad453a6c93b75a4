"""Scanners of a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

import serial

from authrig.bench.cameras import camera
from authrig.bench.pictures import shows_pictures
from authrig.errors import RigError
from authrig.ports.scanner import OUR_DECODERS, CameraReader, Scanner, SerialReader, SyntheticView
from emulators.camera_scanner.barcode_readers.drivers.de2120 import De2120Driver
from emulators.camera_scanner.barcode_readers.drivers.gm65 import Gm65Driver
from emulators.camera_scanner.barcode_readers.drivers.honeywell import HoneywellDriver
from emulators.camera_scanner.barcode_readers.drivers.newland import NewlandDriver
from emulators.camera_scanner.barcode_readers.drivers.plain import PlainDriver
from emulators.camera_scanner.barcode_readers.drivers.port import ReaderError
from emulators.camera_scanner.barcode_readers.drivers.zebra_ssi import ZebraSsiDriver
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from authrig.bench.tools import Tools
    from authrig.rig_file import entries
    from emulators.camera_scanner.barcode_readers.drivers.port import BarcodeReader

_FAMILIES: Mapping[str, tuple[Callable[[serial.Serial, SystemClock], BarcodeReader], int]] = {
    "gm65": (Gm65Driver, 9600),
    "newland": (NewlandDriver, 9600),
    "zebra-ssi": (ZebraSsiDriver, 9600),
    "honeywell": (HoneywellDriver, 115200),
    "de2120": (De2120Driver, 115200),
    "plain": (PlainDriver, 9600),
}
"""The driver of each family, and the speed that its readers have when they are new."""


def emulated_scanner(tools: Tools, name: str, emulated: entries.EmulatedScanner) -> Scanner:
    """A scanner with an emulated camera.

    Raises:
        RigError: if there is no such preset.
    """
    try:
        eye = SyntheticCamera(tools.stream(emulated.seed, f"{name} camera"), emulated.preset)
    except ValueError as error:
        raise RigError(str(error)) from error
    return Scanner(SyntheticView(eye), CameraReader(eye, tools.on_exhibit), tools.on_exhibit, OUR_DECODERS)


def attached_scanner(tools: Tools, device: str, entry: entries.Scanner, attached: entries.AttachedScanner) -> Scanner:
    """The scanner that the rig file calls ``device``.

    Raises:
        RigError: if it is not there, or cannot be set up.
    """
    shows, can = shows_pictures(tools, device, entry.picture), frozenset(entry.capabilities)
    if attached.camera is not None:
        return Scanner(
            shows, CameraReader(camera(tools, attached.camera), tools.on_exhibit), tools.on_exhibit, can | OUR_DECODERS
        )
    assert attached.port is not None  # refused when the rig file is read, as is a port without a family
    assert attached.family is not None
    driver, baud_rate = _FAMILIES[attached.family]
    reader = _configured(tools, attached.port, driver, attached.baud_rate or baud_rate)
    return Scanner(shows, SerialReader(reader, device), tools.on_exhibit, can)


def _configured(
    tools: Tools, port: str, driver: Callable[[serial.Serial, SystemClock], BarcodeReader], baud_rate: int
) -> BarcodeReader:
    try:
        line = serial.serial_for_url(port, baud_rate, timeout=1.0, write_timeout=2.0)
    except (serial.SerialException, OSError, ValueError) as error:
        raise RigError(f"the barcode reader {port} cannot be opened: {error}") from error
    tools.opened.callback(line.close)
    reader = driver(line, SystemClock())
    try:
        reader.configure()
    except ReaderError as error:
        raise RigError(f"the barcode reader {port}: {error}") from error
    return reader
