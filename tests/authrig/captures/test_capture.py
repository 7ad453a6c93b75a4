import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fido2.ctap import CtapError
from fido2.ctap1 import Ctap1
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin
from hypothesis import given
from hypothesis import strategies as st

from authrig.captures.capture import Capture
from authrig.captures.comments import ApduComments, ReportComments
from authrig.captures.usb import UsbKey
from authrig.cli import main
from authrig.errors import RigError
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.iso7816 import AID, Iso7816
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.in_process import InProcessTransport
from tests.emulators.fido_authenticator.ctap_requests import HASH, creation

AUTHRIG = str(Path(sys.executable).with_name("authrig"))
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "capture-traffic.md"
THIS = "tests/authrig/captures/test_capture.py::"
SELECT = b"\x00\xa4\x04\x00\x08" + AID + b"\x00"
INIT = b"\xff\xff\xff\xff\x86\x00\x08"
Row = dict[str, list[str]]
# Wireshark from 4.4 on runs no scripts for root, who passes the opened files on instead, as they may be in a folder of its own.
NOBODY = 65534 if os.geteuid() == 0 else None


def _dissector(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["key", "dissector"]) == 0
    return capsys.readouterr().out.strip()


def _tshark(path: Path, *options: str, script: str | None = None) -> str:
    command = ["tshark", "-r", "-", *options]
    with ExitStack() as opened:
        capture = opened.enter_context(path.open("rb"))
        passed: list[int] = []
        if script is not None:
            passed = [opened.enter_context(Path(script).open("rb")).fileno()]
            command += ["-X", f"lua_script:/dev/fd/{passed[0]}"]
        read = subprocess.run(
            command,
            stdin=capture,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            pass_fds=passed,
            user=NOBODY,
            group=NOBODY,
            extra_groups=None if NOBODY is None else [],
            env={**os.environ, "HOME": "/nonexistent"},
        )
    assert read.returncode == 0, read.stderr
    assert "Lua: Error" not in read.stderr
    return read.stdout


def _packets(path: Path, *fields: str, script: str | None = None) -> list[Row]:
    """All packets, with what Wireshark's dissectors found in them."""
    options = [option for field in fields for option in ("-e", field)]
    layers = [row["_source"]["layers"] for row in json.loads(_tshark(path, "-T", "json", *options, script=script))]
    return [{field: layer.get(field, []) for field in fields} for layer in layers]


