"""The floor of what we promise on USB/IP: the library's own server with a device that gives each report back.

``python -m benchmarks.usbip_echo`` serves it on a free port of the loopback, prints the port, and goes on until killed.
"""

import signal
import socket
import sys
from typing import Any

from usbip import USBIP, USBDevice  # type: ignore[import-untyped] # the library has no types
from usbip.classes.device.hid import HID  # type: ignore[import-untyped] # as above

from emulators.fido_authenticator.transports.fido_hid import POLL_INTERVAL_MS, REPORT_DESCRIPTOR

PRODUCT_ID = 0x0002


def main() -> None:
    """Serve."""

    def give_back(report: bytes) -> None:
        interface.send_report(report)

    interface: Any = HID(
        REPORT_DESCRIPTOR,
        in_ep=0x81,
        in_interval=POLL_INTERVAL_MS,
        out_ep=0x01,
        out_interval=POLL_INTERVAL_MS,
        on_output=give_back,
    )
    device = USBDevice(0x1209, PRODUCT_ID, manufacturer="Authrig", product="Authrig echo")
    device.add(interface)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with device.plug(via=USBIP("127.0.0.1", port)):
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
