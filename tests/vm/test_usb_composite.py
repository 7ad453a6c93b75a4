import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import serial

from authrig.devices.token_device import TokenDevice
from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.gm65 import Gm65
from emulators.camera_scanner.barcode_readers.gm65_frames import Kind, command
from emulators.env import Env
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.token import QrToken
from emulators.usb.serial_shell import garble
from emulators.usb.usb_identity import UsbIdentity
from emulators.usb.usbip_function import composite_device
from emulators.usb.usbip_serial import UsbSerial
from emulators.usb.usbip_server import UsbIpServer
from tests.vm.cameras import attach, camera_node, capture, code, find_camera, wait_until_seen
from tests.vm.conftest import run, settle, wait_for

SERIAL_NUMBER = "QT1-00000042"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "usb-devices.md"


def _console_node() -> Path:
    node = wait_for(lambda: next(iter(Path("/dev").glob("ttyACM*")), None))
    settle()
    return node


def _wait_until_gone() -> None:
    """Until the kernel has taken the nodes away, so that the next ones have the same names."""
    wait_for(lambda: not list(Path("/dev").glob("ttyACM*")) and find_camera("test device") is None)


@pytest.fixture
def device() -> Iterator[tuple[TokenDevice, UsbIpServer]]:
    """A token that is attached: a port and a camera of one device."""
    env = Env.simulated(seed=1)
    memory = TokenMemory()
    memory.provision(SERIAL_NUMBER, bytes(range(32)))
    token = QrToken(env, load_profile(), memory)
    token.power_on()
    with ExitStack() as stack:
        server = stack.enter_context(UsbIpServer(port=0))
        made = stack.enter_context(TokenDevice(token, env, server))
        attach(server, made.busid)
        yield made, server
    _wait_until_gone()


@pytest.fixture
def ask() -> Callable[..., dict[str, Any]]:
    """Asks the console by pyserial; the port is opened for each question."""

    def ask(word: str, **values: object) -> dict[str, Any]:
        with serial.Serial(str(_console_node()), 115_200, timeout=30) as port:
            port.write(json.dumps({"cmd": word, **values}).encode() + b"\n")
            answer: dict[str, Any] = json.loads(port.readline())
            return answer

    return ask


def test_the_kernel_makes_both_nodes_of_one_device(device: tuple[TokenDevice, UsbIpServer]) -> None:
    """A port and a camera with the serial number of the token in their names, marked as a test device."""
    _console_node()
    camera_node("test device")
    stem = f"usb-Authrig_QR_Reader_128__test_device__{SERIAL_NUMBER}"

    def names() -> set[str]:
        links = (path.name for folder in ("serial", "v4l") for path in Path(f"/dev/{folder}/by-id").iterdir())
        return {name.removeprefix(stem) for name in links if "Authrig" in name}

    expected = {"-if00", "-video-index0", "-video-index1"}
    wait_for(lambda: len(names()) >= len(expected))  # the camera's second node comes after its first
    assert names() == expected


def test_a_terminal_presses_keys_and_reads_the_screen(
    device: tuple[TokenDevice, UsbIpServer], ask: Callable[..., dict[str, Any]]
) -> None:
    """Pyserial on the kernel's node; a picture of the display comes over it whole; so does what the token was shown."""
    hello = ask("hello")
    assert hello["serial"] == SERIAL_NUMBER
    assert hello["test_device"]
    assert ask("state")["state"] == "idle"
    assert ask("press", button="ok")["state"] == "scanning"
    with device[0].using() as token:
        assert token.screen.state.name == "SCANNING"
    png = base64.b64decode(ask("png", whole_device=True)["png"])
    assert cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR) is not None
    device[0].show(code("no challenge"))
    wait_for(lambda: ask("state")["state"] == "error")


def test_the_camera_shows_what_is_held_before_the_token_while_its_console_answers(
    device: tuple[TokenDevice, UsbIpServer], ask: Callable[..., dict[str, Any]]
) -> None:
    """Both functions of the device at once."""
    with capture(camera_node("test device"), "MJPG", 640, 480) as eye:
        for text in ("first", "second"):
            device[0].show(code(text))
            assert ask("hello")["serial"] == SERIAL_NUMBER
            wait_until_seen(eye, text)


