"""The page in Debian's Chromium, as somebody at a desk uses it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin
from fido2.hid import CtapHidDevice
from fido2.hid.base import HidDescriptor
from fido2.webauthn import PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions

from authrig.control.open_bench import OpenBench
from authrig.control.running import ControlServer
from authrig.keys.attached import NodeConnection
from authrig.pictures import print_code
from authrig.ports.server import Browser as Login
from authrig.rig_file.reading import DEFAULT
from emulators.fido_authenticator.ctaphid import REPORT_BYTES
from tests.authrig.control.conftest import rig_file_of
from tests.authrig.control.waiting import selecting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

    from authrig.playwright_webcam import FakeWebcam

pytestmark = pytest.mark.needs("chromium")
AXE = Path(__file__).parents[2] / "server_stub/web/vendor/axe-core/axe.min.js"
SHOTS = Path("out/bench")
DROP = """async (card, png) => {
  const bytes = Uint8Array.from(atob(png), (each) => each.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "dropped.png", {type: "image/png"}));
  for (const kind of ["dragover", "drop"])
    card.dispatchEvent(new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def browser(fake_webcam_of_session: FakeWebcam) -> Iterator[Browser]:
    """A browser."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow to import, for tests that are skipped too

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**fake_webcam_of_session.launch_options)
        yield browser
        browser.close()


@pytest.fixture
def desk() -> Iterator[tuple[OpenBench, ControlServer]]:
    """One device of each kind, and our server beside them."""
    with OpenBench(DEFAULT) as bench, ControlServer(bench) as server:
        yield bench, server


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Makes pages, on which nothing offends against the page's own policy."""
    contexts, offences = [], []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Trusted" in message.text:
            offences.append(message.text)

    def make(**options: Any) -> Page:
        context = browser.new_context(locale="en-GB", **options)
        context.on("console", listen)
        context.on("weberror", lambda error: offences.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert offences == []


def _opened(page: Page, server: ControlServer) -> Page:
    page.goto(server.login_link)
    page.wait_for_selector("#live[data-state=live]")
    return page


def _card(page: Page, name: str) -> Locator:
    return page.locator(f"article[data-device={name}]")


def _drop(card: Locator, png: bytes) -> None:
    """Drop a picture on a device."""
    card.evaluate(DROP, base64.b64encode(png).decode())


def test_a_login_by_password_and_token(desk: tuple[OpenBench, ControlServer], new_page: Callable[..., Page]) -> None:
    """The login's QR code is dropped on the token, and the code that its display shows is typed into the login."""
    bench, server = desk
    page, login = _opened(new_page(), server), new_page()
    known = bench.device("server").state()
    assert _card(page, "server").locator("a").get_attribute("href") == known["login"]
    login.goto(known["login"])
    login.fill("#username", known["username"])
    login.fill("#password", known["password"])
    login.click("main form button")
    code_on_the_page = login.wait_for_selector("img.qr")
    assert code_on_the_page is not None

    token = _card(page, "token")
    token.locator(".o").click()
    token.locator("img[alt*=scanning]").wait_for()
    _drop(token, code_on_the_page.screenshot())
    token.get_by_text("Service").wait_for()
    assert known["username"] in token.locator(".said").inner_text()
    while not token.locator(".said .code").count():
        before = token.locator(".said").inner_text()
        token.locator(".soft.ok").click()
        page.wait_for_function(
            "([said, before]) => said.innerText !== before", arg=[token.locator(".said").element_handle(), before]
        )
    token.locator("img[data-shows=code]").wait_for()
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / "login-by-token.png", full_page=True)
    login.locator("#otp").press_sequentially(token.locator(".said .code").inner_text().replace(" ", ""))
    login.keyboard.press("Enter")
    login.wait_for_url("**/ebanking/")
    assert "code: " in page.locator("#log").inner_text()


class _KnowsThePin(UserInteraction):
    """Whoever sits at the host; the touch is the page's business."""

    def request_pin(self, permissions: ClientPin.PERMISSION, rp_id: str | None) -> str:
        """Type it."""
        del permissions, rp_id
        return "1234"


def _register_and_log_in(known: dict[str, Any], outcomes: list[str]) -> None:
    """What a browser at the terminal ``address`` of the key does at our server."""
    connection = NodeConnection(Path(known["address"]))
    device = CtapHidDevice(HidDescriptor(known["address"], 0, 0, REPORT_BYTES, REPORT_BYTES, None, None), connection)
    client = Fido2Client(device, DefaultClientDataCollector(known["url"]), _KnowsThePin())
    ClientPin(Ctap2(device)).set_pin("1234")
    with Login(known["url"]) as login:
        login.access("self-service")
        login.check_password(known["username"], known["password"])
        options = login.retrieve_fido_registration_challenge("my key").attribute("publicKey")
        made = client.make_credential(PublicKeyCredentialCreationOptions.from_dict(options))
        outcomes.append(login.check_fido_registration(dict(made)).outcome)
    with Login(known["url"]) as login:
        login.access("vpn")
        login.check_password(known["username"], known["password"])
        options = login.retrieve_fido_challenge().attribute("publicKey")
        found = client.get_assertion(PublicKeyCredentialRequestOptions.from_dict(options))
        outcomes.append(login.check_fido_assertion(dict(found.get_response(0))).outcome)
    connection.close()


def test_a_login_with_the_key_that_is_touched_by_clicks(
    desk: tuple[OpenBench, ControlServer], new_page: Callable[..., Page]
) -> None:
    """An unmodified client registers the key at our server and logs in with it; each time it blinks it is clicked."""
    bench, server = desk
    page = _opened(new_page(), server)
    known = {**bench.device("server").state(), **bench.device("key").state()}
    outcomes: list[str] = []
    thread = threading.Thread(target=_register_and_log_in, args=(known, outcomes))
    thread.start()
    card, asked = _card(page, "key"), []
    for wish in ("register · localhost", "log in · localhost"):
        card.get_by_text(wish).wait_for()
        asked.append(card.locator(".asks").inner_text())
        SHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SHOTS / f"key-{len(asked)}.png", full_page=True)
        card.locator(".touch").click()
        # Not until it asks nothing: the client may ask for the next thing before the page looks again.
        asks = card.locator(".asks").element_handle()
        page.wait_for_function("([asks, before]) => asks.innerText !== before", arg=[asks, asked[-1]])
    thread.join(timeout=30)
    assert outcomes == ["DONE", "DONE"]
    log = page.locator("#log").inner_text()
    assert "host → key  authenticatorMakeCredential" in log
    assert "host → key  authenticatorGetAssertion" in log
    assert "rpId: 'localhost'" in log


