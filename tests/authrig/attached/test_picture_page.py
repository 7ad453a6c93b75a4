import threading
import urllib.error
import urllib.request

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from authrig.attached import picture_page
from authrig.attached.picture_page import PicturePage
from authrig.errors import RigError
from authrig.pictures import picture_from_png, print_code
from tests.codes import read_patiently


@pytest.mark.needs("chromium")
def test_a_browser_shows_the_picture_of_the_moment() -> None:
    """What a device before the screen would see, can be read; the next picture takes its place."""
    with PicturePage(0) as page, sync_playwright() as playwright:
        failures: list[BaseException] = []
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            tab = browser.new_page(viewport={"width": 480, "height": 480})
            tab.goto(page.url)
            for content in ("first", "second"):
                # The browser is driven by this thread, so another one holds the picture up.
                seen = threading.Event()
                up = threading.Event()

                def hold(text: str = content, up: threading.Event = up, seen: threading.Event = seen) -> None:
                    try:
                        with page.showing(picture_from_png(print_code(text))):
                            up.set()
                            seen.wait(30)
                    except RigError as error:
                        failures.append(error)
                        up.set()

                thread = threading.Thread(target=hold)
                thread.start()
                while not up.is_set():
                    tab.wait_for_timeout(50)
                assert not failures
                (read,) = read_patiently(picture_from_png(tab.screenshot()))
                seen.set()
                thread.join()
                assert read.data == content.encode()
        finally:
            browser.close()


def test_a_page_that_nobody_opened_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to open."""
    monkeypatch.setattr(picture_page, "_SHOWN_SECONDS", 0.05)
    with (
        PicturePage(0) as page,
        pytest.raises(RigError, match=f"open {page.url} on the screen"),
        page.showing(np.full((20, 20), 255, np.uint8)),
    ):
        pass


def test_two_pages_on_one_port_are_refused() -> None:
    """With the port in the sentence."""
    with PicturePage(0) as page:
        port = int(page.url.rstrip("/").rsplit(":", 1)[1])
        with pytest.raises(RigError, match=rf"cannot listen on 127.0.0.1:{port}: Address already in use"):
            PicturePage(port)


def test_another_page_cannot_say_that_it_was_shown() -> None:
    """A request from elsewhere is not heeded, and an unknown path is not found."""
    with PicturePage(0) as page:
        for path, headers in (("shown?number=9", {"Sec-Fetch-Site": "cross-site"}), ("other", {})):
            request = urllib.request.Request(page.url + path, method="POST", headers=headers)  # noqa: S310 - our own server
            with pytest.raises(urllib.error.HTTPError, match="404") as refused:
                urllib.request.urlopen(request)  # noqa: S310 - as above
            refused.value.close()
