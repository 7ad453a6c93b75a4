"""The administration's pages over HTTP, without script: what is done, what is refused, and to whom."""

import re
from dataclasses import replace

import httpx
import pytest

from server_stub.flows.flow import IDENTIFYING
from server_stub.settings import Settings
from server_stub.web.admin.entrance import COOKIE
from server_stub.web.admin.routes import ADMIN_PAGES
from tests.server_stub.web.administering import administrator
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import PASSWORD, SEED, World, off_by_one, own_world

PAGES = {
    "users": ["/admin/users", "/admin/users/{name}", "/admin/tokens", "/admin/tokens/{device}", "/admin/lockouts"],
    "badges": ["/admin/badges", "/admin/badges/{name}"],
    "policies": ["/admin/policies", "/admin/policies/explain"],
    "audit": ["/admin/audit"],
}
ALL_PAGES = [path for paths in PAGES.values() for path in paths]
FORMS = {
    "/admin/users": "users",
    "/admin/users/{name}/password": "users",
    "/admin/users/{name}/name": "users",
    "/admin/users/{name}/groups": "users",
    "/admin/users/{name}/unlock": "users",
    "/admin/users/{name}/tokens": "users",
    "/admin/users/{name}/letter": "users",
    "/admin/tokens": "users",
    "/admin/tokens/{device}/state": "users",
    "/admin/tokens/{device}/letter": "users",
    "/admin/tokens/{device}/users": "users",
    "/admin/tokens/{device}/users/{name}/remove": "users",
    "/admin/tokens/{device}/users/{name}/unlock": "users",
    "/admin/tokens/{device}/users/{name}/resync": "users",
    "/admin/badges": "badges",
    "/admin/badges/{name}/void": "badges",
    "/admin/badges/{name}/{badge}/void": "badges",
    "/admin/badges/void": "badges",
}


@pytest.fixture(scope="module")
def place(admin_world: World) -> dict[str, str]:
    """A user and a token, for addresses."""
    person = admin_world.person()
    return {"name": person.name, "device": admin_world.device(person).id, "badge": "00" * 16}


def test_no_page_and_no_form_is_left_out_here() -> None:
    """The tests about roles go by the two tables above."""
    everybodys = {"/", "/admin/", "/admin/login", "/admin/logout"}
    for method, table in (("GET", ALL_PAGES), ("POST", [*FORMS])):
        there = {re.sub("{.*?}", "{}", row.path) for row in ADMIN_PAGES if row.method == method}
        assert there - everybodys == {re.sub("{.*?}", "{}", path) for path in table}


def test_a_token_opens_the_administration_and_leaving_closes_it(admin_world: World) -> None:
    """The port's own address leads there; a wrong token is said."""
    visitor = Visitor(admin_world, "internal")
    visitor.open("/")
    assert visitor.path == "/admin/login"
    visitor.send("/admin/login", token="0" * 64)
    assert "no administration token" in visitor.error
    visitor.send("/admin/login", token=f" {admin_world.server.admin_token}\n")
    assert visitor.path == "/admin/"
    assert "everything" in visitor.page.text
    visitor.send("/logout")
    visitor.open("/admin/users")
    assert visitor.path == "/admin/login"


@pytest.mark.parametrize("role", ["users", "badges", "policies", "audit"])
def test_a_role_sees_only_what_is_its_own(admin_world: World, place: dict[str, str], role: str) -> None:
    """Links to nothing else, and other pages and forms are refused, also to who knows their addresses."""
    visitor = administrator(admin_world, role)
    links = [given["href"] for tag, given in visitor.page.elements if tag == "a"]
    for area, paths in PAGES.items():
        for path in paths:
            answered = visitor.open(path.format_map(place))
            assert answered.status_code == (200 if area == role else 403), path
            assert area == role or path not in links
            assert area == role or place["name"] not in visitor.page.text
    visitor.open("/admin/")
    state = next(form.fields["state"] for form in visitor.page.forms)
    before = len(admin_world.audit())
    for path, whose in FORMS.items():
        if whose != role:
            visitor.post(path.format_map(place), {"state": state, "password": "x", "new_name": "x", "to": "suspended"})
            assert "for other things" in visitor.page.text, path
    assert len(admin_world.audit()) == before


