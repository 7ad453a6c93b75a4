"""A running token in the terminal: its panel in dots, the words above its keys, and its keys on the keyboard."""

import threading
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Static

from authrig.tokens.drawing import draw_dots
from authrig.tokens.lines import Using
from authrig.tokens.powered import PoweredToken
from emulators.hwtoken.display import render
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import MemoryFault
from emulators.hwtoken.readout import read_keys, read_text
from emulators.hwtoken.screens import State

REFRESH_SECONDS = 0.05
KEYS = {
    "o": (Button.OK, False),
    "enter": (Button.OK, False),
    "c": (Button.CANCEL, False),
    "escape": (Button.CANCEL, False),
    "O": (Button.OK, True),
    "C": (Button.CANCEL, True),
    **{digit: (Button(digit), False) for digit in "0123456789"},
}
"""Upper case holds a key: a terminal does not tell when one is released."""
HELP = "o OK   c CANCEL   O C hold   0-9 digits   p power   n network   q quit"


class LiveToken(App[None]):
    """The token behind ``using``.

    Args:
        using: the token, for a moment.
        address: where its console is; on no line, nobody else lets its time pass.
        ended: set from outside to end it.
    """

    CSS = """
    Screen { align: center middle; }
    #device { width: auto; height: auto; align: center middle; }
    #panel, #keys { width: auto; height: auto; }
    #keys, #status, #help { margin-top: 1; }
    #status, #help { width: auto; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "quit")]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, using: Using, *, address: str = "", ended: threading.Event | None = None) -> None:
        super().__init__()
        self._using = using
        self._address = address
        self._ended = ended or threading.Event()
        self._said = ""

    def compose(self) -> ComposeResult:
        """The panel, the words above its keys, what else there is to know."""
        with Vertical(id="device"):
            yield Static(id="panel")
            yield Static(id="keys")
            yield Static(id="status")
            yield Static(HELP, id="help")

    def on_mount(self) -> None:
        """Let time pass."""
        self.set_interval(REFRESH_SECONDS, self._refresh_token)
        self._refresh_token()

    def on_resize(self) -> None:
        """Another drawing may fit now."""
        self._refresh_token()

    def on_key(self, event: events.Key) -> None:
        """A key of the token, or of the terminal."""
        name = event.character if event.character in KEYS else event.key
        if name in KEYS:
            button, held = KEYS[name]
            with self._using() as core:
                self._press(core, button, held=held)
        elif name == "p":
            with self._using() as core:
                off = core.token.screen.state is State.OFF
                (core.token.power_on if off else core.token.power_off)()
        elif name == "n":
            with self._using() as core:
                core.token.go_online(online=not core.token.parts.radio.on)
        self._refresh_token()

    def _press(self, core: PoweredToken, button: Button, *, held: bool) -> None:
        self._said = ""
        try:
            if core.token.screen.state is State.OFF:
                core.token.power_on()
            else:
                core.token.press(button, held=held)
        except (ValueError, MemoryFault) as error:
            self._said = str(error)

    def _refresh_token(self) -> None:
        if self._ended.is_set():
            self.exit()
            return
        if not self.query("#panel"):
            return  # the window has a size before it has contents, and after
        with self._using() as core:
            if not self._address:
                core.poll()
            panel, keys, status = self._panel(core), self._keys(core), self._status(core)
        for name, shown in (("panel", panel), ("keys", keys), ("status", status)):
            self.query_one(f"#{name}", Static).update(shown)

    def _panel(self, core: PoweredToken) -> Text:
        token = core.token
        look = token.profile.look
        room = self.size.width - 2, self.size.height - 8
        lines = draw_dots(render(token.screen, token.profile, token.defects), *room)
        if lines is None:
            # A small window still shows every word.
            lines = [f" {line} " for line in read_text(token.screen, token.profile)] or [" "]
            width = max(map(len, lines))
            lines = [line.ljust(width) for line in lines]
        dark = token.screen.state is State.OFF
        style = Style(color=look.ink, bgcolor=look.casing if dark else look.paper)
        return Text("\n".join(lines), style=style, no_wrap=True)

    @staticmethod
    def _keys(core: PoweredToken) -> Text:
        cancel, ok = read_keys(core.token.screen)
        return Text(f"[c] {cancel or '-':<12}[o] {ok or '-'}", no_wrap=True)

    def _status(self, core: PoweredToken) -> Text:
        token = core.token
        parts = [f"{token.profile.name} {token.memory.serial or ''}", "test device"]
        if self._address:
            parts.append(f"console on {self._address}")
        if token.parts.radio.present:
            parts.append("online" if token.parts.radio.on else "offline")
        if core.eye is not None and core.eye.problem:
            parts.append(f"camera: {core.eye.problem}")
        if self._said:
            parts.append(self._said)
        return Text("   ".join(parts), no_wrap=True, overflow="ellipsis")
