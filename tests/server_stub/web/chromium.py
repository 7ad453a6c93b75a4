"""Debian's Chromium in front of a rig's server, and people who sit at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authrig.pictures import picture_from_png
from authrig.ports.key import KeyRefused
from emulators.hwtoken.keys import Button

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

    from authrig.ports.key import Key
    from authrig.ports.qr_token import QrToken
    from authrig.rig import Person, Rig

HERE = Path(__file__).parent
AXE = HERE / "vendor/axe-core/axe.min.js"
BRIDGE = HERE / "credentials_bridge.js"
DOM_ERRORS = {"CREDENTIAL_EXCLUDED": "InvalidStateError"}
"""What a browser makes of a key's answer; of any other it says only NotAllowedError (WebAuthn §6.3.2, §6.3.3)."""


@dataclass
class Desk:
    """Somebody at a browser."""

    rig: Rig
    page: Page

    def open(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self.rig.origin + path)

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
        self.page.wait_for_url(self.rig.origin + path)
        return self.page.inner_text("main")

    def alert(self) -> str:
        """Wait for what the page's script has to say; its words."""
        self.page.wait_for_selector("[data-alert]:visible")
        return self.page.inner_text("[data-alert]:visible")


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
