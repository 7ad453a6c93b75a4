"""The pages of second steps, without a script."""

import base64

import pytest

from authrig.pictures import picture_from_png
from tests.codes import read_patiently
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import Device, Person, World, off_by_one

OTP_SEED = "3132333435363738393031323334353637383930"


def qr_of(visitor: Visitor) -> str:
    """What the QR code on the page says."""
    sources = [each["src"] for tag, each in visitor.page.elements if tag == "img" and each.get("class") == "qr"]
    png = base64.b64decode(sources[0].partition(",")[2])
    return read_patiently(picture_from_png(png))[0].data.decode()


def at_the_qr_code(world: World) -> tuple[Visitor, Person, Device]:
    """Someone with one token who has passed the password."""
    person, visitor = world.person(), Visitor(world)
    device = world.device(person)
    visitor.log_in("ebanking", person.name)
    return visitor, person, device


def test_the_code_of_the_token_opens_the_application(world: World) -> None:
    """Typed as 4+4, as it is read; the page says how it was proven."""
    visitor, person, device = at_the_qr_code(world)
    code = device.code(qr_of(visitor))
    visitor.send("/code", otp=f"{code[:4]} {code[4:]}")
    assert visitor.path == "/ebanking/"
    assert "password, QR code" in visitor.page.text
    assert person.name in visitor.page.text


def test_loading_the_page_again_shows_the_same_code(world: World) -> None:
    """In a second tab too, and after a wrong answer: nobody has to scan again; "new QR code" makes another."""
    visitor, _, device = at_the_qr_code(world)
    first = qr_of(visitor)
    visitor.open("/login/ebanking")
    assert qr_of(visitor) == first
    visitor.send("/code", otp=off_by_one(device.code(first)))
    assert "not the right code" in visitor.error
    assert qr_of(visitor) == first
    visitor.send("/offline-qr")
    assert qr_of(visitor) != first
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert visitor.path == "/ebanking/"


def test_a_challenge_that_is_over_is_replaced(world_of_its_own: World) -> None:
    """The page says so and shows a new one at once."""
    world = world_of_its_own
    visitor, _, device = at_the_qr_code(world)
    first = qr_of(visitor)
    world.clock.advance(world.server.settings.login_challenge_ttl + 1)
    visitor.send("/code", otp=device.code(first))
    assert visitor.error == "The QR code was no longer good. Scan the new one."
    assert qr_of(visitor) != first
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert visitor.path == "/ebanking/"


def test_a_login_that_took_too_long_begins_again(world_of_its_own: World) -> None:
    """The first page says so."""
    world = world_of_its_own
    visitor, _, device = at_the_qr_code(world)
    code = device.code(qr_of(visitor))
    world.clock.advance(world.server.settings.login_lifetime + 1)
    visitor.send("/code", otp=code)
    assert "took too long" in visitor.error
    assert any(form.action.endswith("/password") for form in visitor.page.forms)


def test_the_same_form_twice_passes_once(world: World) -> None:
    """The second is of a page that is no longer current, and leads to where one is."""
    visitor, _, device = at_the_qr_code(world)
    form = next(each for each in visitor.page.forms if each.action.endswith("/code"))
    fields = form.fields | {"otp": device.code(qr_of(visitor))}
    visitor.post(form.action, fields)
    assert visitor.path == "/ebanking/"
    visitor.post(form.action, fields)
    assert visitor.path == "/ebanking/"
    assert "another window" in visitor.error


def test_the_back_button_leads_forward(world: World) -> None:
    """The login's address shows the step that is next, and the first page's form does no harm."""
    visitor, person, _ = at_the_qr_code(world)
    shown = qr_of(visitor)
    visitor.post("/login/ebanking/password", {"username": person.name, "password": "anything"})
    assert qr_of(visitor) == shown


def test_empty_and_nonsensical_codes_cost_no_attempt(world: World) -> None:
    """They are told apart from wrong ones, and the challenge goes on."""
    visitor, _, device = at_the_qr_code(world)
    shown = qr_of(visitor)
    for nonsense in ("", "   ", "abcd", "1234567890123456789", "\uff11\uff12\uff13\uff14"):
        visitor.send("/code", otp=nonsense)
        assert visitor.error
        assert "not the right code" not in visitor.error
    assert qr_of(visitor) == shown
    visitor.send("/code", otp=device.code(shown))
    assert visitor.path == "/ebanking/"


