"""The checks for firmware teams: the emulator passes them on real lines, and a device with one fault fails by name."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serial

from emulators.env import Env
from emulators.hwtoken import console_check
from emulators.hwtoken.console import Console
from emulators.hwtoken.console_check import CHECKS, findings
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import load_profile, profile_names
from emulators.hwtoken.token import QrToken
from emulators.usb.serial_pty import SerialPty
from emulators.usb.serial_tcp import SerialTcp
from tests.emulators.hwtoken.token_bench import SEED, SERIAL

PAGE = Path(__file__).parents[3] / "docs/reference/token-console.md"


def console(model: str = "dot_matrix_128x64", *, production: bool = False) -> Console:
    """The console of a token that has keys."""
    env, memory = Env.simulated(1), TokenMemory()
    memory.provision(SERIAL, SEED)
    return Console(QrToken(env, load_profile(model), memory), env, production=production)


class Wire:
    """A line without a kernel, on which ``spoil`` may change each answer."""

    def __init__(self, device: Console, spoil: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
        self._device = device
        self._spoil = spoil

    def write(self, data: bytes, /) -> int:
        """Send bytes."""
        self._device.receive(data)
        return len(data)

    def readline(self) -> bytes:
        """The answer."""
        said = self._device.take_output()
        if not said:
            return b""
        answer = json.loads(said)
        self._spoil(answer)
        return json.dumps(answer).encode() + b"\n"


@pytest.mark.parametrize("model", profile_names())
def test_each_model_passes(model: str) -> None:
    """Or says why a check cannot be made on it."""
    found = list(findings(Wire(console(model))))
    assert len(found) == len(CHECKS)
    assert [finding for finding in found if finding.problem and not finding.skipped] == []
    skipped = [finding.check for finding in found if finding.skipped]
    assert skipped in ([], ["scan"])
    assert bool(skipped) is (model not in {"dot_matrix_128x64", "dot_matrix_240x240", "polyglot", "tiqr-phone"})


SPOILS: dict[str, Callable[[dict[str, Any]], object]] = {
    "hello": lambda answer: answer.update(commands=["hello"]) if "commands" in answer else None,
    "ids": lambda answer: answer.update(id=str(answer["id"])) if answer["id"] is None else None,
    "bad lines": lambda answer: answer.update(error="bad-json") if answer.get("error") == "bad-request" else None,
    "power": lambda answer: answer.update(lines=["still here"]) if answer.get("state") == "off" else None,
    "screen": lambda answer: answer.update(state="off") if "hash" not in answer and "state" in answer else None,
    "png": lambda answer: answer.update(png="aGVsbG8=") if "png" in answer else None,
    "counters": lambda answer: answer.update(counter="0") if "counter" in answer else None,
    "self test": lambda answer: answer.update(parts=[]) if "parts" in answer else None,
    "clock": lambda answer: answer.update(clock="noon") if "clock" in answer else None,
    "scan": lambda answer: answer.update(state="review") if answer.get("state") == "error" else None,
    "bad pictures": lambda answer: answer.update(error="oops") if answer.get("error") == "bad-picture" else None,
}


@pytest.mark.parametrize("check", SPOILS)
def test_a_device_that_does_otherwise_is_named(check: str) -> None:
    """Each check can fail."""
    found = {finding.check: finding for finding in findings(Wire(console(), SPOILS[check]))}
    assert found[check].problem
    assert not found[check].skipped


def test_every_check_has_a_device_that_fails_it() -> None:
    """So none of them is decoration."""
    assert [check.__name__.removeprefix("check_").replace("_", " ") for check in CHECKS] == list(SPOILS)


def test_silence_and_junk_are_findings() -> None:
    """A device that says nothing, and one that says no JSON."""

    class Dead:
        """Nothing comes back, or noise."""

        def __init__(self, said: bytes) -> None:
            self._said = said

        def write(self, data: bytes, /) -> int:
            """Send bytes into the void."""
            return len(data)

        def readline(self) -> bytes:
            """What it says."""
            return self._said

    for said in (b"", b"BOOT OK\n", b"[]\n", b"{}\n"):
        assert all(finding.problem for finding in findings(Dead(said)))


def test_a_token_in_production_mode_says_so() -> None:
    """It is not called broken for that."""
    first = next(iter(findings(Wire(console(production=True)))))
    assert first.skipped


def test_the_command_line_checks_a_pseudo_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As it would a UART; all is well, so the exit code is 0."""
    with SerialPty(console()) as line:
        monkeypatch.setattr(sys, "argv", ["console_check", str(line.path), "--seconds", "60"])
        with pytest.raises(SystemExit) as end:
            console_check.main()
    assert end.value.code == 0
    said = capsys.readouterr().out
    page = PAGE.read_text("utf-8")
    assert page.split("$ python -m emulators.hwtoken.console_check /dev/ttyUSB0\n")[1].split("```")[0] == said


def test_the_checks_pass_over_tcp() -> None:
    """By pyserial's own handler for sockets."""
    with SerialTcp(console()) as line:
        url = "socket://{}:{}".format(*line.address)
        with serial.serial_for_url(url, timeout=60) as port:
            assert [finding for finding in findings(port) if finding.problem] == []
