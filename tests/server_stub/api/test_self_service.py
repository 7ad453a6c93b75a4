from tests.server_stub.world import World, code_of


def test_a_session_tells_who_is_in_and_by_which_steps(world: World) -> None:
    """With the time of each."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    browser.password(person.name)
    attributes = browser.session().json()["data"]["attributes"]
    assert (attributes["username"], attributes["application"]) == (person.name, "self-service")
    assert [step["method"] for step in attributes["steps"]] == ["PASSWORD"]
    assert attributes["steps"][0]["passedAt"] == attributes["authenticatedAt"]


def test_before_the_last_step_nobody_is_in(world: World) -> None:
    """A password alone does not open the bank's session."""
    browser, _, _ = world.at_the_qr_code()
    response = browser.session()
    assert (response.status_code, code_of(response)) == (401, "NOT_AUTHORIZED")


def test_after_logout_the_cookie_is_gone_and_worthless(world: World) -> None:
    """Also for whoever kept a copy."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    browser.password(person.name)
    copy = browser.client.cookies["authrig_session"]
    assert browser.client.post("/auth/rest/protected/session/logout/").status_code == 200
    assert "authrig_session" not in browser.client.cookies
    browser.client.cookies.set("authrig_session", copy)
    assert browser.session().status_code == 401


def test_a_session_ends_after_an_hour(world: World) -> None:
    """Whether it was used or not."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    browser.password(person.name)
    world.clock.advance(3599)
    assert browser.session().status_code == 200
    world.clock.advance(2)
    assert browser.session().status_code == 401
