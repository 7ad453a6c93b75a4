"""The token in the terminal, driven by Textual's own pilot."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from authrig.pictures import print_code
from authrig.tokens.lines import Line
from authrig.tokens.live import LiveToken
from authrig.tokens.running import RunOptions, open_line
from authrig.tokens.token_file import TokenFile
from emulators.hwtoken.screens import Code, Idle, Menu, Off, Review, Screen, Typing
from offline_qr import otq1
from tests.authrig.tokens.logins import KEYS, PIN, SEED, SERIAL, challenge


@contextmanager
def running(folder: Path, profile: str, camera: str | None = None, transport: str | None = None) -> Iterator[Line]:
    """A token of ``profile``, switched on."""
    with TokenFile.create(folder / "my.token", profile, SERIAL) as file:
        file.memory().provision(SERIAL, SEED)
    with ExitStack() as opened:
        yield open_line(RunOptions(folder / "my.token", camera=camera, transport=transport), opened)


def screen_of(line: Line) -> Screen:
    """What is on the token's panel."""
    with line.using() as core:
        return core.token.screen


def shown(app: LiveToken, name: str) -> str:
    """What a part of the terminal says."""
    return str(app.query_one(f"#{name}", Static).render())


def drive(line: Line, steps: Callable[[LiveToken, Pilot[None]], Awaitable[None]], size: tuple[int, int]) -> None:
    """Run the application in a terminal of ``size`` without a terminal."""

    async def run() -> None:
        app = LiveToken(line.using, address=line.address)
        async with app.run_test(size=size) as pilot:
            await steps(app, pilot)

    asyncio.run(run())


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    """Wait for something on the screen."""
    for _ in range(600):
        if true():
            return
        await pilot.pause(0.05)
    pytest.fail("it did not come")


def test_its_keys_are_the_tokens_keys(tmp_path: Path) -> None:
    """Digits, OK, long presses; the words above the keys; off and on again."""

    async def steps(app: LiveToken, pilot: Pilot[None]) -> None:
        assert isinstance(screen_of(line), Typing)
        await pilot.press(*PIN, "o", *PIN, "enter", "o")
        assert isinstance(screen_of(line), Idle)
        assert "Scan" in shown(app, "keys")
        await pilot.press("O")
        assert isinstance(screen_of(line), Menu)
        await pilot.press("C")
        assert isinstance(screen_of(line), Idle)
        await pilot.press("p")
        assert isinstance(screen_of(line), Off)
        await pilot.press("o")
        assert isinstance(screen_of(line), Typing)
        assert SERIAL in shown(app, "status")
        await pilot.press("q")

    with running(tmp_path, "qr-reader-keypad") as line:
        drive(line, steps, (130, 50))


def test_a_key_that_the_model_lacks_is_said(tmp_path: Path) -> None:
    """Nothing else happens."""

    async def steps(app: LiveToken, pilot: Pilot[None]) -> None:
        before = screen_of(line)
        await pilot.press("7")
        assert screen_of(line) == before
        assert "OK or CANCEL" in shown(app, "status")

    with running(tmp_path, "dot_matrix_128x64") as line:
        drive(line, steps, (130, 50))


def test_console_and_terminal_are_one_token(tmp_path: Path) -> None:
    """What is pressed on one is seen on the other; the terminal says where the console is."""

    async def steps(app: LiveToken, pilot: Pilot[None]) -> None:
        assert line.address in shown(app, "status")
        with line.using() as core:
            core.ask(b'{"cmd":"press","button":"ok"}')
        await until(pilot, lambda: "Stop" in shown(app, "keys"))
        await pilot.press("c")
        with line.using() as core:
            assert b'"state":"idle"' in core.ask(b'{"cmd":"state"}')

    with running(tmp_path, "dot_matrix_128x64", transport="pty") as line:
        drive(line, steps, (132, 42))


@pytest.mark.parametrize(
    ("size", "has"), [((132, 42), "▀"), ((70, 26), "\N{BRAILLE PATTERN DOTS-12345678}"), ((40, 14), "Ready")]
)
def test_the_panel_is_drawn_as_large_as_it_fits(tmp_path: Path, size: tuple[int, int], has: str) -> None:
    """Two dots in a character, eight, or its words."""

    async def steps(app: LiveToken, pilot: Pilot[None]) -> None:
        await pilot.pause()
        assert has in shown(app, "panel")

    with running(tmp_path, "dot_matrix_128x64") as line:
        drive(line, steps, size)


def test_a_picture_before_its_camera_is_scanned(tmp_path: Path) -> None:
    """OK begins to scan; a picture that appears in the folder is reviewed without another key."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()

    async def steps(app: LiveToken, pilot: Pilot[None]) -> None:
        await pilot.press("o")
        (pictures / "qr.png").write_bytes(print_code(otq1.encode(challenge(time.time()), KEYS)))
        await until(pilot, lambda: isinstance(screen_of(line), Review))
        while isinstance(screen_of(line), Review):
            await pilot.press("o")
        assert isinstance(screen_of(line), Code)
        await pilot.pause(0.1)
        assert "Done" in shown(app, "keys")

    with running(tmp_path, "dot_matrix_128x64", str(pictures)) as line:
        drive(line, steps, (132, 42))


def test_it_ends_when_it_is_told_from_outside(tmp_path: Path) -> None:
    """SIGTERM sets an event, and the terminal is given back."""
    ended = threading.Event()

    async def run(line: Line) -> None:
        app = LiveToken(line.using, ended=ended)
        async with app.run_test() as pilot:
            ended.set()
            await until(pilot, lambda: not app.is_running or app._exit)

    with running(tmp_path, "dot_matrix_128x64") as line:
        asyncio.run(run(line))
