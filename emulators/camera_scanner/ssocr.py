"""A second opinion on seven-segment digits from the program ``ssocr``, where it is installed.

It is a program of its own (GPL) that is started and never linked; without it there is simply no second opinion.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

_SECONDS = 5.0


def available() -> bool:
    """Whether the program is installed."""
    return shutil.which("ssocr") is not None


def read_digits(flat: Image, digits: int) -> str | None:
    """What ssocr reads in a row of so many digits, seen squarely: gray, either way round, with a margin around it.

    None where it is not installed, or is not sure of every digit.
    """
    program = shutil.which("ssocr")
    if program is None:
        return None
    smooth = cv2.GaussianBlur(flat, (5, 5), 0)
    _, ink = cv2.threshold(smooth, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    if ink.mean() > 127:
        ink = 255 - ink
    # Segments white on black became black on white, as it wants them; most of a display is ground.
    _, packed = cv2.imencode(".png", 255 - ink)
    try:
        done = subprocess.run(
            [program, "-d", str(digits), "-c", "digits", "-"],
            input=packed.tobytes(),
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = done.stdout.decode("ascii", "replace").strip()
    return text if done.returncode == 0 and len(text) == digits and text.isdigit() else None
