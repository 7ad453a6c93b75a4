from server_stub.settings import Settings
from tests.server_stub.world import own_world


def test_behind_https_the_cookie_is_for_this_host_and_https_only(settings: Settings) -> None:
    """A ``__Host-`` cookie has Secure and the path /, and no domain: no neighbour can plant it."""
    with own_world(settings, behind_https=True) as world:
        browser = world.browser()
        header = browser.access("self-service").headers["set-cookie"]
        name, *attributes = header.split("; ")
        assert name.startswith("__Host-authrig_session=")
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= set(attributes)
        assert not any(each.lower().startswith("domain") for each in attributes)
        browser.client.headers["Cookie"] = name.replace("__Host-", "")
        assert browser.password(world.person().name).status_code == 401
        browser.client.headers["Cookie"] = name
        assert browser.password(world.person().name).status_code == 200
