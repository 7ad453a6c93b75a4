"""The server's pages, as a person uses them in a browser."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from authrig.ports.server import Administrator
from server_stub.run import RunningServer, run_server
from server_stub.settings import Argon2Cost, Settings
from tests.vm.browsers.browser import SLOW_SECONDS, WebBrowser, wait_until

KEY = "[data-key] [data-start]"
ALERT = "[data-alert]:not([hidden])"


class Site:
    """A server, and the one person who is in front of the browser."""

    def __init__(
        self, server: RunningServer, administrator: Administrator, browser: WebBrowser, evidence: Path
    ) -> None:
        self._server = server
        self._administrator = administrator
        self.browser = browser
        self._evidence = evidence / browser.name
        self.username = ""
        self._password = ""

    def new_person(self) -> None:
        """Somebody else sits down: an account of their own, a browser without cookies."""
        self.username = f"ada-{secrets.token_hex(4)}"
        self._password = secrets.token_urlsafe(12)
        self._administrator.create_user(self.username, self._password)
        self.browser.forget()

    def begin_login(self, application: str) -> None:
        """Go to an application and give name and password."""
        self.browser.open(f"{self._server.origin}/login/{application}")
        self.browser.fill("#username", self.username)
        self.browser.fill("#password", self._password)
        self.browser.click("form button:not(.second):not(.link)")

    def begin_registration(self, name: str) -> None:
        """Log in to the self-service, name a key and press the button below."""
        self.browser.forget()
        self.begin_login("self-service")
        self.read("#keys")
        self.browser.fill("#new-key", name)
        self.press_key_button()

    def press_key_button(self) -> None:
        """Press the page's own button for keys: it begins the ceremony."""
        self.browser.click(KEY)

    def begin_key_login(self) -> None:
        """Log in to the VPN with name and password, and press the button of the key page."""
        self.browser.forget()
        self.begin_login("vpn")
        self.press_key_button()

    def begin_usernameless_login(self) -> None:
        """Press the key button of the lounge, without saying who it is."""
        self.browser.forget()
        self.browser.open(f"{self._server.origin}/login/lounge")
        self.press_key_button()

    def registered(self) -> list[str]:
        """The names of one's keys, as soon as the page says that one was added."""
        self.read('.notice.good[role="status"]')
        return self.read("[data-keys] h3")  # a slow processor shows the notice before it has read on to the list

    def logged_in(self) -> tuple[str, str]:
        """Who is in, and proven by what, as soon as the application says it."""
        who, by, *_ = self.read("dl dd")
        return who, by

    def refused(self) -> str:
        """What the page says about a ceremony that failed, as soon as it does."""
        return self.read(ALERT)[0]

    def read(self, selector: str) -> list[str]:
        """The texts there, as soon as there are some."""
        return wait_until(lambda: self.browser.texts(selector))

    def screenshot(self, name: str) -> None:
        """Keep what is on the screen as evidence."""
        self.browser.display.screenshot(self._evidence / f"{name}.png")

    def type_pin(self, pin: str) -> None:
        """Type the PIN into the browser's own prompt, once it is there."""
        self.browser.wait_for_pin_prompt()
        self.screenshot("pin-prompt")
        self.browser.display.type_line(pin)


@contextmanager
def site(browser: WebBrowser, folder: Path) -> Iterator[Site]:
    """A new server, for as long as the block lasts."""
    patient = Settings(
        data_dir=folder,
        fido_challenge_ttl=round(3 * SLOW_SECONDS),
        argon2=Argon2Cost(memory_kib=64, iterations=1),  # no test here is about passwords
    )
    with (
        run_server(patient) as server,
        Administrator(server.internal_url, server.admin_token) as administrator,
    ):
        administrator._http.timeout = SLOW_SECONDS  # a browser that starts leaves little for the server
        yield Site(server, administrator, browser, shared_folder() / "browsers")


def shared_folder() -> Path:
    """What stays when the guest is gone: the only folder of the outside that can be written."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    return next(Path(place.replace("\\040", " ")) for source, place, *_ in mounts if source == "shared")