@pytest.mark.parametrize("path", ALL_PAGES)
def test_nobody_else_sees_anything(admin_world: World, place: dict[str, str], path: str) -> None:
    """They end at the door; so does who made a cookie up, or has one of another server."""
    for cookie in (None, "AAAA", "x" * 200):
        visitor = Visitor(admin_world, "internal")
        if cookie:
            visitor.client.cookies.set(COOKIE, cookie)
        visitor.open(path.format_map(place))
        assert visitor.path == "/admin/login"
        assert place["name"] not in visitor.page.text


def test_the_pages_are_not_on_the_public_port(admin_world: World) -> None:
    """Where browsers of everybody come."""
    visitor = Visitor(admin_world)
    for path in ("/admin/", "/admin/login", "/admin/users"):
        assert visitor.open(path).status_code == 404


def test_it_closes_by_itself_and_when_the_token_is_replaced(settings: Settings) -> None:
    """A cookie that was copied is worth nothing afterwards."""
    with own_world(settings) as world:
        visitor = administrator(world, "badges")
        world.clock.advance(settings.session_lifetime + 1)
        visitor.open("/admin/badges")
        assert visitor.path == "/admin/login"
        visitor = administrator(world, "badges")
        cookie = visitor.client.cookies[COOKIE]
    (settings.data_dir / "admin-badges.token").unlink()
    with own_world(settings) as world:
        late = Visitor(world, "internal")
        late.client.cookies.set(COOKIE, cookie)
        late.open("/admin/badges")
        assert late.path == "/admin/login"


@pytest.mark.parametrize("path", ["/admin/login", "/admin/", *ALL_PAGES])
def test_every_page_is_kept_from_harm(admin_world: World, place: dict[str, str], path: str) -> None:
    """As strictly as the pages of a login, and nothing is inline."""
    visitor = administrator(admin_world) if path != "/admin/login" else Visitor(admin_world, "internal")
    response = visitor.open(path.format_map(place))
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert "camera=()" in response.headers["permissions-policy"]
    assert response.headers["cache-control"] == "no-store"
    for tag, attributes in visitor.page.elements:
        assert tag != "style"
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert tag != "script" or attributes["src"].startswith("/static/")
    for form in visitor.page.forms:
        assert form.action.startswith("/admin/")


def test_the_cookie_is_for_these_pages_only(admin_world: World) -> None:
    """No script reads it, no other site sends it, and it does not hold the token."""
    visitor = Visitor(admin_world, "internal")
    visitor.open("/admin/login")
    token = admin_world.server.admin_token
    origin = str(visitor.client.base_url).rstrip("/")
    headers = {"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
    answered = visitor.client.post("/admin/login", content=f"token={token}", headers=headers)
    [cookie] = [each for each in answered.headers.get_list("set-cookie") if each.startswith(COOKIE)]
    assert {"HttpOnly", "Path=/admin/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert token not in answered.text + str(answered.headers)


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "null"}, {"Origin": "PUBLIC"}, {"Origin": "SAME", "Sec-Fetch-Site": "same-site"}],
)
def test_a_form_of_another_site_does_nothing(admin_world: World, headers: dict[str, str]) -> None:
    """Nor one of the public port's pages, which browsers count as the same site."""
    visitor = administrator(admin_world)
    visitor.open("/admin/users")
    state = next(
        form.fields["state"]
        for form in visitor.page.forms
        if form.action == "/admin/users" and form.fields.get("state")
    )
    known = {"SAME": admin_world.server.internal_url, "PUBLIC": admin_world.server.public_url}
    sent = {name: known.get(value, value) for name, value in headers.items()}
    sent["Content-Type"] = "application/x-www-form-urlencoded"
    content = f"state={state}&username=intruder&password=x"
    answered = visitor.client.post("/admin/users", content=content, headers=sent)
    assert answered.status_code == 403
    assert admin_world.admin.get("/admin/rest/users/intruder").status_code == 404


