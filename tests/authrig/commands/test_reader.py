import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from authrig.cli import main
from authrig.pictures import print_code
from emulators.camera_scanner.barcode_readers.drivers.gm65 import Gm65Driver
from emulators.camera_scanner.barcode_readers.drivers.honeywell import HoneywellDriver
from emulators.camera_scanner.barcode_readers.hid.layout import Modifier, Stroke, load_layout
from emulators.camera_scanner.barcode_readers.hid.mangling import typed_text
from emulators.env import SystemClock
from tests.emulators.usb.usbip_host import UsbIpHost

IN = 1


@contextmanager
def running(*arguments: str | Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The command at work; at its end it is interrupted, and must then end well."""
    command = [str(Path(sys.executable).with_name("authrig")), "reader", "run", *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=60)
            # What is read may be a password: it goes to the host only.
            assert (process.returncode, rest, errors) == (0, b"", b"")


def place(process: "subprocess.Popen[bytes]") -> str:
    """Where the reader is."""
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def show(process: "subprocess.Popen[bytes]", line: bytes) -> None:
    """A line on standard input."""
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    process.stdin.flush()


def test_lines_are_read_on_a_pty(tmp_path: Path) -> None:
    """Each is a code, bytes as they are, also the same one twice; the terminal has the name that was asked for."""
    link = tmp_path / "reader"
    with running("--family", "gm65", "--transport", "pty", "--link", link) as process:
        assert place(process) == str(link)
        with serial.Serial(str(link), 9600, timeout=30) as port:
            for line in (b"OTP 123456", b"\xff\x00!", b"\xff\x00!"):
                show(process, line)
                assert port.read(len(line) + 1) == line + b"\r"


def test_a_host_triggers_it_on_tcp() -> None:
    """Without the button: our own driver for real readers asks, and reads what is held before it all the time."""
    arguments = ("--family", "honeywell", "--transport", "tcp", "--code", "hello", "--no-button")
    with running(*arguments) as process, serial.serial_for_url(place(process), timeout=5) as port:
        driver = HoneywellDriver(port, SystemClock())
        driver.configure()
        assert driver.read(5.0) is None, "nobody has triggered it"
        driver.trigger()
        assert driver.read(30.0) == b"hello"


def test_a_camera_is_its_eye(tmp_path: Path) -> None:
    """Here a picture; settings that its host makes are in the file."""
    picture, memory = tmp_path / "badge.png", tmp_path / "settings.json"
    picture.write_bytes(print_code("AQB1:TEST"))
    arguments = ("--family", "gm65", "--transport", "pty", "--camera", picture, "--memory", memory)
    with running(*arguments) as process, serial.Serial(place(process), 9600, timeout=60) as port:
        assert port.read(10) == b"AQB1:TEST\r"
        Gm65Driver(port, SystemClock()).save()
    assert memory.exists()


def test_a_code_is_read_again_and_again() -> None:
    """For hosts that come late."""
    arguments = ("--family", "plain", "--transport", "tcp", "--code", "hello", "--every", "0.1")
    with running(*arguments) as process, serial.serial_for_url(place(process), timeout=30) as port:
        assert port.read(12) == b"hello\rhello\r"


def usb_host(process: "subprocess.Popen[bytes]") -> UsbIpHost:
    """A host that has attached the reader."""
    address, _, busid = place(process).partition("/")
    host, _, port = address.rpartition(":")
    return UsbIpHost((host, int(port)), busid, patience=60)


def test_a_wedge_types_on_usb() -> None:
    """In the layout that was asked for, from a keyboard that says that it is a test device."""
    arguments = ("--family", "wedge", "--transport", "usbip", "--listen", "127.0.0.1:0", "--layout", "de")
    with running(*arguments, "--code", "Zürich@1", "--encoding", "utf-8") as process:
        usb = usb_host(process)
        assert usb.descriptor(3, 2)[2:].decode("utf-16-le") == "Authrig test keyboard wedge"
        strokes: list[Stroke] = []
        while not strokes or strokes[-1].key != 0x28:
            down, _ = (usb.answer(usb.submit(IN, 1, 8))[1] for _ in range(2))
            strokes.append(Stroke(down[2], Modifier(down[0])))
        assert typed_text(strokes, load_layout("de")) == "Zürich@1\r"
        usb.socket.close()


def test_hid_pos_on_usb_under_other_numbers() -> None:
    """Those that a program looks for; the name says all the same what it is."""
    arguments = ("--family", "pos", "--transport", "usbip", "--listen", "127.0.0.1:0", "--usb-id", "0c2e:0b61")
    with running(*arguments) as process:
        usb = usb_host(process)
        assert usb.descriptor(1)[8:12] == bytes.fromhex("2e0c610b")
        assert usb.descriptor(3, 2)[2:].decode("utf-16-le") == "Authrig test HID-POS reader"
        waiting = usb.submit(IN, 1, 64)
        show(process, b"hello")
        assert usb.answer(waiting)[1][:10] == b"\x02\x05]Q1hello"
        usb.socket.close()


def test_a_serial_reader_on_usb() -> None:
    """What it reads waits until a program has opened the port."""
    arguments = ("--family", "newland", "--transport", "usbip", "--listen", "127.0.0.1:0", "--code", "hello")
    with running(*arguments) as process:
        usb = usb_host(process)
        waiting = usb.submit(IN, 1, 512)
        set_control_line_state = b"\x21\x22\x01\x00\x00\x00\x00\x00"
        assert usb.answer(usb.submit(0, 0, 0, setup=set_control_line_state))[0] == 0
        assert usb.answer(waiting)[1] == b"hello\r"
        usb.socket.close()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--family", "gm65", "--transport", "uhid"], "gm65 is a serial device: choose --transport pty, tcp or usbip"),
        (["--family", "wedge", "--transport", "pty"], "wedge is a HID device: choose --transport usbip or uhid"),
        (["--family", "wedge", "--transport", "usbip", "--layout", "dvorak"], "expected one of de, de-ch, fr, uk, us"),
        (["--family", "wedge", "--transport", "usbip", "--encoding", "hex"], "no encoding of characters 'hex'"),
        (["--family", "pos", "--transport", "usbip", "--layout", "de"], "go with --family wedge: pos sends bytes"),
        (["--family", "plain", "--transport", "tcp", "--layout", "de"], "go with --family wedge: plain sends bytes"),
        (["--family", "plain", "--transport", "tcp", "--memory", "x"], "a plain reader has no settings to keep"),
        (["--family", "gm65", "--transport", "tcp", "--every", "1"], "--every goes with --code"),
        (["--family", "gm65", "--transport", "tcp", "--code", ""], "--code: expected a text of 1 to 7089 bytes"),
        (["--family", "gm65", "--transport", "tcp", "--code", "x" * 7090], "--code: expected a text of 1 to 7089"),
        (["--family", "gm65", "--transport", "tcp", "--link", "x"], "--link goes with --transport pty"),
        (["--family", "gm65", "--transport", "tcp", "--usb-id", "1234:5678"], "--usb-id goes with"),
        (["--family", "gm65", "--transport", "tcp", "--camera", "nosuch.png"], "nosuch.png"),
        (["--family", "gm65", "--transport", "pty", "--memory", "damaged.json"], "it is no JSON"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """On standard error, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    Path("damaged.json").write_text("{")
    assert main(["reader", "run", *arguments]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """For each kind that listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for family, transport in (("gm65", "tcp"), ("wedge", "usbip")):
            assert (
                main(["reader", "run", "--family", family, "--transport", transport, "--listen", f"127.0.0.1:{port}"])
                == 2
            )
            assert f"port {port}: Address already in use; another port may be free" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--usb-id", "zz"), ("--listen", "x"), ("--every", "-1"), ("--family", "nosuch")])
def test_values_that_make_no_sense_are_refused(option: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """With what was expected."""
    with pytest.raises(SystemExit):
        main(["reader", "run", "--family", "gm65", "--transport", "tcp", *option])
    assert option[1] in capsys.readouterr().err
