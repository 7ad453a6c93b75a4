"""The USB desk, by its rig file: ``make desk``. Devices are plugged in by ``python -m tests.vm.desk``."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import numpy as np
import pytest

from authrig.cli import main
from authrig.errors import RigError
from authrig.evidence.recorder import Recorder
from authrig.pictures import picture_from_png, png_from_data_uri, print_code
from authrig.ports.key import Key
from authrig.ports.qr_token import QrToken
from authrig.rig import Person, Rig
from emulators.camera_scanner.frames import Image
from emulators.hwtoken.keys import Button
from tests.vm.browsers.browser import SLOW_SECONDS, wait_until
from tests.vm.browsers.chromium import Chromium, chromium
from tests.vm.browsers.scenarios import needs_minutes
from tests.vm.browsers.site import ALERT, KEY
from tests.vm.desk.album import Album
from tests.vm.desk.devices import TOKEN, WEBCAM_NAME
from tests.vm.desk.panels import PORT
from tests.vm.desk.views import read_amount

pytestmark = [needs_minutes, pytest.mark.hil("fido"), pytest.mark.hil("qr-token"), pytest.mark.hil_only("attached")]
WEBCAM_PANEL = f"http://127.0.0.1:{PORT}/webcam"
PAYMENT = {
    "amount": "1250.00",
    "currency": "CHF",
    "account": "CH5604835012345678009",
    "beneficiary": "Atelier Rossi",
    "reference": "2026-002",
}
"""As the shop orders it."""
THEFT = {**PAYMENT, "amount": "9250.00"}
"""As somebody in between orders it."""
PAGES = 3
"""On which the token shows a payment: the amount, the account, and the beneficiary with the reference."""
_T = TypeVar("_T")


@dataclass(frozen=True)
class Desk:
    """What is on the desk, and what is written down of it."""

    rig: Rig
    browser: Chromium
    evidence: Recorder
    album: Album

    def screenshot(self, caption: str) -> None:
        """Keep what is on the screen."""
        self.album.add(caption, np.ascontiguousarray(self.browser.display.pixels()[..., ::-1]))


@pytest.fixture
def ada(rig: Rig, evidence: Recorder) -> tuple[Person, Key]:
    """Somebody with an account and a key, which was registered at this desk by python-fido2."""
    rig.administrator._http.timeout = SLOW_SECONDS  # a browser that starts leaves little for the server
    person, key = rig.enrol("ada"), rig.new_key("ada's key")
    with rig.browser() as browser:
        browser._http.timeout = SLOW_SECONDS
        browser.access("self-service")
        browser.check_password(person.username, person.password)
        asked = browser.retrieve_fido_registration_challenge("Ada's key").attribute("publicKey")
        outcome = browser.check_fido_registration(key.make_credential(rig.origin, asked)).outcome
    key.exhibit_traffic()
    evidence.expect("ada registers the key on hidraw, touched by the controller", "DONE", outcome)
    return person, key


@pytest.fixture
def browser(ada: object, rig: Rig, tmp_path: Path) -> Iterator[Chromium]:
    """Debian's Chromium, which may use cameras on the server's pages."""
    del ada  # first, as long as the machine has time for it
    with chromium(tmp_path) as browser:
        browser._page.context.grant_permissions(["camera"], origin=rig.origin)
        yield browser


@pytest.fixture
def desk(browser: Chromium, rig: Rig, evidence: Recorder, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The desk; pictures of each step are on one sheet in the end, however the test ends."""
    desk = Desk(rig, browser, evidence, Album(evidence))
    yield desk
    desk.screenshot("the screen in the end")
    desk.album.write_sheet(request.config.getoption("--hil-artifacts") / "desk.png")


