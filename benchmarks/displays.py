"""Reading a token's display: seeded photographs of every kind of display that the token has, and of real segment fonts.

``python -m benchmarks.displays`` reads 2,000 photographs of each display at each degradation and prints how many codes
were exact, refused and wrong; ``--first`` goes on where a shorter run has ended. The fonts are those of Debian's fonts-dseg;
without them, their displays are left out.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from rich.console import Console
from rich.table import Table

from benchmarks.progress import say, told
from emulators.camera_scanner import optics
from emulators.camera_scanner.display_reader import DotMatrix, Panel, SevenSegments
from emulators.camera_scanner.frames import Corners, Image
from emulators.hwtoken.display import code_row, picture
from emulators.hwtoken.profile import Profile, load_profile
from emulators.hwtoken.screens import Code

FONTS = Path("/usr/share/fonts/truetype/dseg")
STYLES = (
    "Classic-Regular",
    "Classic-Bold",
    "Classic-BoldItalic",
    "Modern-Regular",
    "Modern-Light",
    "ClassicMini-Regular",
)
LEAN = 0.0875
"""Of their height: the fonts' italics lean by five degrees."""
DIGITS = 8
FRAME = (640, 480)
CODE_SHARE = 0.65
"""Of the frame's width: whoever points a camera at a display to read it fills the picture with it."""
_DEGRADATIONS = ("mild", "strong")


@dataclass(frozen=True)
class Model:
    """A display that can show a code, and how it is read."""

    name: str
    draw: Callable[[str], tuple[Image, Corners]]
    """The picture of a device with this code on its display, and the corners of the row of digits."""
    panel: Panel


def models() -> list[Model]:
    """Every kind of display of the token, then the fonts that are installed."""
    found = [_segments("otp-6digit")]
    found += [_dots(name) for name in ("qr-reader-2button", "qr-reader-keypad", "qr-reader-colour")]
    if FONTS.is_dir():
        found += [_dseg(38, 168, "DSEG7 fonts, LCD"), _dseg(235, 22, "DSEG7 fonts, LED")]
    return found


def photograph(model: Model, code: str, seed: int, *, strong: bool) -> tuple[Image, Corners]:
    """A photograph of a display, and its corners as a calibration found them: a pixel off here and there.

    Mild is a steady webcam in a lit room, strong a bad one in a dim one; both lean up to 20 degrees.
    """
    device, corners = model.draw(code)
    rng = np.random.default_rng((seed, strong))
    middle = np.array(corners).mean(axis=0)
    zoom = CODE_SHARE * FRAME[0] / (corners[1][0] - corners[0][0])
    off = (np.array(device.shape[1::-1]) / 2 - middle) * zoom
    tilt, pan, roll = (float(angle) for angle in rng.uniform(-20, 20, 3) * (1, 1, 0.4))
    view = optics.View(tilt, pan, roll, float(off[0]), float(off[1]), zoom)
    homography = optics.pose(FRAME, (device.shape[1], device.shape[0]), view)
    seen = optics.perspective(device, homography, FRAME)
    places = cv2.perspectiveTransform(np.array([corners], np.float64), homography)[0] + rng.uniform(-1, 1, (4, 2))
    if strong:
        seen = optics.glare(seen, float(rng.uniform(0, 0.4)), seed)
        seen = optics.motion_blur(seen, float(rng.uniform(0, 3)), seed)
    seen = optics.lens_blur(seen, float(rng.uniform(0.8, 2.2) if strong else rng.uniform(0, 1)))
    seen = optics.vignette(seen, 0.4 if strong else 0.2)
    seen = optics.exposure(seen, float(rng.uniform(0.35, 1) if strong else rng.uniform(0.7, 1)))
    seen = optics.sensor_noise(seen, float(rng.uniform(5, 16) if strong else 4), seed)
    seen = optics.jpeg(seen, 50 if strong else 85)
    first, second, third, fourth = ((float(x), float(y)) for x, y in places)
    return seen, (first, second, third, fourth)


def code_of(seed: int) -> str:
    """The code that is shown for this seed."""
    return f"{np.random.default_rng((1, seed)).integers(0, 10**DIGITS):0{DIGITS}}"


