"""A screen without a monitor, on which a browser shows its windows: seen by screenshots, typed into as by hand."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mss
import mss.tools
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 1280, 800
_CORNER = {"left": 20, "top": HEIGHT - 20, "width": 1, "height": 1}
_DIMMED = 150
Box = dict[str, int]
"""A part of the screen: ``left``, ``top``, ``width`` and ``height``."""


class Display:
    """An X server's screen; ``name`` is what programs find in ``DISPLAY``."""

    def __init__(self, name: str, eye: mss.MSS) -> None:
        self.name = name
        self._eye = eye

    def type_line(self, text: str) -> None:
        """Type into whatever has the keyboard, and press Enter."""
        self.press("ctrl+a")
        self._xdotool("type", "--delay", "20", text)
        self.press("Return")

    def type_twice(self, text: str) -> None:
        """Type into this field and the next one, and press Enter."""
        self._xdotool("type", "--delay", "20", text)
        self.press("Tab")
        self._xdotool("type", "--delay", "20", text)
        self.press("Return")

    def press(self, key: str) -> None:
        """Press a key by its X name, such as ``Escape``."""
        self._xdotool("key", key)

    def pixels(self, box: Box | None = None) -> NDArray[np.uint8]:
        """What is to be seen there, or everywhere: height x width x (red, green, blue)."""
        shot = self._eye.grab(box or self._eye.monitors[0])
        return np.frombuffer(shot.bgra, dtype=np.uint8).reshape(shot.height, shot.width, 4)[..., 2::-1]

    def dimmed(self) -> bool:
        """Whether a dialog of the browser lies over its page: the page, whose ground is light, is dimmed then."""
        return bool(self.pixels(_CORNER).mean() < _DIMMED)

    def screenshot(self, file: Path) -> None:
        """Keep what is to be seen as a PNG file."""
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = self.pixels()
        mss.tools.to_png(pixels.tobytes(), (pixels.shape[1], pixels.shape[0]), output=str(file))

    def _xdotool(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=os.environ | {"DISPLAY": self.name}, check=True, timeout=60)


@contextmanager
def virtual_display() -> Iterator[Display]:
    """Xvfb with a number of its own choice, for as long as the block lasts."""
    read_end, write_end = os.pipe()
    words = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"]
    with subprocess.Popen(words, pass_fds=[write_end], stderr=subprocess.DEVNULL) as server:
        os.close(write_end)
        try:
            with os.fdopen(read_end, encoding="ascii") as number:
                # Xvfb writes the number when programs can connect; a server that cannot start writes nothing.
                line = number.readline().strip()
            assert line, "Xvfb did not start"
            with mss.MSS(display=f":{line}") as eye:
                yield Display(f":{line}", eye)
        finally:
            server.terminate()
