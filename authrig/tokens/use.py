"""What a person does with a token, in as many key presses as it takes: hold a picture before it, type digits, activate it."""

from pathlib import Path

from authrig.errors import RigError
from authrig.tokens.handled import HandledToken
from emulators.camera_scanner.frames import SourceError
from emulators.hwtoken.keys import Button
from emulators.hwtoken.readout import read_text
from emulators.hwtoken.screens import Idle, Menu, Review, State, Typing

_DONE = frozenset({State.CODE, State.NOTICE, State.REFUSED, State.DECLINED})
"""Screens that OK leaves, as everything has been read."""


def scan(token: HandledToken, path: Path) -> None:
    """Begin to scan, from any screen that lets one, and hold the picture or video at ``path`` before the camera.

    Raises:
        RigError: it holds no picture or no code, or the token wants something else first.
    """
    codes = read_codes_in(path)
    start_scanning(token)
    token.read(codes)


def read_codes_in(path: Path) -> tuple[bytes, ...]:
    """The bytes of the codes in the first frame of ``path`` that has any. Raises RigError."""
    from emulators.camera_scanner.decoders import read_codes  # noqa: PLC0415 - slow to import, and not every command scans
    from emulators.camera_scanner.sources.any_file import open_file  # noqa: PLC0415 - as above

    try:
        source = open_file(path)
        try:
            for frame in source.frames():
                if codes := tuple(read.data for read in read_codes(frame.image, deadline_ms=2000.0, thorough=True)):
                    return codes
        finally:
            source.close()
    except (SourceError, OSError) as error:
        raise RigError(str(error)) from error
    raise RigError(f"{path}: expected a picture with a QR code, found none in it")


def start_scanning(token: HandledToken) -> None:
    """Press what leads to the scan screen. Raises RigError where it does not."""
    if token.is_dark:
        token.power(on=True)
    if token.token.screen.state in _DONE:
        token.press(Button.OK)
    screen = token.token.screen
    if isinstance(screen, Idle) and screen.start != "Scan":
        _choose(token, "Scan a code")
    elif screen.state in {State.IDLE, State.ERROR, State.LOCKED}:
        token.press(Button.OK)
    if token.token.screen.state is not State.SCANNING:
        raise RigError(f"the token does not scan now: it shows {describe(token)}")


def type_digits(token: HandledToken, digits: str) -> None:
    """Type ``digits`` and finish, on a keypad or with the wheel of two buttons.

    Raises:
        RigError: the token asks for nothing to be typed, or not for so many digits.
    """
    if token.is_dark:
        token.power(on=True)
    if _asked(token) is None:
        raise RigError(f"the token asks for no digits now: it shows {describe(token)}")
    if not digits.isascii() or not digits.isdigit():
        raise RigError("expected digits to type, found something else")
    _erase(token)
    for digit in digits:
        _type_one(token, digit)
    typing = _asked(token)
    if typing is None or not typing.enough or len(typing.shown) != len(digits):
        raise RigError(f"the token does not take so many digits: it shows {describe(token)}")
    if typing.wheel:
        _turn_to(token, "=")
    token.press(Button.OK)


def activate(token: HandledToken, path: Path, code: str | None) -> None:
    """Scan an activation message, type the ``code`` from its letter where it asks for that, and confirm it.

    Raises:
        RigError: the token wants something else, such as its PIN, or refuses.
    """
    scan(token, path)
    if _asked(token) is not None:
        if code is None:
            raise RigError("the token asks for the code on the letter: say --code")
        type_digits(token, code.replace(" ", "").replace("-", ""))
    confirm_all_pages(token)
    if token.token.screen.state is not State.CODE:
        raise RigError(f"the token is not activated: it shows {describe(token)}")


def confirm_all_pages(token: HandledToken) -> None:
    """Read on, and confirm on the last page. Raises RigError."""
    while isinstance(token.token.screen, Review):
        token.press(Button.OK)


def describe(token: HandledToken) -> str:
    """What it shows, in some words."""
    words = " / ".join(line for line in read_text(token.token.screen, token.token.profile) if line)
    return f"{token.token.screen.state.name.lower()} ({words})" if words else "nothing"


def _choose(token: HandledToken, label: str) -> None:
    """Open the menu and select ``label``. Raises RigError where there is no such entry."""
    token.press(Button.OK, held=True)
    menu = token.token.screen
    if not isinstance(menu, Menu) or label not in menu.items:
        raise RigError("this model has no camera")
    for _ in range(menu.items.index(label) - menu.chosen):
        token.press(Button.CANCEL)
    token.press(Button.OK)


def _asked(token: HandledToken) -> Typing | None:
    """What is being typed."""
    screen = token.token.screen
    return screen if isinstance(screen, Typing) else None


def _erase(token: HandledToken) -> None:
    """Take away what an earlier command has typed."""
    while (typing := _asked(token)) is not None and typing.shown:
        if typing.wheel:
            _turn_to(token, "<")
        token.press(Button.OK if typing.wheel else Button.CANCEL)


def _type_one(token: HandledToken, digit: str) -> None:
    typing = _asked(token)
    if typing is not None and typing.wheel:
        _turn_to(token, digit)
        token.press(Button.OK)
    else:
        token.press(Button(digit))


def _turn_to(token: HandledToken, position: str) -> None:
    """Turn the wheel, at most once around. Raises RigError where it has no such position."""
    for _ in range(len("0123456789<=")):
        typing = _asked(token)
        if typing is not None and typing.wheel == position:
            return
        token.press(Button.CANCEL)
    raise RigError(f"the token does not take so many digits: it shows {describe(token)}")
