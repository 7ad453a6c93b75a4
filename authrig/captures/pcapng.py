"""Writes pcapng (draft-ietf-opsawg-pcapng): a section, its interfaces, and packets with comments.

Every block goes to the file in one write and nothing is held back, so a file whose writer was killed can be read.
"""

import os
import struct
import threading
from collections.abc import Sequence
from pathlib import Path

MAGIC = b"\x0a\x0d\x0d\x0a"
"""How every capture begins."""

_SECTION_HEADER, _INTERFACE, _ENHANCED_PACKET = int.from_bytes(MAGIC, "little"), 1, 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_LENGTH_UNKNOWN = -1
_NO_SNAP_LENGTH = 0
_END_OF_OPTIONS, _COMMENT = 0, 1
_IF_NAME, _IF_DESCRIPTION = 2, 3
_SHB_APPLICATION = 4
_MICROSECONDS = 1_000_000
_LONGEST_OPTION = 0xFFFF


class PcapngWriter:
    """The file ``path``, made anew and readable by its owner only; ``application`` is who says so.

    It may be called from any thread.

    Raises:
        OSError: from every method, if the file cannot be written; what was whole before stays readable.
    """

    def __init__(self, path: Path, application: str) -> None:
        # A pipe that Wireshark reads from is welcome.
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        self._lock = threading.Lock()
        self._interfaces = 0
        body = struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, _LENGTH_UNKNOWN)
        try:
            self._write(_block(_SECTION_HEADER, body + _options([(_SHB_APPLICATION, application)])))
        except OSError:
            os.close(self._file)
            raise

    def add_interface(self, link_type: int, name: str, description: str) -> int:
        """Announce where packets of ``link_type`` come from; its number is for ``write_packet``."""
        options = _options([(_IF_NAME, name), (_IF_DESCRIPTION, description)])
        with self._lock:
            self._write(_block(_INTERFACE, struct.pack("<HHI", link_type, 0, _NO_SNAP_LENGTH) + options))
            self._interfaces += 1
            return self._interfaces - 1

    def write_packet(self, interface: int, timestamp: float, packet: bytes, comments: Sequence[str] = ()) -> None:
        """Add what was seen at ``timestamp``, in seconds since 1970."""
        ticks = max(0, round(timestamp * _MICROSECONDS))
        head = struct.pack(
            "<IIIII", interface, ticks >> 32 & 0xFFFF_FFFF, ticks & 0xFFFF_FFFF, len(packet), len(packet)
        )
        options = _options([(_COMMENT, comment) for comment in comments])
        with self._lock:
            self._write(_block(_ENHANCED_PACKET, head + _padded(packet) + options))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            os.close(self._file)

    def _write(self, block: bytes) -> None:
        written = 0
        try:
            while written < len(block):
                written += os.write(self._file, block[written:])
        except OSError:
            self._undo(written)
            raise

    def _undo(self, written: int) -> None:
        """Take back the beginning of a block for whose end there was no room."""
        if written and os.path.isfile(self._file):  # noqa: PTH113 - a descriptor has no path
            os.ftruncate(self._file, os.lseek(self._file, -written, os.SEEK_CUR))


def _block(kind: int, body: bytes) -> bytes:
    length = 12 + len(body)
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _options(options: Sequence[tuple[int, str]]) -> bytes:
    if not options:
        return b""
    parts = []
    for code, text in options:
        value = text.encode(errors="replace")[:_LONGEST_OPTION].decode(errors="ignore").encode()
        parts.append(struct.pack("<HH", code, len(value)) + _padded(value))
    return b"".join(parts) + struct.pack("<HH", _END_OF_OPTIONS, 0)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
