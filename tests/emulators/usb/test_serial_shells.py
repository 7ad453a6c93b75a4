import socket
from pathlib import Path

import pytest
import serial

from emulators.env import Clock, SystemClock
from emulators.usb.errors import PlugError
from emulators.usb.serial_pty import SerialPty
from emulators.usb.serial_tcp import SerialTcp
from tests.leaks import nothing_left_open


class Echo:
    """Says what it hears; "fast" makes it speak at 115200 baud after its answer; "later" is answered when due."""

    def __init__(self) -> None:
        self.clock: Clock = SystemClock()
        self.baud_rate = 9600
        self.heard = b""
        self._outbox = b""
        self._faster = False
        self._due: float | None = None

    def receive(self, data: bytes) -> None:
        """Remember and repeat."""
        self.heard += data
        self._outbox += data
        self._faster = data == b"fast"
        if data == b"later":
            self._outbox = b""
            self._due = self.clock.monotonic() + 0.05

    def poll(self) -> None:
        """Answer what is due."""
        if self._due is not None and self.clock.monotonic() >= self._due:
            self._outbox, self._due = b"now", None

    def next_deadline(self) -> float | None:
        """When the late answer is due."""
        return self._due

    def take_output(self) -> bytes:
        """Give it out; what follows may be faster."""
        said, self._outbox = self._outbox, b""
        if self._faster:
            self.baud_rate = 115_200
        return said


def test_a_host_with_pyserial_talks_to_a_device() -> None:
    """Bytes of every value pass both ways, and what is due later comes by itself."""
    with SerialPty(Echo()) as line, serial.Serial(line.path, 9600, timeout=5) as port:
        port.write(bytes(range(256)))
        assert port.read(256) == bytes(range(256))
        port.write(b"later")
        assert port.read(3) == b"now"


def test_another_baud_rate_makes_garbage_both_ways() -> None:
    """As on a real line; over USB the rate means nothing."""
    with SerialPty(Echo()) as line, serial.Serial(line.path, 19200, timeout=5) as port:
        port.write(b"hello")
        assert len(port.read(5)) == 5
        with line.using() as device:
            assert device.heard != b"hello"
    with SerialPty(Echo(), any_speed=True) as line, serial.Serial(line.path, 19200, timeout=5) as port:
        port.write(b"hello")
        assert port.read(5) == b"hello"


def test_a_new_baud_rate_begins_after_the_answer() -> None:
    """The answer comes at the old rate; after it only the new one is understood."""
    with SerialPty(Echo()) as line, serial.Serial(line.path, 9600, timeout=5) as port:
        port.write(b"fast")
        assert port.read(4) == b"fast"
        port.baudrate = 115_200
        port.write(b"hi")
        assert port.read(2) == b"hi"


def test_a_link_names_the_terminal_and_goes_with_it(tmp_path: Path) -> None:
    """A link that a killed run left behind is replaced; a file of the user's is not."""
    link = tmp_path / "reader"
    link.symlink_to("/dev/pts/12345")
    with SerialPty(Echo(), link) as line:
        assert str(link.resolve()) == line.path
    assert not link.is_symlink()
    link.write_text("mine")
    with nothing_left_open(), pytest.raises(PlugError, match="File exists"):
        SerialPty(Echo(), link)
    assert link.read_text() == "mine"


def test_one_host_at_a_time_over_tcp() -> None:
    """Others are hung up on; when the first has left, the next is served and reads nothing left over."""
    with SerialTcp(Echo()) as line:
        with socket.create_connection(line.address, 5) as first:
            first.settimeout(5)
            first.sendall(b"one")
            assert first.recv(16) == b"one"
            with socket.create_connection(line.address, 5) as second:
                second.settimeout(5)
                assert second.recv(16) == b""
            first.sendall(b"later")
        port = serial.serial_for_url(f"socket://{line.address[0]}:{line.address[1]}", timeout=5)
        port.write(b"two")
        assert port.read(3) == b"two"
        port.close()


def test_closing_ends_the_thread_and_frees_everything() -> None:
    """Closing twice is allowed."""
    with nothing_left_open():
        for line in (SerialPty(Echo()), SerialTcp(Echo())):
            with line:
                line.wake()
            line.close()
            line.wake()


def test_a_host_that_never_reads_costs_no_memory() -> None:
    """What it does not read is lost, and the device goes on hearing."""
    with SerialPty(Echo()) as line, serial.Serial(line.path, 9600, timeout=5, write_timeout=5) as port:
        for _ in range(100):
            port.write(b"x" * 4096)
        assert len(line._outbox) <= 1 << 16
