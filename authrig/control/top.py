"""``authrig rig top``: the bench in a terminal, as a client of its own API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, Header, Input, RichLog, Static

from authrig.control.blocks import in_characters
from authrig.control.client import ControlClient
from authrig.control.open_bench import OpenBench
from authrig.control.running import ControlServer
from authrig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from textual.binding import BindingType

    from authrig.rig_file.entries import RigFile

TOKEN_VARIABLE = "AUTHRIG_RIG_TOKEN"  # noqa: S105 - the name of the variable
_COLOURS = {"touch": "green", "trouble": "red", "screen": "cyan", "read": "magenta", "press": "yellow"}
_DIGITS = "0123456789"


class Top(App[None]):
    """A table of the devices, what the chosen one shows, and what happens."""

    TITLE = "The bench"
    CSS = """
    #upper { height: auto; max-height: 60%; }
    #devices { width: 1fr; height: auto; max-height: 20; }
    #view { width: auto; max-width: 66%; height: auto; padding: 0 1; }
    #screen { width: auto; height: auto; }
    #log { height: 1fr; border-top: solid $primary; }
    #text { display: none; }
    #text.asked { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "touch", "Touch"),
        Binding("o", "press('ok')", "OK"),
        Binding("c", "press('cancel')", "C"),
        Binding("O", "hold('ok')", "Hold OK", show=False),
        Binding("C", "hold('cancel')", "Hold C", show=False),
        Binding("p", "power", "Power"),
        Binding("s", "ask_text", "Show a text"),
        Binding("escape", "no_text", "Back", show=False),
        Binding("q", "quit", "Quit"),
        # Whatever has the keys: the library would only tell of another way out.
        Binding("ctrl+c", "quit", show=False, priority=True),
        *(Binding(digit, f"press('{digit}')", digit, show=False) for digit in _DIGITS),
    ]

    def __init__(self, client: ControlClient) -> None:
        super().__init__()
        self._client = client
        self._known: dict[str, dict[str, Any]] = {}

    def compose(self) -> ComposeResult:
        """The parts of the screen."""
        yield Header()
        with Horizontal(id="upper"):
            yield DataTable(id="devices", cursor_type="row")
            with Vertical(id="view"):
                yield Static(id="screen")
        yield Input(id="text", placeholder="a text, to be held before its camera as a QR code; Enter shows it")
        yield RichLog(id="log", wrap=True, max_lines=2000, auto_scroll=True)
        yield Footer()

    async def on_mount(self) -> None:
        """Fill the table and begin to listen."""
        table = self.query_one(DataTable)
        for column in ("device", "kind", "state"):
            table.add_column(column, key=column)
        table.focus()
        self.run_worker(self._follow(), exit_on_error=False)

    async def _follow(self) -> None:
        try:
            for device in await self._client.devices():
                self._known[device["name"]] = device
                words = (device["name"], device["kind"], Text(in_words(device)))
                self.query_one(DataTable).add_row(*words, key=device["name"])
            await self._draw()
            async for event in self._client.events():
                self._write(event)
                # Lines that belong to the one before change nothing.
                if event["device"] in self._known and not event["text"].startswith("    "):
                    await self._refresh(event["device"])
        except RigError as error:
            self.notify(str(error), severity="error", timeout=30)
        else:
            self.notify("the bench has ended", severity="warning", timeout=30)

    async def _refresh(self, name: str) -> None:
        device = self._known[name] = await self._client.state(name)
        self.query_one(DataTable).update_cell(name, "state", Text(in_words(device)), update_width=True)
        if name == self._chosen:
            await self._draw()

    @property
    def _chosen(self) -> str | None:
        row = self.query_one(DataTable).cursor_row
        names = list(self._known)
        return names[row] if 0 <= row < len(names) else None

    async def on_data_table_row_highlighted(self) -> None:
        """Another device was chosen."""
        await self._attempt(self._draw())

    async def on_resize(self) -> None:
        """There is more room, or less."""
        await self._attempt(self._draw())

    async def _draw(self) -> None:
        """What the chosen device shows."""
        device = self._known.get(self._chosen or "")
        view = self.query_one("#screen", Static)
        if device is None:
            return
        # An attached device is opened by those who use it, not by those who look at the table.
        if not device["emulated"] or not device["kind"].endswith("token"):
            view.update(Text("\n".join(facts(device))))
            return
        found = cv2.imdecode(np.frombuffer(await self._client.dots(device["name"]), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert found is not None  # the API sends PNGs
        lines = in_characters(np.asarray(found < 128), self.size.width * 2 // 3 - 2, self.size.height * 3 // 5)
        view.update(Text("\n".join(lines), style="black on rgb(196,207,161)", no_wrap=True))

    def _write(self, event: dict[str, Any]) -> None:
        text = str(event["text"])
        colour = "blue" if text.startswith("host →") else _COLOURS.get(event["kind"], "")
        line = text if text.startswith("    ") else f"{event['device']}  {text}"
        self.query_one(RichLog).write(Text(line, style=colour))

    # What keys do

    async def action_touch(self) -> None:
        """Touch the chosen key."""
        await self._post("touch")

    async def action_press(self, button: str) -> None:
        """Press a key of the chosen token."""
        await self._post("press", button=button)

    async def action_hold(self, button: str) -> None:
        """Press it for longer than a second."""
        await self._post("press", button=button, held=True)

    async def action_power(self) -> None:
        """Give the chosen device power, or take it."""
        state = self._known.get(self._chosen or "", {}).get("state", {})
        await self._post("power", on=not state.get("power", False))

    def action_ask_text(self) -> None:
        """Ask for a text to show."""
        field = self.query_one(Input)
        field.add_class("asked")
        field.focus()

    def action_no_text(self) -> None:
        """Do not show one after all."""
        field = self.query_one(Input)
        field.remove_class("asked")
        field.clear()
        self.query_one(DataTable).focus()

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Show it."""
        self.action_no_text()
        if event.value and self._chosen is not None:
            await self._attempt(self._client.show_text(self._chosen, event.value))

    async def _post(self, call: str, **body: Any) -> None:
        if self._chosen is not None:
            await self._attempt(self._client.post(self._chosen, call, **body))

    async def _attempt(self, act: Awaitable[None]) -> None:
        """Do something, and say so if it fails."""
        try:
            await act
        except RigError as error:
            self.notify(str(error), severity="error")


def in_words(device: dict[str, Any]) -> str:
    """How a device stands, in few words."""
    state = device["state"]
    if "trouble" in state:
        return f"trouble: {state['trouble']}"
    if not device["emulated"]:
        return str(state.get("url") or ("in use" if state.get("opened") else "attached"))
    if state.get("power") is False:
        return "off"
    if state.get("asks"):
        return f"asks for a touch: {state['asks']}"
    if state.get("code"):
        return f"code {state['code']}"
    return str(next((state[each] for each in ("screen", "address", "read", "url", "preset") if state.get(each)), ""))


def facts(device: dict[str, Any]) -> list[str]:
    """What there is to know of a device that has no panel, one a line."""
    return [f"{name}: {value}" for name, value in device["state"].items() if value not in (None, "")]


def top(rig_file: RigFile, *, automatic: bool) -> None:
    """A bench of its own, up as long as one looks at it.

    Raises:
        RigError: if it cannot be set up.
    """
    with OpenBench(rig_file, automatic=automatic) as bench, ControlServer(bench) as server:
        Top(ControlClient(server.url, server.guard.token)).run()


def look_at(url: str) -> None:
    """The bench at ``url``, whose token stands in the environment.

    Raises:
        RigError: if it does not.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        raise RigError(f"the bench at {url} wants its token: export {TOKEN_VARIABLE}=...")
    Top(ControlClient(url, token)).run()
