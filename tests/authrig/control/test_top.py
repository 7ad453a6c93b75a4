import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, RichLog, Static

from authrig.control.blocks import in_characters
from authrig.control.client import ControlClient
from authrig.control.open_bench import OpenBench
from authrig.control.running import ControlServer
from authrig.control.top import TOKEN_VARIABLE, Top, in_words, look_at
from authrig.errors import RigError
from tests.authrig.control.waiting import selecting


@asynccontextmanager
async def _looking(server: ControlServer, width: int = 220) -> AsyncIterator[tuple[Top, Pilot[None]]]:
    """Somebody in front of a terminal of so many columns."""
    client = ControlClient(server.url, server.guard.token)
    app = Top(client)
    async with app.run_test(size=(width, 60)) as pilot:
        await _until(pilot, lambda: app.query_one(DataTable).row_count == 5)
        yield app, pilot
    await client.close()


async def _until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await pilot.pause(0.02)


async def _choose(app: Top, pilot: Pilot[None], name: str) -> None:
    app.query_one(DataTable).move_cursor(row=app.query_one(DataTable).get_row_index(name))
    await pilot.pause()


def _state(app: Top, name: str) -> str:
    return str(app.query_one(DataTable).get_cell(name, "state"))


def _log(app: Top) -> str:
    return "\n".join(line.text for line in app.query_one(RichLog).lines)


def _shown(app: Top) -> str:
    return str(app.query_one("#screen", Static).content)


def test_the_bench_in_a_terminal(server: ControlServer) -> None:
    """A table, the panel of the token that is chosen, keys that press its keys, and what happens."""

    async def look() -> None:
        async with _looking(server) as (app, pilot):
            assert _state(app, "token") == "idle"
            await _choose(app, pilot, "token")
            await _until(pilot, lambda: "█" in _shown(app))
            idle = _shown(app)
            assert {len(line) for line in idle.split("\n")} == {128}
            await pilot.press("o")
            await _until(pilot, lambda: _state(app, "token") == "scanning" and _shown(app) != idle)
            await pilot.press("s", *"hi", "enter")
            await _until(pilot, lambda: _state(app, "token") == "error")
            await _until(pilot, lambda: "error: Not a challenge" in _log(app))
            await pilot.press("p")
            await _until(pilot, lambda: _state(app, "token") == "off")

    asyncio.run(look())


def test_a_key_is_touched_from_the_terminal(server: ControlServer, bench: OpenBench) -> None:
    """It says that it asks, and t touches it."""

    async def look() -> None:
        async with _looking(server) as (app, pilot):
            await _choose(app, pilot, "key")
            await _until(pilot, lambda: "address: /dev/pts/" in _shown(app))
            with selecting(bench.device("key").state()["address"]) as answers:
                await _until(pilot, lambda: _state(app, "key") == "asks for a touch: select")
                await pilot.press("t")
                await _until(pilot, lambda: answers)
            assert answers == [b""]
            await _until(pilot, lambda: "host → key  authenticatorSelection" in _log(app))

    asyncio.run(look())


def test_what_cannot_be_done_is_said(server: ControlServer) -> None:
    """A scanner has no keys, and Escape takes a question back."""

    async def look() -> None:
        async with _looking(server, 80) as (app, pilot):
            await _choose(app, pilot, "gate")
            await pilot.press("o")
            await _until(pilot, lambda: any("cannot be pressed" in each.message for each in app._notifications))
            await pilot.press("s", "x", "escape")
            assert app.query_one(Input).value == ""
            await _choose(app, pilot, "token")
            await _until(pilot, lambda: any(0x2800 < ord(each) < 0x2900 for each in _shown(app)))

    asyncio.run(look())


def test_an_interrupt_ends_it(server: ControlServer) -> None:
    """Also while a text is typed, as everywhere else."""

    async def look() -> None:
        async with _looking(server) as (app, pilot):
            await pilot.press("s", "x", "ctrl+c")
            await _until(pilot, lambda: app._exit)

    asyncio.run(look())


def test_a_bench_that_ends_is_said(server: ControlServer, bench: OpenBench) -> None:
    """The terminal stays, and tells."""

    async def look() -> None:
        async with _looking(server) as (app, pilot):
            bench.happenings.close()
            await _until(pilot, lambda: any("has ended" in each.message for each in app._notifications))

    asyncio.run(look())


def test_a_bench_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence for each way in which it is not there."""

    async def ask(url: str) -> None:
        client = ControlClient(url, "token")
        try:
            await client.devices()
        finally:
            await client.close()

    with pytest.raises(RigError, match="does not answer"):
        asyncio.run(ask("http://127.0.0.1:1"))
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(RigError, match=f"export {TOKEN_VARIABLE}"):
        look_at("http://127.0.0.1:1")


def test_a_wrong_token_is_said(server: ControlServer) -> None:
    """In the API's own words."""

    async def ask() -> None:
        client = ControlClient(server.url, "wrong")
        try:
            with pytest.raises(RigError, match="expected the token"):
                await client.state("key")
            with pytest.raises(RigError, match="expected the token"):
                await anext(client.events())
        finally:
            await client.close()

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("device", "words"),
    [
        ({"emulated": True, "state": {"trouble": "no such profile"}}, "trouble: no such profile"),
        ({"emulated": False, "state": {"opened": False}}, "attached"),
        ({"emulated": False, "state": {"opened": True}}, "in use"),
        ({"emulated": True, "state": {"power": True, "code": "123 456"}}, "code 123 456"),
    ],
)
def test_a_device_in_few_words(device: dict[str, Any], words: str) -> None:
    """What matters most about it."""
    assert in_words(device) == words


def test_dots_as_characters() -> None:
    """Two dots in each half block, eight in each Braille cell; what sticks out is padded."""
    dots = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 1]], bool)
    assert in_characters(dots, 3, 2) == ["█▄▀", "  ▀"]
    assert in_characters(dots, 2, 2) == ["⠓⠅"]
    assert in_characters(np.ones((4, 2), bool), 2, 1) == ["⣿"]
