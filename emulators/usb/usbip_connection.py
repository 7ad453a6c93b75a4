"""One host of a USB/IP server: what it says is checked, what it asks for is done and answered once."""

import contextlib
import errno
import socket
import struct
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from usbip import core, protocol  # type: ignore[import-untyped] # the library has no types

from emulators.usb.errors import PlugError
from emulators.usb.transfers import Transfer

if TYPE_CHECKING:
    from emulators.usb.usbip_server import UsbIpServer, Watcher

_OPERATION = struct.Struct(">HHI")
_HEADER = struct.Struct(">IIIIIIiiiI8s")
_UNLINKED = struct.Struct(">IIIIIi24x")
_ISO_BYTES = 16
_BUSID_BYTES = 32
_NO_DEVICE, _BUSY = 4, 2  # ST_NODEV, ST_DEV_BUSY

_PATIENCE = 5.0
"""Seconds for a host to say what it wants, and to take an answer."""
_READ_BYTES = 1 << 16
_MOST_OPEN = 512
_MOST_BYTES = 1 << 20
_MOST_PACKETS = 1024


class _NotUsbIpError(Exception):
    """The host has sent what the protocol does not allow, or more than it may ask for."""


class Connection:
    """A host that has connected from ``peer`` to ``server``; ``busid`` names the device that it has attached."""

    def __init__(self, host: socket.socket, peer: tuple[object, ...], server: "UsbIpServer") -> None:
        self._host = host
        self.peer = peer
        self._server = server
        self._device: Any = None
        self._watcher: Watcher | None = None
        self.busid = ""
        # Guards what is written and what is open: a request is answered or taken back, never both.
        self._lock = threading.Lock()
        self._open: dict[int, int] = {}  # endpoint address by sequence number
        self._passed: set[int] = set()  # those that a seam has let through to the device
        self._unread = bytearray()
        self._unsent = bytearray()
        self._gathering: int | None = None  # the thread whose answers go out together, when its request is done

    def serve(self) -> None:
        """Do what the host asks until it leaves or is cut off."""
        with contextlib.suppress(OSError, EOFError, _NotUsbIpError):
            self._host.setblocking(True)
            self._host.settimeout(_PATIENCE)
            self._host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._host.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if not self._handshake():
                return
            self._host.settimeout(None)
            seconds, micros = divmod(int(_PATIENCE * 1_000_000), 1_000_000)
            self._host.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", seconds, micros))
            self._serve_device()

    def shut_down(self) -> None:
        """Cut the host off; may be called from any thread."""
        with contextlib.suppress(OSError):
            self._host.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        self._host.close()

    def _handshake(self) -> bool:
        """The operation that a connection begins with; returns whether a device is attached by it."""
        version, operation, _ = _OPERATION.unpack(self._read(_OPERATION.size))
        if version != protocol.VERSION:
            raise _NotUsbIpError
        if operation == protocol.OP_REQ_DEVLIST:
            self._host.sendall(_device_list(self._server.devices()))
            return False
        if operation != protocol.OP_REQ_IMPORT:
            raise _NotUsbIpError
        busid = self._read(_BUSID_BYTES).partition(b"\0")[0].decode("ascii", errors="replace")
        try:
            found = self._server.claim(busid, self)
        except PlugError:
            self._host.sendall(_OPERATION.pack(protocol.VERSION, protocol.OP_REP_IMPORT, _BUSY))
            return False
        if found is None:
            self._host.sendall(_OPERATION.pack(protocol.VERSION, protocol.OP_REP_IMPORT, _NO_DEVICE))
            return False
        self._device, self._watcher = found
        reply = _OPERATION.pack(protocol.VERSION, protocol.OP_REP_IMPORT, 0)
        self._host.sendall(reply + protocol.pack_usb_device(self._device))
        return True

    def _serve_device(self) -> None:
        assert self._watcher is not None
        self._device.reset_io()
        self._watcher.attached()
        self._gathering = threading.get_ident()
        try:
            while True:
                self._request(self._read(_HEADER.size))
                with self._lock:
                    self._flush()
        finally:
            with self._lock:
                self._open.clear()
            self._device.reset_io()
            self._watcher.detached()

    def _request(self, header: bytes) -> None:
        command, number, device, direction, endpoint, flags, length, _, packets, interval, setup = _HEADER.unpack(
            header
        )
        if device != self._device.busnum << 16 | self._device.devnum:
            raise _NotUsbIpError
        if command == protocol.CMD_UNLINK:
            self._unlink(number, device, taken_back=flags)
            return
        if command != protocol.CMD_SUBMIT or direction > 1 or endpoint > 15 or not 0 <= length <= _MOST_BYTES:
            raise _NotUsbIpError
        data = self._read(length) if direction == core.OUT else b""
        urb = core.Urb(command, number, device, direction, endpoint, flags, length, interval, setup, data)
        if self._device.is_iso(endpoint, direction):
            self._read_packets(urb, packets)
        with self._lock:
            if number in self._open or len(self._open) >= _MOST_OPEN:
                raise _NotUsbIpError
            self._open[number] = urb.ep_addr
        transfers = self._server.transfers
        # None of ours has an isochronous endpoint, whose packets would each be a transfer.
        if transfers is None or urb.iso_packets is not None:
            self._hand_over(urb, self._respond)
        else:
            transfers.asked(self._told(urb, urb.buffer), lambda transfer: self._asked(urb, transfer))

    def _hand_over(self, urb: Any, respond: Callable[[Any], None]) -> None:
        if self._device.handle_urb(urb, respond) is not None:
            respond(urb)

    def _asked(self, urb: Any, transfer: Transfer) -> None:
        """A transfer that was let through to the device, maybe late, and maybe changed."""
        with self._lock:
            if urb.seqnum not in self._open or urb.seqnum in self._passed:
                return  # taken back meanwhile, or let through twice
            self._passed.add(urb.seqnum)
        urb.setup, urb.buffer, urb.length = transfer.setup, transfer.data, transfer.length
        self._hand_over(urb, self._answered)

    def _answered(self, urb: Any) -> None:
        transfers = self._server.transfers
        assert transfers is not None  # it has let the request through
        to_host = urb.direction == core.IN
        told = self._told(urb, bytes(urb.buffer[: urb.actual]) if to_host else b"")

        def pass_on(transfer: Transfer) -> None:
            urb.status = transfer.status
            urb.actual = min(len(transfer.data), urb.length) if to_host else transfer.taken
            urb.buffer = transfer.data if to_host else urb.buffer
            self._respond(urb)

        transfers.answered(told, pass_on)

    def _told(self, urb: Any, data: bytes) -> Transfer:
        taken = urb.actual if urb.direction == core.OUT else 0
        return Transfer(self.busid, urb.seqnum, urb.ep_addr, urb.setup, urb.length, data, urb.status, taken)

    def _read_packets(self, urb: Any, count: int) -> None:
        """The places of an isochronous transfer's packets, which follow its data."""
        if not 0 < count <= _MOST_PACKETS:
            raise _NotUsbIpError
        raw = self._read(count * _ISO_BYTES)
        urb.number_of_packets = count
        urb.iso_packets = [list(struct.unpack_from(">IIII", raw, at)) for at in range(0, len(raw), _ISO_BYTES)]
        if sum(length for _, length, _, _ in urb.iso_packets) > _MOST_BYTES:
            raise _NotUsbIpError

    def _respond(self, urb: Any) -> None:
        """Answer a request, unless it was taken back or the host is gone; called from any thread."""
        answer = _Gathered()
        protocol.write_ret(answer, urb)
        with self._lock:
            self._passed.discard(urb.seqnum)
            if self._open.pop(urb.seqnum, None) is not None:
                self._write(bytes(answer.data))

    def _unlink(self, number: int, device: int, taken_back: int) -> None:
        """CMD_UNLINK: the host no longer wants an answer; it is told whether one is already on its way."""
        with self._lock:
            address = self._open.pop(taken_back, None)
            self._passed.discard(taken_back)
            status = 0 if address is None else -errno.ECONNRESET
            self._write(_UNLINKED.pack(protocol.RET_UNLINK, number, device, 0, 0, status))
        if address is None:
            return
        self._device.cancel_urb(taken_back)
        with self._lock:
            watched = address in self._open.values()
        if address & 0x80 and not watched:
            assert self._watcher is not None
            self._watcher.unwatched()

    def _write(self, data: bytes) -> None:
        """Send ``data`` behind all that was written before; the lock is held."""
        self._unsent += data
        # A request to take a report has two answers, its own and the key's: each write costs the host as much as both.
        if threading.get_ident() != self._gathering:
            self._flush()

    def _flush(self) -> None:
        data, self._unsent = self._unsent, bytearray()
        if data:
            try:
                self._host.sendall(data)
            except OSError:
                self.shut_down()  # it is gone, or takes nothing: reading ends at once

    def _read(self, count: int) -> bytes:
        """Exactly ``count`` bytes.

        Raises:
            EOFError: if the host leaves before.
        """
        while len(self._unread) < count:
            more = self._host.recv(_READ_BYTES)
            if not more:
                raise EOFError
            self._unread += more
        data = bytes(self._unread[:count])
        del self._unread[:count]
        return data


class _Gathered:
    """Takes what the library writes in pieces, so that it goes out as one."""

    def __init__(self) -> None:
        self.data = bytearray()

    def sendall(self, piece: bytes) -> None:
        """Keep a piece."""
        self.data += piece


def _device_list(devices: list[Any]) -> bytes:
    """OP_REP_DEVLIST."""
    reply = _OPERATION.pack(protocol.VERSION, protocol.OP_REP_DEVLIST, 0) + struct.pack(">I", len(devices))
    for device in devices:
        reply += protocol.pack_usb_device(device)
        for interface in device.interface_triples():
            reply += bytes((*interface, 0))
    return reply
