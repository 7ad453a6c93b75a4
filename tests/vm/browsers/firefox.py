"""Firefox ESR, driven by Marionette. Its own prompts are read through Marionette, and typed into on screen."""

import gc
import os
import socket
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marionette_driver.by import By
from marionette_driver.errors import NoAlertPresentException, UnexpectedAlertOpen
from marionette_driver.marionette import Alert, Marionette

from tests.vm.browsers.browser import SLOW_SECONDS, wait_until
from tests.vm.browsers.display import HEIGHT, WIDTH, Display, virtual_display

PREFERENCES = {
    "security.webauth.webauthn_enable_usbtoken": "true",
    "security.webauth.webauthn_enable_softtoken": "false",
    # A button may be pressed as soon as it is there.
    "security.notification_enable_delay": "0",
    # A machine without a network: nothing is looked for, and nothing greets.
    "app.normandy.enabled": "false",
    "app.update.enabled": "false",
    "browser.aboutwelcome.enabled": "false",
    "browser.newtabpage.enabled": "false",
    "browser.search.update": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "browser.startup.page": "0",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "dom.ipc.processCount": "1",
    # Each picture of a panel that moves is computed by a processor that is a program itself.
    "layout.frame_rate": "5",
    "toolkit.cosmeticAnimations.enabled": "false",
    "ui.prefersReducedMotion": "1",
    "extensions.systemAddon.update.enabled": "false",
    "fission.autostart": "false",
    "signon.rememberSignons": "false",
    "services.settings.server": '"data:,#remote-settings-dummy/v1"',
}

_CANCEL = "PopupNotifications.panel.firstElementChild.button.click()"
_TEXTS = "return Array.from(document.querySelectorAll(arguments[0]), element => element.innerText)"
_READY = "return document.querySelector(arguments[0] + ':enabled') !== null"


class Firefox:
    """A window with one page."""

    name = "firefox"

    def __init__(self, marionette: Marionette, display: Display) -> None:
        self._marionette = marionette
        self.display = display

    def forget(self) -> None:
        """Be as new: no cookies."""
        self._marionette.delete_all_cookies()

    def open(self, url: str) -> None:
        """Go to a page and wait until it is there."""
        self._marionette.navigate(url)

    def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        field = self._marionette.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(text)

    def click(self, selector: str) -> None:
        """Click a button as soon as it is there and may be clicked."""
        wait_until(lambda: self._marionette.execute_script(_READY, script_args=[selector]))
        self._marionette.find_element(By.CSS_SELECTOR, selector).click()

    def texts(self, selector: str) -> list[str]:
        """What is to be read there; nothing while there is no page to be read."""
        try:
            texts: list[str] | None = self._marionette.execute_script(_TEXTS, script_args=[selector])
        except UnexpectedAlertOpen:  # a prompt lies over the page
            return []
        return texts or []  # None: the page was left meanwhile

    def wait_for_pin_prompt(self) -> None:
        """To Marionette it is an alert."""
        wait_until(lambda: self._prompt() == "Please enter the PIN for your device." and self.display.dimmed())

    def wait_for_pin_complaint(self) -> None:
        """The same again, in other words."""
        wait_until(lambda: self._prompt().startswith("Incorrect PIN") and self.display.dimmed())

    def cancel(self) -> None:
        """Press Cancel in the panel that asks for a touch."""
        wait_until(lambda: "Touch your security key" in self.panel())
        with self._marionette.using_context("chrome"):
            self._marionette.execute_script(_CANCEL)

    def close_complaint(self) -> None:
        """It leaves that to the page."""

    def panel(self) -> str:
        """What the panel below the address says; empty when it is not there."""
        with self._marionette.using_context("chrome"):
            return str(self._marionette.execute_script("return PopupNotifications.panel.textContent"))

    def _prompt(self) -> str:
        try:
            return str(Alert(self._marionette).text)
        except NoAlertPresentException:
            return ""


@contextmanager
def firefox(profile: Path) -> Iterator[Firefox]:
    """Firefox with an empty profile, for as long as the block lasts."""
    port = _free_port()
    profile.mkdir(parents=True)
    preferences = {**PREFERENCES, "marionette.port": str(port)}
    (profile / "user.js").write_text("".join(f'user_pref("{name}", {each});\n' for name, each in preferences.items()))
    words = ["firefox-esr", "--no-remote", "--profile", str(profile), "--marionette", "--remote-allow-system-access"]
    size = ["--width", str(WIDTH), "--height", str(HEIGHT)]
    with virtual_display() as display, (profile / "log").open("wb") as log:
        # The guest's only user is root, for whom Firefox has no sandbox.
        environment = os.environ | {"DISPLAY": display.name, "MOZ_DISABLE_CONTENT_SANDBOX": "1"}
        with subprocess.Popen([*words, *size], env=environment, stdout=log, stderr=log) as program:
            try:
                marionette = Marionette(host="127.0.0.1", port=port, socket_timeout=SLOW_SECONDS)
                with warnings.catch_warnings():
                    # Each time that it tries to connect before Firefox listens, it leaves a socket to the garbage collector.
                    warnings.simplefilter("ignore", ResourceWarning)
                    # Ignored means: left open for us, and every command that cannot go on because of it says so.
                    marionette.start_session({"unhandledPromptBehavior": "ignore"}, timeout=SLOW_SECONDS)
                    gc.collect()
                yield Firefox(marionette, display)
            finally:
                program.terminate()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
