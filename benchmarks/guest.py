"""``python -m benchmarks.guest ECHO`` inside the virtual machine: the key on the kernel's wires, measured as JSON.

ECHO is the compiled ``uhid_echo.c``. Keys and floors are processes of their own, as a host has them.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks.harness import Measurement, Row, measure, summary
from benchmarks.usbip_echo import PRODUCT_ID

_KEY = [str(Path(sys.executable).with_name("authrig")), "key", "run"]
_INIT, _PING, _CBOR, _CANCEL, _KEEPALIVE = 0x86, 0x81, 0x90, 0x91, 0xBB
_BROADCAST = bytes.fromhex("ffffffff")
_SELECTION = b"\x0b"
_KEEPALIVE_S = 0.1
_PATIENCE = 60.0


class Node:
    """A device node with one channel open."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self.channel = _BROADCAST

    def open_channel(self) -> None:
        """Ask the key for a channel."""
        self.channel = self.call(_INIT, b"benchmrk")[15:19]

    def call(self, command: int, data: bytes) -> bytes:
        """Send a message of one report and take the next report."""
        self.send(command, data)
        return self.read()

    def send(self, command: int, data: bytes) -> None:
        """Send a message of one report, behind the id of the report."""
        head = self.channel + bytes((command, 0, len(data)))
        os.write(self._file, b"\0" + (head + data).ljust(64, b"\0"))

    def read(self) -> bytes:
        """The next report."""
        return os.read(self._file, 64)

    def ping(self) -> None:
        """One round trip."""
        assert self.call(_PING, b"benchmrk")[4:15] == bytes((_PING, 0, 8)) + b"benchmrk"


def main() -> None:
    """Measure and print."""
    with ExitStack() as opened:
        json.dump([asdict(measurement) for measurement in _measure_all(opened, sys.argv[1])], sys.stdout)


def _measure_all(opened: ExitStack, echo: str) -> Iterator[Measurement]:
    _start(opened, [echo])
    on_uhid = _open(_start(opened, [*_KEY, "--transport", "uhid"]))
    bare = Node(_wait_for_node("HID_PHYS=authrig-echo/1"))
    yield measure(_row("PING on uhid", "a C echo device on uhid", on_uhid, bare, target=3))
    yield _keepalives(opened)
    bare = Node(
        _attach("127.0.0.1", _start(opened, [sys.executable, "-m", "benchmarks.usbip_echo"]), "1-1", PRODUCT_ID)
    )
    address, _, busid = _start(opened, [*_KEY, "--transport", "usbip", "--listen", "127.0.0.1:0"]).partition("/")
    host, _, port = address.partition(":")
    on_usbip = Node(_attach(host, port, busid, 0x0001))
    on_usbip.open_channel()
    yield measure(_row("PING on USB/IP", "the library's bare echo device", on_usbip, bare, target=2))


def _row(name: str, floor_name: str, key: Node, floor: Node, target: float) -> Row:
    return Row(name, floor_name, key.ping, floor.ping, target, batch=50, rounds=20)


def _keepalives(opened: ExitStack) -> Measurement:
    """How evenly a key blinks that nobody touches."""
    key = _open(_start(opened, [*_KEY, "--transport", "uhid", "--touch", "hand"], stdin=subprocess.PIPE))
    key.send(_CBOR, _SELECTION)
    times = []
    for _ in range(40):
        assert key.read()[4] == _KEEPALIVE
        times.append(time.perf_counter())
    key.send(_CANCEL, b"")
    pauses = [(after - before, _KEEPALIVE_S) for before, after in itertools.pairwise(times)]
    return summary("time between keepalives on uhid", "the 0.1 s that it should be", 1.1, pauses)


def _start(opened: ExitStack, command: Sequence[str], stdin: int = subprocess.DEVNULL) -> str:
    """Start a program that goes on until the end; what it prints first, if it is one of Python."""
    program = opened.enter_context(subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, text=True))
    opened.callback(program.kill)
    assert program.stdout is not None
    return program.stdout.readline().strip() if len(command) > 1 else ""


def _open(path: str) -> Node:
    node = Node(Path(path))
    node.open_channel()
    return node


def _attach(host: str, port: str, busid: str, product_id: int) -> Path:
    usbip = shutil.which("usbip")
    assert usbip is not None
    subprocess.run([usbip, "--tcp-port", port, "attach", "-r", host, "-b", busid], check=True, stdout=sys.stderr)
    return _wait_for_node(f"HID_ID=0003:00001209:{product_id:08X}", "HID_PHYS=usb-vhci")


def _wait_for_node(*lines: str) -> Path:
    """The device node whose description in sysfs has lines that begin so."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for node in Path("/sys/class/hidraw").glob("*"):
            described = (node / "device" / "uevent").read_text(encoding="utf-8")
            made = Path("/dev") / node.name
            if made.exists() and all(f"\n{line}" in f"\n{described}" for line in lines):
                return made
        time.sleep(0.01)
    raise TimeoutError(f"no device node with {lines}")


if __name__ == "__main__":
    main()
