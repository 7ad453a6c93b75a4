"""Attached devices of the bench: leased and opened when they are first used, and let go of when they fail."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from authrig.bench.bench import Bench
from authrig.control.device import Device, NothingToShowError
from authrig.errors import Deviation, RigError
from authrig.evidence.recorder import Exhibit, Picture
from authrig.rig_file.entries import CameraDevice, Fido, OtpToken, QrToken, RigFile, Scanner
from emulators.camera_scanner.frames import SourceError
from emulators.camera_scanner.outline import encode_png
from emulators.camera_scanner.report import printable
from emulators.env import SeededRandom

if TYPE_CHECKING:
    from collections.abc import Callable

    from authrig.bench.tokens import LentToken
    from authrig.control.device import Action
    from authrig.control.happenings import Happenings
    from emulators.camera_scanner.frames import FrameSource, Image
    from emulators.hwtoken.keys import Button

_Lent = TypeVar("_Lent")
_ACTIONS: dict[type[msgspec.Struct], frozenset[Action]] = {
    Fido: frozenset({"touch", "power"}),
    QrToken: frozenset({"press", "power", "picture", "screen"}),
    OtpToken: frozenset({"press", "power", "screen"}),
    Scanner: frozenset({"picture", "screen"}),
    CameraDevice: frozenset({"screen"}),
}


class AttachedDevice(Device):
    """One attached device, on a bench of its own, so that the failure of one is not that of another.

    Args:
        rig_file: the whole file: its cameras may look at this device.
        name: what the file calls it.
        happenings: gets what it showed.
    """

    def __init__(self, rig_file: RigFile, name: str, happenings: Happenings) -> None:
        entry = rig_file.devices[name]
        super().__init__(
            name, str(entry.__struct_config__.tag), _ACTIONS.get(type(entry), frozenset()), happenings, emulated=False
        )
        cameras = {key: each for key, each in rig_file.devices.items() if isinstance(each, CameraDevice)}
        self._rig_file = RigFile(version=1, devices={**cameras, name: entry})
        self._lock = threading.RLock()
        self._bench: Bench | None = None
        self._lent: object = None
        self._view = b""
        self._trouble: str | None = None

    def state(self) -> dict[str, Any]:
        """Whether it is in use, and what went wrong last."""
        state: dict[str, Any] = {"opened": self._lent is not None, "view": bool(self._view) or self.kind == "camera"}
        return {**state, "trouble": self._trouble} if self._trouble is not None else state

    def touch(self, on: bool | None) -> None:  # noqa: FBT001 - as the base has it
        """Have it touched by whoever the rig file says; that is a tap always."""
        if self.kind != "fido":
            super().touch(on)
        if on is not False:
            self._use(lambda bench: bench.key(self.name), lambda key: key.presence.touch())
            self._happened("touch", "touched")

    def press(self, button: Button, *, held: bool) -> None:
        """Have a key of it pressed."""
        if held or not self.kind.endswith("token"):
            super().press(button, held=held)
        self._use(self._token, lambda lent: lent.port.press(button))
        self._happened("press", button.value)

    def power(self, *, on: bool) -> None:
        """Have it plugged in or out."""
        if self.kind == "fido":
            self._use(lambda bench: bench.key(self.name), lambda key: key.plug_in() if on else key.unplug())
        elif not self.kind.endswith("token") or not on:
            super().power(on=on)
        else:
            self._use(self._token, lambda lent: lent.port.restart())
        self._happened("power", "on" if on else "off")

    def picture(self, image: Image | None) -> str | None:
        """Have it shown to the device."""
        if image is None or "picture" not in self.actions:
            return super().picture(image)
        if self.kind == "scanner":
            data = self._use(lambda bench: bench.scanner(self.name), lambda scanner: scanner.scan(image))
            self._happened("read", printable(data))
            return printable(data)
        shown = self._use(self._token, lambda lent: lent.port.scan(image))
        self._happened("screen", shown.state or "the picture is before it")
        return None

    def screen(self, *, dots: bool = False) -> bytes:
        """What its display was seen to show, or what a camera sees now."""
        del dots
        if self.kind == "camera":
            frame: bytes = self._use(lambda bench: bench.camera(self.name), _frame)
            return frame
        if self.kind.endswith("token"):
            self._use(self._token, lambda lent: lent.port.look())
        if not self._view:
            raise NothingToShowError(f"{self.name}: nothing of it was seen yet")
        return self._view

    def close(self) -> None:
        """Let go of it; its lease ends."""
        with self._lock:
            bench, self._bench, self._lent = self._bench, None, None
            if bench is not None:
                bench.__exit__(None, None, None)

    def _token(self, bench: Bench) -> LentToken:
        return bench.otp_token(self.name) if self.kind == "otp-token" else bench.qr_token(self.name)

    def _use(self, borrow: Callable[[Bench], _Lent], use: Callable[[_Lent], Any]) -> Any:
        """Do something with it, opening it if it is not; one that fails is closed, so that the next use begins anew."""
        with self._lock:
            try:
                if self._bench is None:
                    self._bench = Bench(self._rig_file, SeededRandom(0), self._exhibit, "attached").__enter__()
                if self._lent is None:
                    self._lent = borrow(self._bench)
                found = use(self._lent)  # type: ignore[arg-type]  # a device is borrowed in one way only
            except Deviation as deviation:
                raise RigError(f"{self.name}: {deviation}") from deviation
            except (RigError, SourceError, OSError) as error:
                self._trouble = str(error)
                self._happened("trouble", str(error))
                self.close()
                raise error if isinstance(error, RigError) else RigError(f"{self.name}: {error}") from error
            self._trouble = None
            return found

    def _exhibit(self, exhibit: Exhibit) -> None:
        if isinstance(exhibit, Picture):
            self._view = exhibit.png
            self._happened("screen", exhibit.caption)


def _frame(source: FrameSource) -> bytes:
    for frame in source.frames():
        return encode_png(frame.image)
    raise RigError(f"{source.name} delivers no frames")
