"""Every screen of every model on one page, to look through after a change: ``python -m emulators.hwtoken.contact_sheet``."""

import argparse
import base64
import html
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from emulators.camera_scanner.outline import encode_png
from emulators.hwtoken.display import accent_of, picture, render
from emulators.hwtoken.profile import Profile, SevenSegment, load_profile, profile_names
from emulators.hwtoken.screens import (
    Code,
    Declined,
    Error,
    ErrorKind,
    Idle,
    Line,
    Locked,
    Menu,
    Notice,
    Off,
    Refused,
    Review,
    Scanning,
    Screen,
    Style,
    Typing,
    Waiting,
)

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image

PAGE = (Line("Amount", Style.LABEL), Line("CHF 1'250.00", Style.VALUE))
SAMPLES: dict[str, Screen] = {
    "off": Off(),
    "idle": Idle("Reader", "QT1-00000042"),
    "idle, not activated": Idle("Reader", "QT1-00000042", "Not activated"),
    "menu": Menu(("Scan a code", "About", "Self-test", "Back"), 1),
    "about": Notice("About", ("QT1-00000042", "Firmware 1.0.0", "Counter 0")),
    "new PIN": Typing("New PIN", "Choose a PIN", "", "0"),
    "PIN, four typed": Typing("PIN", "Type your PIN", "****", "=", enough=True),
    "PIN locked": Locked("QT1-00000042"),
    "scan": Scanning(),
    "review, first page": Review("Transaction", 1, 2, PAGE),
    "review, last page": Review("Transaction", 2, 2, PAGE),
    "code": Code("9122 1436", "Type it to approve"),
    "code, six digits, seen before": Code("912 214", "Type it to log in", already_shown=True),
    "code, sixteen digits": Code("9122 1436 0000 1111", "Type it to approve"),
    "decline code": Declined("8441 8702"),
    "refused": Refused(),
    "waiting": Waiting("Logging in."),
    "accounts": Menu(("First account", "Bank", "Back"), 0, "Accounts"),
    **{f"error: {kind.value}": Error(kind, "Something is not as it should be.") for kind in ErrorKind},
}
"""One of each kind."""


NEEDS_WORDS = frozenset({"code, sixteen digits", "waiting", "accounts"})
"""What a seven-segment display never comes to show."""


def samples(model: str) -> dict[str, Screen]:
    """Those that the display of ``model`` can come to show."""
    segments = isinstance(load_profile(model).display, SevenSegment)
    return {name: screen for name, screen in SAMPLES.items() if not (segments and name in NEEDS_WORDS)}


def panel_picture(screen: Screen, profile: Profile) -> "Image":
    """The dots of the panel alone, in black and white, or in its colours (blue, green, red) where it has any."""
    dots = render(screen, profile)
    accent = accent_of(screen, profile)
    if accent is None:
        return np.asarray(255 * (1 - dots), np.uint8)
    coloured = np.where(dots[..., None] == 1, _bgr(profile.look.ink), _bgr(profile.look.paper))
    for bar in (slice(None, profile.panel.bar_height), slice(-profile.panel.bar_height, None)):
        coloured[bar] = np.where(dots[bar][..., None] == 1, _bgr(accent), _bgr(profile.look.paper))
    return np.asarray(coloured, np.uint8)


def golden_path(goldens: Path, model: str, name: str) -> Path:
    """Where the picture of the sample ``name`` on ``model`` stands."""
    return goldens / model / f"{re.sub('[^a-z0-9]+', '-', name.lower()).strip('-')}.png"


def changed(goldens: Path) -> dict[tuple[str, str], "Image"]:
    """The pictures that differ from those in ``goldens``, or are not there, by model and name."""
    found = {}
    for model in profile_names():
        profile = load_profile(model)
        for name, screen in samples(model).items():
            picture_now = panel_picture(screen, profile)
            path = golden_path(goldens, model, name)
            before = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if path.exists() else None
            if before is None or not np.array_equal(before, picture_now):
                found[model, name] = picture_now
    return found


def renew(goldens: Path) -> tuple[str, ...]:
    """Bring ``goldens`` up to date; which files were written or removed."""
    wanted = {golden_path(goldens, model, name) for model in profile_names() for name in samples(model)}
    stale = set(goldens.glob("*/*.png")) - wanted
    for path in stale:
        path.unlink()
    written = set()
    for (model, name), image in changed(goldens).items():
        path = golden_path(goldens, model, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_small_png(image))
        written.add(path)
    return tuple(sorted(str(path.relative_to(goldens)) for path in written | stale))


def sheet(goldens: Path | None = None) -> str:
    """The page, with its pictures inside; what differs from ``goldens`` comes first, before and after."""
    parts = [
        "<!doctype html><meta charset=utf-8><title>Screens of the QR token</title><h1>Screens of the QR token</h1>"
    ]
    if goldens is not None:
        differing = changed(goldens)
        parts.append(f"<h2>Changed: {len(differing)}</h2>")
        for (model, name), image in differing.items():
            path = golden_path(goldens, model, name)
            if path.exists():
                parts.append(_figure(path.read_bytes(), f"{model}: {name}, before"))
            parts.append(_figure(_small_png(image), f"{model}: {name}, now"))
    for model in profile_names():
        profile = load_profile(model)
        parts.append(f"<h2>{html.escape(model)}</h2>")
        scale = 1 if profile.display.width > 200 else 2
        for name, screen in samples(model).items():
            parts.append(_figure(encode_png(picture(screen, profile, scale)), name))
    return "\n".join(parts)


def _figure(png: bytes, caption: str) -> str:
    source = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return f"<figure style='display:inline-block'><img src='{source}'><figcaption>{html.escape(caption)}</figure>"


def _small_png(image: "Image") -> bytes:
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_BILEVEL, int(image.ndim == 2)]
    return cv2.imencode(".png", image, options)[1].tobytes()


def _bgr(colour: str) -> tuple[int, int, int]:
    return int(colour[5:7], 16), int(colour[3:5], 16), int(colour[1:3], 16)


def main() -> None:
    """Write the page; bring the goldens up to date where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="the HTML file to write")
    parser.add_argument("--goldens", type=Path, metavar="DIR", help="put what differs from these pictures first")
    parser.add_argument("--renew", action="store_true", help="afterwards, make the goldens what the screens are now")
    args = parser.parse_args()
    if args.renew and args.goldens is None:
        parser.error("--renew needs --goldens DIR")
    args.page.write_text(sheet(args.goldens), "utf-8")
    if args.renew:
        for name in renew(args.goldens):
            sys.stdout.write(f"{name}\n")


if __name__ == "__main__":
    main()