def test_too_many_wrong_codes_lock_and_say_until_when(world: World) -> None:
    """The page says when to come back."""
    visitor, _, device = at_the_qr_code(world)
    wrong = 0
    while "Too many wrong attempts" not in visitor.error and wrong < 20:
        visitor.send("/code", otp=off_by_one(device.code(qr_of(visitor))))
        wrong += 1
    assert 1 < wrong < 20
    assert "Try again after" in visitor.error


def test_who_has_several_devices_chooses_one(world: World) -> None:
    """And may choose again."""
    person, visitor = world.person(), Visitor(world)
    devices = {device.id: device for device in (world.device(person), world.device(person))}
    visitor.log_in("ebanking", person.name)
    assert "Choose a device" in visitor.page.text
    first, second = devices
    visitor.send("/devices", device=first)
    assert "Scan the QR code" in visitor.page.text
    visitor.open("/login/ebanking/devices")
    visitor.send("/devices", device=second)
    visitor.send("/code", otp=devices[second].code(qr_of(visitor)))
    assert visitor.path == "/ebanking/"


def test_a_device_of_somebody_else_cannot_be_chosen(world: World) -> None:
    """The page says so and shows one's own again."""
    person, visitor = world.person(), Visitor(world)
    world.device(person)
    world.device(person)
    other = world.device(world.person())
    visitor.log_in("ebanking", person.name)
    visitor.send("/devices", device=other.id)
    assert "no such device" in visitor.error
    assert other.serial not in visitor.page.text


def test_who_has_no_device_is_told_whom_to_ask(world: World) -> None:
    """Not an empty list."""
    visitor = Visitor(world)
    visitor.log_in("ebanking", world.person().name)
    assert "no device that can be used here" in visitor.page.text


def test_a_one_time_password_opens_the_portal(world: World) -> None:
    """From a token that shows one by itself; a wrong one is said."""
    person, visitor = world.person(), Visitor(world)
    world.device_of(person, "hotp", OTP_SEED)
    visitor.log_in("portal", person.name)
    assert "One-time password" in visitor.page.text
    visitor.send("/code", otp="000000")
    assert "not the right code" in visitor.error
    visitor.send("/code", otp="755224")  # RFC 4226 appendix D, count 0
    assert visitor.path == "/portal/"


def test_a_name_nobody_has_looks_like_one_without_a_device(world: World) -> None:
    """The kiosk asks for the name first."""
    visitor = Visitor(world)
    visitor.open("/login/kiosk")
    visitor.send("/username", username="nobody-of-that-name")
    assert "no device that can be used here" in visitor.page.text


def test_start_again_forgets_who_it_was(world: World) -> None:
    """The first page is back, for someone else."""
    visitor, _, _ = at_the_qr_code(world)
    visitor.send("/restart")
    assert "Password" in visitor.page.text
    assert visitor.path == "/login/ebanking"


@pytest.mark.parametrize("path", ["/login/ebanking/devices", "/login/portal/devices", "/login/portal/key"])
def test_a_page_of_a_step_that_is_not_next_leads_to_the_login(world: World, path: str) -> None:
    """Bookmarks and guesses end on the first page of the login or on a page that says what to do."""
    visitor = Visitor(world)
    visitor.open(path)
    assert any(form.action.endswith("/password") for form in visitor.page.forms)


def test_who_is_locked_sees_no_code_until_the_lock_is_over(world_of_its_own: World) -> None:
    """Also when the page is loaded again; it says once until when, and the login then goes on where it was."""
    world = world_of_its_own
    visitor, _, device = at_the_qr_code(world)
    for _ in range(5):
        visitor.send("/code", otp=off_by_one(device.code(qr_of(visitor))))
        if not [each for tag, each in visitor.page.elements if tag == "img"]:
            break
    for _ in range(2):
        assert "Try again after" in visitor.error
        assert visitor.page.text.count("Too many wrong attempts") == 1
        assert not [each for tag, each in visitor.page.elements if tag == "img"]
        assert visitor.open("/login/ebanking").status_code == 403
    world.clock.advance(61)
    visitor.open("/login/ebanking")
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert visitor.path == "/ebanking/"
