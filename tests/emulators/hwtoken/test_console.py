import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import segno
import serial
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.camera_scanner.outline import encode_png
from emulators.env import Env, SystemClock
from emulators.hwtoken.console import MAX_LINE_BYTES, Console
from emulators.hwtoken.console_messages import COMMANDS
from emulators.hwtoken.memory import RamStore, TokenMemory
from emulators.hwtoken.profile import Profile, load_profile
from emulators.hwtoken.readout import screen_hash
from emulators.hwtoken.screens import Idle
from emulators.hwtoken.token import QrToken
from emulators.usb.serial_pty import SerialPty
from emulators.usb.serial_tcp import SerialTcp
from offline_qr import otq1
from tests.emulators.hwtoken.token_bench import FIELDS, KEYS, SEED, SERIAL

PAGE = Path(__file__).parents[3] / "docs/reference/token-console.md"


class Host:
    """Whoever is at the other end of the line, with a token in a simulated world."""

    def __init__(
        self,
        profile: Profile | None = None,
        memory: TokenMemory | None = None,
        *,
        production: bool = False,
        env: Env | None = None,
    ) -> None:
        self.env = env or Env.simulated(1)
        memory = memory or TokenMemory()
        memory.provision(SERIAL, SEED)
        self.token = QrToken(self.env, profile or load_profile(), memory)
        self.console = Console(self.token, self.env, production=production)

    def send(self, data: bytes) -> list[dict[str, Any]]:
        """Send bytes; the answers, each a line of JSON."""
        self.console.receive(data)
        said = self.console.take_output()
        assert not said or said.endswith(b"\n")
        return [json.loads(line) for line in said.splitlines()]

    def ask(self, cmd: str, **values: Any) -> dict[str, Any]:
        """One request; its answer."""
        (answer,) = self.send(json.dumps({"id": 7, "cmd": cmd, **values}).encode() + b"\n")
        assert (answer["v"], answer["id"]) == (1, 7)
        return answer

    def challenge(self) -> otq1.Challenge:
        """A login, issued now."""
        now = int(self.env.clock.time())
        header = otq1.Header(otq1.MessageType.LOGIN, otq1.key_id(SERIAL), bytes(12), now, 180)
        return otq1.Challenge(header, FIELDS)


def test_a_login_by_console_alone() -> None:
    """Power, keys, a picture for the camera, the code: what a firmware team's device must answer too."""
    host = Host()
    assert host.ask("power", on=True)["lines"] == ["QR Reader 128", "Ready", SERIAL]
    assert host.ask("press", button="ok")["state"] == "scanning"
    challenge = host.challenge()
    matrix = np.array([[not dark for dark in row] for row in segno.make(otq1.encode(challenge, KEYS)).matrix], np.uint8)
    picture = np.pad(matrix * 255, 4, constant_values=255).repeat(5, 0).repeat(5, 1)
    seen = host.ask("scan_png", png=base64.b64encode(encode_png(picture)).decode())
    assert (seen["state"], seen["keys"]) == ("review", {"cancel": "Refuse", "ok": "Confirm"})
    shown = host.ask("press", button="ok")
    code = otq1.compute_code(challenge, KEYS)
    assert f"{code[:4]} {code[4:]}" in shown["lines"]
    assert shown["hash"] == screen_hash(host.token.screen, host.token.profile)


def test_every_command_answers() -> None:
    """With what the page says, in the shape that it says."""
    host = Host()
    hello = host.ask("hello")
    assert (hello["serial"], hello["test_device"], tuple(hello["commands"])) == (SERIAL, True, COMMANDS)
    host.ask("power", on=True)
    assert host.ask("state")["state"] == "idle"
    assert host.ask("screen")["lines"][0] == "QR Reader 128"
    assert host.ask("counters")["battery_volts"] == 3.0
    assert host.ask("self_test")["parts"] == ["Memory ok", "Clock ok", "Random ok"]
    for whole in (False, True):
        assert base64.b64decode(host.ask("png", whole_device=whole)["png"]).startswith(b"\x89PNG")
    host.ask("press", button="ok")
    assert host.ask("scan_text", texts=["https://example.ch"])["lines"][0] == "Not a challenge"
    assert host.ask("time", advance=100)["state"] == "off"
    assert host.ask("fault", clock_jump=-50)["ok"]
    assert host.ask("time")["clock"] == host.env.clock.time() - 50


