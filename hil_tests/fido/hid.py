"""CTAPHID as a host writes and reads it, report by report (CTAP 2.3 §11.2), so that a test can also do it wrong."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from fido2.hid import CTAPHID
from fido2.hid.base import CtapHidConnection

REPORT_BYTES: Final = 64
BROADCAST: Final = 0xFFFF_FFFF
PATIENCE: Final = 20.0
"""Seconds without any report after which a key has hung."""

INVALID_CMD, INVALID_PAR, INVALID_LEN, INVALID_SEQ, MSG_TIMEOUT, CHANNEL_BUSY = range(1, 7)
INVALID_CHANNEL: Final = 0x0B
UPNEEDED: Final = b"\x02"


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the key, put together."""

    channel: int
    command: int
    data: bytes

    @property
    def error(self) -> int | None:
        """The code, if it is a CTAPHID_ERROR."""
        return self.data[0] if self.command == CTAPHID.ERROR else None


class HidHost:
    """A host that does as the test says."""

    def __init__(self, connection: CtapHidConnection) -> None:
        self._connection = connection

    def write(self, channel: int, head: bytes, data: bytes = b"") -> None:
        """One report: the channel, then as given, then zeros."""
        self._connection.write_packet((channel.to_bytes(4) + head + data).ljust(REPORT_BYTES, b"\0"))

    def begin(self, channel: int, command: int, data: bytes, *, length: int | None = None) -> bytes:
        """The initial report of a message, which may lie about its length; returns the data that is still to send."""
        size = len(data) if length is None else length
        self.write(channel, bytes((0x80 | command,)) + size.to_bytes(2), data[:57])
        return data[57:]

    def send(self, channel: int, command: int, data: bytes = b"") -> None:
        """A whole message."""
        rest = self.begin(channel, command, data)
        for sequence, at in enumerate(range(0, len(rest), 59)):
            self.write(channel, bytes((sequence,)), rest[at : at + 59])

    def read(self, *, keepalives: bool = False) -> Message:
        """The key's next message; keepalives are left out unless wanted.

        Raises:
            OSError: if the key says nothing at all.
        """
        while True:
            first = self._report()
            channel, command, length = int.from_bytes(first[:4]), first[4], int.from_bytes(first[5:7])
            assert command & 0x80, f"expected an initial report, found {first.hex()}"
            data = first[7:]
            for sequence in range((length - 57 + 58) // 59 if length > 57 else 0):
                report = self._report()
                assert report[:5] == first[:4] + bytes((sequence,)), f"fragment {sequence} is wrong: {report.hex()}"
                data += report[5:]
            if keepalives or command & 0x7F != CTAPHID.KEEPALIVE:
                return Message(channel, command & 0x7F, data[:length])

    def call(self, channel: int, command: int, data: bytes = b"") -> Message:
        """Send a message and read the answer."""
        self.send(channel, command, data)
        return self.read()

    def allocate(self) -> int:
        """A new channel (§11.2.9.1.3)."""
        answer = self.call(BROADCAST, CTAPHID.INIT, b"authrig!")
        assert answer.data[:8] == b"authrig!", f"expected the nonce, found {answer}"
        return int.from_bytes(answer.data[8:12])

    def _report(self) -> bytes:
        # A read without an answer would wait for ever where no kernel is in between.
        watch = threading.Timer(PATIENCE, self._connection.close)
        watch.start()
        try:
            return self._connection.read_packet()
        finally:
            watch.cancel()


@contextmanager
def host_on(connection: CtapHidConnection) -> Iterator[HidHost]:
    """A host on ``connection``, which is closed at the end."""
    try:
        yield HidHost(connection)
    finally:
        connection.close()
