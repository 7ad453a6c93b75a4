"""A key that is attached to this machine, or emulated on a terminal, asked once through its device node."""

import os
import select
import struct
from pathlib import Path

from fido2.ctap import CtapError
from fido2.hid import CTAPHID, ConnectionFailure, CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor

from authrig.errors import RigError
from emulators.fido_authenticator.ctaphid import REPORT_BYTES
from emulators.fido_authenticator.status import Status

PATIENCE = 2.0
"""Seconds without a report after which a key is taken for mute: one that works sends a keepalive every 0.1 s."""


class NodeConnection(CtapHidConnection):
    """A device node of Linux: reports of 64 bytes, written behind a report id. A key that says nothing ends the wait."""

    def __init__(self, path: Path) -> None:
        self._node = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)

    def read_packet(self) -> bytes:
        """The next report.

        Raises:
            OSError: if none comes in time.
        """
        ready, _, _ = select.select([self._node], [], [], PATIENCE)
        if not ready:
            raise OSError(f"it said nothing for {PATIENCE:g} s")
        return os.read(self._node, REPORT_BYTES)

    def write_packet(self, data: bytes) -> None:
        """Send a report."""
        os.write(self._node, b"\0" + data)

    def close(self) -> None:
        """Let go of the node."""
        os.close(self._node)


def call_attached(path: Path, request: bytes) -> bytes:
    """The CBOR of the answer of the key at ``path`` (/dev/hidrawN, or a terminal that stands for one) to ``request``.

    Raises:
        RigError: if it cannot be opened, is no security key, says nothing, or answers with an error.
    """
    try:
        connection = NodeConnection(path)
    except OSError as error:
        raise RigError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        device = CtapHidDevice(HidDescriptor(str(path), 0, 0, REPORT_BYTES, REPORT_BYTES, None, None), connection)
        answer = device.call(CTAPHID.CBOR, request)
    except (OSError, ConnectionFailure, CtapError, struct.error) as error:
        raise RigError(f"{path}: expected a security key: {error}") from error
    finally:
        connection.close()
    return checked(answer, str(path))


def checked(answer: bytes, source: str) -> bytes:
    """What follows the status byte of a successful answer.

    Raises:
        RigError: if it is an error.
    """
    if answer[:1] == b"\0":
        return answer[1:]
    names = {int(status): status.name for status in Status}
    found = names.get(answer[0], f"status 0x{answer[0]:02X}") if answer else "no answer"
    raise RigError(f"{source}: expected an answer, found {found}")
