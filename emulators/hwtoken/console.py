"""The token's serial console: lines of JSON in and out, without I/O (docs/reference/token-console.md).

It is a ``SerialDevice``, so the shells of ``emulators.usb`` carry it over a pseudo-terminal or TCP.
"""

import base64
import binascii
import struct
from typing import TYPE_CHECKING, Any

import msgspec

from emulators.camera_scanner.frames import Frame, ImageError
from emulators.env import Clock, Env, SimulatedClock
from emulators.hwtoken import console_messages as messages
from emulators.hwtoken import menu
from emulators.hwtoken.defects import Defects
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import MemoryFault, PowerLost
from emulators.hwtoken.readout import read_keys, read_text, screen_hash
from emulators.hwtoken.token import QrToken

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

VERSION = 1
BAUD_RATE = 115_200
MAX_LINE_BYTES = 1 << 19
MAX_SIDE = 4096
"""Pixels of a picture for the camera, each way."""
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_DECODER = msgspec.json.Decoder(messages.AnyRequest)


class Refused(Exception):  # noqa: N818 - an answer on the wire, no program error
    """A request that is not answered; ``error`` is the protocol's word, the text is for people."""

    def __init__(self, error: str, message: str) -> None:
        self.error = error
        super().__init__(message)


class Console:
    """The console of ``token``.

    Args:
        token: the device.
        env: its world, so that ``time`` can let time pass where that is simulated.
        production: answer only what a token in its user's hand would.
    """

    def __init__(self, token: QrToken, env: Env, *, production: bool = False) -> None:
        self._token = token
        self._env = env
        self._production = production
        self._line = bytearray()
        self._overlong = False
        self._output = bytearray()

    @property
    def clock(self) -> Clock:
        """The clock by which screens time out."""
        return self._env.clock

    @property
    def baud_rate(self) -> int:
        """Never changes."""
        return BAUD_RATE

    def receive(self, data: bytes) -> None:
        """Bytes that the host has sent; each whole line is answered."""
        while data:
            part, newline, data = data.partition(b"\n")
            if not self._overlong:
                self._line += part
                if len(self._line) > MAX_LINE_BYTES:
                    self._line.clear()
                    self._overlong = True
            if newline:
                self._end_line()

    def poll(self) -> None:
        """Do what is due by the clock."""
        self._token.tick()

    def next_deadline(self) -> float | None:
        """When the screen times out."""
        return self._token.next_deadline

    def take_output(self) -> bytes:
        """What it has said since it was last asked."""
        taken = bytes(self._output)
        self._output.clear()
        return taken

    def _end_line(self) -> None:
        line, overlong = bytes(self._line).strip(b"\r \t"), self._overlong
        self._line.clear()
        self._overlong = False
        if overlong:
            self._say(None, error="line-too-long", message=f"expected a line of up to {MAX_LINE_BYTES} bytes")
        elif line:
            self._answer(line)

    def _answer(self, line: bytes) -> None:
        try:
            request = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            known = isinstance(problem, msgspec.ValidationError)
            self._say(_id_of(line), error="bad-request" if known else "bad-json", message=_short(problem))
            return
        try:
            if self._production and not isinstance(request, messages.OPEN):
                raise Refused("locked", "expected a command that a token in production mode answers")  # noqa: TRY301 - one place says no
            self._token.tick()
            result = self._do(request)
        except Refused as refused:
            self._say(request.id, error=refused.error, message=str(refused))
        except MemoryFault as fault:
            self._say(request.id, error="memory-fault", message=str(fault))
        except PowerLost:
            self._token.power_off()
            self._say(request.id, error="memory-fault", message="the power was lost in a write; the token is dark")
        else:
            self._say(request.id, **result)

    def _say(self, request_id: int | str | None, **values: Any) -> None:
        answer = {"v": VERSION, "id": request_id, "ok": "error" not in values, **values}
        self._output += msgspec.json.encode(answer) + b"\n"

    def _do(self, request: messages.AnyRequest) -> dict[str, Any]:  # noqa: C901 - one case for each command
        match request:
            case messages.Hello():
                return self._hello()
            case messages.Press(button=name, held=held):
                return self._press(Button(name), held=held)
            case messages.Power(on=on):
                (self._token.power_on if on else self._token.power_off)()
                return self._screen()
            case messages.ScanText(texts=texts):
                self._token.read(*(text.encode("utf-8", "surrogatepass") for text in texts))
                return self._screen()
            case messages.ScanPng(png=png):
                return self._scan(png)
            case messages.Time(advance=seconds):
                return self._time(seconds)
            case messages.Fault():
                self._break(request)
                return self._screen()
            case messages.SelfTest():
                return {"parts": list(menu.self_test(self._token.parts)) if self._token.memory.serial else []}
            case messages.Counters():
                return self._counters()
            case messages.Png(whole_device=whole):
                return self._png(whole=whole)
            case messages.ReadState():
                return {"state": self._token.screen.state.name.lower()}
            case messages.ReadScreen():
                return self._screen()

    def _hello(self) -> dict[str, Any]:
        profile = self._token.profile
        return {
            "protocol": VERSION,
            "model": profile.name,
            "serial": self._token.memory.serial,
            "firmware": profile.firmware,
            "production": self._production,
            "test_device": True,
            "commands": [kind.__struct_config__.tag for kind in messages.OPEN]
            if self._production
            else messages.COMMANDS,
        }

    def _press(self, button: Button, *, held: bool) -> dict[str, Any]:
        try:
            self._token.press(button, held=held)
        except ValueError as problem:
            raise Refused("no-such-key", str(problem)) from None
        return self._screen()

    def _screen(self) -> dict[str, Any]:
        screen, profile = self._token.screen, self._token.profile
        cancel, ok = read_keys(screen)
        return {
            "state": screen.state.name.lower(),
            "lines": read_text(screen, profile),
            "keys": {"cancel": cancel, "ok": ok},
            "hash": screen_hash(screen, profile, self._token.defects),
        }

    def _png(self, *, whole: bool) -> dict[str, Any]:
        from emulators.camera_scanner.outline import encode_png  # noqa: PLC0415 - slow to import
        from emulators.hwtoken.display import picture, render  # noqa: PLC0415 - as above

        token = self._token
        if whole:
            image: Image = picture(token.screen, token.profile, 1, token.defects)
        else:
            image = 255 * (1 - render(token.screen, token.profile, token.defects))
        return {"png": base64.b64encode(encode_png(image)).decode("ascii")}

    def _scan(self, png: str) -> dict[str, Any]:
        import cv2  # noqa: PLC0415 - slow to import
        import numpy as np  # noqa: PLC0415 - as above

        try:
            data = base64.b64decode(png, validate=True)
        except (binascii.Error, ValueError):
            raise Refused("bad-picture", "expected a picture in base64") from None
        size = struct.unpack(">II", data[16:24]) if data.startswith(_PNG) and len(data) >= 24 else (0, 0)
        if not all(1 <= side <= MAX_SIDE for side in size):
            raise Refused("bad-picture", f"expected a PNG of 1 to {MAX_SIDE} pixels each way")
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise Refused("bad-picture", "expected a PNG that can be decoded")
        try:
            self._token.see(Frame(np.asarray(image, np.uint8), self._env.clock.monotonic(), "console"))
        except ImageError as problem:
            raise Refused("bad-picture", str(problem)) from None
        return self._screen()

    def _time(self, seconds: float | None) -> dict[str, Any]:
        if seconds is not None:
            if not isinstance(self._env.clock, SimulatedClock):
                raise Refused("not-simulated", "expected a token in a simulated world, found one by the real clock")
            self._env.clock.advance(seconds)
            self._token.tick()
        return {"clock": self._token.clock.now() if self._token.memory.serial else None, **self._screen()}

    def _counters(self) -> dict[str, Any]:
        if self._token.memory.serial is None:
            raise Refused("no-memory", "expected a token with a serial, found an empty memory")
        contents, battery = self._token.memory.contents, self._token.battery
        return {
            "counter": contents.counter,
            "sequence": contents.sequence,
            "pin_tries_spent": contents.pin_tries_spent,
            "code_tries_spent": contents.code_tries_spent,
            "accounts": len(contents.slots) + (contents.seed is not None),
            "battery_volts": round(battery.volts, 2),
        }

    def _break(self, fault: messages.Fault) -> None:
        token = self._token
        if token.memory.serial is None:
            raise Refused("no-memory", "expected a token with a serial, found an empty memory")
        if fault.clock_jump is not None:
            token.clock.jump(fault.clock_jump)
        if fault.clock_drift_ppm is not None:
            token.clock.drift(fault.clock_drift_ppm)
        if fault.clock_bits is not None:
            token.clock.bits = fault.clock_bits
        if fault.clock_lost:
            token.clock.lose()
        if fault.cut_power_at_write is not None:
            token.cut_power_at_write(fault.cut_power_at_write)
        was = token.defects
        token.defects = Defects(
            was.burnt_rows if fault.burnt_rows is None else frozenset(fault.burnt_rows),
            was.dead_columns if fault.dead_columns is None else frozenset(fault.dead_columns),
            was.stuck_segments
            if fault.stuck_segments is None
            else {(digit, segment): on for digit, segment, on in fault.stuck_segments},
            was.contrast if fault.contrast is None else fault.contrast,
        )
        if fault.battery is not None:
            token.battery.set_charge(fault.battery)
            token.tick()
        if fault.tamper:
            token.tamper()


class _WithId(msgspec.Struct):
    id: messages.Id = None


def _id_of(line: bytes) -> int | str | None:
    """The id of a request that is otherwise wrong, so that the host knows which one."""
    try:
        return msgspec.json.decode(line, type=_WithId).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _short(problem: Exception) -> str:
    return str(problem).encode("ascii", "replace").decode("ascii")[:200]