def test_pulled_out_and_put_back(device: tuple[TokenDevice, UsbIpServer], ask: Callable[..., dict[str, Any]]) -> None:
    """While a program takes pictures and another has the port open: both are told, and find the device again."""
    token, server = device
    token.show(code("before"))
    node = camera_node("test device")
    with capture(node, "YUYV", 640, 480) as eye, serial.Serial(str(_console_node()), timeout=30) as port:
        wait_until_seen(eye, "before")
        token.unplug()
        wait_for(lambda: not node.exists())
        with pytest.raises((serial.SerialException, OSError)):
            port.read(1)
    _wait_until_gone()
    token.plug_in()
    attach(server, token.busid)
    assert ask("hello")["serial"] == SERIAL_NUMBER
    token.show(code("after"))
    with capture(camera_node("test device"), "MJPG", 320, 240) as eye:
        wait_until_seen(eye, "after")


def test_the_command_line_plugs_a_token_in_whose_camera_shows_what_it_sees(
    tmp_path: Path, ask: Callable[..., dict[str, Any]]
) -> None:
    """`authrig token run --transport usbip --camera PICTURE`: a picture is seen on the host as soon as the token scans."""
    picture, file = tmp_path / "held.png", tmp_path / "my.token"
    assert cv2.imwrite(str(picture), code("held before it"))
    serial_number = run("authrig", "token", "new", file, "--profile", "dot_matrix_128x64").strip()
    command = ["authrig", "token", "run", str(file), "--transport", "usbip", "--listen", "127.0.0.1:0", "--camera"]
    with subprocess.Popen([*command, str(picture)], stdout=subprocess.PIPE, text=True) as token:
        try:
            assert token.stdout is not None
            address, _, busid = token.stdout.readline().strip().partition("/")
            host, _, port = address.partition(":")
            run("usbip", "--tcp-port", port, "attach", "-r", host, "-b", busid)
            assert ask("hello")["serial"] == serial_number
            assert ask("press", button="ok")["state"] == "scanning"
            with capture(camera_node("test device"), "MJPG", 320, 240) as eye:
                wait_until_seen(eye, "held before it")
            wait_for(lambda: ask("state")["state"] == "error")
        finally:
            token.terminate()
    _wait_until_gone()


def test_the_page_about_usb_devices_tells_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first example runs, its own commands attach the device meanwhile, and both nodes work."""
    page = PAGE.read_text(encoding="utf-8")
    example = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    seen = list[object]()

    def enter(_: str) -> None:
        for attaching in re.findall(r"^sudo (usbip .*)$", page, re.MULTILINE):
            run(*attaching.split())
        with serial.Serial(str(_console_node()), 115_200, timeout=30) as port:
            port.write(b'{"cmd": "hello"}\n')
            seen.append(json.loads(port.readline())["serial"])
        with capture(camera_node("test device"), "MJPG", 640, 480) as eye:
            wait_until_seen(eye, "hello")
            seen.append("hello")

    monkeypatch.setattr("builtins.input", enter)
    exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102 - the examples are our own text
    assert seen == [SERIAL_NUMBER, "hello"]
    _wait_until_gone()


def test_a_terminal_drives_a_barcode_reader() -> None:
    """On a USB serial port, at the reader's own rate; at another one neither understands the other."""
    with UsbIpServer(port=0) as server, UsbSerial(Gm65(Env.real()), any_speed=False) as port:
        identity = UsbIdentity(0x1209, 0x0004, 0x0100, "Authrig", "Test reader")
        attach(server, server.plug_in(composite_device(identity, port.function)))
        node = str(_console_node())
        with serial.Serial(node, 9600, timeout=30) as right:
            right.write(command(Kind.READ, 0x00E2, b"\x01"))
            assert right.read(7)[:5] == b"\x02\0\0\x01\x69"
        with serial.Serial(node, 115_200, timeout=30) as wrong:
            with port.using() as reader:
                reader.show(Code(b"hello"))
                reader.press()
            assert wrong.read(5) == garble(b"hello")
            assert port.line.baud_rate == 115_200
    _wait_until_gone()
