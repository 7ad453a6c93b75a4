"""The lines that a running token's console can be on, by the names that the command line knows."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from authrig.errors import RigError
from authrig.keys.wires import Listen
from authrig.tokens.powered import PoweredToken
from emulators.usb.errors import PlugError

Using = Callable[[], AbstractContextManager[PoweredToken]]


@dataclass(frozen=True, slots=True)
class Line:
    """A console that is served: where, how to reach the token meanwhile, and how to have it polled now."""

    address: str
    using: Using
    wake: Callable[[], object]


def serve_console(transport: str, core: PoweredToken, listen: Listen, link: Path | None, opened: ExitStack) -> Line:
    """Put the console of ``core`` on a pty, on tcp, or on usbip, until ``opened`` is closed.

    Raises:
        RigError: if that cannot be.
    """
    serve = {"pty": _pty, "tcp": _tcp, "usbip": _usbip}[transport]
    try:
        return serve(core, listen, link, opened)
    except PlugError as error:
        raise RigError(str(error)) from error
    except OSError as error:
        raise RigError(f"no line for the token's console: {error.strerror or error}") from error


# Only what is used is imported: a cold start counts.


def _pty(core: PoweredToken, _: Listen, link: Path | None, opened: ExitStack) -> Line:
    from emulators.usb.serial_pty import SerialPty  # noqa: PLC0415 - see above

    pty = opened.enter_context(SerialPty(core, link, any_speed=True))
    return Line(pty.path, pty.using, pty.wake)


def _tcp(core: PoweredToken, listen: Listen, _: Path | None, opened: ExitStack) -> Line:
    from emulators.usb.serial_tcp import SerialTcp  # noqa: PLC0415 - see above

    tcp = opened.enter_context(SerialTcp(core, listen.host, listen.port or 0))
    host, port = tcp.address
    return Line(f"{host}:{port}", tcp.using, tcp.wake)


def _usbip(core: PoweredToken, listen: Listen, _: Path | None, opened: ExitStack) -> Line:
    """With a camera it is one device of console and camera: its host sees what the token sees."""
    from authrig.devices.token_device import identity_of  # noqa: PLC0415 - see above
    from emulators.usb.usbip_function import composite_device  # noqa: PLC0415 - see above
    from emulators.usb.usbip_serial import UsbSerial  # noqa: PLC0415 - see above
    from emulators.usb.usbip_server import PORT, UsbIpServer  # noqa: PLC0415 - see above

    server = opened.enter_context(UsbIpServer(listen.host, PORT if listen.port is None else listen.port))
    port = opened.enter_context(UsbSerial(core, "Test console"))
    functions = [port.function]
    if core.eye is not None:
        from emulators.camera_scanner.webcams.usb import UsbWebcam  # noqa: PLC0415 - see above

        camera = opened.enter_context(UsbWebcam("Test camera"))
        core.eye.on_frame = lambda frame: camera.show(frame.image)
        functions.append(camera.function)
    busid = server.plug_in(composite_device(identity_of(core.token), *functions))
    opened.callback(server.unplug, busid)
    host, number = server.address
    return Line(f"{host}:{number}/{busid}", port.using, port.wake)
