"""The pages in Debian's Chromium, with an emulated token that sees, a camera that is shown badges, and an emulated key."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from authrig.pictures import picture_from_png, print_code
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom
from tests.server_stub.web.chromium import Desk, new_desk, plug_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from authrig.playwright_webcam import FakeWebcam
    from authrig.rig import Person, Rig

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("chromium")]
NUMBERS = itertools.count()


@pytest.fixture
def new_person(rig: Rig) -> Callable[[], Person]:
    """Somebody with an account whom no other test knows."""
    return lambda: rig.enrol(f"pages-{next(NUMBERS)}")


def test_a_login_by_password_and_light(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """The page's QR code is photographed by the token's camera, and its display read back: nothing else passes between."""
    person = new_person()
    token = rig.give_qr_token(person, "QT1-70000001")
    desk.log_in("ebanking", person)
    shown = desk.answer_by_light(token)
    words = desk.arrive("/ebanking/")
    assert person.username in words
    assert any(person.username in line for line in shown)


def test_a_payment_by_light(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """The token shows the amount that the shop shows."""
    person = new_person()
    token = rig.give_qr_token(person, "QT1-70000002")
    desk.log_in("classroom", person)
    desk.arrive("/classroom/")
    desk.page.click("text=Demo shop")
    desk.page.click("button:has-text('Atelier Rossi')")
    shown = desk.answer_by_light(token)
    assert "Invoice 2026-002 is paid." in desk.arrive("/shop/?paid=2026-002")
    assert any("1'250.00" in line for line in shown)


def test_a_badge_held_up_to_the_camera(
    desk: Desk, rig: Rig, fake_webcam: FakeWebcam, new_person: Callable[[], Person]
) -> None:
    """What is no badge is said, then a badge that is photographed askew is read; the page flips what it shows meanwhile."""
    person = new_person()
    camera = SyntheticCamera(SeededRandom(8), "desk")
    badge = rig.administrator.make_badge(person.username, "secure")
    fake_webcam.show("https://example.com/")
    desk.open("/login/classroom")
    desk.page.click("text=Scan a badge")
    assert "not known, or no longer good" in desk.alert()
    assert desk.page.get_attribute("[data-badge]", "data-decoder") == "zxing-wasm"
    desk.page.click("text=Flip the picture")
    assert desk.page.get_attribute("[data-flip]", "aria-pressed") == "true"
    fake_webcam.show(camera.photograph(picture_from_png(print_code(badge))))
    assert person.username in desk.arrive("/classroom/")


def test_a_browser_without_webassembly_reads_badges_too(
    desk: Desk, rig: Rig, fake_webcam: FakeWebcam, new_person: Callable[[], Person]
) -> None:
    """Then jsQR reads them."""
    person = new_person()
    badge = rig.administrator.make_badge(person.username, "insecure")
    desk.page.route("**/*.wasm", lambda route: route.abort())
    desk.open("/login/classroom/badge")
    desk.page.wait_for_selector("[data-decoder=jsqr]")
    fake_webcam.show(badge)
    assert "Your password for Classroom" in desk.arrive("/login/classroom")


def test_without_a_camera_a_badge_is_typed(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """The page says why there is no picture, and takes the text."""
    person = new_person()
    refusing = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', '%s'); }"
    for name, words in [("NotAllowedError", "may not be used"), ("NotFoundError", "no camera here")]:
        page = desk.page.context.new_page()
        page.add_init_script(refusing % name)
        alone = Desk(rig.origin, page)
        alone.open("/login/classroom/badge")
        assert words in alone.alert()
        page.close()
    desk.open("/login/classroom/badge")
    desk.page.fill("#badge", rig.administrator.make_badge(person.username, "secure"))
    desk.page.keyboard.press("Enter")
    assert person.username in desk.arrive("/classroom/")


def test_an_app_is_answered_and_the_page_goes_on_by_itself(
    desk: Desk, rig: Rig, new_person: Callable[[], Person]
) -> None:
    """Nobody presses anything; a denial is told on the first page."""
    person = new_person()
    rig.administrator.assign_token(person.username, "app", f"APP-{person.username}", bytes(range(32)))
    for button, words in (("deny", "refused on the device"), ("approve", person.username)):
        desk.log_in("portal", person)
        desk.page.wait_for_selector("text=Look at your phone")
        [push] = rig.administrator.push_requests(person.username)
        rig.administrator.answer_push_request(push["id"], button)
        desk.page.wait_for_selector(f"main :text('{words}')")
    desk.arrive("/portal/")


def test_who_has_several_cameras_chooses_one(desk: Desk) -> None:
    """By its name; the page then opens that one and no other."""
    desk.page.add_init_script("""
      const asked = window.asked = [];
      const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
      devices.getUserMedia = (wanted) => { asked.push(wanted.video.deviceId?.exact); return open({video: true}); };
      devices.enumerateDevices = async () => ["front", "back"].map(
        (name) => ({kind: "videoinput", deviceId: `id-${name}`, label: `The ${name} camera`}));
    """)
    desk.open("/login/classroom/badge")
    desk.page.wait_for_selector("[data-decoder]")
    desk.page.get_by_label("Camera", exact=True).select_option("The back camera")
    # Waiting for a function takes eval, which the page's policy forbids.
    deadline = time.monotonic() + 20
    while desk.page.evaluate("asked.length") < 2:
        assert time.monotonic() < deadline, "expected the page to open another camera, found that it has not"
        desk.page.wait_for_timeout(50)
    assert desk.page.evaluate("asked[1]") == "id-back"


def test_a_key_is_registered_named_used_and_removed(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """Second step, then alone; the emulated key answers in place of the browser's dialogue."""
    person, key = new_person(), rig.new_key("a person's key")
    key.ensure_pin()
    plug_in(desk, key)
    desk.log_in("self-service", person)
    desk.page.fill("#new-key", "green key")
    desk.page.click("text=Register the key")
    assert "green key" in desk.arrive("/self-service/?done=added")
    desk.page.fill("#new-key", "the same again")
    desk.page.click("text=Register the key")
    assert "registered already" in desk.alert()
    desk.page.click("text=Log out")
    desk.log_in("vpn", person)
    desk.page.click("text=Use the key")
    assert "password, security key" in desk.arrive("/vpn/")
    desk.page.click("text=Log out")
    desk.open("/login/lounge")
    desk.page.click("text=Use a security key or passkey")
    assert person.username in desk.arrive("/lounge/")
    desk.open("/self-service/")
    desk.page.click("summary:has-text('Remove')")
    desk.page.click("text=Remove “green key”")
    assert "no key yet" in desk.arrive("/self-service/?done=removed")
    desk.page.click("text=Log out")
    desk.log_in("vpn", person)
    desk.page.click("text=Use the key")
    assert "registered no key here" in desk.alert()


