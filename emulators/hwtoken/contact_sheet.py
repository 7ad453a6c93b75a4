"""Every screen of every model on one page, to look through after a change: ``python -m emulators.hwtoken.contact_sheet``."""

import base64
import html
import json
import sys
from pathlib import Path

from emulators.camera_scanner.outline import encode_png
from emulators.hwtoken.display import picture
from emulators.hwtoken.profile import SevenSegment, load_profile, profile_names
from emulators.hwtoken.readout import screen_hash
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


def samples(model: str) -> dict[str, Screen]:
    """Those that the display of ``model`` can come to show."""
    segments = isinstance(load_profile(model).display, SevenSegment)
    return {name: screen for name, screen in SAMPLES.items() if not (segments and "sixteen" in name)}


def hashes() -> dict[str, dict[str, str]]:
    """Model to screen to hash."""
    return {
        model: {name: screen_hash(screen, load_profile(model)) for name, screen in samples(model).items()}
        for model in profile_names()
    }


def sheet() -> str:
    """The page, with its pictures inside."""
    parts = [
        "<!doctype html><meta charset=utf-8><title>Screens of the QR token</title><h1>Screens of the QR token</h1>"
    ]
    for model in profile_names():
        profile = load_profile(model)
        parts.append(f"<h2>{html.escape(model)}</h2>")
        for name, screen in samples(model).items():
            png = base64.b64encode(
                encode_png(picture(screen, profile, 1 if profile.display.width > 200 else 2))
            ).decode()
            source = f"data:image/png;base64,{png}"
            parts.append(
                f"<figure style='display:inline-block'><img src='{source}'><figcaption>{html.escape(name)}</figure>"
            )
    return "\n".join(parts)


def main(page: str, goldens: str) -> None:
    """Write the page, and the hashes that the tests compare with."""
    Path(page).write_text(sheet(), "utf-8")
    Path(goldens).write_text(json.dumps(hashes(), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:3])
