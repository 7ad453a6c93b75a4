"""Debian's Chromium, driven by Playwright. Its own dialogs are outside of any page: they are seen and typed into on screen."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Error, Page, sync_playwright

from tests.vm.browsers.browser import SLOW_SECONDS, wait_until
from tests.vm.browsers.display import HEIGHT, WIDTH, Display, virtual_display

PREFERENCES = {"credentials_enable_service": False, "profile": {"password_manager_enabled": False}}
"""Nothing lies over the pages and dialogs, such as the offer to save a password."""
_DIALOG = {"left": WIDTH // 2 - 230, "top": 88, "width": 460, "height": HEIGHT - 200}
"""Where its dialogs are: over the page, in the middle. Looking at all of the screen costs a slow processor a lot."""
_BUTTON_WIDTH, _BUTTON_HEIGHT, _WORD_PIXELS = 50, 15, 40
"""A filled button has more (a bar of progress is lower, the ring of another button is thinner), and so have two words."""
_BLUE, _RED = ((0, 60), (60, 120), (180, 255)), ((150, 255), (0, 60), (0, 60))
_LOOKS = 3
"""So often in a row a button must be seen: while one dialog follows another, something may look like one."""


class Chromium:
    """A window with one page."""

    name = "chromium"

    def __init__(self, page: Page, display: Display) -> None:
        self._page = page
        self._looks = 0
        self.display = display

    def forget(self) -> None:
        """Be as new: no cookies."""
        self._page.context.clear_cookies()

    def open(self, url: str) -> None:
        """Go to a page and wait until it is there."""
        self._page.goto(url)

    def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        self._page.fill(selector, text)

    def click(self, selector: str) -> None:
        """Click a button as soon as it is there and may be clicked."""
        self._page.click(selector)

    def texts(self, selector: str) -> list[str]:
        """What is to be read there; nothing while there is no page to be read."""
        try:
            return self._page.locator(selector).all_inner_texts()
        except Error:  # the page is being left
            return []

    def wait_for_pin_prompt(self) -> None:
        """Of its dialogs, those where there is something to do have a filled button."""
        self.wait_for_dialog_button()

    def wait_for_dialog_button(self) -> None:
        """Until a dialog has a button to go on with, such as Next or Try again; Enter presses it."""
        self._looks = 0
        wait_until(self.dialog_button_stays)

    def dialog_button_stays(self) -> bool:
        """Whether one was there at the last looks, of which this is one."""
        rows = self._in_dialog(_BLUE).sum(axis=1) >= _BUTTON_WIDTH
        self._looks = self._looks + 1 if rows.sum() >= _BUTTON_HEIGHT else 0
        return self._looks >= _LOOKS

    def wait_for_pin_complaint(self) -> None:
        """It stands in red below the field."""
        wait_until(lambda: self._in_dialog(_RED).sum() > _WORD_PIXELS)

    def cancel(self) -> None:
        """Press Cancel in the dialog."""
        wait_until(lambda: self._in_dialog(_BLUE).any())
        self.display.press("Escape")

    def close_complaint(self) -> None:
        """The page learns nothing before."""
        self.wait_for_dialog_button()
        self.display.press("Escape")

    def _in_dialog(self, channels: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
        """Which pixels have their red, green and blue within these bounds; none without a dialog, which dims the page."""
        if not self.display.dimmed():
            return np.zeros((1, 1), np.bool_)
        pixels = self.display.pixels(_DIALOG)
        low, high = np.array(channels, np.uint8).T
        found: NDArray[np.bool_] = ((pixels >= low) & (pixels <= high)).all(axis=-1)
        return found


@contextmanager
def chromium(profile: Path) -> Iterator[Chromium]:
    """Chromium with a new profile in an empty folder, for as long as the block lasts."""
    (profile / "Default").mkdir()
    (profile / "Default" / "Preferences").write_text(json.dumps(PREFERENCES))
    with virtual_display() as display, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path="/usr/bin/chromium",
            headless=False,
            # The guest's only user is root, for whom Chromium has no sandbox; a test type is not warned about it.
            args=[
                "--no-sandbox",
                "--test-type",
                "--disable-gpu",
                "--window-position=0,0",
                f"--window-size={WIDTH},{HEIGHT}",
            ],
            no_viewport=True,
            env={**os.environ, "DISPLAY": display.name},
            timeout=1_000 * SLOW_SECONDS,
        )
        try:
            context.set_default_timeout(1_000 * SLOW_SECONDS)
            yield Chromium(context.pages[0], display)
        finally:
            context.close()