@pytest.mark.parametrize("state", ["", "wrong", "ключ"])
def test_a_form_of_an_older_page_does_nothing(admin_world: World, state: str) -> None:
    """The page says so."""
    visitor = administrator(admin_world)
    visitor.post("/admin/users", {"state": state, "username": "latecomer", "password": "x"})
    assert "another window" in visitor.error
    assert admin_world.admin.get("/admin/rest/users/latecomer").status_code == 404


def test_a_form_after_it_was_closed_is_told_at_the_door(admin_world: World) -> None:
    """Nothing was done."""
    visitor = administrator(admin_world)
    visitor.open("/admin/users")
    form = next(form for form in visitor.page.forms if form.fields.get("state") and form.action == "/admin/users")
    visitor.client.cookies.clear()
    visitor.post(form.action, form.fields | {"username": "latecomer", "password": "x"})
    assert visitor.path == "/admin/login"
    assert "nothing was done" in visitor.error


def test_a_user_is_made_found_changed_and_can_log_in(admin_world: World) -> None:
    """Every form of the user's page."""
    visitor = administrator(admin_world, "users")
    visitor.open("/admin/users")
    visitor.send("/admin/users", q="")
    visitor.post(
        "/admin/users",
        visitor.page.forms[-1].fields | {"username": "Žofia", "password": PASSWORD, "groups": "staff, night\nshift"},
    )
    assert "The user is made." in visitor.page.text
    assert "staff, night, shift" in visitor.page.text
    visitor.open("/admin/users?q=ŽOF")
    assert "Žofia" in visitor.page.text
    visitor.open("/admin/users/Žofia")
    visitor.send("/groups", groups="")
    assert "The groups are set." in visitor.page.text
    visitor.send("/password", password="another password")
    assert "The password is set." in visitor.page.text
    visitor.send("/name", new_name="Zofia")
    assert "The user has the new name." in visitor.page.text
    assert visitor.path == "/admin/users/Zofia"
    person = Visitor(admin_world)
    person.log_in("classroom", "Zofia", "another password")
    assert person.path == "/classroom/"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"username": "", "password": "x"}, "Fill in all the fields"),
        ({"username": "a b", "password": "x"}, "letters, digits"),
        ({"username": "<b>", "password": "x"}, "letters, digits"),
        ({"username": "x" * 65, "password": "x"}, "length"),
        ({"username": "KNOWN", "password": "x"}, "already"),
    ],
)
def test_a_user_that_cannot_be_made_is_refused_in_words(
    admin_world: World, place: dict[str, str], fields: dict[str, str], words: str
) -> None:
    """With the sentence of the REST where it says what to mend."""
    visitor = administrator(admin_world, "users")
    visitor.open("/admin/users")
    typed = {name: place["name"] if value == "KNOWN" else value for name, value in fields.items()}
    visitor.post("/admin/users", visitor.page.forms[-1].fields | typed)
    assert words in visitor.error
    assert visitor.path == "/admin/users"


def test_what_is_typed_into_a_search_is_text(admin_world: World) -> None:
    """Whatever it is."""
    visitor = administrator(admin_world)
    for path in ("/admin/users", "/admin/tokens"):
        visitor.open(path + "?q=%3Cimg+src%3Dx%3E%22%27{{7*7}}")
        assert not [tag for tag, _ in visitor.page.elements if tag == "img"]
        assert "There is no such" in visitor.page.text or "There is no user" in visitor.page.text
    visitor.open("/admin/audit?event=%3Cimg%3E&user=%22%3E%3Cimg%3E&outcome=%27")
    assert not [tag for tag, _ in visitor.page.elements if tag == "img"]


