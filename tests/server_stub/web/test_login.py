"""The login pages without a script: what someone sees and can send."""

import pytest

from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import PASSWORD, World


def test_a_password_opens_what_asks_for_no_more(world: World) -> None:
    """The target says who is logged in and by what; the session ends with its button."""
    person, visitor = world.person(), Visitor(world)
    visitor.log_in("classroom", person.name)
    assert visitor.path == "/classroom/"
    assert person.name in visitor.page.text
    visitor.send("/logout")
    assert "You are logged out." in visitor.page.text
    visitor.open("/classroom/")
    assert visitor.path == "/login/classroom"


def test_a_wrong_password_is_said_and_the_name_stays(world: World) -> None:
    """The status says so too, for programs, and the password does not come back."""
    person, visitor = world.person(), Visitor(world)
    assert visitor.log_in("classroom", person.name, "not it").status_code == 400
    assert "User name or password is wrong." in visitor.page.text
    assert visitor.page.forms[0].fields == {"username": person.name, "password": ""}
    assert visitor.send("/password", password=PASSWORD).url.path == "/classroom/"


def test_what_is_typed_is_shown_as_text(world: World) -> None:
    """Never as markup of the page."""
    visitor = Visitor(world)
    hostile = '"><script>alert(1)</script>'
    visitor.log_in("classroom", hostile)
    assert visitor.response is not None
    assert "<script>alert" not in visitor.response.text
    assert visitor.page.forms[0].fields["username"] == hostile


@pytest.mark.parametrize("path", ["/login/nowhere", "/login/nowhere/key", "/nothing-here"])
def test_an_unknown_page_says_where_to_go(world: World, path: str) -> None:
    """Not JSON, and not an empty screen."""
    visitor = Visitor(world)
    assert visitor.open(path).status_code == 404
    assert ("a", {"href": "/"}) in visitor.page.elements


def test_a_new_login_in_the_same_browser_takes_over(world: World) -> None:
    """What the older page then sends changes nothing in the newer login, and says so."""
    older, newer, visitor = world.person(), world.person(), Visitor(world)
    visitor.log_in("self-service", older.name)
    old_page = visitor.page
    form = next(each for each in old_page.forms if each.action == "/self-service/browsers")
    visitor.log_in("classroom", newer.name)
    assert visitor.post(form.action, form.fields | {"name": "laptop"}).status_code == 409
    assert "another window" in visitor.page.text
    visitor.open("/self-service/")
    assert newer.name in visitor.page.text
    assert "laptop" not in visitor.page.text
