"""A login that begins at another provider, page by page."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server_stub.settings import OidcProvider
from tests.server_stub.api.test_oidc import settings_in
from tests.server_stub.oidc_providers import Liar, lying_provider
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.web.test_second_steps import qr_of
from tests.server_stub.world import World, own_world

TITLE = "Müller & Söhne"
CALLBACK = "/auth/oidc/outside/callback"


@pytest.fixture(scope="module")
def provided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Liar]]:
    """A server that knows one."""
    folder: Path = tmp_path_factory.mktemp("provider")
    with lying_provider() as liar:
        provider = OidcProvider(name="outside", issuer=liar.url, client_id="authrig", title=TITLE)
        gone = OidcProvider(name="gone", issuer="http://127.0.0.1:9", client_id="authrig")
        with own_world(settings_in(folder, provider, gone)) as world:
            yield world, liar


def follow(visitor: Visitor) -> str:
    """Where the page that is open leads by itself; the same as its button, for browsers that do not."""
    [target] = [given["href"] for tag, given in visitor.page.elements if given.get("class") == "button"]
    assert ("meta", {"http-equiv": "refresh", "content": f"0; url={target}"}) in visitor.page.elements
    return target


def sent_to_the_provider(visitor: Visitor, application: str) -> str:
    """Press the button on the login page, and go where the page after it leads: the provider's address."""
    visitor.open(f"/login/{application}")
    visitor.send("/provider")
    assert visitor.path == f"/login/{application}/provider/outside"
    response = visitor.client.get(follow(visitor))
    assert response.status_code == 303
    return response.headers["location"]


def come_back(visitor: Visitor, answer: dict[str, str]) -> None:
    """Open the page to which the provider sends the browser, and go where it leads."""
    stranger = httpx.get(f"{visitor.client.base_url}{CALLBACK}", params=answer)
    assert "set-cookie" not in stranger.headers, "from another site a browser comes without cookies, and keeps its own"
    visitor.open(f"{CALLBACK}?{httpx.QueryParams(answer)}")
    visitor.open(follow(visitor))


def test_a_login_begins_elsewhere_and_goes_on_here(provided: tuple[World, Liar]) -> None:
    """The button, the way there, the way back, and the page of the next step."""
    world, liar = provided
    person, visitor = world.person(), Visitor(world)
    device = world.device(person)
    there = sent_to_the_provider(visitor, "desk")
    assert there.startswith(liar.url)
    answer = liar.visit(there, person.name, world.clock.time())
    assert liar.asked["redirect_uri"] == f"{world.server.origin}{CALLBACK}"
    come_back(visitor, answer)
    assert visitor.path == "/login/desk"
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert visitor.path == "/desk/"
    assert "other provider" in visitor.page.text
    come_back(visitor, answer)
    assert visitor.path == "/desk/", "loading the page again harms nobody"


def test_a_link_begins_a_login(provided: tuple[World, Liar]) -> None:
    """One click from a page without a session; a login that is under way goes on."""
    world, liar = provided
    person, visitor = world.person(), Visitor(world)
    assert visitor.client.get("/auth/oidc/outside/start").status_code == 401
    assert visitor.client.get("/auth/oidc/outside/start?application=nowhere").status_code == 404
    there = visitor.client.get("/auth/oidc/outside/start?application=door")
    assert {"HttpOnly", "SameSite=strict"} <= set(there.headers["set-cookie"].split("; "))
    again = visitor.client.get("/auth/oidc/outside/start?application=door")
    assert "set-cookie" not in again.headers
    come_back(visitor, liar.visit(again.headers["location"], person.name, world.clock.time()))
    assert visitor.path == "/door/"
    visitor.open("/auth/oidc/outside/start?application=door")
    assert visitor.path == "/door/", "who is logged in is not logged in again"


REFUSED = "did not let you in"
NOT_GOOD = "answer is not good"


