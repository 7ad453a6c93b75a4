"""A USB/IP host for tests, written from the protocol's description and apart from any other implementation."""

import contextlib
import socket
import struct
import time
from collections import deque

IN, OUT = 1, 0
GET_DESCRIPTOR = 0x06


class RefusedError(Exception):
    """The server does not lend the device."""


class UsbIpHost:
    """Attaches ``busid``; control and interrupt transfers."""

    def __init__(self, address: tuple[str, int], busid: str = "1-1", patience: float = 10.0) -> None:
        self.socket = socket.create_connection(address, timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.number = 0
        self.answers = dict[int, tuple[int, bytes]]()
        self.directions = dict[int, int]()
        self.taken = dict[int, int]()
        try:
            described = self._attach(busid)
        except BaseException:
            self.socket.close()
            raise
        bus, device, self.speed = struct.unpack_from(">III", described, 288)
        self.device_id = bus << 16 | device

    def _attach(self, busid: str) -> bytes:
        """OP_REQ_IMPORT; returns the description of the device."""
        self.socket.sendall(struct.pack(">HHI32s", 0x0111, 0x8003, 0, busid.encode()))
        _, operation, status = struct.unpack(">HHI", self.exactly(8))
        assert operation == 0x0003
        if status:
            raise RefusedError(status)
        return self.exactly(312)

    def exactly(self, count: int) -> bytes:
        """``count`` bytes from the server."""
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionResetError("the server has hung up")
            data += more
        return data

    def submit(self, direction: int, endpoint: int, length: int, data: bytes = b"", setup: bytes = bytes(8)) -> int:
        """Send a request; returns its number."""
        self.number += 1
        self.directions[self.number] = direction
        header = struct.pack(
            ">IIIIIIiiiI8s", 1, self.number, self.device_id, direction, endpoint, 0, length, 0, -1, 0, setup
        )
        self.socket.sendall(header + data)
        return self.number

    def unlink(self, taken_back: int) -> int:
        """Take a request back; returns the server's status: 0 means that it was answered before."""
        self.number += 1
        self.socket.sendall(struct.pack(">IIIIII24x", 2, self.number, self.device_id, 0, 0, taken_back))
        return self.answer(self.number)[0]

    def answer(self, number: int) -> tuple[int, bytes]:
        """Status and data of the request ``number``; others are kept until they are asked for."""
        while number not in self.answers:
            self.take()
        return self.answers.pop(number)

    def take(self) -> None:
        """Read one answer."""
        command, number, _, _, _, status, length = struct.unpack(">IIIIIii20x", self.exactly(48))
        assert number not in self.answers, "answered twice"
        if command == 4:
            self.answers[number] = (status, b"")
            return
        assert command == 3
        direction = self.directions.pop(number)
        self.taken[number] = length
        self.answers[number] = (status, self.exactly(length) if direction == IN else b"")

    def control(self, request_type: int, request: int, value: int, index: int, length: int) -> tuple[int, bytes]:
        """A control transfer that reads."""
        setup = struct.pack("<BBHHH", request_type, request, value, index, length)
        return self.answer(self.submit(IN, 0, length, setup=setup))

    def descriptor(self, kind: int, index: int = 0, length: int = 1024) -> bytes:
        """GET_DESCRIPTOR."""
        status, data = self.control(0x80, GET_DESCRIPTOR, kind << 8 | index, 0, length)
        assert status == 0
        return data


class UsbHidHost:
    """Does what usbhid does: one request for a report is always under way. Reports are 64 bytes."""

    def __init__(self, address: tuple[str, int], busid: str = "1-1") -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                self.usb = UsbIpHost(address, busid)
                break
            except RefusedError:  # the host before has left, and the server is about to notice
                assert time.monotonic() < deadline
        self.reports = deque[bytes]()
        self.polling = self.usb.submit(IN, 1, 64)

    def write(self, report: bytes) -> None:
        """Send a report."""
        number = self.usb.submit(OUT, 1, len(report), report)
        while number not in self.usb.answers:
            self._take()
        assert self.usb.answer(number)[0] == 0

    def read(self) -> bytes:
        """The next report."""
        while not self.reports:
            self._take()
        return self.reports.popleft()

    def _take(self) -> None:
        self.usb.take()
        if self.polling in self.usb.answers:
            status, data = self.usb.answer(self.polling)
            assert status == 0
            self.reports.append(data)
            self.polling = self.usb.submit(IN, 1, 64)

    def close_node(self) -> None:
        """The last program closes the device: the request for a report is taken back."""
        self.usb.unlink(self.polling)

    def close(self) -> None:
        """Detach."""
        with contextlib.suppress(OSError):
            self.usb.socket.shutdown(socket.SHUT_RDWR)
        self.usb.socket.close()
