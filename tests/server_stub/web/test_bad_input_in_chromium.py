"""What goes wrong at a browser, in Chromium: each ends on a page that says what to do next, and then that works.

The page docs/explanation/pages.md lists which test stands for what.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from server_stub.settings import Settings
from tests.server_stub.web.chromium import Desk, new_desk, plug_in
from tests.server_stub.world import PASSWORD, own_world

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from authrig.playwright_webcam import FakeWebcam
    from authrig.rig import Person, Rig

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("chromium")]
NUMBERS = itertools.count()
FAKE, NO_CAMERA = "--use-fake-device-for-media-stream", "--use-fake-device-for-media-stream=device-count=0"
ALLOW, DENY = "--use-fake-ui-for-media-stream", "--use-fake-ui-for-media-stream=deny"


@pytest.fixture
def new_person(rig: Rig) -> Callable[[], Person]:
    """Somebody with an account whom no other test knows."""
    return lambda: rig.enrol(f"bad-input-{next(NUMBERS)}")


@contextmanager
def browser_with(browser: Browser, webcam: FakeWebcam, *arguments: str) -> Iterator[Browser]:
    """Another Chromium, started with ``arguments`` in place of those for a camera."""
    options = webcam.launch_options
    kept = [each for each in options["args"] if "fake" not in each]
    options["args"] = [*kept, *arguments]
    other = browser.browser_type.launch(**options)
    try:
        yield other
    finally:
        other.close()


def second_tab(desk: Desk) -> Desk:
    """Another tab of the same browser."""
    return Desk(desk.origin, desk.page.context.new_page())


def start_camera(desk: Desk) -> str:
    """Press the button, which is there for who has not allowed the camera before; what the page says then."""
    desk.page.click("text=Start the camera")
    return desk.alert()


def register_key(desk: Desk, person: Person) -> None:
    """A key, in self-service."""
    desk.log_in("self-service", person)
    desk.page.fill("#new-key", "my key")
    desk.page.click("text=Register the key")
    desk.arrive("/self-service/?done=added")


def test_script_off(browser: Browser, rig: Rig, new_person: Callable[[], Person]) -> None:
    """A whole login goes without it, by light too; what does not says so, in place of a button that does nothing."""
    person = new_person()
    token = rig.give_qr_token(person, "QT1-72000001")
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    desk = Desk(rig.origin, context.new_page())
    desk.log_in("ebanking", person)
    desk.answer_by_light(token)
    assert person.username in desk.arrive("/ebanking/")
    desk.page.click("text=Log out")
    desk.open("/login/lounge")
    assert "need JavaScript" in desk.page.inner_text("main")
    assert desk.page.is_disabled("[data-start]")
    desk.open("/login/classroom/badge")
    assert "needs JavaScript" in desk.page.inner_text("main")
    desk.page.fill("#badge", rig.administrator.make_badge(person.username, "secure"))
    desk.page.keyboard.press("Enter")
    assert person.username in desk.arrive("/classroom/")
    context.close()


@pytest.mark.parametrize(
    ("arguments", "words"), [((FAKE, DENY), "may not be used"), ((NO_CAMERA, ALLOW), "no camera here")]
)
def test_camera_refused_or_missing(
    browser: Browser, rig: Rig, fake_webcam: FakeWebcam, arguments: tuple[str, str], words: str
) -> None:
    """Chromium itself refuses, or has none; the badge is typed, on the same page."""
    person = rig.enrol(f"bad-input-{next(NUMBERS)}")
    with browser_with(browser, fake_webcam, *arguments) as other, new_desk(other, rig.origin) as desk:
        desk.open("/login/classroom/badge")
        assert words in (desk.alert() if ALLOW in arguments else start_camera(desk))
        desk.page.fill("#badge", rig.administrator.make_badge(person.username, "secure"))
        desk.page.keyboard.press("Enter")
        assert person.username in desk.arrive("/classroom/")


def test_camera_unplugged(desk: Desk, rig: Rig, fake_webcam: FakeWebcam, new_person: Callable[[], Person]) -> None:
    """While it runs: it is said, and it can be started again."""
    person = new_person()
    desk.open("/login/classroom/badge")
    desk.page.wait_for_selector("[data-decoder]")
    desk.page.evaluate("document.querySelector('video').srcObject.getTracks()[0].dispatchEvent(new Event('ended'))")
    assert "switched off or unplugged" in desk.alert()
    fake_webcam.show(rig.administrator.make_badge(person.username, "secure"))
    desk.page.click("text=Start the camera")
    assert person.username in desk.arrive("/classroom/")


def test_key_removed(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """Pulled out: it is said, and plugged in again it works. Removed in another tab: it is said, and there is another way."""
    person, key = new_person(), rig.new_key("a key that comes and goes")
    key.ensure_pin()
    plug_in(desk, key)
    register_key(desk, person)
    desk.page.click("text=Log out")
    desk.log_in("vpn", person)
    key.unplug()
    desk.page.click("text=Use the key")
    assert "The key was not used" in desk.alert()
    key.plug_in()
    desk.page.click("text=Use the key")
    desk.arrive("/vpn/")
    desk.open("/self-service/")
    tab = second_tab(desk)
    tab.open("/self-service/")
    for each in (desk, tab):
        each.page.click("summary:has-text('Remove')")
        each.page.click("text=Remove “my key”")
        each.page.wait_for_selector("[role=alert]:visible, .notice.good")
    assert "removed in another window" in tab.page.inner_text("main")
    tab.page.click("text=Log out")
    desk.log_in("lounge", person)
    desk.page.click("text=Use the key")
    assert "ask your help desk" in desk.alert()


def test_tab_duplicated(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """Both are at the same step; what is done in one is done, and the other one says so and goes on from there."""
    person = new_person()
    token = rig.give_qr_token(person, "QT1-72000002")
    desk.open("/login/ebanking")
    tab = second_tab(desk)
    tab.open("/login/ebanking")
    for each in (desk, tab):
        each.page.fill("#username", person.username)
        each.page.fill("#password", person.password)
        each.page.keyboard.press("Enter")
        each.page.wait_for_selector("img.qr")
    assert desk.page.get_attribute("img.qr", "src") == tab.page.get_attribute("img.qr", "src")
    tab.answer_by_light(token)
    tab.arrive("/ebanking/")
    desk.page.fill("#otp", "12345678")
    desk.page.keyboard.press("Enter")
    assert "in another window" in desk.arrive("/ebanking/")


def test_back_button(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """Behind a step, a payment and a log-out: never a page that is over, and never a form that is sent again."""
    person = new_person()
    token = rig.give_qr_token(person, "QT1-72000003")
    desk.log_in("ebanking", person)
    desk.answer_by_light(token)
    desk.arrive("/ebanking/")
    desk.page.go_back()
    assert person.username in desk.arrive("/ebanking/")
    desk.open("/shop/")
    desk.page.click("button:has-text('Atelier Rossi')")
    desk.answer_by_light(token)
    desk.arrive("/shop/?paid=2026-002")
    desk.page.go_back()
    assert "Invoice 2026-002 is paid." in desk.arrive("/shop/?paid=2026-002")
    assert desk.page.locator("form[action$='/pay']").count() == 2
    desk.open("/self-service/")
    desk.page.click("text=Log out")
    desk.arrive("/?done=logged_out")
    desk.page.go_back()
    assert desk.arrive("/login/self-service").startswith("Log in to Self-service")
    assert person.username not in desk.page.content()


def test_double_click(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """One payment is begun, and one ceremony with the key, however often a button is pressed."""
    person, key = new_person(), rig.new_key("a key that is clicked at")
    key.ensure_pin()
    plug_in(desk, key)
    register_key(desk, person)
    sent: list[str] = []
    desk.page.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    desk.open("/shop/")
    desk.page.dblclick("button:has-text('Atelier Rossi')")
    desk.page.wait_for_selector("text=Approve with the key")
    desk.page.dblclick("text=Approve with the key")
    assert "Invoice 2026-002 is paid." in desk.arrive("/shop/?paid=2026-002")
    assert [each.rpartition("/")[2] for each in sent] == ["pay", "key"]
    desk.page.click("text=Log out")
    desk.log_in("vpn", person)
    sent.clear()
    desk.page.dblclick("text=Use the key")
    desk.arrive("/vpn/")
    assert [each.rpartition("/")[2] for each in sent] == ["access", "retrieve", "check"]


def test_challenge_expired(browser: Browser, settings: Settings) -> None:
    """The QR code: the page says so by itself, and whoever types its code gets a new one, which works."""
    with own_world(settings) as world, new_desk(browser, world.server.origin) as desk:

        def pass_time() -> None:
            world.clock.advance(181)
            desk.page.clock.fast_forward(181_000)

        person = world.person()
        device = world.device(person)
        desk.page.clock.install()
        desk.open("/login/ebanking")
        desk.page.fill("#username", person.name)
        desk.page.fill("#password", PASSWORD)
        desk.page.keyboard.press("Enter")
        desk.page.wait_for_selector("img.qr")
        old, code = desk.page.get_attribute("img.qr", "src"), device.code(desk.qr_text())
        pass_time()
        desk.page.wait_for_selector("text=no longer good. Ask for a new one.")
        desk.page.fill("#otp", code)
        desk.page.keyboard.press("Enter")
        assert "Scan the new one." in desk.refusal()
        assert desk.page.get_attribute("img.qr", "src") != old
        pass_time()
        desk.page.wait_for_selector("text=no longer good. Ask for a new one.")
        desk.page.click("text=New QR code")
        desk.page.wait_for_selector("#otp:not([aria-invalid])")
        desk.page.fill("#otp", device.code(desk.qr_text()))
        desk.page.keyboard.press("Enter")
        desk.arrive("/ebanking/")


def test_challenge_of_a_key_expired(
    browser: Browser, settings: Settings, rig: Rig, new_person: Callable[[], Person]
) -> None:
    """Whoever touches the key too late reads so; loaded again, the page works."""
    key = rig.new_key("a key that is touched late")
    key.ensure_pin()
    with own_world(settings) as world, new_desk(browser, world.server.origin) as desk:
        person = replace(new_person(), username=world.person().name, password=PASSWORD)
        hesitations = iter([0.0, 121.0, 0.0])
        plug_in(desk, key, lambda: world.clock.advance(next(hesitations)))
        register_key(desk, person)
        desk.page.click("text=Log out")
        desk.log_in("vpn", person)
        desk.page.click("text=Use the key")
        assert "took too long" in desk.alert()
        desk.page.reload()
        desk.page.click("text=Use the key")
        assert person.username in desk.arrive("/vpn/")


def test_login_expired(browser: Browser, settings: Settings) -> None:
    """Whoever comes back to a login after lunch reads so, and begins anew."""
    with own_world(settings) as world, new_desk(browser, world.server.origin) as desk:
        person = world.person()
        world.device(person)
        for _ in range(2):
            desk.open("/login/ebanking")
            desk.page.fill("#username", person.name)
            desk.page.fill("#password", PASSWORD)
            desk.page.keyboard.press("Enter")
            desk.page.wait_for_selector("img.qr")
            world.clock.advance(601)
            desk.page.fill("#otp", "12345678")
            desk.page.keyboard.press("Enter")
            assert "took too long. Start again." in desk.refusal()
            assert desk.page.is_visible("#password")


def test_two_logins_in_one_browser(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """The last one wins; the tab of the other one says so, tells nothing of the new one, and can begin anew."""
    first, second = new_person(), new_person()
    token = rig.give_qr_token(first, "QT1-72000004")
    desk.log_in("ebanking", first)
    desk.page.wait_for_selector("img.qr")
    tab = second_tab(desk)
    tab.log_in("classroom", second)
    tab.arrive("/classroom/")
    desk.answer_by_light(token)
    assert "in another window" in desk.refusal()
    assert second.username not in desk.page.content()
    desk.log_in("ebanking", first)
    desk.answer_by_light(token)
    assert first.username in desk.arrive("/ebanking/")
    tab.page.click("text=Log out")
    assert "in another window" in tab.refusal()
    tab.open("/classroom/")
    assert tab.arrive("/login/classroom").startswith("Log in to Classroom")


@pytest.mark.parametrize("locale", ["fr-CH", "rm", "tlh", "ar-EG"])
def test_languages_unknown(browser: Browser, rig: Rig, locale: str) -> None:
    """English, with the others in their own words at the top; and so where somebody asks for one in the address."""
    context = browser.new_context(locale=locale)
    desk = Desk(rig.origin, context.new_page())
    for path in ("/login/ebanking", f"/login/ebanking?lang={locale}", "/nowhere"):
        desk.open(path)
        assert desk.page.get_attribute("html", "lang") == "en"
    desk.open("/login/ebanking")
    desk.page.click("text=Deutsch")
    desk.page.wait_for_selector("text=Benutzername")
    context.close()
