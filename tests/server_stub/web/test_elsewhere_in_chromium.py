"""Logins that begin on another site, in Chromium: it decides itself which cookies go along on the way back.

The other site is 127.0.0.1, ours is localhost.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from server_stub.settings import OidcProvider
from tests.server_stub.api.test_oidc import settings_in
from tests.server_stub.oidc_providers import Liar, lying_provider
from tests.server_stub.web.chromium import Desk, new_desk
from tests.server_stub.web.tickets import sign_ticket, trusting
from tests.server_stub.world import Person, World, own_world

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("chromium")]
NOT_GOOD = "The other provider's answer is not good, or was used before."
TICKET_WRONG = "too old, was used before, or is not for here"


@pytest.fixture(scope="module")
def provided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Liar]]:
    """A server that knows a provider, and a system that signs tickets."""
    folder: Path = tmp_path_factory.mktemp("elsewhere")
    with lying_provider() as liar:
        provider = OidcProvider(name="outside", issuer=liar.url, client_id="authrig", title="Corporate login")
        settings = trusting(settings_in(folder, provider), folder)
        with (folder / "policies.toml").open("a") as policies:
            policies.write(
                '[applications.kiosk]\ntitle = "Kiosk"\ntarget = "/kiosk/"\n\n'
                '[flows.ticket]\nways = [["SSO_TICKET", "OFFLINE_QR"], ["USERNAME", "OFFLINE_QR"]]\n\n'
                '[[policies]]\nname = "tickets at the kiosk"\npriority = 9\napplications = ["kiosk"]\nflow = "ticket"\n'
            )
        with own_world(settings) as world:
            yield world, liar


@pytest.fixture
def world(provided: tuple[World, Liar]) -> World:
    """The server."""
    return provided[0]


@pytest.fixture
def desk(browser: Browser, world: World) -> Iterator[Desk]:
    """A browser that has never been here."""
    with new_desk(browser, world.server.origin) as desk:
        yield desk


@pytest.fixture
def provider_says(provided: tuple[World, Liar], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What the provider's page, where one ends up, has a link back to us with."""
    world, liar = provided
    answer_others = liar.answer

    def provider_says(person: Person | None, **instead: str) -> None:
        def answer(path: str, headers: Any, body: str) -> tuple[int, bytes]:
            if not path.startswith("/authorize"):
                return answer_others(path, headers, body)
            answer = liar.visit(path, person.name if person else "", world.clock.time())
            said = {"state": answer["state"], **instead} if instead else answer
            return 200, page_with(f"{liar.asked['redirect_uri']}?{urlencode(said)}").encode()

        monkeypatch.setattr(liar, "answer", answer)

    return provider_says


def page_with(link: str) -> str:
    """A page of another site."""
    return f'<!doctype html><a href="{html.escape(link)}">Back</a>'


def go_there_and_back(desk: Desk, application: str) -> None:
    """The button on our page, and the link on the other site's."""
    desk.open(f"/login/{application}")
    desk.page.click("text=Log in with Corporate login")
    desk.page.click("text=Back")


def test_a_login_at_a_provider(desk: Desk, world: World, provider_says: Callable[..., None]) -> None:
    """The page in between brings the browser's own cookie along; the second step is ours; going back undoes nothing."""
    person = world.person()
    device = world.device(person)
    provider_says(person)
    go_there_and_back(desk, "desk")
    desk.page.wait_for_selector("img.qr")
    desk.page.fill("#otp", device.code(desk.qr_text()))
    desk.page.keyboard.press("Enter")
    assert "other provider, QR code" in desk.arrive("/desk/")
    desk.page.go_back()
    assert person.name in desk.arrive("/desk/")
    desk.page.go_back()
    desk.page.click("text=Back")
    assert person.name in desk.arrive("/desk/")


def test_who_is_refused_there_reads_what_to_do_here(
    desk: Desk, world: World, provider_says: Callable[..., None]
) -> None:
    """Beside the button that begins anew, which works."""
    person = world.person()
    provider_says(None, error="access_denied")
    go_there_and_back(desk, "door")
    assert "did not let you in" in desk.refusal()
    provider_says(person)
    desk.page.click("text=Log in with Corporate login")
    desk.page.click("text=Back")
    assert person.name in desk.arrive("/door/")


def test_an_answer_that_is_used_twice(desk: Desk, world: World, provider_says: Callable[..., None]) -> None:
    """The first time for nobody that we know; the second time it is not good any more. Neither is the last word."""
    person = world.person()
    provider_says(Person("nobody-of-ours", ""))
    back: list[str] = []
    desk.page.on("request", lambda each: back.append(each.url) if "/callback?" in each.url else None)
    go_there_and_back(desk, "door")
    assert "nobody of that name is known here" in desk.refusal()
    desk.page.goto(back[0])
    desk.page.wait_for_url("**/login/door")
    assert NOT_GOOD in desk.refusal()
    provider_says(person)
    go_there_and_back(desk, "door")
    assert person.name in desk.arrive("/door/")


def test_who_comes_back_too_late_begins_anew(desk: Desk, world: World, provider_says: Callable[..., None]) -> None:
    """On a page that says so, and has a way on."""
    person = world.person()
    provider_says(person)
    desk.open("/login/door")
    desk.page.click("text=Log in with Corporate login")
    desk.page.wait_for_selector("text=Back")
    world.clock.advance(601)
    desk.page.click("text=Back")
    desk.page.wait_for_selector("text=took too long. Start again.")
    desk.page.click("text=All applications")
    desk.page.click("text=Door")
    desk.page.click("text=Log in with Corporate login")
    desk.page.click("text=Back")
    assert person.name in desk.arrive("/door/")


def follow(desk: Desk, ticket: str) -> None:
    """The link on another site's page, and the button on ours, which has no focus: no key that is held down presses it."""
    page = page_with(f"{desk.origin}/login/kiosk/ticket?ticket={ticket}")
    desk.page.context.unroute_all()
    desk.page.context.route("http://127.0.0.1/portal", lambda route: route.fulfill(content_type="text/html", body=page))
    desk.page.goto("http://127.0.0.1/portal")
    desk.page.click("text=Back")
    desk.page.wait_for_selector("text=Another system has sent you here")
    desk.page.click("main form button")


def test_a_link_with_a_ticket(desk: Desk, world: World) -> None:
    """One button, then the second step. The button pressed again says that it was used."""
    person = world.person()
    device = world.device(person)
    follow(desk, sign_ticket(person.name, world.clock.time()))
    desk.page.wait_for_selector("img.qr")
    desk.page.fill("#otp", device.code(desk.qr_text()))
    desk.page.keyboard.press("Enter")
    assert "other system, QR code" in desk.arrive("/kiosk/")
    desk.page.go_back()
    desk.page.go_back()
    desk.page.click("main form button")
    assert TICKET_WRONG in desk.refusal()


def test_a_link_with_a_ticket_that_is_too_old(desk: Desk, world: World) -> None:
    """There is another way on the page that says so; and a new ticket works in the same browser."""
    person = world.person()
    world.device(person)
    ticket = sign_ticket(person.name, world.clock.time())
    world.clock.advance(300)
    follow(desk, ticket)
    assert TICKET_WRONG in desk.refusal()
    assert desk.page.is_visible("#name")
    follow(desk, sign_ticket(person.name, world.clock.time()))
    desk.page.wait_for_selector(f"text=Logging in as {person.name}")
