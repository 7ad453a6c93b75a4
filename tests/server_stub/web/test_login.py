"""The login pages without a script: what someone sees and can send."""

from pathlib import Path

import pytest

from server_stub.policy_file import DEFAULT_FILE
from server_stub.settings import Settings
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import PASSWORD, World, own_world


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
    """Once: not on the page after it. The password does not come back."""
    person, visitor = world.person(), Visitor(world)
    visitor.log_in("classroom", person.name, "not it")
    assert visitor.path == "/login/classroom"
    assert visitor.error == "User name or password is wrong."
    assert visitor.page.forms[0].fields == {"username": person.name, "password": ""}
    visitor.send("/password", password=PASSWORD)
    assert visitor.path == "/classroom/"
    visitor.open("/")
    assert visitor.error == ""


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
    visitor.post(form.action, form.fields | {"name": "laptop"})
    assert "another window" in visitor.error
    assert newer.name in visitor.page.text
    assert "laptop" not in visitor.page.text


@pytest.mark.parametrize("cookie", ["", "e30=", "bm90aGluZw==", "!!", "x" * 3000, "eyJjb2RlIjoiPGI-In0="])
def test_what_a_page_has_to_tell_cannot_be_made_up(world: World, cookie: str) -> None:
    """A cookie that says something else than a refusal's name gets no words of its own onto a page."""
    visitor = Visitor(world)
    visitor.client.cookies.set("authrig_told", cookie)
    assert visitor.open("/login/classroom").status_code == 200
    assert visitor.error in {"", "Something unexpected happened. Try again, or log in another way."}


def test_only_what_a_script_may_have_seen_can_stand_in_an_address(world: World) -> None:
    """Other names in it say nothing."""
    visitor = Visitor(world)
    visitor.open("/login/portal?why=AIRLOCK_2FA_DENIED")
    assert "refused on the device" in visitor.error
    visitor.open("/login/portal?why=USER_LOCKED")
    assert visitor.error == ""


@pytest.mark.parametrize("target", ["/classroom/?class=5b", "/classroom/#/lessons/5%20b", "/classroom/#/a=1&b"])
def test_a_target_with_a_query_or_a_fragment_is_reached(tmp_path: Path, settings: Settings, target: str) -> None:
    """As the policy file writes it, for the application's own script; the page stands in for the application."""
    policies = tmp_path / "policies.toml"
    policies.write_text(DEFAULT_FILE.read_text().replace('target = "/classroom/"', f'target = "{target}"'))
    with own_world(settings, policies_file=policies) as world:
        person, visitor = world.person(), Visitor(world)
        visitor.log_in("classroom", person.name)
        assert visitor.path == "/classroom/"
        assert person.name in visitor.page.text
        assert visitor.client.get("/login/classroom").headers["location"] == target