def test_a_payment_with_a_key(desk: Desk, browser: Browser, rig: Rig, new_person: Callable[[], Person]) -> None:
    """Refused once, then touched: the page's script sends what the key answers."""
    person, key = new_person(), rig.new_key("a payer's key")
    stranger = rig.new_key("another key")
    plug_in(desk, key)
    desk.log_in("self-service", person)
    desk.page.fill("#new-key", "payer's key")
    desk.page.click("text=Register the key")
    desk.arrive("/self-service/?done=added")
    with new_desk(browser, rig.origin) as other:
        plug_in(other, stranger)
        other.log_in("classroom", person)
        other.open("/shop/")
        other.page.click("button:has-text('Atelier Rossi')")
        other.page.click("text=Approve with the key")
        assert "The key was not used" in other.alert()
    desk.open("/shop/")
    desk.page.click("button:has-text('Atelier Rossi')")
    desk.page.click("text=Approve with the key")
    assert "Invoice 2026-002 is paid." in desk.arrive("/shop/?paid=2026-002")


def test_a_key_that_nobody_registered_is_refused_in_words(desk: Desk, rig: Rig) -> None:
    """The button can be used again afterwards."""
    plug_in(desk, rig.new_key("a stranger's key"))
    desk.open("/login/lounge")
    for _ in range(2):
        desk.page.click("text=Use a security key or passkey")
        assert "The key was not used" in desk.alert()


def test_a_double_click_sends_a_form_once(desk: Desk, new_person: Callable[[], Person]) -> None:
    """The session's token changes with a step: a second form would be one too many."""
    person = new_person()
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    desk.open("/login/classroom")
    desk.page.fill("#username", person.username)
    desk.page.fill("#password", person.password)
    desk.page.dblclick("main form button")
    desk.arrive("/classroom/")
    assert len(sent) == 1


def test_back_and_a_second_tab_lead_to_what_comes_next(desk: Desk, rig: Rig, new_person: Callable[[], Person]) -> None:
    """Both show the same challenge; neither undoes a step."""
    person = new_person()
    token = rig.give_qr_token(person, "QT1-70000003")
    desk.log_in("ebanking", person)
    desk.page.wait_for_selector("img.qr")
    picture = desk.page.get_attribute("img.qr", "src")
    tab = Desk(rig.origin, desk.page.context.new_page())
    tab.open("/login/ebanking")
    assert tab.page.get_attribute("img.qr", "src") == picture
    tab.answer_by_light(token)
    tab.arrive("/ebanking/")
    desk.page.fill("#otp", "12345678")
    desk.page.keyboard.press("Enter")
    assert "another window" in desk.arrive("/ebanking/")
    desk.page.go_back()
    desk.arrive("/ebanking/")


def test_all_can_be_done_with_the_keyboard(desk: Desk, new_person: Callable[[], Person]) -> None:
    """The first field has the focus, and what follows is reached in order."""
    person = new_person()
    desk.open("/login/classroom")
    # Chromium gives it with the first picture, which on a busy machine comes after the page has loaded.
    desk.page.wait_for_function("document.activeElement.id === 'username'")
    keyboard = desk.page.keyboard
    keyboard.type(person.username)
    keyboard.press("Tab")
    keyboard.type(person.password)
    keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.textContent") == "Log in"
    keyboard.press("Enter")
    desk.arrive("/classroom/")
    keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.textContent") == "Skip to the content"


def test_without_script_the_pages_say_what_needs_it(browser: Browser, rig: Rig) -> None:
    """And everything else still works as plain forms."""
    context = browser.new_context(java_script_enabled=False, locale="de-CH")
    desk = Desk(rig.origin, context.new_page())
    desk.open("/login/lounge")
    assert "brauchen JavaScript" in desk.page.inner_text("main")
    desk.open("/login/classroom/badge")
    assert "braucht JavaScript" in desk.page.inner_text("main")
    assert desk.page.is_visible("#badge")
    context.close()
