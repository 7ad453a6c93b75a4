"""The readers that tables of reading compare, behind one signature: a picture in, the bytes of the codes in it out."""

from collections.abc import Callable

import cv2
import zxingcpp

from emulators.camera_scanner import zbar
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.preparations import shrink, to_gray

Reader = Callable[[Image], set[bytes]]

_PATIENT_MS = 60_000.0
"""A busy machine must not read less than an idle one."""
_ARUCO_SIDE = 1280
"""OpenCV's search takes minutes on some larger pictures: it sees them shrunk to this."""


def _by_us(image: Image) -> set[bytes]:
    return {read.data for read in read_codes(image, deadline_ms=_PATIENT_MS)}


def _by_us_thoroughly(image: Image) -> set[bytes]:
    return {read.data for read in read_codes(image, deadline_ms=_PATIENT_MS, thorough=True)}


def _by_zxing(image: Image) -> set[bytes]:
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    return {barcode.bytes for barcode in zxingcpp.read_barcodes(image, formats=formats)}


def _by_zbar(image: Image) -> set[bytes]:
    return {symbol.data for symbol in zbar.find_symbols(to_gray(image))}


EXACT_READERS: dict[str, Reader] = {
    "authrig": _by_us,
    "authrig, thorough": _by_us_thoroughly,
    "zxing-cpp": _by_zxing,
    "zbar": _by_zbar,
}
"""Those whose bytes are exact."""


def texts_by_aruco(image: Image) -> list[str]:
    """What OpenCV's Aruco detector reads, as it hands it over: as text, which is not always what the bytes were."""
    small, _ = shrink(to_gray(image), _ARUCO_SIDE)
    try:
        return [text for text in cv2.QRCodeDetectorAruco().detectAndDecodeMulti(small)[1] if text]
    except cv2.error:  # it raises on some pictures where it should find nothing
        return []