def test_every_device_is_found_by_its_serial_number(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """Key, webcam, token and the token's own camera: `authrig doctor` opens each."""
    ended = main(["doctor", "--rig", str(pytestconfig.getoption("--rig"))])
    assert ended == 0, capsys.readouterr().out


def test_a_badge_a_key_and_a_payment(ada: tuple[Person, Key], desk: Desk) -> None:
    """Ada logs in with her badge and her key, and pays an invoice with her token; what is wrong on the way is refused."""
    person, key = ada
    show_badges(desk, person)
    touch_the_key(desk, person, key)
    pay(desk, person)


def show_badges(desk: Desk, person: Person) -> None:
    """A badge of somebody who has left is refused on the page; then Ada's says who she is, and stands for her password."""
    administrator, browser = desk.rig.administrator, desk.browser
    desk.rig.enrol("bob")
    voided = administrator.make_badge("bob", "secure")
    administrator.void_badges("bob")
    hold_up(voided)
    browser.open(f"{desk.rig.origin}/login/desk/badge")
    look_through_the_webcam(browser)
    words = wait_until(lambda: browser.texts(ALERT))[0]
    desk.screenshot("a voided badge is refused")
    desk.evidence.expect("a voided badge", "This badge is not known, or no longer good.", words, evil=True)
    hold_up(administrator.make_badge(person.username, "secure"))
    wait_until(lambda: browser.texts(KEY))
    desk.screenshot("Ada's badge is accepted, her key is next")
    httpx.delete(WEBCAM_PANEL, timeout=SLOW_SECONDS).raise_for_status()
    desk.evidence.expect("after Ada's badge the page asks for", "Use the key", browser.texts(KEY)[0])


def hold_up(badge: str) -> None:
    """Hold ``badge`` up to the webcam until something else is."""
    httpx.put(WEBCAM_PANEL, content=print_code(badge), timeout=SLOW_SECONDS).raise_for_status()


def look_through_the_webcam(browser: Chromium) -> None:
    """Wait until the page has a camera open, and choose the webcam if it took another one, such as the token's."""
    page = browser._page
    page.wait_for_selector("[data-decoder]")
    chosen = page.locator("#camera option:checked").text_content() or ""
    if WEBCAM_NAME not in chosen:
        names = page.locator("#camera option").all_text_contents()
        page.select_option("#camera", label=next(name for name in names if WEBCAM_NAME in name))


def touch_the_key(desk: Desk, person: Person, key: Key) -> None:
    """The key is pulled out while Chromium waits for a touch; put back, it logs Ada in."""
    browser = desk.browser
    browser.click(KEY)
    wait_until(browser.display.dimmed)
    key.unplug()
    desk.screenshot("the key is pulled out while Chromium waits")

    def give_up() -> list[str]:
        if browser.display.dimmed():
            browser.display.press("Escape")
        return browser.texts(ALERT)

    words = wait_until(give_up)[0]
    desk.screenshot("the page says why, and can go on")
    why = "The key was not used: it was cancelled, took too long, or no key here fits. Try again."
    desk.evidence.expect("the key is pulled out", why, words, evil=True)
    in_time(key.plug_in)
    browser.click(KEY)
    wait_until(browser.display.dimmed)
    desk.screenshot("with the key back, Chromium asks for a touch")

    def touch() -> list[str]:
        key.presence.touch()
        return browser.texts("dl dd")

    who, by, *_ = wait_until(touch)
    desk.screenshot("logged in")
    desk.evidence.expect("who is logged in", person.username, who)
    desk.evidence.expect("proven by", "badge, security key", by)


def in_time(act: Callable[[], _T]) -> _T:
    """What ``act`` returns as soon as the rig does not refuse: the machine is slow."""

    def try_it() -> tuple[_T] | None:
        try:
            return (act(),)
        except RigError:
            return None

    return wait_until(try_it)[0]


def pay(desk: Desk, person: Person) -> None:
    """What the webcam reads on the token must be what the page says; the code is typed only then."""
    browser, evidence = desk.browser, desk.evidence
    in_time(lambda: desk.rig.bench.camera("webcam").close())  # Chromium lets go of it
    token = desk.rig.give_qr_token(person, TOKEN)
    browser.open(f"{desk.rig.origin}/shop/")
    browser.click("button:has-text('Atelier Rossi')")
    browser._page.wait_for_selector("img.qr")
    page_says = browser.texts("dl dd")[0].removeprefix("CHF ")
    desk.screenshot("the shop wants the payment approved")

    token.scan(code_of_a_theft(desk.rig, person))
    read, frame = amount_on(token, len(page_says))
    desk.album.add("another payment's code: the token tells", frame)
    said = "{} on the token, {} on the page"
    found = said.format(read, page_says)
    evidence.expect("a payment that was changed on the way", said.format("9'250.00", "1'250.00"), found, evil=True)
    token.press(Button.CANCEL)

    token.scan(picture_from_png(browser._page.locator("img.qr").screenshot()))
    read, frame = amount_on(token, len(page_says))
    desk.album.add("what the token's own camera saw", next(iter(desk.rig.bench.camera("token-eye").frames())).image)
    desk.album.add("the page's code: the webcam reads the amount", frame)
    evidence.expect("the webcam reads on the token", page_says, read)
    token.press(*[Button.OK] * PAGES)
    code = token.read_code()
    desk.album.add("the code, read by the webcam", token.photograph() or b"")
    browser.fill("#otp", code)
    desk.screenshot("the code is typed into the page")
    browser._page.keyboard.press("Enter")
    words = wait_until(lambda: browser.texts(".notice.good"))[0]
    desk.screenshot("paid")
    evidence.expect("the shop says", "Invoice 2026-002 is paid.", words)


def code_of_a_theft(rig: Rig, person: Person) -> Image:
    """The QR code of a payment that somebody else has ordered in Ada's name."""
    with rig.bank() as bank:
        bank._http.timeout = SLOW_SECONDS
        bank.select("payment")
        bank.identify(person.username)
        bank.parameters(THEFT)
        return picture_from_png(png_from_data_uri(str(bank.retrieve_offline_qr_code().attribute("image"))))


def amount_on(token: QrToken, digits: int) -> tuple[str, bytes]:
    """The amount that the webcam reads on the token twice in a row, and the picture in which it did."""
    last: list[str | None] = [None]

    def read() -> tuple[str, bytes] | None:
        png = token.photograph()
        assert png is not None
        amount = read_amount(picture_from_png(png), digits)
        agreed, last[0] = amount is not None and amount == last[0], amount
        return (amount, png) if agreed and amount is not None else None

    return wait_until(read)
