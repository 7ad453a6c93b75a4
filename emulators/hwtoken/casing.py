"""The device around the panel, for people: an enlarged picture with the colours of its display and its two buttons."""

from typing import TYPE_CHECKING

import numpy as np

from emulators.hwtoken.font import load_font
from emulators.hwtoken.profile import Display, Profile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]
    Colour = NDArray[np.float32]

PICTURE_WIDTH = 512
"""Roughly the width in pixels of the enlarged panel, unless a scale is asked for."""

PRINT = "9x15B"
MARK = "TEST DEVICE"
"""Stands on every casing: an emulated token protects nothing."""
BUTTONS = (("C", "#a8463c"), ("OK", "#3c7d55"))
"""What is printed on the buttons, CANCEL left and OK right, and their colours."""


def draw_device(
    dots: "Picture", profile: Profile, scale: int | None = None, accent: str | None = None, contrast: float = 1.0
) -> "Picture":
    """``dots`` (height, width; 1 is dark) on the panel of a ``profile`` device; blue, green, red, shape (h, w, 3).

    Each dot is ``scale`` x ``scale`` pixels. ``accent`` (``#rrggbb``) colours the bars of a colour panel; ``contrast`` is
    1.0 for a new panel, 0.0 for one that cannot be read.
    """
    scale = scale or max(1, PICTURE_WIDTH // profile.display.width)
    paper, casing = _colour(profile.look.paper), _colour(profile.look.casing)
    panel = _draw_panel(dots, profile, scale, accent) * contrast + paper * (1 - contrast)
    rim, side, top, bottom = 12, 40, 56, 108
    height, width = panel.shape[0] + 2 * rim + top + bottom, panel.shape[1] + 2 * rim + 2 * side
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = casing
    slope = np.linspace(1.06, 0.94, height, dtype=np.float32)[:, None, None]
    picture *= slope
    frame = (side, top, panel.shape[1] + 2 * rim, panel.shape[0] + 2 * rim)
    _rounded(picture, frame, 16, casing * 0.55)
    _rounded(picture, (frame[0] + 3, frame[1] + 3, frame[2] - 6, frame[3] - 6), 13, paper * 0.97)
    picture[top + rim : top + rim + panel.shape[0], side + rim : side + rim + panel.shape[1]] = panel
    printed = _contrast(casing)
    _print(picture, profile.name, (side + rim, 21), printed)
    _print(picture, MARK, (width - side - rim - len(MARK) * 9, 21), printed)
    for (word, colour), at_right in zip(BUTTONS, (False, True), strict=True):
        box = (width - side - rim - 110 if at_right else side + rim, height - 78, 110, 48)
        _rounded(picture, (box[0] - 2, box[1] - 1, box[2] + 4, box[3] + 5), 24, casing * 0.5)
        _rounded(picture, box, 22, _colour(colour))
        _print(picture, word, (box[0] + (box[2] - 9 * len(word)) // 2, box[1] + 17), np.full(3, 245, np.float32))
    return np.clip(picture, 0, 255).astype(np.uint8)


def _draw_panel(dots: "Picture", profile: Profile, scale: int, accent: str | None) -> "Colour":
    """The panel: dots with a hairline between them where there is room for one, and the shadow that they cast."""
    paper, ink = _colour(profile.look.paper), _colour(profile.look.ink)
    cell = np.ones((scale, scale), np.float32)
    if scale > 2:
        cell[-1, :] = cell[:, -1] = 0.75
    covered = np.kron(dots.astype(np.float32), cell)
    unlit = np.kron(np.ones(dots.shape, np.float32), cell)
    shadow = np.zeros_like(covered)
    shadow[1:, 1:] = covered[:-1, :-1]
    darkness = np.maximum(covered, np.maximum(0.15 * shadow, 0.03 * unlit))[..., None]
    inks = np.broadcast_to(ink, (*covered.shape, 3)).copy()
    if accent is not None and isinstance(profile.display, Display):
        bar = profile.display.bar_height * scale
        inks[:bar] = inks[-bar:] = _colour(accent)
    panel: Colour = (paper * (1 - darkness) + inks * darkness).astype(np.float32)
    return panel


def _colour(text: str) -> "Colour":
    """``#rrggbb`` as blue, green, red."""
    return np.array([int(text[at : at + 2], 16) for at in (5, 3, 1)], np.float32)


def _contrast(ground: "Colour") -> "Colour":
    """A gray that can be read on ``ground``."""
    return ground + (110 if ground.mean() < 128 else -110)


def _rounded(picture: "Colour", box: tuple[int, int, int, int], radius: int, colour: "Colour") -> None:
    """Fill ``box`` (left, top, width, height) with corners of ``radius`` pixels and smooth edges."""
    left, top, width, height = box
    y, x = np.ogrid[:height, :width]
    across = np.abs(x + 0.5 - width / 2) - width / 2 + radius
    along = np.abs(y + 0.5 - height / 2) - height / 2 + radius
    outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0)) - radius
    cover = np.clip(0.5 - outside, 0, 1)[..., None]
    ground = picture[top : top + height, left : left + width]
    ground += (colour - ground) * cover


def _print(picture: "Colour", text: str, at: tuple[int, int], colour: "Colour") -> None:
    """``text`` on the casing, its top left corner at ``at`` (x, y)."""
    letters = load_font(PRINT).draw(text)
    x, y = at
    picture[y : y + letters.shape[0], x : x + letters.shape[1]][letters == 1] = colour
