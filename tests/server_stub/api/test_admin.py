import httpx
import pytest

from tests.server_stub.world import PASSWORD, SEED, World, code_of


@pytest.mark.parametrize("token", ["", "Bearer wrong", "Basic x", "Bearer \u00e9"])
def test_without_the_admin_token_nothing_is_told_or_done(world: World, token: str) -> None:
    """Not even whether a user exists."""
    headers = {b"Authorization": token.encode()}
    for method, path in (("GET", "/admin/rest/audit"), ("GET", f"/admin/rest/users/{world.person().name}")):
        response = httpx.request(method, world.server.internal_url + path, headers=headers)
        assert (response.status_code, code_of(response)) == (401, "NOT_AUTHORIZED")


@pytest.mark.parametrize("right_first", [True, False])
def test_two_tokens_are_none(world: World, *, right_first: bool) -> None:
    """A proxy may have looked at the other one."""
    tokens = [f"Bearer {world.server.admin_token}", "Bearer wrong"]
    headers = [("Authorization", token) for token in (tokens if right_first else tokens[::-1])]
    response = httpx.get(f"{world.server.internal_url}/admin/rest/audit", headers=headers)
    assert (response.status_code, code_of(response)) == (401, "NOT_AUTHORIZED")


def test_the_administration_is_not_on_the_public_port(world: World) -> None:
    """Nor is the approval of transactions."""
    headers = {"Authorization": f"Bearer {world.server.admin_token}", "X-Same-Domain": "1"}
    for path in ("/admin/rest/users", "/transaction-approval/rest/transaction-approval/flows/payment/select"):
        assert httpx.post(world.server.public_url + path, headers=headers).status_code == 404


def test_a_user_is_described_with_all_they_have(world: World) -> None:
    """Tokens come from the cloud, badges without their content."""
    person = world.person()
    device = world.device(person)
    made = world.admin.post(f"/admin/rest/users/{person.name}/badges", json={"kind": "secure"}).json()["data"]
    user = world.admin.get(f"/admin/rest/users/{person.name}").json()["data"]
    assert user["id"] == person.id
    assert [each["id"] for each in user["attributes"]["qrTokens"]] == [device.id]
    assert user["attributes"]["badges"] == [{"id": made["id"], "kind": "secure", "displayName": ""}]
    assert made["attributes"]["content"] not in str(user)


@pytest.mark.parametrize("username", ["", " ", "a b", "a\n", "a\u202eb", "x" * 65, "\u00fc" * 33, ".", ".."])
def test_a_name_that_no_token_could_show_is_refused(world: World, username: str) -> None:
    """Spaces, line breaks, hidden characters, more than 64 bytes."""
    response = world.admin.post("/admin/rest/users", json={"username": username, "password": PASSWORD})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


def test_a_name_is_given_once_also_in_another_composition(world: World) -> None:
    """Names are stored in one normal form."""
    assert world.admin.post("/admin/rest/users", json={"username": "j\u00fcrg", "password": "x"}).status_code == 201
    again = world.admin.post("/admin/rest/users", json={"username": "ju\u0308rg", "password": "x"})
    assert (again.status_code, code_of(again)) == (409, "USER_EXISTS")


def test_a_token_is_imported_once(world: World) -> None:
    """The second import changes nothing."""
    person, other = world.person(), world.person()
    device = world.device(person)
    body = {"serial": device.serial, "seedHex": SEED.hex(), "displayName": "again"}
    response = world.admin.post(f"/admin/rest/users/{other.name}/qr-tokens", json=body)
    assert (response.status_code, code_of(response)) == (409, "TOKEN_EXISTS")
    assert world.admin.get(f"/admin/rest/users/{other.name}").json()["data"]["attributes"]["qrTokens"] == []


def test_an_unknown_user_cannot_be_administered(world: World) -> None:
    """404 for each call."""
    base = "/admin/rest/users/nobody-at-all"
    token = {"serial": "QT1-NOBODY", "seedHex": SEED.hex(), "displayName": "x"}
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "/password", {"password": "x"}),
        ("POST", "/qr-tokens", token),
        ("POST", "/badges", {"kind": "secure"}),
    ):
        response = world.admin.request(method, base + path, json=body)
        assert (response.status_code, code_of(response)) == (404, "USER_NOT_FOUND")


@pytest.mark.parametrize("after", ["x", "-1", "1e3", "9" * 30, "\u0661"])
def test_the_audit_log_pages_by_sequence_number_only(world: World, after: str) -> None:
    """Anything else is a bad request."""
    response = world.admin.get("/admin/rest/audit", params={"after": after})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


def test_a_name_that_nobody_has_is_not_kept_in_the_audit_log(world: World) -> None:
    """People type their password there."""
    browser = world.browser()
    browser.access("self-service")
    browser.password("hunter2-typed-as-name", "x")
    rows = world.audit()
    assert any(row["event"] == "password" and row["user"] is None for row in rows)
    assert "hunter2" not in str(rows)


def test_a_new_password_ends_the_sessions_of_the_old_one(world: World) -> None:
    """Whoever got in with it is out."""
    person, browser = world.person(), world.browser()
    browser.access("self-service")
    browser.password(person.name)
    assert browser.session().status_code == 200
    world.admin.put(f"/admin/rest/users/{person.name}/password", json={"password": "new"})
    assert browser.session().status_code == 401