CSV = "serial,kind,seed_hex,display_name\r\nPAGE-{n}-1,qr,{seed},Blue\r\nPAGE-{n}-2,hotp,{seed},Grey\r\n"


def imported(world: World, number: int) -> Visitor:
    """Two tokens from a file that was pasted into the page."""
    visitor = administrator(world, "users")
    visitor.open("/admin/tokens")
    visitor.post(
        "/admin/tokens",
        visitor.page.forms[-1].fields | {"kind": "csv", "content": CSV.format(n=number, seed=SEED.hex())},
    )
    return visitor


def test_a_token_is_imported_assigned_suspended_and_taken_away(admin_world: World) -> None:
    """And a user logs in with it meanwhile."""
    person, visitor = admin_world.person(), imported(admin_world, 1)
    assert "Imported tokens: 2." in visitor.page.text
    visitor.open(f"/admin/users/{person.name}")
    visitor.send("/tokens", serial="PAGE-1-1")
    assert "The token is assigned." in visitor.page.text
    visitor.open("/admin/tokens?q=page-1-1")
    [path] = [given["href"] for tag, given in visitor.page.elements if tag == "a" and "/admin/tokens/" in given["href"]]
    visitor.open(path)
    assert person.name in visitor.page.text
    customer = Visitor(admin_world)
    customer.log_in("ebanking", person.name)
    assert "Scan the QR code" in customer.page.text
    visitor.send("/state")
    assert "The token is suspended." in visitor.page.text
    customer = Visitor(admin_world)
    customer.log_in("ebanking", person.name)
    assert "Scan the QR code" not in customer.page.text
    visitor.send("/state")
    assert "The token works again." in visitor.page.text
    visitor.send("/unlock")
    assert "wrong codes are forgiven" in visitor.page.text
    visitor.send("/remove")
    assert "The token is taken away." in visitor.page.text
    assert "nobody's" in visitor.page.text


def test_an_otp_token_is_resynchronised(admin_world: World) -> None:
    """By two codes in a row; two that are none are refused."""
    from server_stub.cloud.hotp import hotp  # noqa: PLC0415 - for this test alone

    person = admin_world.person()
    device = admin_world.device_of(person, "hotp", SEED.hex())
    visitor = administrator(admin_world, "users")
    visitor.open(f"/admin/tokens/{device.id}")
    visitor.send("/resync", first="000000", second="000000")
    assert "not the right code" in visitor.error
    codes = [hotp(SEED, counter, 6, "sha1") for counter in (200, 201)]
    visitor.send("/resync", first=codes[0], second=f"{codes[1][:3]} {codes[1][3:]}")
    assert "where the server believes it to be" in visitor.page.text


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "Fill in"), ("serial,colour\r\n1,2\r\n", "no column"), ("serial,kind,seed_hex\r\nQ,qr,abcd\r\n", "line 2")],
)
def test_a_file_that_is_wrong_is_refused_with_its_line(admin_world: World, content: str, words: str) -> None:
    """Nothing of it is imported, and no seed is told."""
    visitor = administrator(admin_world, "users")
    visitor.open("/admin/tokens")
    visitor.post("/admin/tokens", visitor.page.forms[-1].fields | {"kind": "csv", "content": content})
    assert words in visitor.error
    assert "abcd" not in visitor.page.text


def test_a_long_file_is_taken_and_a_long_form_is_not(admin_world: World) -> None:
    """A maker's file has thousands of tokens; no other form is long."""
    visitor = administrator(admin_world, "users")
    rows = "".join(f"LONG-{number:05},hotp,{SEED.hex()}\r\n" for number in range(1500))
    visitor.open("/admin/tokens")
    visitor.post(
        "/admin/tokens", visitor.page.forms[-1].fields | {"kind": "csv", "content": f"serial,kind,seed_hex\r\n{rows}"}
    )
    assert "Imported tokens: 1500." in visitor.page.text
    assert "And 14" in visitor.page.text
    visitor.open("/admin/users")
    visitor.post("/admin/users", visitor.page.forms[-1].fields | {"username": "x" * 70_000, "password": "x"})
    assert "too much at once" in visitor.page.text