def _screen(code: str) -> Code:
    return Code(f"{code[:4]} {code[4:]}", "Type it to log in")


def _on_device(profile: Profile, box: tuple[int, int, int, int]) -> Corners:
    """The corners in the device's picture of a ``box`` (left, top, right, bottom) of its panel's dots."""
    scale = max(1, 512 // profile.display.width)
    left, top, right, bottom = (float(edge * scale) for edge in box)
    x, y = 52, 68  # the rim and side of the casing, the rim and top
    return ((x + left, y + top), (x + right, y + top), (x + right, y + bottom), (x + left, y + bottom))


def _segments(name: str) -> Model:
    """The fob: a digit is 8 dots wide and 16 high, and the next one begins 12 dots further on."""
    profile = load_profile(name)
    corners = _on_device(profile, (4, 4, 4 + 12 * (DIGITS - 1) + 8, 20))
    return Model(
        f"{name}, segments", lambda code: (picture(_screen(code), profile), corners), SevenSegments(DIGITS, 0.5)
    )


def _dots(name: str) -> Model:
    """A panel of dots, whose digits are found where the panel draws them."""
    profile = load_profile(name)
    row = code_row(_screen("0" * DIGITS), profile)
    glyphs = {digit: glyph.astype(bool) for digit, glyph in row.glyphs.items()}
    corners = _on_device(profile, row.box)
    return Model(
        f"{name}, dots", lambda code: (picture(_screen(code), profile), corners), DotMatrix(glyphs, DIGITS, group=4)
    )


def _dseg(ink: int, paper: int, name: str) -> Model:
    """A display with segments as type designers drew them, another font for each code; unlit ones are faintly visible."""
    fonts = [ImageFont.truetype(str(FONTS / f"DSEG7{style}.ttf"), 96) for style in STYLES]
    advance = fonts[0].getlength("8")
    size = (round(advance * DIGITS) + 200, 300)

    def draw(code: str) -> tuple[Image, Corners]:
        font = fonts[int(code) % len(fonts)]
        image = Pillow.new("L", size, paper)
        pen = ImageDraw.Draw(image)
        pen.text((100, 200), "8" * DIGITS, fill=round(paper + 0.06 * (ink - paper)), font=font, anchor="ls")
        rows, columns = np.nonzero(np.asarray(image) != paper)
        pen.text((100, 200), code, fill=ink, font=font, anchor="ls")
        lean = LEAN * (rows.max() - rows.min()) if "Italic" in str(font.getname()[1]) else 0.0
        left, right, top, bottom = (float(at) for at in (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1))
        return np.asarray(image, np.uint8), (
            (left + lean, top),
            (right, top),
            (right - lean, bottom),
            (left, bottom),
        )

    _, corners = draw("8" * DIGITS)
    digit = corners[1][0] - corners[0][0] - advance * (DIGITS - 1)
    return Model(name, draw, SevenSegments(DIGITS, advance / digit - 1))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000, help="photographs of each display at each degradation")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="only displays with this in their names")
    parser.add_argument("--degradations", nargs="+", choices=_DEGRADATIONS, default=list(_DEGRADATIONS), metavar="NAME")
    args = parser.parse_args()
    table = Table("display", "degradation", "exact", "refused", "wrong")
    for model in models():
        if args.only in model.name:
            for degradation in args.degradations:
                tally = _tally(model, range(args.first, args.first + args.count), degradation)
                table.add_row(model.name, degradation, *tally)
    Console(width=120).print(table)


def _tally(model: Model, seeds: range, degradation: str) -> tuple[str, str, str]:
    """Shares of these photographs that are read exactly and refused, and how many are read wrong."""
    found: Counter[str] = Counter()
    for seed in told(seeds, len(seeds), lambda: f"{model.name}, {degradation}: {dict(found)}"):
        code = code_of(seed)
        read = model.panel.read(*photograph(model, code, seed, strong=degradation == "strong")).code
        found["exact" if read == code else "refused" if read is None else "wrong"] += 1
        if read not in (code, None):
            say(f"{model.name}, {degradation}, seed {seed}: {code} is read as {read}")
    return f"{found['exact'] / len(seeds):.1%}", f"{found['refused'] / len(seeds):.1%}", str(found["wrong"])


if __name__ == "__main__":
    main()
