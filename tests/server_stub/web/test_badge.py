"""A badge that is typed, also by a scanner that types."""

import pytest

from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import PASSWORD, Person, World


def badge_of(world: World, person: Person, kind: str) -> str:
    """A new badge: what its QR code says."""
    response = world.admin.post(f"/admin/rest/users/{person.name}/badges", json={"kind": kind})
    assert response.status_code == 201, response.text
    return str(response.json()["data"]["attributes"]["content"])


def test_a_secure_badge_is_enough(world: World) -> None:
    """Scanners end a line after it."""
    person, visitor = world.person(), Visitor(world)
    visitor.open("/login/classroom/badge")
    visitor.send("/badge", badge=badge_of(world, person, "secure") + "\r\n")
    assert visitor.path == "/classroom/"
    assert person.name in visitor.page.text


def test_an_insecure_badge_is_a_name_that_a_password_proves(world: World) -> None:
    """The page then asks for that user's password only."""
    person, visitor = world.person(), Visitor(world)
    visitor.open("/login/classroom/badge")
    visitor.send("/badge", badge=badge_of(world, person, "insecure"))
    assert person.name in visitor.page.text
    visitor.send("/second-password", password="wrong")
    assert "wrong" in visitor.error
    visitor.send("/second-password", password=PASSWORD)
    assert visitor.path == "/classroom/"


@pytest.mark.parametrize("typed", ["", "hello", "AQB1:", "AQB1:00", "ключ", "\r\n"])
def test_what_is_no_badge_is_said_on_the_same_page(world: World, typed: str) -> None:
    """The next badge can be held up at once."""
    visitor = Visitor(world)
    visitor.open("/login/classroom/badge")
    visitor.send("/badge", badge=typed)
    assert visitor.path == "/login/classroom/badge"
    assert visitor.error


def test_an_insecure_badge_is_not_for_the_office(world: World) -> None:
    """The page says that it is the kind, not this badge."""
    person, visitor = world.person(), Visitor(world)
    visitor.open("/login/office/badge")
    visitor.send("/badge", badge=badge_of(world, person, "insecure"))
    assert "this kind" in visitor.error


def test_where_no_badge_is_taken_there_is_no_page_for_it(world: World) -> None:
    """It leads to the login; so does an answer of someone who is past it."""
    person, visitor = world.person(), Visitor(world)
    visitor.open("/login/ebanking/badge")
    assert visitor.path == "/login/ebanking"
    visitor.log_in("classroom", person.name)
    visitor.post("/login/classroom/badge", {"badge": badge_of(world, person, "secure")})
    assert visitor.path == "/classroom/"
