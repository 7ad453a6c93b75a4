"""Debian's Chromium in front of a rig's server, and people who sit at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import cv2
import numpy as np

from authrig.errors import RigError
from authrig.pictures import picture_from_png
from authrig.ports.key import KeyRefused
from emulators.hwtoken.keys import Button
from tests.codes import read_patiently

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize

    from authrig.ports.key import Key
    from authrig.ports.qr_token import QrToken
    from authrig.rig import Person

NARROW: ViewportSize = {"width": 360, "height": 740}
Theme = Literal["light", "dark"]
Language = Literal["en", "de"]
THEMES: dict[Theme, str] = {"light": "{}", "dark": "{runOnly: ['cat.color']}"}
"""By which of axe-core's rules a page is judged: a theme changes nothing but colours."""
LOCALES: dict[Language, str] = {"en": "en-GB", "de": "de-CH"}
"""What a browser says that its user reads, for each language of the pages."""
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

    def qr_text(self) -> str:
        """What the QR code on the page says."""
        [read] = read_patiently(picture_from_png(self.page.locator("img.qr").screenshot()))
        return read.data.decode()

    def arrive(self, path: str) -> str:
        """Wait for the page at ``path``; its words."""
        self.page.wait_for_url(self.origin + path)
        return self.page.inner_text("main")

    def refusal(self) -> str:
        """Wait for why a form was refused; its words."""
        self.page.wait_for_selector("#error")
        return self.page.inner_text("#error")

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


def plug_in(desk: Desk, key: Key, hesitate: Callable[[], None] = lambda: None) -> None:
    """Let pages of ``desk`` have ``key`` for what they ask of ``navigator.credentials``; it has a new page then.

    ``hesitate`` is called each time before the key is touched.
    """

    def ask(what: str, options: dict[str, Any]) -> dict[str, Any]:
        hesitate()
        call = key.get_assertion if what == "get" else key.make_credential
        try:
            return call(desk.origin, options)
        except KeyRefused as refused:
            return {"error": DOM_ERRORS.get(refused.status, "NotAllowedError")}
        except RigError:  # it is not plugged in: a browser asks for it until somebody cancels
            return {"error": "NotAllowedError"}

    context = desk.page.context
    context.expose_function("askEmulatedKey", ask)
    context.add_init_script(path=BRIDGE)
    desk.page.close()
    desk.page = context.new_page()


def serious(page: Page, rules: str = "{}") -> list[str]:
    """What axe-core finds on the page that is serious or critical; ``rules`` are its options."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(f"axe.run({{resultTypes: ['violations'], ...{rules}}}).then(results => results.violations)")
    return [
        f"{each['impact']} {each['id']}: {node['html']}"
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ]


@dataclass
class Gallery:
    """Pictures of pages in one language and both themes, each judged before it is taken."""

    desk: Desk
    folder: Path
    language: Language
    title: str
    pictures: dict[Theme, list[tuple[str, np.ndarray]]] = field(default_factory=lambda: {each: [] for each in THEMES})

    def look(self, name: str, there: str = "h1") -> None:
        """Judge the page that is open once ``there`` is on it, and keep its pictures."""
        page = self.desk.page
        page.wait_for_selector(there)
        assert page.get_attribute("html", "lang") == self.language, name
        assert too_wide(page) == [], name
        for theme, rules in THEMES.items():
            page.emulate_media(color_scheme=theme)
            assert serious(page, rules) == [], f"{name}, {theme}"
            path = self.folder / f"{name}-{theme}-{self.language}.png"
            page.screenshot(path=path, full_page=True)
            picture = cv2.imread(str(path))
            assert picture is not None
            self.pictures[theme].append((name, picture))

    def write_contact_sheets(self) -> None:
        """All of a theme in one picture."""
        for theme, pictures in self.pictures.items():
            path = self.folder / f"contact-sheet-{self.title}-{theme}-{self.language}.png"
            assert cv2.imwrite(str(path), contact_sheet(pictures))


def too_wide(page: Page) -> list[str]:
    """What sticks out to the right of the window, where one would have to scroll to."""
    return list(
        page.evaluate(
            """[...document.querySelectorAll("*")]
               .filter((each) => each.getClientRects().length && each.getBoundingClientRect().right > innerWidth + 0.5)
               .map((each) => each.outerHTML.slice(0, 100))"""
        )
    ) + (["the page"] if page.evaluate("document.documentElement.scrollWidth > innerWidth") else [])


def contact_sheet(pictures: list[tuple[str, np.ndarray]], columns: int = 10) -> np.ndarray:
    """All pictures, at half their size, each below its name: the next one always where there is most room."""
    width, gap, caption = NARROW["width"] // 2, 10, 18
    strips: list[list[np.ndarray]] = [[] for _ in range(columns)]
    for name, picture in pictures:
        small = cv2.resize(picture, (width, picture.shape[0] * width // picture.shape[1]), interpolation=cv2.INTER_AREA)
        words = np.full((caption, width, 3), 128, np.uint8)
        cv2.putText(words, name, (2, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
        shortest = min(strips, key=lambda strip: sum(piece.shape[0] for piece in strip))
        shortest += [words, small, np.full((gap, width, 3), 128, np.uint8)]
    height = max(sum(piece.shape[0] for piece in strip) for strip in strips)
    sheet = np.full((height, columns * (width + gap), 3), 128, np.uint8)
    for column, strip in enumerate(filter(None, strips)):
        whole, left = np.vstack(strip), column * (width + gap)
        sheet[: whole.shape[0], left : left + width] = whole
    return sheet
