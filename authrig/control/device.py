"""What the control API does to a device of the bench. Each kind can do some of it, and refuses the rest by a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from authrig.errors import RigError

if TYPE_CHECKING:
    from authrig.control.happenings import Happenings, Kind
    from emulators.camera_scanner.frames import Image
    from emulators.hwtoken.keys import Button

Action = Literal["touch", "press", "power", "picture", "screen"]


class CannotError(RigError):
    """The device is there, and is none that could do that."""


class NothingToShowError(RigError):
    """There is no picture of it yet."""


class Device:
    """A device by its ``name``; every method may be called from any thread.

    Args:
        name: what the rig file calls it.
        kind: of the rig file.
        emulated: made by us, or attached.
        actions: what can be done to it.
        happenings: gets what happens to it.
    """

    def __init__(
        self, name: str, kind: str, actions: frozenset[Action], happenings: Happenings, *, emulated: bool
    ) -> None:
        self.name = name
        self.kind = kind
        self.emulated = emulated
        self.actions = actions
        self._happenings = happenings

    def state(self) -> dict[str, Any]:
        """How it stands, in words and numbers of its own kind.

        Raises:
            RigError: if it cannot be asked.
        """
        return {}

    def touch(self, on: bool | None) -> None:  # noqa: FBT001 - as a switch: a finger is on it, or not
        """Put a finger on it (True), lift it (False), or tap it (None).

        Raises:
            RigError: if that cannot be done.
        """
        raise self._cannot("let go of" if on is False else "touched", "touch")

    def press(self, button: Button, *, held: bool) -> None:
        """Press one of its keys; ``held``: for longer than a second.

        Raises:
            RigError: if that cannot be done.
        """
        raise self._cannot(f"pressed ({button.value}{', held' if held else ''})", "press")

    def power(self, *, on: bool) -> None:
        """Give it power, or take it away.

        Raises:
            RigError: if that cannot be done.
        """
        raise self._cannot(f"switched {'on' if on else 'off'}", "power")

    def picture(self, image: Image | None) -> str | None:
        """Hold ``image`` before its camera, or (None) take away what is there; what it read, if it tells at once.

        Raises:
            RigError: if that cannot be done.
        """
        raise self._cannot("shown a picture" if image is not None else "shown nothing", "picture")

    def screen(self, *, dots: bool = False) -> bytes:
        """A PNG of it; with ``dots`` its panel alone, one pixel for each dot, black where it is dark.

        Raises:
            RigError: if there is nothing to see.
        """
        raise self._cannot("shown" + (" dot for dot" if dots else ""), "screen")

    def close(self) -> None:
        """Put it away. Closing twice is allowed."""

    def _happened(self, kind: Kind, text: str) -> None:
        self._happenings.add(self.name, kind, text)

    def _cannot(self, what: str, action: Action) -> CannotError:
        can = ", ".join(sorted(self.actions)) or "nothing"
        return CannotError(f"{self.name}: this {self.kind} cannot be {what}: expected one of {can}, found {action}")


class BrokenDevice(Device):
    """A device that could not be set up: ``why`` is all that there is to know of it."""

    def __init__(self, name: str, kind: str, happenings: Happenings, why: str, *, emulated: bool) -> None:
        super().__init__(name, kind, frozenset(), happenings, emulated=emulated)
        self.why = why
        self._happened("trouble", why)

    def state(self) -> dict[str, Any]:
        """Why it is not there."""
        return {"trouble": self.why}

    def _cannot(self, what: str, action: Action) -> CannotError:
        del what, action
        return CannotError(self.why)