@pytest.mark.parametrize(
    ("brought", "words"),
    [
        ({"error": "access_denied"}, REFUSED),
        ({"error": "<b>", "error_description": "<script>"}, REFUSED),
        ({"code": "another"}, NOT_GOOD),
        ({"code": "", "state": ""}, NOT_GOOD),
        ({"state": "another"}, NOT_GOOD),
        ({"state": "x" * 5000}, NOT_GOOD),
        ({"iss": "https://elsewhere.example"}, NOT_GOOD),
        ({"code": "\ufffd", "error": "both"}, REFUSED),
    ],
)
def test_a_bad_answer_ends_on_the_login_page(provided: tuple[World, Liar], brought: dict[str, str], words: str) -> None:
    """In words, beside the button that begins anew; that then leads to the end."""
    world, liar = provided
    person, visitor = world.person(), Visitor(world)
    answer = liar.visit(sent_to_the_provider(visitor, "door"), person.name, world.clock.time())
    refused = {"state": answer["state"]} if "error" in brought else answer
    come_back(visitor, refused | brought)
    assert visitor.path == "/login/door"
    assert words in visitor.error
    assert "<script>" not in visitor.error
    come_back(visitor, liar.visit(sent_to_the_provider(visitor, "door"), person.name, world.clock.time()))
    assert visitor.path == "/door/"


def test_an_answer_counts_once_and_in_its_browser_only(provided: tuple[World, Liar]) -> None:
    """Who brings it a second time, or from elsewhere, is told so; nobody is logged in by it."""
    world, liar = provided
    visitor, thief = Visitor(world), Visitor(world)
    answer = liar.visit(sent_to_the_provider(visitor, "door"), "nobody-of-ours", world.clock.time())
    come_back(thief, answer)
    assert "not logged in, or the login took too long" in thief.error
    assert ("a", {"href": "/"}) in thief.page.elements
    come_back(visitor, answer)
    assert "nobody of that name is known here" in visitor.error
    come_back(visitor, answer)
    assert NOT_GOOD in visitor.error


def test_who_stays_at_the_provider_for_too_long_begins_anew(provided: tuple[World, Liar]) -> None:
    """The login has ended meanwhile; the page says so and has a way on."""
    world, liar = provided
    person, visitor = world.person(), Visitor(world)
    answer = liar.visit(sent_to_the_provider(visitor, "door"), person.name, world.clock.time())
    world.clock.advance(601)
    come_back(visitor, answer)
    assert "took too long" in visitor.error
    assert ("a", {"href": "/"}) in visitor.page.elements


def test_a_provider_that_does_not_answer_is_told_on_a_page(provided: tuple[World, Liar]) -> None:
    """With the way back to the login page, where there are other ways."""
    visitor = Visitor(provided[0])
    visitor.open("/login/door")
    visitor.post("/login/door/provider", {"provider": "gone"})
    assert visitor.open(follow(visitor)).status_code == 503
    assert "does not answer" in visitor.error
    assert ("a", {"href": "/login/door"}) in visitor.page.elements


def test_a_form_leads_to_this_server_only(provided: tuple[World, Liar]) -> None:
    """Browsers would not let it lead elsewhere, by the pages' policy."""
    world, _ = provided
    visitor = Visitor(world)
    response = visitor.open("/login/door")
    assert "form-action 'self'" in response.headers["content-security-policy"]
    assert not re.search(r"https?://", "".join(form.action for form in visitor.page.forms))


@pytest.mark.parametrize("provider", ["", "nobody", "../x", "<b>"])
def test_an_unknown_provider_is_refused(provided: tuple[World, Liar], provider: str) -> None:
    """On the first page."""
    world, _ = provided
    visitor = Visitor(world)
    visitor.open("/login/desk")
    visitor.send("/provider", provider=provider)
    assert visitor.path == "/login/desk"
    assert "no such provider" in visitor.error
    visitor.open("/login/desk/provider/nobody")
    assert "no such provider" in visitor.error
