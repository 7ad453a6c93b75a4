"""Debian's Chromium in front of a rig's server, and people who sit at it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from authrig.pictures import picture_from_png
from authrig.ports.key import KeyRefused
from emulators.hwtoken.keys import Button

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

    from authrig.ports.key import Key
    from authrig.ports.qr_token import QrToken
    from authrig.rig import Person

NARROW: ViewportSize = {"width": 360, "height": 740}
LOCALES = {"light": "en-GB", "dark": "de-CH"}
"""In which language the pages are looked at in which theme."""
HERE = Path(__file__).parent
AXE = HERE / "vendor/axe-core/axe.min.js"
BRIDGE = HERE / "credentials_bridge.js"
DOM_ERRORS = {"CREDENTIAL_EXCLUDED": "InvalidStateError"}
"""What a browser makes of a key's answer; of any other it says only NotAllowedError (WebAuthn §6.3.2, §6.3.3)."""


@dataclass
class Desk:
    """Somebody at a browser."""

    origin: str
    page: Page

    def open(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self.origin + path)

    def log_in(self, application: str, person: Person) -> None:
        """Type name and password."""
        self.open(f"/login/{application}")
        self.page.fill("#username", person.username)
        self.page.fill("#password", person.password)
        self.page.click("main form button")

    def answer_by_light(self, token: QrToken) -> list[str]:
        """Hold the token up to the screen, read what it shows, and type the code from its display; the lines it showed."""
        self.page.wait_for_selector("img.qr")
        token.scan(picture_from_png(self.page.locator("img.qr").screenshot()))
        lines = token.read_review()
        token.press(Button.OK)
        code = token.read_code()
        self.page.locator("#otp").press_sequentially(code)
        self.page.keyboard.press("Enter")
        return list(lines or ())

    def arrive(self, path: str) -> str:
        """Wait for the page at ``path``; its words."""
        self.page.wait_for_url(self.origin + path)
        return self.page.inner_text("main")

    def alert(self) -> str:
        """Wait for what the page's script has to say; its words."""
        self.page.wait_for_selector("[data-alert]:visible")
        return self.page.inner_text("[data-alert]:visible")


@contextmanager
def new_desk(browser: Browser, origin: str) -> Iterator[Desk]:
    """A browser that has never been here; nothing on its pages may offend against their own policy."""
    context = browser.new_context(locale="en-GB")
    offences: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Trusted" in message.text:
            offences.append(message.text)

    context.on("console", listen)
    yield Desk(origin, context.new_page())
    context.close()
    assert offences == []


def plug_in(context: BrowserContext, key: Key, origin: str) -> None:
    """Let pages of ``context`` have ``key`` for what they ask of ``navigator.credentials``."""

    def ask(what: str, options: dict[str, Any]) -> dict[str, Any]:
        call = key.get_assertion if what == "get" else key.make_credential
        try:
            return call(origin, options)
        except KeyRefused as refused:
            return {"error": DOM_ERRORS.get(refused.status, "NotAllowedError")}

    context.expose_function("askEmulatedKey", ask)
    context.add_init_script(path=BRIDGE)


def serious(page: Page) -> list[str]:
    """What axe-core finds on the page that is serious or critical."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(results => results.violations)")
    return [
        f"{each['impact']} {each['id']}: {node['html']}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


@dataclass
class Gallery:
    """Pictures of pages, each judged before it is taken."""

    desk: Desk
    folder: Path
    theme: str
    pictures: list[np.ndarray] = field(default_factory=list)

    def look(self, name: str, there: str = "h1") -> None:
        """Judge the page that is open once ``there`` is on it, and keep its picture."""
        page = self.desk.page
        page.wait_for_selector(there)
        assert serious(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"], name
        path = self.folder / f"{name}-{self.theme}.png"
        page.screenshot(path=path, full_page=True)
        picture = cv2.imread(str(path))
        assert picture is not None
        self.pictures.append(picture)

    def write_contact_sheet(self, name: str) -> None:
        """All of them in one picture."""
        assert cv2.imwrite(str(self.folder / f"{name}-{self.theme}.png"), contact_sheet(self.pictures))


def contact_sheet(pictures: list[np.ndarray], columns: int = 8) -> np.ndarray:
    """All pictures side by side, cut to the same height."""
    height, width = 1100, NARROW["width"]
    sheet = np.full((math.ceil(len(pictures) / columns) * (height + 8), columns * (width + 8), 3), 128, np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        piece = picture[:height, :width]
        top, left = row * (height + 8), column * (width + 8)
        sheet[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return sheet
