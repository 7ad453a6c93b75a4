"""A serial device as a USB serial port (CDC-ACM, USB CDC 1.2 and PSTN 1.2): ``/dev/ttyACM0`` on Linux, a COM port on Windows."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from emulators.usb.serial_shell import Device, SerialShell, garble
from emulators.usb.usbip_function import BULK_BYTES, FedEndpoint, Setup, Stall, UsbFunction, UsbInterface

_COMMUNICATIONS, _ABSTRACT_CONTROL_MODEL, _NO_PROTOCOL = 0x02, 0x02, 0x00
# With protocol 1, "AT commands", Linux's ModemManager would take the port for a modem's and talk to it.
_CODING = struct.Struct("<IBBB")
_LINE_CODING_AND_BREAK = 0x02 | 0x04


class _Request(IntEnum):
    """PSTN 1.2 table 13."""

    SET_LINE_CODING = 0x20
    GET_LINE_CODING = 0x21
    SET_CONTROL_LINE_STATE = 0x22
    SEND_BREAK = 0x23


@dataclass(frozen=True, slots=True)
class Line:
    """How the host has set its end of the line.

    ``stop_bits`` is 0 for 1, 1 for 1.5, 2 for 2; ``parity`` 0 none, 1 odd, 2 even, 3 mark, 4 space (PSTN 1.2 table 17).
    ``dtr`` is set while a program has the port open.
    """

    baud_rate: int = 9600
    stop_bits: int = 0
    parity: int = 0
    data_bits: int = 8
    dtr: bool = False
    rts: bool = False


class UsbSerial(SerialShell[Device]):
    """The USB function of a serial port with ``device`` at its other end.

    Put ``function`` into a device (``composite_device``) and that on a bus (``UsbIpServer.plug_in``), and use this as a
    context manager meanwhile. What the device says while no program has the port open is lost.

    Args:
        device: what is at the other end.
        name: what the port is called on the host, where it shows names of functions.
        any_speed: understand each other at different baud rates, as a device does that is a USB device itself.
            Otherwise the host must set the device's rate, as through an adapter.
        on_line: told each time the host sets something else; called in the thread of its connection.
        on_break: told when a break begins (True) and ends (False); a host that says how long it lasts ends it itself.
    """

    def __init__(
        self,
        device: Device,
        name: str = "",
        *,
        any_speed: bool = True,
        on_line: Callable[[Line], None] = lambda _: None,
        on_break: Callable[[bool], None] = lambda _: None,
    ) -> None:
        super().__init__(device)
        self.line = Line()
        """As the host has set it last."""
        self._any_speed = any_speed
        self._on_line = on_line
        self._on_break = on_break
        self._data = _Data(self._take, self.wake)
        self.function = UsbFunction(
            (_Control(self), self._data), (_COMMUNICATIONS, _ABSTRACT_CONTROL_MODEL, _NO_PROTOCOL), name
        )
        """What a composite device is made of."""

    def set_line(self, line: Line) -> None:
        """The host has set its end; called in the thread of its connection."""
        with self._lock:
            before, self.line = self.line, line
            if before.dtr and not line.dtr:
                self._outbox.clear()  # the program has closed the port, and the next must not read what was for it
        if line != before:
            self._on_line(line)
        self.wake()

    def hear_break(self, milliseconds: int) -> None:
        """SEND_BREAK; 0xFFFF means until further notice, 0 ends that."""
        if milliseconds:
            self._on_break(True)
        if milliseconds != 0xFFFF:
            self._on_break(False)

    def _take(self, data: bytes) -> None:
        """Bytes from the host, in the thread of its connection: it is answered without waiting for another thread."""
        with self._lock:
            self._device.receive(garble(data) if self._speeds_differ() else data)
            self._send()
        self.wake()

    def _wanted(self) -> Mapping[int, int]:
        return {}

    def _receive(self, ready: Mapping[int, int]) -> bytes:  # noqa: ARG002 - all comes through _take
        return b""

    def _write(self, data: bytes) -> int:
        asked = self._data.to_host.give(data)
        if asked is not None:
            return min(asked, len(data))
        if self.line.dtr:
            raise BlockingIOError
        return len(data)

    def _speeds_differ(self) -> bool:
        return not self._any_speed and self.line.baud_rate != self._device.baud_rate

    def _close_files(self) -> None:
        """There are none."""


class _Control(UsbInterface):
    """The interface that sets the line (PSTN 1.2 §6.3)."""

    bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol = _COMMUNICATIONS, _ABSTRACT_CONTROL_MODEL, _NO_PROTOCOL  # noqa: N815 - the library's names

    def __init__(self, port: UsbSerial[Device]) -> None:
        super().__init__()
        self._port = port
        self.add_in(FedEndpoint(0x82, "interrupt", 16))

    def extra_descriptors(self) -> bytes:
        """Which requests it knows, and which interface carries the bytes (CDC 1.2 §5.2.3)."""
        control, data = self.interface_number, self.interface_number + 1
        return (
            struct.pack("<BBBH", 5, 0x24, 0x00, 0x0110)  # header
            + bytes((5, 0x24, 0x01, 0x00, data))  # call management: none
            + bytes((4, 0x24, 0x02, _LINE_CODING_AND_BREAK))
            + bytes((5, 0x24, 0x06, control, data))  # union
        )

    def on_control(self, setup: Setup, data: bytes = b"") -> bytes:
        """Set or tell the line."""
        line = self._port.line
        match setup.bRequest:
            case _Request.SET_LINE_CODING if len(data) >= _CODING.size:
                baud_rate, stop_bits, parity, data_bits = _CODING.unpack_from(data)
                self._port.set_line(Line(baud_rate, stop_bits, parity, data_bits, line.dtr, line.rts))
            case _Request.GET_LINE_CODING:
                return _CODING.pack(line.baud_rate, line.stop_bits, line.parity, line.data_bits)
            case _Request.SET_CONTROL_LINE_STATE:
                self._port.set_line(replace(line, dtr=bool(setup.wValue & 1), rts=bool(setup.wValue & 2)))
            case _Request.SEND_BREAK:
                self._port.hear_break(setup.wValue)
            case _:
                raise Stall
        return b""

    def on_reset(self) -> None:
        """Another host, or none: nobody has the port open."""
        self._port.set_line(replace(self._port.line, dtr=False, rts=False))


class _Data(UsbInterface):
    """The interface that carries the bytes."""

    bInterfaceClass = 0x0A  # noqa: N815 - the library's name

    def __init__(self, on_bytes: Callable[[bytes], None], on_asked: Callable[[], None]) -> None:
        super().__init__()
        self._on_bytes = on_bytes
        self.to_host = self.add_in(FedEndpoint(0x81, "bulk", BULK_BYTES, on_asked))
        self.add_out(0x01, BULK_BYTES)

    def on_out(self, _endpoint: object, data: bytes) -> None:
        """Bytes from the host."""
        self._on_bytes(data)