def test_the_keyboard_is_enough(new_page: Callable[..., Page], bench: OpenBench, server: ControlServer) -> None:
    """A key is touched by Space, for as long as it is held, and a token's keys are pressed by Enter."""
    page = _opened(new_page(), server)
    with selecting(bench.device("key").state()["address"]) as answers:
        _card(page, "key").get_by_text("Touch it: select").wait_for()
        _card(page, "key").locator(".touch").focus()
        page.keyboard.down(" ")
        page.wait_for_selector("[data-device=key] .key.touched")
        page.keyboard.up(" ")
        page.wait_for_selector("[data-device=key] .key:not(.touched)")
    assert answers == [b""]
    _card(page, "token").locator(".o").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-device=token] img[alt*=scanning]")


def test_what_goes_wrong_is_said_on_the_page(new_page: Callable[..., Page], server: ControlServer) -> None:
    """A picture that is none, in the API's own words; and the card stays as it was."""
    page = _opened(new_page(), server)
    _drop(_card(page, "gate"), b"no picture at all")
    page.get_by_role("alert").get_by_text("expected a PNG, found 17 bytes that are none").wait_for()
    _card(page, "gate").locator(".text").fill("a badge")
    _card(page, "gate").get_by_role("button", name="Show", exact=True).click()
    _card(page, "gate").get_by_text("read: a badge").wait_for()
    assert (
        _card(page, "gate").locator("img").get_attribute("alt")
        == "What it saw, with the code that says a badge outlined"
    )


def test_a_spent_link_asks_for_the_token(new_page: Callable[..., Page], server: ControlServer) -> None:
    """What stands in the browser's history opens nothing; the token from the terminal does."""
    first = _opened(new_page(), server)
    assert first.url == f"{server.url}/"
    first.reload()
    first.wait_for_selector("#live[data-state=live]")
    second = new_page()
    second.goto(server.login_link)
    second.get_by_text("this link was used already").wait_for()
    second.fill("#token", "wrong")
    second.keyboard.press("Enter")
    second.get_by_text("expected the token").wait_for()
    second.fill("#token", server.guard.token)
    second.keyboard.press("Enter")
    second.wait_for_selector("#live[data-state=live]")


def test_a_bench_that_ends_is_said(new_page: Callable[..., Page]) -> None:
    """The page stays, and tries again."""
    with OpenBench(rig_file_of({"key": {"kind": "fido", "emulated": {}}})) as bench, ControlServer(bench) as server:
        page = _opened(new_page(), server)
    page.wait_for_selector("#live[data-state=lost]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1400])
def test_the_page_is_for_everybody(
    new_page: Callable[..., Page], bench: OpenBench, server: ControlServer, scheme: str, width: int
) -> None:
    """axe-core finds nothing serious, and nothing sticks out, by day and by night, on a phone and on a desk."""
    bench.device("gate").picture(_picture("a badge"))
    page = _opened(new_page(color_scheme=scheme, viewport={"width": width, "height": 900}), server)
    page.wait_for_selector("[data-device=gate] img:visible")
    page.wait_for_selector("[data-device=token] img:visible")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run().then(results => results.violations)")
    assert [
        (each["id"], node["html"])
        for each in found
        if each["impact"] in {"serious", "critical"}
        for node in each["nodes"]
    ] == []
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"page-{scheme}-{width}.png", full_page=True)


def _picture(text: str) -> Any:
    from authrig.pictures import picture_from_png  # noqa: PLC0415 - slow to import

    return picture_from_png(print_code(text))