def test_faults_can_be_set_and_mended() -> None:
    """A burnt row changes the hash and goes again; a dead battery is dark; an opened case is for good."""
    host = Host()
    clean = host.ask("power", on=True)["hash"]
    assert host.ask("fault", burnt_rows=[30])["hash"] != clean
    assert host.ask("fault", burnt_rows=[])["hash"] == clean
    assert host.ask("fault", battery=0.0)["state"] == "off"
    assert host.ask("fault", battery=1.0, tamper=True)["state"] == "off"
    assert host.ask("power", on=True)["lines"][0] == "Tampered"


def test_power_lost_in_a_write_is_an_error_and_a_dark_screen() -> None:
    """Whichever command it was that wrote."""
    host = Host()
    host.ask("power", on=True)
    host.ask("fault", cut_power_at_write=0)
    assert host.ask("fault", clock_jump=5)["error"] == "memory-fault"
    assert host.ask("state")["state"] == "off"


def test_a_token_in_production_mode_answers_little() -> None:
    """Who it is, what it counts, whether it is well; nothing that reads its screen or presses its keys."""
    host = Host(production=True)
    host.token.power_on()
    before = host.token.screen
    answers = {command: host.ask(command, **EXAMPLES.get(command, {})) for command in COMMANDS}
    assert {command for command, answer in answers.items() if answer["ok"]} == {"hello", "counters", "self_test"}
    assert {answer["error"] for answer in answers.values() if not answer["ok"]} == {"locked"}
    assert host.token.screen == before
    assert set(answers["hello"]["commands"]) == {"hello", "counters", "self_test"}


EXAMPLES: dict[str, dict[str, Any]] = {
    "press": {"button": "ok"},
    "power": {"on": True},
    "scan_text": {"texts": ["x"]},
    "scan_png": {"png": ""},
}


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "bad-json"),
        (b"\xff\xfe", "bad-json"),
        (b"[" * 100_000, "bad-request"),
        (b"null", "bad-request"),
        (b'{"cmd":"dance"}', "bad-request"),
        (b'{"cmd":"press"}', "bad-request"),
        (b'{"cmd":"press","button":"ok","force":9}', "bad-request"),
        (b'{"cmd":"press","button":"7"}', "no-such-key"),
        (b'{"cmd":"time","advance":-1}', "bad-request"),
        (b'{"cmd":"scan_png","png":"!"}', "bad-picture"),
        (b'{"cmd":"scan_png","png":"aGVsbG8="}', "bad-picture"),
        (b" " * (MAX_LINE_BYTES + 1), "line-too-long"),
        (b"x" * 2**20, "line-too-long"),
    ],
)
def test_what_is_no_request_has_a_named_error(line: bytes, error: str) -> None:
    """Nothing changes, and the next line is answered."""
    host = Host()
    host.token.power_on()
    before = host.token.screen
    (answer,) = host.send(line + b"\n")
    assert (answer["ok"], answer["error"]) == (False, error)
    assert answer["message"]
    assert host.token.screen == before
    assert host.ask("state")["ok"]


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    """By the size that it claims, before it is unpacked."""
    png = bytearray(encode_png(np.zeros((2, 2), np.uint8)))
    png[16:24] = (100_000).to_bytes(4) * 2
    assert Host().ask("scan_png", png=base64.b64encode(bytes(png)).decode())["error"] == "bad-picture"


def test_the_id_comes_back_with_an_error_too() -> None:
    """So that a host with several requests under way knows which one."""
    (answer,) = Host().send(b'{"id":"a1","cmd":"dance"}\n')
    assert (answer["id"], answer["error"]) == ("a1", "bad-request")


def test_twins_in_the_same_world_say_the_same_byte_for_byte() -> None:
    """Screens, pictures, counters, faults and the memory that is left: a log can be compared as it is."""
    logs = []
    for _ in range(2):
        store = RamStore()
        host = Host(load_profile("qr-reader-colour"), TokenMemory(store))
        log = bytearray()
        for line in TWINS_DIALOGUE:
            host.console.receive(json.dumps(line).encode() + b"\n")
            log += host.console.take_output()
        logs.append(bytes(log) + (store.load() or b""))
    assert logs[0] == logs[1]
    assert logs[0].count(b'"ok":true') == len(TWINS_DIALOGUE)


