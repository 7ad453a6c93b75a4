import pytest

from server_stub.settings import Settings
from tests.server_stub.world import PASSWORD, World, code_of, off_by_one, own_world


def listed(world: World, **query: str) -> list[str]:
    """The names that an administrator is told."""
    response = world.admin.get("/admin/rest/users", params=query)
    assert response.status_code == 200, response.text
    return [each["attributes"]["username"] for each in response.json()["data"]]


def test_users_are_found_by_part_of_their_name_and_page_by_page(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of their names, in whatever case one types, and a page goes on behind the last name of the one before."""
    monkeypatch.setattr("server_stub.api.admin_lists.PAGE", 2)
    with own_world(settings) as world:
        for name in ("carol", "Bob", "alice", "jürg", "caroline"):
            body = {"username": name, "password": PASSWORD, "groups": ["staff"]}
            assert world.admin.post("/admin/rest/users", json=body).status_code == 201
        pages = [listed(world)]
        while pages[-1]:
            pages.append(listed(world, after=pages[-1][-1]))
        assert pages == [["Bob", "alice"], ["carol", "caroline"], ["jürg"], []]
        assert listed(world, q="CAROL") == ["carol", "caroline"]
        assert listed(world, q="carol", after="carol") == ["caroline"]
        assert listed(world, q="ju\u0308r") == ["jürg"]
        assert listed(world, q="%") == []
        first = world.admin.get("/admin/rest/users", params={"q": "alice"}).json()["data"][0]
        assert (first["attributes"]["groups"], len(first["id"])) == (["staff"], 32)
        long = world.admin.get("/admin/rest/users", params={"q": "x" * 65})
        assert (long.status_code, code_of(long)) == (400, "BAD_REQUEST")


def test_no_secret_is_in_the_lists(world: World) -> None:
    """Neither a password's hash nor a badge key, and no seed."""
    world.at_the_qr_code()
    for path in ("users", "locks", "token-locks"):
        text = world.admin.get(f"/admin/rest/{path}").text
        assert "argon2" not in text
        assert "seed" not in text.lower()
        assert "sealed" not in text.lower()


def test_who_and_what_is_locked_comes_first(settings: Settings) -> None:
    """A user with one wrong password, one who is locked with their token, and a name that nobody has."""
    with own_world(settings) as world:
        careless, stranger = world.person(), world.browser()
        world.at_the_qr_code()
        stranger.access("self-service")
        stranger.password(careless.name, "wrong")
        stranger.password("hunter2-typed-as-name", "wrong")
        browser, locked, device = world.at_the_qr_code()
        for _ in range(5):
            browser.otp(off_by_one(device.code(browser.qr())))
        found = world.admin.get("/admin/rest/locks")
        assert "hunter2" not in found.text
        rows = [each["attributes"] for each in found.json()["data"]]
        assert [each["username"] for each in rows] == [locked.name, careless.name]
        assert [each["wrongAttempts"][0]["locked"] for each in rows] == [True, False]
        (token,) = world.admin.get("/admin/rest/token-locks").json()["data"]
        assert token["id"] == device.id
        assert token["attributes"]["serial"] == device.serial
        assert token["attributes"]["users"] == [locked.name]
        (counted,) = token["attributes"]["wrongAttempts"]
        assert (counted["method"], counted["failures"], counted["locked"]) == ("offline_qrcode", 5, True)
        assert counted["lockedUntil"] is not None
        world.admin.post(f"/admin/rest/users/{locked.name}/unlock")
        world.admin.post(f"/admin/rest/users/{locked.name}/qr-tokens/{device.id}/unlock")
        assert [each["id"] for each in world.admin.get("/admin/rest/locks").json()["data"]] == [careless.id]
        assert world.admin.get("/admin/rest/token-locks").json()["data"] == []


@pytest.mark.parametrize("path", ["users", "locks", "token-locks"])
def test_the_lists_are_for_the_administrator_of_users(world: World, path: str) -> None:
    """And for whoever may everything; nobody else is told a name."""
    for role, token in world.server.role_tokens.items():
        headers = {"Authorization": f"Bearer {token}"}
        response = world.admin.get(f"/admin/rest/{path}", headers=headers)
        assert response.status_code == (200 if role == "users" else 403), (role, response.text)
    assert world.admin.get(f"/admin/rest/{path}", headers={"Authorization": "Bearer x"}).status_code == 401
    assert world.browser().client.get(f"/admin/rest/{path}").status_code == 404