def _said(rows: list[Row], field: str) -> list[str]:
    return [value for row in rows for value in row[field]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A capture of a registration, a login that is refused, a ping of two reports, and U2F."""
    path = tmp_path / "key.pcapng"
    capture = Capture(path)
    key = Authenticator(Env.simulated(1), load("yubikey-5.8"))
    device = InProcessTransport(CtapHid(key, capture.hid_tap(key.profile, key.env.clock))).open_device()
    ctap2 = Ctap2(device)
    ctap2.make_credential(HASH, {"id": "example.com"}, {"id": b"ada", "name": "ada"}, creation()[4])
    capture.annotate("nobody is known there")
    with pytest.raises(CtapError):
        ctap2.get_assertion("nowhere.example", HASH)
    device.ping(b"p" * 100)
    Ctap1(device).get_version()
    capture.close()
    return path


@pytest.mark.needs("tshark")
def test_wireshark_sees_a_hid_device_by_itself(path: Path) -> None:
    """From the descriptors at the beginning it knows the product, and that the rest are its reports."""
    fields = ("usb.idVendor", "usb.idProduct", "usb.bString", "usb.endpoint_address.number")
    rows = _packets(path, *fields, "usb.bInterfaceClass", "usbhid.data", "_ws.malformed", "usb.urb_status")
    assert _said(rows, "usb.idVendor") == ["0x1050"]
    assert _said(rows, "usb.idProduct") == ["0x0407"]
    assert _said(rows, "usb.bString")[-1] == load("yubikey-5.8").usb.product
    assert "Usage Page (FIDO Alliance)" in _tshark(path, "-V", "-Y", "usbhid.item.global.usage")
    assert set(_said(rows, "usb.urb_status")) == {"-115", "0"}
    reports = _said(rows, "usbhid.data")
    assert reports
    assert all(len(report.replace(":", "")) == 128 for report in reports)
    assert _said(rows, "_ws.malformed") == []


@pytest.mark.needs("tshark")
def test_the_dissector_shows_ctaphid_and_cbor(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Messages put together from their reports, commands and answers by name, and CBOR by Wireshark's own dissector."""
    names = ("ctaphid.command", "ctaphid.ctap", "ctaphid.status", "cbor.type.textstring", "_ws.malformed")
    rows = _packets(path, *names, "ctaphid.allocated", "ctaphid.sequence", "_ws.lua.text", script=_dissector(capsys))
    assert _said(rows, "ctaphid.allocated") == ["0x00000001"]
    assert _said(rows, "ctaphid.ctap") == ["0x04", "0x01", "0x02"]
    assert _said(rows, "ctaphid.status") == ["0x00", "0x00", "0x2e"]
    assert {"0x06", "0x10", "0x01", "0x03", "0x3b"} >= set(_said(rows, "ctaphid.command")) >= {"0x06", "0x10", "0x01"}
    texts = _said(rows, "cbor.type.textstring")
    assert {"FIDO_2_1", "example.com", "packed", "nowhere.example"} <= set(texts)
    assert _said(rows, "ctaphid.sequence")
    assert _said(rows, "_ws.malformed") == _said(rows, "_ws.lua.text") == []
    shown = _tshark(path, "-V", "-Y", "ctaphid.ctap == 1", script=_dissector(capsys))
    assert "CTAPHID: CBOR authenticatorMakeCredential" in shown


@pytest.mark.needs("tshark")
def test_comments_name_tests_and_commands(path: Path) -> None:
    """The test that ran when the packet was taken, a note of the rig, each command and how it ended."""
    comments = [",".join(row["frame.comment"]) for row in _packets(path, "frame.comment")]
    assert comments[0] == f"{THIS}test_comments_name_tests_and_commands"
    assert [comment for comment in comments[1:] if comment and "KEEPALIVE" not in comment] == [
        "INIT",
        "INIT",
        "authenticatorGetInfo",
        "authenticatorGetInfo: SUCCESS",
        "authenticatorMakeCredential",
        "authenticatorMakeCredential: SUCCESS",
        "nobody is known there,authenticatorGetAssertion",
        "authenticatorGetAssertion: NO_CREDENTIALS",
        "PING",
        "PING",
        "U2F_VERSION",
        "MSG",
    ]


@pytest.mark.needs("tshark")
def test_a_card_is_captured_as_apdus(tmp_path: Path) -> None:
    """Nobody saw USB there, so the file does not say so; Wireshark reads the ATR and the APDUs without a script."""
    path = tmp_path / "card.pcapng"
    capture = Capture(path)
    key = Authenticator(Env.simulated(1))
    tap = capture.card_tap(key.profile, key.env.clock)
    card = Iso7816(key, tap)
    tap.plugged_in()
    for command in (SELECT, b"\x80\x10\x00\x00\x01\x04\x00", b"\x00\xc0\x00\x00\x00"):
        card.receive(command)
    capture.close()
    said = ("iso7816.atr.historical_bytes", "iso7816.apdu.ins", "iso7816.apdu.sw1", "_ws.malformed")
    rows = _packets(path, *said, "frame.comment")
    assert bytes.fromhex(_said(rows, said[0])[0].replace(":", "")).endswith(b"Authrig")
    assert _said(rows, "_ws.malformed") == []
    # The instructions of a class that belongs to an application, Wireshark leaves to the comments.
    assert _said(rows, "iso7816.apdu.ins") == ["0xa4", "0xc0"]
    assert _said(rows, "iso7816.apdu.sw1") == ["0x90", "0x61", "0x61"]
    comments = [row["frame.comment"][-1] for row in rows if row["frame.comment"]]
    expected = ["ATR", "SELECT", "NFCCTAP_MSG authenticatorGetInfo", "authenticatorGetInfo: SUCCESS", "GET RESPONSE"]
    assert comments == expected


@pytest.mark.needs("tshark")
def test_the_page_about_captures_tells_the_truth(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its filter finds what was refused, and its example makes a file that tshark reads."""
    page = PAGE.read_text(encoding="utf-8")
    (only,) = re.findall(r"-Y '(.*)'", page)
    (found,) = _tshark(path, "-Y", only, script=_dissector(capsys)).splitlines()
    assert found.endswith("CTAPHID 128 CBOR NO_CREDENTIALS")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    namespace: dict[str, Any] = {}
    using = example.replace("# ... connect", "InProcessTransport(hid).open_device().ping(b'hello')\n# ... connect")
    namespace["InProcessTransport"] = InProcessTransport
    exec(compile(using, str(PAGE), "exec"), namespace)  # noqa: S102 - the example is our own text
    noted = _said(_packets(tmp_path / "key.pcapng", "frame.comment"), "frame.comment")
    assert noted[0].startswith("the PIN is wrong three times")


@contextmanager
def _running(*options: str) -> Iterator[subprocess.Popen[str]]:
    command = [AUTHRIG, "key", "run", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _say_hello(address: str) -> None:
    host, port = address.strip().rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(INIT + b"12345678".ljust(57, b"\0"))
        assert connection.recv(64)


@pytest.mark.needs("tshark")
def test_a_killed_key_leaves_a_capture_that_can_be_read(tmp_path: Path) -> None:
    """All that was answered is in it; a replugged key is a new device on the bus."""
    path = tmp_path / "key.pcapng"
    with _running("--transport", "tcp", "--capture", str(path), "--control", "0") as key:
        assert key.stderr is not None
        assert key.stdout is not None
        control = key.stderr.readline().split()[-1]
        _say_hello(key.stdout.readline())
        for power in ("off", "on"):
            with urllib.request.urlopen(f"{control}/usb1/power/{power}", timeout=10) as answer:  # noqa: S310 - our own server
                port = json.load(answer)
        _say_hello(port["address"])
        key.send_signal(signal.SIGKILL)
        key.wait(10)
    rows = _packets(path, "usb.idVendor", "usb.device_address", "frame.comment", "frame.interface_name")
    addresses = dict.fromkeys(_said(rows, "usb.device_address"))
    assert [int(address) for address in addresses] == [1, 2]
    assert _said(rows, "usb.idVendor") == ["0x1209"] * 2
    assert _said(rows, "frame.comment")[0].endswith("::test_a_killed_key_leaves_a_capture_that_can_be_read")
    assert [row["frame.comment"][-1] for row in rows if row["frame.comment"]].count("INIT") == 4
    assert set(_said(rows, "frame.interface_name")) == {"usb1"}


def test_a_capture_that_cannot_be_made_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No key is plugged in then."""
    assert main(["key", "run", "--capture", str(tmp_path / "nowhere" / "a.pcapng")]) == 2
    error = capsys.readouterr().err
    assert error == f"authrig: capture {tmp_path}/nowhere/a.pcapng: cannot be written: No such file or directory\n"


def test_a_key_file_is_not_taken_for_a_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip of the hand costs nobody a key; an older capture is overwritten, as everybody's tools do."""
    file = tmp_path / "my.key"
    main(["key", "new", str(file)])
    before = file.read_bytes()
    assert main(["key", "run", str(file), "--capture", str(file)]) == 2
    assert "is no capture, and it is not overwritten" in capsys.readouterr().err
    assert file.read_bytes() == before
    for _ in range(2):
        Capture(tmp_path / "key.pcapng").close()


def test_a_key_works_on_when_its_capture_cannot(tmp_path: Path) -> None:
    """Whoever read the capture has left: one sentence, and the host notices nothing."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    sentences: list[str] = []
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    capture = Capture(pipe, sentences.append)
    key = Authenticator(Env.simulated(1))
    device = InProcessTransport(CtapHid(key, capture.hid_tap(key.profile, key.env.clock))).open_device()
    os.close(reader)
    for _ in range(3):
        assert device.ping(b"hello") == b"hello"
    capture.close()
    capture.close()
    assert sentences == [f"capture {pipe}: ends here: Broken pipe"]
    with pytest.raises(RigError, match="Is a directory"):
        Capture(tmp_path)


def test_a_pin_is_in_no_capture(tmp_path: Path) -> None:
    """The wire carries it encrypted, and the comments say nothing of it."""
    path = tmp_path / "key.pcapng"
    capture = Capture(path)
    key = Authenticator(Env.simulated(1))
    device = InProcessTransport(CtapHid(key, capture.hid_tap(key.profile, key.env.clock))).open_device()
    pin = "correct horse battery"
    ClientPin(Ctap2(device)).set_pin(pin)
    ClientPin(Ctap2(device)).get_pin_token(pin)
    capture.close()
    assert pin.encode() not in path.read_bytes()
    assert b"authenticatorClientPIN: SUCCESS" in path.read_bytes()


@given(st.lists(st.tuples(st.sampled_from(["to_key", "to_host"]), st.binary(min_size=64, max_size=64))))
def test_any_report_has_a_comment_or_none(reports: list[tuple[Any, bytes]]) -> None:
    """Whatever a host sends, the key is not disturbed by who reads along; a continuation says nothing."""
    comments = ReportComments()
    for direction, report in reports:
        comment = comments.comment(direction, report)
        assert (comment is None) == (report[4] < 0x80)


@given(st.lists(st.tuples(st.sampled_from(["to_key", "to_host"]), st.binary(max_size=40))))
def test_any_apdu_may_be_read_along_with(apdus: list[tuple[Any, bytes]]) -> None:
    """As above."""
    comments = ApduComments()
    for direction, apdu in apdus:
        assert comments.comment(direction, apdu) != ""


def test_a_chained_command_is_named_after_its_first_part() -> None:
    """The CTAP command stands in the first of its bytes only."""
    comments = ApduComments()
    chained = b"\x90\x10\x80\x00\x02\x01\xa0"
    assert comments.comment("to_key", chained) == "NFCCTAP_MSG authenticatorMakeCredential"
    assert comments.comment("to_host", b"\x90\x00") is None
    assert comments.comment("to_key", b"\x80\x10\x80\x00\x01\x04") == "NFCCTAP_MSG authenticatorMakeCredential"
    assert comments.comment("to_host", b"\x02\x91\x00") == "KEEPALIVE UPNEEDED"
    assert comments.comment("to_key", b"\x80\x11\x11\x00") == "NFCCTAP_GETRESPONSE: cancel"
    assert comments.comment("to_host", b"\x2d\x90\x00") == "authenticatorMakeCredential: KEEPALIVE_CANCEL"


@pytest.mark.parametrize("event", [lambda key: key.enumeration(0.0), lambda key: key.report(0.0, "to_key", bytes(64))])
def test_every_transfer_is_submitted_and_completed(event: Callable[[UsbKey], Any]) -> None:
    """Under one number, with the header that LINKTYPE_USB_LINUX_MMAPPED asks for."""
    packets = list(event(UsbKey(load(), 1, 5)))
    for submitted, completed in zip(packets[::2], packets[1::2], strict=True):
        assert submitted[:8] == completed[:8]
        assert (submitted[8:9], completed[8:9], submitted[11], submitted[12:14]) == (b"S", b"C", 5, b"\x01\x00")
        for packet in (submitted, completed):
            assert len(packet) == 64 + int.from_bytes(packet[36:40], "little")