TWINS_DIALOGUE: tuple[dict[str, Any], ...] = (
    {"cmd": "power", "on": True},
    *({"cmd": "press", "button": key} for key in ("2", "7", "4", "9", "ok") * 2),
    {"cmd": "press", "button": "ok"},
    {"cmd": "self_test"},
    {"cmd": "fault", "clock_drift_ppm": 20, "burnt_rows": [3], "contrast": 0.4},
    {"cmd": "time", "advance": 30},
    {"cmd": "press", "button": "ok"},
    {"cmd": "scan_text", "texts": ["https://example.ch"]},
    {"cmd": "png", "whole_device": True},
    {"cmd": "counters"},
    {"cmd": "power", "on": False},
)


def test_time_passes_by_command_in_a_simulated_world_only() -> None:
    """A real clock is nobody's to move."""
    simulated = Env.simulated(1)
    host = Host(env=Env(SystemClock(), simulated.random))
    assert host.ask("time", advance=1)["error"] == "not-simulated"
    assert host.ask("time")["ok"]


@given(st.lists(st.binary(max_size=40), max_size=10))
@settings(max_examples=200)
def test_any_bytes_in_any_pieces_leave_a_console_that_answers(pieces: list[bytes]) -> None:
    """Each line gets one answer or none; the token is not switched on by noise."""
    host = Host()
    lines = b"".join(pieces).split(b"\n")[:-1]
    answers = [answer for piece in pieces for answer in host.send(piece)]
    assert len(answers) == sum(bool(line.strip(b"\r \t")) for line in lines)
    host.send(b"\n")
    assert host.ask("state")["state"] == "off"


REQUESTS = st.fixed_dictionaries(
    {"cmd": st.sampled_from(COMMANDS)},
    optional={
        "id": st.integers() | st.text(max_size=5),
        "button": st.sampled_from(["ok", "cancel", "7", "x"]),
        "held": st.booleans(),
        "on": st.booleans(),
        "texts": st.lists(st.text(max_size=30), max_size=3),
        "advance": st.floats(0, 100) | st.none(),
        "battery": st.floats(-1, 2),
        "clock_drift_ppm": st.floats(allow_nan=False),
    },
)


@given(st.lists(REQUESTS, max_size=15))
@settings(max_examples=100, deadline=None)
def test_any_requests_are_answered_one_by_one(requests: list[dict[str, Any]]) -> None:
    """Well-formed or not, in any order."""
    host = Host()
    for request in requests:
        (answer,) = host.send(json.dumps(request).encode() + b"\n")
        assert answer["ok"] or answer["error"] in ERRORS


ERRORS = {
    "bad-json", "bad-request", "line-too-long", "no-such-key", "locked", "bad-picture", "not-simulated", "memory-fault",
    "no-memory",
}  # fmt: skip


def test_pyserial_presses_a_key_over_a_pseudo_terminal() -> None:
    """At the rate that the page names."""
    host = Host()
    with SerialPty(host.console) as line, serial.Serial(line.path, 115_200, timeout=5) as port:
        port.write(b'{"id":1,"cmd":"power","on":true}\n')
        assert json.loads(port.readline())["lines"][2] == SERIAL
    assert isinstance(host.token.screen, Idle)


def test_pyserial_reads_the_screen_over_tcp() -> None:
    """By its own URL handler for sockets."""
    host = Host()
    with (
        SerialTcp(host.console) as line,
        serial.serial_for_url("socket://{}:{}".format(*line.address), timeout=5) as port,
    ):
        port.write(b'{"id":2,"cmd":"screen"}\n')
        assert json.loads(port.readline())["state"] == "off"


def test_the_page_names_every_command_and_error() -> None:
    """And its examples are what a token says."""
    page = PAGE.read_text("utf-8")
    assert set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE)) >= set(COMMANDS)
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) >= ERRORS
    host = Host()
    example = re.search(r"```text\n(.*?)```", page, re.DOTALL)
    assert example is not None
    dialogue = [line for line in example[1].splitlines() if line]
    for sent, answered in zip(dialogue[::2], dialogue[1::2], strict=True):
        (answer,) = host.send(sent.removeprefix("> ").encode() + b"\n")
        assert answer == json.loads(answered.removeprefix("< "))