def test_lockouts_are_listed_and_forgiven(admin_world: World) -> None:
    """Who is locked comes with the end of it."""
    person, customer = admin_world.person(), Visitor(admin_world)
    for _ in range(5):
        customer.log_in("classroom", person.name, "wrong")
    visitor = administrator(admin_world, "users")
    visitor.open("/admin/lockouts")
    assert person.name in visitor.page.text
    assert "locked until" in visitor.page.text
    visitor.send(f"/{person.name}/unlock")
    assert "forgiven" in visitor.page.text
    assert visitor.path == "/admin/lockouts"
    assert person.name not in visitor.page.text
    customer.log_in("classroom", person.name)
    assert customer.path == "/classroom/"


def test_tokens_with_wrong_codes_are_listed_and_forgiven(admin_world: World) -> None:
    """Beside their users, as they are counted apart."""
    browser, person, device = admin_world.at_the_qr_code()
    for _ in range(5):
        browser.otp(off_by_one(device.code(browser.qr())))
    visitor = administrator(admin_world, "users")
    visitor.open("/admin/lockouts")
    assert device.serial in visitor.page.text
    visitor.send(f"/tokens/{device.id}/users/{person.name}/unlock")
    assert "The token's wrong codes are forgiven." in visitor.page.text
    assert visitor.path == "/admin/lockouts"
    assert device.serial not in visitor.page.text
    assert person.name in visitor.page.text
    visitor.send(f"/{person.name}/unlock")
    assert person.name not in visitor.page.text


def test_lockouts_of_users_are_there_without_the_cloud(settings: Settings) -> None:
    """And the page says what is missing."""
    with own_world(replace(settings, cloud_url="http://127.0.0.1:9")) as world:
        person, customer = world.person(), Visitor(world)
        customer.log_in("classroom", person.name, "wrong")
        visitor = administrator(world, "users")
        assert visitor.open("/admin/lockouts").status_code == 200
        assert person.name in visitor.page.text
        assert "The service that checks codes does not answer" in visitor.page.text


