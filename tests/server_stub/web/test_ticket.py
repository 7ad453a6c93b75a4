"""A login with a ticket of another system, page by page."""

from collections.abc import Iterator
from typing import Any

import pytest

from server_stub.settings import Settings
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.web.test_second_steps import qr_of
from tests.server_stub.web.tickets import sign_ticket, trusting
from tests.server_stub.world import CHEAP, World, own_world

NOT_GOOD = "too old, was used before, or is not for here"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server that believes the portal."""
    folder = tmp_path_factory.mktemp("ticket")
    with own_world(trusting(Settings(data_dir=folder / "data", argon2=CHEAP), folder)) as world:
        yield world


def follow_link(visitor: Visitor, ticket: str) -> None:
    """As the other system's page leads here, and the button."""
    visitor.open(f"/login/kiosk/ticket?ticket={ticket}")
    visitor.send("/ticket")


def test_a_link_leads_to_the_next_step_by_one_button(trusted: World) -> None:
    """Following it alone does nothing: whoever wrote it would choose as whom one is logged in."""
    person, visitor = trusted.person(), Visitor(trusted)
    device = trusted.device(person)
    response = visitor.open(f"/login/kiosk/ticket?ticket={sign_ticket(person.name, trusted.clock.time())}")
    assert "set-cookie" not in response.headers
    assert "If it was not you" in visitor.page.text
    visitor.send("/ticket")
    assert visitor.path == "/login/kiosk"
    assert f"Logging in as {person.name}" in visitor.page.text
    visitor.send("/code", otp=device.code(qr_of(visitor)))
    assert visitor.path == "/kiosk/"
    assert "other system" in visitor.page.text


def test_a_ticket_is_pasted_too(trusted: World) -> None:
    """By who has no link: the first page leads to the field."""
    person, visitor = trusted.person(), Visitor(trusted)
    trusted.device(person)
    visitor.open("/login/kiosk")
    assert ("a", {"class": "button second", "href": "/login/kiosk/ticket"}) in visitor.page.elements
    visitor.open("/login/kiosk/ticket")
    visitor.send("/ticket", ticket=f"  {sign_ticket(person.name, trusted.clock.time())}\r\n")
    assert f"Logging in as {person.name}" in visitor.page.text


@pytest.mark.parametrize(
    "change",
    [{"exp": -60}, {"aud": "another"}, {"iss": "nobody"}, {"jti": ""}, {"sub": "nobody-at-all"}, {"iat": 3600}],
)
def test_a_bad_ticket_says_what_to_do(trusted: World, change: dict[str, Any]) -> None:
    """On the first page, where the other ways are."""
    person, visitor = trusted.person(), Visitor(trusted)
    now = trusted.clock.time()
    change = {name: now + value if isinstance(value, int) else value for name, value in change.items()}
    follow_link(visitor, sign_ticket(person.name, now, **change))
    assert visitor.path == "/login/kiosk"
    assert NOT_GOOD in visitor.error


@pytest.mark.parametrize("ticket", ["", "x", "a.b.c", "<script>alert(1)</script>", "x" * 9000, "ünsinn"])
def test_what_is_no_ticket_becomes_no_part_of_a_page(trusted: World, ticket: str) -> None:
    """Refused in words."""
    visitor = Visitor(trusted)
    response = visitor.client.get("/login/kiosk/ticket", params={"ticket": ticket})
    assert "<script>alert" not in response.text
    visitor.open("/login/kiosk/ticket")
    visitor.send("/ticket", ticket=ticket)
    assert visitor.path == "/login/kiosk"
    assert visitor.error


def test_a_ticket_is_good_once(trusted: World) -> None:
    """Who presses twice, or comes back to the page, reads so; a new one logs in."""
    person, visitor = trusted.person(), Visitor(trusted)
    trusted.device(person)
    ticket = sign_ticket(person.name, trusted.clock.time())
    follow_link(visitor, ticket)
    follow_link(visitor, ticket)
    assert NOT_GOOD in visitor.error
    follow_link(visitor, sign_ticket(person.name, trusted.clock.time()))
    assert f"Logging in as {person.name}" in visitor.page.text


def test_who_comes_with_a_ticket_is_whom_it_names(trusted: World) -> None:
    """Also when somebody else was half-way through a login in this browser."""
    before, person, visitor = trusted.person(), trusted.person(), Visitor(trusted)
    trusted.device(person)
    visitor.open("/login/kiosk")
    visitor.send("/username", username=before.name)
    follow_link(visitor, sign_ticket(person.name, trusted.clock.time()))
    assert f"Logging in as {person.name}" in visitor.page.text


def test_a_bad_ticket_ends_no_login(trusted: World) -> None:
    """Whoever was here before goes on where they were; also when they only pressed the button twice."""
    person, visitor = trusted.person(), Visitor(trusted)
    device = trusted.device(person)
    ticket = sign_ticket(person.name, trusted.clock.time())
    follow_link(visitor, ticket)
    code = device.code(qr_of(visitor))
    follow_link(visitor, ticket)
    assert NOT_GOOD in visitor.error
    assert f"Logging in as {person.name}" in visitor.page.text
    visitor.send("/code", otp=code)
    assert visitor.path == "/kiosk/"
    follow_link(visitor, ticket)
    assert NOT_GOOD in visitor.error
    visitor.open("/kiosk/")
    assert "other system" in visitor.page.text


def test_an_application_that_takes_none_has_no_page_for_it(trusted: World) -> None:
    """Its own first page comes instead."""
    visitor = Visitor(trusted)
    visitor.open("/login/ebanking/ticket?ticket=x")
    assert visitor.path == "/login/ebanking"
    visitor.post("/login/ebanking/ticket", {"ticket": "x"})
    assert visitor.path == "/login/ebanking"


def test_the_switch_of_languages_keeps_the_ticket(trusted: World) -> None:
    """What stands in the address stays there."""
    visitor = Visitor(trusted)
    visitor.open("/login/kiosk/ticket?ticket=a%26b%22")
    [german] = [given["href"] for tag, given in visitor.page.elements if tag == "a" and given.get("hreflang") == "de"]
    visitor.open(f"/login/kiosk/ticket{german}")
    assert ("input", {"type": "hidden", "name": "ticket", "value": 'a&b"'}) in visitor.page.elements
    assert "Ein anderes System" in visitor.page.text
