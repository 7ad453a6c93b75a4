"""A token's own serial console as the end of a port (docs/reference/token-console.md): one line of JSON each way."""

from __future__ import annotations

import base64
import binascii
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import serial

from authrig.errors import RigError
from authrig.ports.token_parts import Shown, code_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulators.camera_scanner.frames import Image
    from emulators.hwtoken.keys import Button

BAUD_RATE = 115200
PATIENCE = 10.0
"""Seconds for an answer: a slow device may decode a picture before it gives one."""
LONGEST_ANSWER = 1 << 20
_LOOKS_APART = 0.1
CODE_STATES = frozenset({"code", "declined"})
"""Screens with digits to be typed."""


class TokenConsole:
    """The console at ``port``: a path below /dev, or a URL of pyserial. ``close`` lets go of the line.

    Raises:
        RigError: if the line cannot be opened, if what is there is no such console, or if it is that of another device
            than ``serial_number`` says.
    """

    tells_state = True

    def __init__(self, port: str, serial_number: str | None = None) -> None:
        self.port = port
        self._last_id = 0
        self._seen: Shown | None = None
        try:
            self._line = serial.serial_for_url(port, BAUD_RATE, timeout=PATIENCE, write_timeout=PATIENCE)
        except (serial.SerialException, OSError, ValueError) as error:
            raise RigError(f"the console {port} cannot be opened: {error}") from error
        try:
            self.hello = self._check_hello(serial_number)
            """What the device says it is."""
        except RigError:
            self._line.close()
            raise

    def _check_hello(self, serial_number: str | None) -> dict[str, Any]:
        hello = self.ask("hello")
        if serial_number is not None and hello.get("serial") != serial_number:
            raise RigError(f"{self.port}: expected the token {serial_number}, found {hello.get('serial')!r}")
        return hello

    def close(self) -> None:
        """Let go of the line."""
        self._line.close()

    def ask(self, command: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command.

        Raises:
            RigError: if none comes, or the device refuses.
        """
        self._last_id += 1
        request = {"id": self._last_id, "cmd": command, **parameters}
        try:
            self._line.write(json.dumps(request).encode() + b"\n")
            answer = self._answer(command)
        except (serial.SerialException, OSError) as error:
            raise RigError(f"the console {self.port} is gone: {error}") from error
        if answer.get("ok") is not True:
            raise RigError(
                f"the console {self.port} refused {command}: {answer.get('error')}: {answer.get('message', '')}"
            )
        return answer

    def _answer(self, command: str) -> dict[str, Any]:
        """The line that belongs to the last request; what came too late for those before is dropped."""
        until = time.monotonic() + PATIENCE
        # A device that never stops answering something else must not keep the rig for ever.
        while time.monotonic() < until:
            line = self._line.read_until(b"\n", LONGEST_ANSWER)
            if not line.endswith(b"\n"):
                raise RigError(f"the console {self.port} does not answer {command}: found {line[:80]!r}")
            try:
                answer = json.loads(line)
            except ValueError as error:
                raise RigError(f"the console {self.port} answered {command} with no JSON: {line[:80]!r}") from error
            if isinstance(answer, dict) and answer.get("id") == self._last_id:
                return answer
        raise RigError(f"the console {self.port} answers other requests than {command}, for {PATIENCE:g} s")

    @contextmanager
    def showing(self, picture: Image) -> Iterator[None]:
        """Feed ``picture`` to the device's camera, as one frame."""
        from emulators.camera_scanner.outline import encode_png  # noqa: PLC0415 - slow to import

        self.ask("scan_png", png=base64.b64encode(encode_png(picture)).decode("ascii"))
        yield

    def press(self, button: Button, *, held: bool = False) -> None:
        """Press one of the device's keys."""
        self.ask("press", button=button.value, **({"held": True} if held else {}))

    def looks(self) -> Iterator[Shown]:
        """The screen again and again."""
        until = time.monotonic() + PATIENCE
        yield self._look()
        while time.monotonic() < until:
            time.sleep(_LOOKS_APART)
            yield self._look()

    def _look(self) -> Shown:
        """The screen in words, and as a picture."""
        screen = self.ask("screen")
        try:
            state, lines = str(screen["state"]), tuple(str(line) for line in screen["lines"])
            ok = str(screen["keys"]["ok"])
            # The picture takes longer to come than all else, and the same words look the same.
            if self._seen is None or (self._seen.state, self._seen.lines, self._seen.ok) != (state, lines, ok):
                png = base64.b64decode(self.ask("png")["png"])
                code = code_in(lines) if state in CODE_STATES else None
                self._seen = Shown(state, lines, ok, code, png)
        except (KeyError, TypeError, binascii.Error) as error:
            raise RigError(f"the console {self.port} describes its screen in an unknown way: {screen}") from error
        return self._seen

    def power_on(self) -> None:
        """Switch the device on."""
        self.ask("power", on=True)

    def power_off(self) -> None:
        """Switch it off."""
        self.ask("power", on=False)
