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


@pytest.fixture(scope="module")
def provided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Liar]]:
    """A server that knows one."""
    folder: Path = tmp_path_factory.mktemp("provider")
    with lying_provider() as liar:
        provider = OidcProvider(name="outside", issuer=liar.url, client_id="authrig", title=TITLE)
        with own_world(settings_in(folder, provider)) as world:
            yield world, liar


def leave(visitor: Visitor) -> httpx.Response:
    """Follow the page that leads away: to where the browser is sent."""
    [target] = [given["href"] for tag, given in visitor.page.elements if given.get("class") == "button"]
    assert ("meta", {"http-equiv": "refresh", "content": f"0; url={target}"}) in visitor.page.elements
    return visitor.client.get(target)


def test_a_login_begins_elsewhere_and_goes_on_here(provided: tuple[World, Liar]) -> None:
    """The button, the way there, the way back, and the page of the next step."""
    world, liar = provided
    person, visitor = world.person(), Visitor(world)
    device = world.device(person)
    visitor.open("/login/desk")
    assert f"Log in with {TITLE}" in visitor.page.text
    visitor.send("/provider")
    assert visitor.path == "/login/desk/provider/outside"
    there = leave(visitor).headers["location"]
    assert there.startswith(liar.url)
    answer = liar.visit(there, person.name, world.clock.time())
    visitor.client.get("/auth/oidc/outside/callback", params=answer)
    visitor.open("/auth/oidc/outside/finish?" + str(httpx.QueryParams(answer)))
    assert visitor.path == "/login/desk"
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert visitor.path == "/desk/"
    assert "other provider" in visitor.page.text


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
