"""Asking an app, without a script: the page that waits, and its ways on."""

from tests.server_stub.web.browsing import Visitor
from tests.server_stub.web.test_second_steps import qr_of
from tests.server_stub.world import SEED, Device, Person, World


def asked(world: World) -> tuple[Visitor, Person, Device]:
    """Someone with an app who has passed the password."""
    person, visitor = world.person(), Visitor(world)
    app = world.device_of(person, "app", SEED.hex())
    visitor.log_in("portal", person.name)
    return visitor, person, app


def answer(world: World, person: Person, button: str) -> None:
    """Press a button of the app; there must be exactly one question."""
    [shown] = world.admin.get(f"/admin/rest/users/{person.name}/push-requests").json()["data"]
    done = world.admin.post(f"/admin/rest/push-requests/{shown['id']}/answer", json={"answer": button})
    assert done.status_code == 200, done.text


def test_an_app_that_approves_lets_in(world: World) -> None:
    """It is asked once, however often the page is loaded."""
    visitor, person, _ = asked(world)
    assert "Look at your phone" in visitor.page.text
    visitor.open("/login/portal")
    visitor.send("/push")
    assert "not answered yet" in visitor.page.text
    answer(world, person, "approve")
    visitor.send("/push")
    assert visitor.path == "/portal/"


def test_an_app_that_denies_ends_the_login(world: World) -> None:
    """The first page says so, and whom to tell."""
    visitor, person, _ = asked(world)
    answer(world, person, "deny")
    visitor.send("/push")
    assert visitor.path == "/login/portal"
    assert "refused on the device" in visitor.error
    assert "Password" in visitor.page.text


def test_who_has_no_connection_goes_on_offline(world: World) -> None:
    """With the same app, by its QR code."""
    visitor, _, app = asked(world)
    visitor.send("/offline-qr")
    assert "Scan the QR code" in visitor.page.text
    visitor.send("/code", otp=app.code(qr_of(visitor)))
    assert visitor.path == "/portal/"


def test_an_app_that_nobody_answers_falls_back(world_of_its_own: World) -> None:
    """To the QR code, and the page says why."""
    world = world_of_its_own
    visitor, _, _ = asked(world)
    world.clock.advance(world.server.settings.push_ttl + 1)
    visitor.send("/push")
    assert "Nobody answered" in visitor.error
    assert "Scan the QR code" in visitor.page.text


def test_a_payment_is_approved_or_denied_on_the_app(world: World) -> None:
    """What is denied is not paid, and says so."""
    visitor, person, _ = asked(world)
    answer(world, person, "approve")
    visitor.send("/push")
    visitor.open("/shop/")
    visitor.send("/2026-001/pay")
    assert "CHF 49.90" in visitor.page.text
    answer(world, person, "approve")
    visitor.send("/push")
    assert "Invoice 2026-001 is paid." in visitor.page.text
    visitor.send("/2026-002/pay")
    answer(world, person, "deny")
    visitor.send("/push")
    assert visitor.path == "/shop/"
    assert "refused on the device" in visitor.error
    assert any(form.action == "/shop/2026-002/pay" for form in visitor.page.forms)


def test_a_payment_goes_on_offline(world: World) -> None:
    """By the QR code, with the same app."""
    visitor, person, app = asked(world)
    answer(world, person, "approve")
    visitor.send("/push")
    visitor.open("/shop/")
    visitor.send("/2026-003/pay")
    visitor.send("/offline-qr")
    visitor.send("/code", otp=app.code(qr_of(visitor)))
    assert "Invoice 2026-003 is paid." in visitor.page.text
