"""Bytes in, the same bytes out: 101 kinds of payload that text-minded decoders change or cut short."""

import hashlib

import numpy as np
import pytest
import segno

from emulators.camera_scanner.frames import Image
from tests.codes import read_patiently


def _random(count: int, number: int) -> bytes:
    return b"".join(hashlib.sha256(f"{number}/{block}".encode()).digest() for block in range(count // 32 + 1))[:count]


def _payloads() -> dict[str, bytes]:
    """By name: control bytes, encodings that are guessed wrongly, marks, structured and random bytes."""
    found: dict[str, bytes] = {}
    for byte in (0x00, 0x01, 0x09, 0x0A, 0x0D, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x20, 0x5C, 0x7E, 0x7F, 0x80, 0x81):
        found[f"byte {byte:02x} alone"] = bytes([byte])
        found[f"byte {byte:02x} in the middle"] = b"ab" + bytes([byte]) + b"cd"
    for byte in (0x9F, 0xA0, 0xA5, 0xB1, 0xC0, 0xDF, 0xE0, 0xF0, 0xFC, 0xFD, 0xFE, 0xFF):
        found[f"byte {byte:02x} twice"] = bytes([byte, byte])
    marks = {"UTF-8": b"\xef\xbb\xbf", "UTF-16 LE": b"\xff\xfe", "UTF-16 BE": b"\xfe\xff", "UTF-32 LE": b"\xff\xfe\0\0"}
    for name, mark in marks.items():
        found[f"{name} mark alone"] = mark
        found[f"{name} mark before text"] = mark + b"hello"
    for encoding in ("latin-1", "utf-8", "utf-16", "utf-16-be", "cp437", "mac-roman"):
        found[f"umlauts in {encoding}"] = "Zürich Größe".encode(encoding)
    for encoding in ("shift-jis", "euc-jp", "iso2022-jp", "gb18030", "big5", "euc-kr", "utf-8", "utf-16-le"):
        found[f"ideographs in {encoding}"] = "日本".encode(encoding)
    lookalikes = (b"\x82\x00", b"\x82\xa0", b"\x88\x9f", b"\xe0\x40", b"\xfc\x4b", b"\x81\x40\x81\x40")
    found.update({f"looks like Shift-JIS {data.hex()}": data for data in lookalikes})
    found["Cyrillic in ISO 8859-5"] = "Привет".encode("iso8859-5")
    found["Greek in ISO 8859-7"] = "Γειά".encode("iso8859-7")
    found["Arabic in UTF-8"] = "مرحبا".encode()
    found["an emoji"] = "🔑".encode()
    found["broken UTF-8"] = b"\xc3\x28\xa0\xa1"
    found["overlong UTF-8"] = b"\xc0\x80"
    found["a surrogate in UTF-8"] = b"\xed\xa0\x80"
    found["CBOR"] = bytes.fromhex("a26161014162f5")
    found["a CTAP getInfo"] = bytes.fromhex("a301826c6649444f5f325f31")
    found["DER"] = bytes.fromhex("3006020101020102")
    found["gzip"] = bytes.fromhex("1f8b0800000000000003") + b"\0" * 9
    found["PNG's signature"] = b"\x89PNG\r\n\x1a\n"
    found["digits as bytes"] = b"0123456789"
    found["digits with zeros before them"] = b"0000000042"
    found["alphanumeric"] = b"HELLO WORLD $%*+-./:"
    found["a GS1 separator"] = b"]Q3\x1d0109521234543213"
    found["an ECI escape as text"] = b"\\000026text"
    found["a euro sign in Windows-1252"] = "5 €".encode("cp1252")
    found["two backslashes"] = b"\\\\"
    found["line ends of three kinds"] = b"a\rb\nc\r\nd"
    found["blanks at both ends"] = b"  text  "
    found["zeros only"] = b"\0" * 40
    found["ones only"] = b"\xff" * 40
    for count in (32, 128, 500):
        found.update({f"{count} random bytes, {number}": _random(count, number) for number in range(2)})
    return found


PAYLOADS = _payloads()


def _picture(data: bytes) -> Image:
    # In byte mode, or the library writes pairs that look like Kanji as such, and wrongly.
    matrix = segno.make_qr(data, mode="byte", error="m").matrix
    dark = np.pad(np.array(matrix, np.uint8), 4)
    return np.asarray((1 - dark).repeat(4, 0).repeat(4, 1) * 255, np.uint8)


def test_there_are_as_many_kinds_as_promised() -> None:
    """101, and no two are the same bytes."""
    assert len(set(PAYLOADS.values())) == len(PAYLOADS) == 101


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_bytes_come_out_as_they_went_in(name: str) -> None:
    """Nothing is taken for text on the way."""
    (read,) = read_patiently(_picture(PAYLOADS[name]))
    assert read.data == PAYLOADS[name]
