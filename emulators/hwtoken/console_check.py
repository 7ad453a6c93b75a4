"""Does a device speak the token's console? ``python -m emulators.hwtoken.console_check /dev/ttyUSB0`` asks it.

Each check is one rule of docs/reference/token-console.md. They run against the emulator in our own tests, and against
firmware on a real line unchanged: they know nothing but the line. They switch the device off and on and press OK; what
it holds, they leave as it is.
"""

import argparse
import base64
import hashlib
import itertools
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import serial

from emulators.hwtoken.console_messages import COMMANDS
from emulators.hwtoken.screens import State

SECONDS = 2.0
"""How long an answer may take, unless the command line says otherwise."""
MAX_LINE = 1 << 19
STATES = frozenset(state.name.lower() for state in State)


class Line(Protocol):
    """The host's end, as pyserial has it."""

    def write(self, data: bytes, /) -> int | None:
        """Send bytes."""
        ...

    def readline(self) -> bytes:
        """One line, or what came of it in time."""
        ...


class Unfit(Exception):  # noqa: N818 - a finding about a device, no program error
    """The device does something else than the page says; the sentence says what."""


class Skipped(Exception):  # noqa: N818 - as above
    """This cannot be checked as the device is now; the sentence says why."""


def _expect(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise Unfit(f"{what}: expected {expected!r}, found {found!r}")


class Host:
    """Whoever asks the questions."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._numbers = itertools.count(1)

    def send(self, line: bytes) -> dict[str, Any]:
        """One line; its answer."""
        self._line.write(line + b"\n")
        said = self._line.readline()
        if not said.endswith(b"\n"):
            raise Unfit(f"expected an answer of one line in time, found {said[:60]!r}")
        try:
            answer = json.loads(said)
        except ValueError:
            raise Unfit(f"expected an answer in JSON, found {said[:60]!r}") from None
        if not isinstance(answer, dict):
            raise Unfit(f"expected an object, found {said[:60]!r}")
        _expect("v", 1, answer.get("v"))
        return answer

    def ask(self, cmd: str, **values: object) -> dict[str, Any]:
        """One request that must succeed."""
        number = next(self._numbers)
        answer = self.send(json.dumps({"id": number, "cmd": cmd, **values}).encode())
        _expect(f"id of {cmd}", number, answer.get("id"))
        if answer.get("ok") is not True:
            raise Unfit(f"{cmd}: expected it to be done, found {answer.get('error')!r}: {answer.get('message')!r}")
        return answer

    def refuse(self, line: bytes, error: str) -> None:
        """One line that must be refused by that word."""
        answer = self.send(line)
        _expect(f"ok of {line[:40]!r}", expected=False, found=answer.get("ok"))
        _expect(f"error of {line[:40]!r}", error, answer.get("error"))

    def screen(self, answer: dict[str, Any]) -> dict[str, Any]:
        """``answer``, once it is a screen."""
        if answer.get("state") not in STATES:
            raise Unfit(f"state: expected one of {sorted(STATES)}, found {answer.get('state')!r}")
        lines, keys = answer.get("lines"), answer.get("keys")
        if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
            raise Unfit(f"lines: expected a list of texts, found {lines!r}")
        _expect("members of keys", ["cancel", "ok"], sorted(keys) if isinstance(keys, dict) else keys)
        if not re.fullmatch("[0-9a-f]{64}", str(answer.get("hash"))):
            raise Unfit(f"hash: expected SHA-256 in hex, found {answer.get('hash')!r}")
        return answer


def check_hello(host: Host) -> None:
    """It says which protocol it speaks, and names all twelve commands."""
    answer = host.ask("hello")
    _expect("protocol", 1, answer.get("protocol"))
    if answer.get("production"):
        raise Skipped("the token is in production mode; put it on the bench first")
    _expect("commands", sorted(COMMANDS), sorted(answer.get("commands") or ()))
    for name in ("model", "serial", "firmware"):
        if not isinstance(answer.get(name), str):
            raise Unfit(f"{name}: expected a text, found {answer.get(name)!r}")


def check_ids(host: Host) -> None:
    """The id comes back, number or text; without one it is null."""
    for sent, found in ((b'"a-1"', "a-1"), (b"2147483647", 2**31 - 1), (b"null", None)):
        _expect("id", found, host.send(b'{"cmd":"state","id":' + sent + b"}").get("id"))


def check_bad_lines(host: Host) -> None:
    """What is no request has a named error, and the line after it is answered."""
    host.refuse(b"{", "bad-json")
    host.refuse(b'{"cmd":"dance"}', "bad-request")
    host.refuse(b'{"cmd":"press"}', "bad-request")
    host.refuse(b'{"cmd":"state","more":1}', "bad-request")
    host.refuse(b'{"cmd":"power","on":"yes"}', "bad-request")
    host.refuse(b"x" * (MAX_LINE + 1), "line-too-long")
    host.ask("state")


def check_power(host: Host) -> None:
    """Off is dark and says nothing; on is not."""
    off = host.screen(host.ask("power", on=False))
    _expect("state while off", "off", off["state"])
    _expect("lines while off", [], off["lines"])
    on = host.screen(host.ask("power", on=True))
    if on["state"] == "off":
        raise Unfit("expected a screen after power on, found a dark one")


def check_screen(host: Host) -> None:
    """``screen`` and ``state`` agree, and asking changes nothing."""
    first, state = host.screen(host.ask("screen")), host.ask("state")
    _expect("state", first["state"], state.get("state"))
    _expect("hash of the same screen", first["hash"], host.screen(host.ask("screen"))["hash"])


def check_png(host: Host) -> None:
    """The picture has the dots that the hash is of."""
    try:
        png = base64.b64decode(str(host.ask("png").get("png")), validate=True)
    except ValueError:
        raise Unfit("png: expected base64") from None
    width, height, dots = _read_dots(png)
    found = hashlib.sha256(width.to_bytes(2) + height.to_bytes(2) + dots).hexdigest()
    _expect("SHA-256 of the picture's dots", host.screen(host.ask("screen"))["hash"], found)


def check_counters(host: Host) -> None:
    """Whole numbers, and volts."""
    answer = host.ask("counters")
    for name in ("counter", "sequence", "pin_tries_spent", "code_tries_spent", "accounts"):
        if not isinstance(answer.get(name), int):
            raise Unfit(f"{name}: expected a whole number, found {answer.get(name)!r}")
    if not isinstance(answer.get("battery_volts"), int | float):
        raise Unfit(f"battery_volts: expected a number, found {answer.get('battery_volts')!r}")


def check_self_test(host: Host) -> None:
    """A text for each part."""
    parts = host.ask("self_test").get("parts")
    if not isinstance(parts, list) or not parts or not all(isinstance(part, str) for part in parts):
        raise Unfit(f"parts: expected texts, found {parts!r}")


def check_clock(host: Host) -> None:
    """A number of seconds, or null where there is no clock."""
    clock = host.ask("time").get("clock", "nothing")
    if clock is not None and not isinstance(clock, int | float):
        raise Unfit(f"clock: expected seconds since 1970 or null, found {clock!r}")


def check_scan(host: Host) -> None:
    """A web address before the camera is an error on the panel, and no counter moves."""
    host.ask("power", on=False)
    before = host.screen(host.ask("power", on=True))
    if before["state"] != "idle":
        raise Skipped(f"the token shows {before['state']!r}; sign in, or take a model without a PIN")
    if host.screen(host.ask("press", button="ok"))["state"] != "scanning":
        raise Skipped("OK does not begin with the camera on this model")
    counters = {name: value for name, value in host.ask("counters").items() if name not in {"id", "battery_volts"}}
    after = host.screen(host.ask("scan_text", texts=["https://example.ch"]))
    _expect("state after a web address", "error", after["state"])
    found = {name: value for name, value in host.ask("counters").items() if name not in {"id", "battery_volts"}}
    _expect("counters", counters, found)


def check_bad_pictures(host: Host) -> None:
    """No base64 and no PNG are refused by name; so is an unknown fault."""
    host.refuse(b'{"cmd":"scan_png","png":"!"}', "bad-picture")
    host.refuse(b'{"cmd":"scan_png","png":"aGVsbG8="}', "bad-picture")
    host.refuse(b'{"cmd":"fault","meteor":true}', "bad-request")


CHECKS: tuple[Callable[[Host], None], ...] = (
    check_hello,
    check_ids,
    check_bad_lines,
    check_power,
    check_screen,
    check_png,
    check_counters,
    check_self_test,
    check_clock,
    check_scan,
    check_bad_pictures,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: ``problem`` is empty where all is well."""

    check: str
    problem: str = ""
    skipped: bool = False


def findings(line: Line) -> Iterator[Finding]:
    """Every check in turn, on the device at the other end of ``line``."""
    host = Host(line)
    for check in CHECKS:
        name = check.__name__.removeprefix("check_").replace("_", " ")
        try:
            check(host)
        except Skipped as reason:
            yield Finding(name, str(reason), skipped=True)
        except Unfit as problem:
            yield Finding(name, str(problem))
        else:
            yield Finding(name)


def _read_dots(png: bytes) -> tuple[int, int, bytes]:
    """Width, height and dots (1 is dark) of a PNG."""
    import cv2  # noqa: PLC0415 - slow to import
    import numpy as np  # noqa: PLC0415 - as above

    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE) if png else None
    if image is None:
        raise Unfit("png: expected a picture that can be decoded")
    height, width = image.shape[:2]
    return width, height, (image < 128).astype(np.uint8).tobytes()


def main() -> None:
    """Ask the device at the port that the command line names; the exit code is 1 where something is unfit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", help="a serial port, or a pyserial URL such as socket://127.0.0.1:4000")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long an answer may take (%(default)g)")
    args = parser.parse_args()
    unfit = 0
    with serial.serial_for_url(args.port, baudrate=115_200, timeout=args.seconds) as line:
        for finding in findings(line):
            word = "skip" if finding.skipped else "FAIL" if finding.problem else "ok"
            unfit += word == "FAIL"
            sys.stdout.write(f"{word:4}  {finding.check}{': ' if finding.problem else ''}{finding.problem}\n")
    sys.exit(1 if unfit else 0)


if __name__ == "__main__":
    main()