def test_many_users_are_shown_page_by_page(admin_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, in the order of their names; the search goes on with them."""
    monkeypatch.setattr("server_stub.web.admin.users.MOST", 2)
    names = [f"paged+{each}@ü" for each in "abcde"]
    for name in names:
        body = {"username": name, "password": PASSWORD, "groups": ["a&b"]}
        assert admin_world.admin.post("/admin/rest/users", json=body).status_code == 201
    visitor = administrator(admin_world, "users")
    visitor.open("/admin/users?q=PAGED")
    seen = []
    for _ in range(3):
        seen += [name for name in names if name in visitor.page.text]
        links = [given["href"] for tag, given in visitor.page.elements if tag == "a"]
        further = [each for each in links if each.startswith("/admin/users?q=PAGED&after=")]
        if further:
            visitor.open(further[0])
    assert seen == names
    assert not further
    assert "a&b" in visitor.page.text


def test_the_policies_are_listed_and_explain_themselves(admin_world: World) -> None:
    """For this user, from this network, at this time: this flow, because."""
    person, visitor = admin_world.person(), administrator(admin_world, "policies")
    visitor.open("/admin/policies")
    assert "payments need a token" in visitor.page.text
    question = f"application=ebanking&username={person.name}&first=PASSWORD&address=10.0.0.1&when=2026-01-05T09:00"
    visitor.open(f"/admin/policies/explain?{question}&headers=X-Desk:+7")
    text = visitor.page.text
    assert f"For {person.name}, to E-Banking, from 10.0.0.1, 2026-01-05 09:00" in text
    assert "This flow: password-then-offline-qr" in text
    assert "payments need a token: applies" in text
    visitor.open("/admin/policies/explain?application=ebanking")
    assert "It may begin with: password" in visitor.page.text
    visitor.open(f"/admin/policies/explain?application=ebanking&username={person.name}&first=FIDO")
    assert "Access is denied." in visitor.page.text
    choices = [attributes["value"] for tag, attributes in visitor.page.elements if tag == "option"]
    assert set(choices) >= IDENTIFYING, "a login may begin with any of these, so each can be asked about"


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("application=nowhere", 404),
        ("application=ebanking&username=nobody", 404),
        ("application=ebanking&when=yesterday", 400),
        ("application=ebanking&first=MAGIC", 400),
        ("application=ebanking&headers=no+colon", 400),
    ],
)
def test_a_question_that_is_none_is_refused(admin_world: World, question: str, status: int) -> None:
    """On a page that says what to do next."""
    visitor = administrator(admin_world, "policies")
    assert visitor.open(f"/admin/policies/explain?{question}").status_code == status
    assert ("a", {"href": "/admin/"}) in visitor.page.elements


def test_the_audit_log_is_filtered_and_its_chain_checked(admin_world: World) -> None:
    """Whoever has all roles reads and types names; the audit's own role has permanent ids."""
    person = admin_world.person()
    Visitor(admin_world).log_in("classroom", person.name, "wrong")
    everything, auditor = administrator(admin_world), administrator(admin_world, "audit")
    everything.open(f"/admin/audit?user={person.name}&event=password")
    assert person.name in everything.page.text
    auditor.open(f"/admin/audit?user={person.id}")
    assert person.id in auditor.page.text
    assert person.name not in auditor.page.text
    assert len(re.findall("admin.user.add", auditor.page.text)) == 1
    auditor.open("/admin/audit?check=1")
    assert f"The chain is whole: {len(admin_world.audit())} rows." in auditor.page.text
    auditor.open("/admin/audit?event=nothing.of.the.kind")
    assert "No row fits." in auditor.page.text
    assert auditor.open("/admin/audit?after=x").status_code == 400


def test_every_row_of_the_audit_log_is_reached(admin_world: World) -> None:
    """Once, by following the link to later rows."""
    for _ in range(60):
        admin_world.person()
    visitor = administrator(admin_world, "audit")
    visitor.open("/admin/audit?after=0&event=admin")
    seen: list[int] = []
    for _ in range(100):
        seen += [int(each) for each in re.findall(r"(\d+) · \d{4}-", visitor.page.text)]
        later = [
            given["href"]
            for tag, given in visitor.page.elements
            if tag == "a" and re.match("/admin/audit.*event=admin", given.get("href", ""))
        ]
        if not later:
            break
        visitor.open(later[0])
    expected = [row["sequence"] for row in admin_world.audit() if "admin" in row["event"]]
    assert seen == expected


def test_a_broken_chain_is_said(settings: Settings) -> None:
    """With the row."""
    import sqlite3  # noqa: PLC0415 - for this test alone

    with own_world(settings) as world:
        world.person()
        with sqlite3.connect(settings.data_dir / "iam.sqlite3") as database:
            database.execute("DROP TRIGGER audit_no_update")
            database.execute("UPDATE audit SET outcome = 'forged' WHERE sequence = 1")
        database.close()
        visitor = administrator(world, "audit")
        visitor.open("/admin/audit?check=1")
        assert "row 1 was changed" in visitor.page.text


def test_the_pages_speak_german(admin_world: World, place: dict[str, str]) -> None:
    """All of them."""
    visitor = administrator(admin_world, **{"Accept-Language": "de-CH"})
    for path in ALL_PAGES:
        response: httpx.Response = visitor.open(path.format_map(place))
        assert response.headers["content-language"] == "de"
        assert "Sie verwalten" in visitor.page.text
