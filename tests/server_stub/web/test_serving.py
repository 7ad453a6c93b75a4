"""What all pages have in common on the wire: headers, whose forms are taken, languages, files."""

import base64
import json
import re
from urllib.parse import urlsplit

import httpx
import pytest

from server_stub.settings import Settings
from server_stub.web import assets
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import NO_TLS, World, own_world

KIBIBYTE = 1024
FORM = "application/x-www-form-urlencoded"
PAGES = ["/", "/login/ebanking", "/login/lounge", "/login/kiosk", "/login/classroom/badge", "/shop/", "/nowhere"]


def policy_of(response: httpx.Response) -> dict[str, str]:
    """The content security policy, by directive."""
    rows = response.headers["content-security-policy"].split("; ")
    return {name: rest for name, _, rest in (row.partition(" ") for row in rows)}


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_kept_from_harm(world: World, path: str) -> None:
    """No other site frames it, nothing on it is from elsewhere, and nothing that is inline runs."""
    response = Visitor(world).open(path)
    policy = policy_of(response)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"].split()[0] == "'self'"
    assert "unsafe-inline" not in response.headers["content-security-policy"]
    assert policy["style-src"] == policy["form-action"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"
    assert "server" not in response.headers


def test_only_the_badge_page_has_the_camera_and_webassembly(world: World) -> None:
    """The others could not use them if they were made to."""
    for path in PAGES:
        response = Visitor(world).open(path)
        camera = path.endswith("/badge")
        assert ("'wasm-unsafe-eval'" in policy_of(response)["script-src"]) is camera, path
        assert ("camera=(self)" in response.headers["permissions-policy"]) is camera, path


@pytest.mark.parametrize("path", PAGES)
def test_pages_have_no_inline_script_or_style(world: World, path: str) -> None:
    """Nor handlers in attributes; every file is from here."""
    visitor = Visitor(world)
    visitor.open(path)
    for tag, attributes in visitor.page.elements:
        assert tag != "style"
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        if tag in {"script", "link", "img"}:
            source = attributes.get("src") or attributes["href"]
            assert source.startswith(("/static/", "data:image/png;base64,"))
            assert tag != "script" or attributes["type"] == "module"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "SAME", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "SAME", "Sec-Fetch-Site": "same-site"},
        {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_form_of_another_site_does_nothing(world: World, headers: dict[str, str]) -> None:
    """Not even when it would be right: no session is made for it."""
    person, visitor = world.person(), Visitor(world)
    same = world.server.public_url
    sent = {name: same if value == "SAME" else value for name, value in headers.items()}
    fields = {"username": person.name, "password": "whatever"}
    response = visitor.client.post("/login/classroom/password", data=fields, headers=sent)
    assert response.status_code == 403
    assert "did not come from a page of this server" in response.text
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "name", ["x%0d%0aSet-Cookie:%20a=b", "%2f%2felsewhere.example", "a%00b", "%E2%80%AE", "%5celsewhere"]
)
def test_a_path_cannot_write_a_header_or_lead_away(world: World, name: str) -> None:
    """What stands in an address is only ever a part of an address here."""
    client = Visitor(world).client
    for response in (
        client.get(f"/login/{name}/password"),
        client.post(
            f"/login/{name}/restart", content="", headers={"Origin": world.server.public_url, "Content-Type": FORM}
        ),
    ):
        assert response.status_code in {303, 404}
        assert "set-cookie" not in response.headers or "a=b" not in response.headers["set-cookie"]
        assert response.headers.get("location", "/login/").startswith("/login/")


def test_behind_https_a_form_over_http_is_from_elsewhere(settings: Settings) -> None:
    """Who sits on the wire could have written the page that it is from."""
    with own_world(settings, behind_https=True) as world:
        visitor = Visitor(world)
        host = urlsplit(world.server.public_url).netloc
        for scheme, status in (("http", 403), ("https", 303)):
            headers = {"Origin": f"{scheme}://{host}", "Content-Type": FORM}
            response = visitor.client.post(
                "/login/classroom/password", content="username=a&password=b", headers=headers
            )
            assert response.status_code == status
        assert "__Host-authrig_session" in "".join(response.headers.get_list("set-cookie"))
        assert all("; Secure" in each for each in response.headers.get_list("set-cookie"))


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"username=a&username=b&password=c", "application/x-www-form-urlencoded", 400),
        (b"username=%ff&password=c", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % number for number in range(40)), "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"username=" + b"a" * 70_000, "application/x-www-form-urlencoded", 413),
    ],
)
def test_what_is_no_form_is_refused_on_a_page(world: World, content: bytes, kind: str, status: int) -> None:
    """In words, with a way on."""
    visitor = Visitor(world)
    headers = {"Origin": world.server.public_url, "Content-Type": kind}
    response = visitor.client.post("/login/classroom/password", content=content, headers=headers)
    assert response.status_code == status
    assert 'role="alert"' in response.text


@pytest.mark.parametrize("typed", [{}, {"username": "a"}, {"password": "b"}, {"username": "a" * 65, "password": "x"}])
def test_a_form_that_is_not_filled_in_is_told_on_its_page(world: World, typed: dict[str, str]) -> None:
    """And costs no attempt."""
    visitor = Visitor(world)
    visitor.post("/login/classroom/password", typed)
    assert visitor.path == "/login/classroom"
    assert visitor.error in {
        "Fill in all the fields, please.",
        "What was sent cannot be understood. Check what you typed.",
    }


@pytest.mark.parametrize(
    "told",
    [
        {"code": "until"},
        {"code": "OTP_WRONG", "until": 1e300},
        {"code": "OTP_WRONG", "until": -1e15},
        {"code": "OTP_WRONG", "until": "soon"},
        {"code": "A" * 65},
        [],
    ],
)
def test_a_cookie_that_tells_nonsense_is_none(world: World, told: object) -> None:
    """Whatever else runs on this host can set cookies; the page comes, and says nothing of it."""
    client = Visitor(world).client
    plain = client.get("/login/ebanking")
    client.cookies.set("authrig_told", base64.urlsafe_b64encode(json.dumps(told).encode()).decode())
    response = client.get("/login/ebanking")
    assert (response.status_code, response.text) == (200, plain.text)


def test_a_language_is_chosen_once(world: World) -> None:
    """The switch is kept by a cookie and is stronger than what the browser asks for."""
    visitor = Visitor(world, **{"Accept-Language": "de-CH,de;q=0.9"})
    response = visitor.open("/login/ebanking")
    assert response.headers["content-language"] == "de"
    assert ("html", {"lang": "de"}) in visitor.page.elements
    assert "Benutzername" in visitor.page.text
    assert visitor.open("/login/ebanking?lang=en").headers["content-language"] == "en"
    assert visitor.open("/login/ebanking").headers["content-language"] == "en"
    assert visitor.open("/login/ebanking?lang=tlh").headers["content-language"] == "en"


def test_a_refused_form_leads_back_to_its_page(world: World) -> None:
    """So that it can be loaded again, left and come back to, and shown in the other language."""
    visitor = Visitor(world)
    visitor.log_in("ebanking", "nobody", "wrong")
    assert visitor.path == "/login/ebanking"
    assert visitor.error
    visitor.open("/login/ebanking/password?lang=de")
    assert visitor.path == "/login/ebanking"
    assert "Benutzername" in visitor.page.text


def test_the_login_page_is_light(world: World) -> None:
    """Under 60 KiB with all that it loads, not compressed."""
    visitor = Visitor(world)
    response = visitor.open("/login/lounge")
    addresses = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', response.text))
    scripts = {name for name in addresses if name.endswith(".js")}
    loaded = addresses | {re.sub(r"[^/]+$", "rest.js", name) for name in scripts}
    total = len(response.content) + sum(len(visitor.client.get(name).content) for name in loaded)
    assert len(loaded) >= 4
    assert total < 60 * KIBIBYTE


def test_files_are_kept_by_browsers_and_are_what_they_say(world: World) -> None:
    """Their address changes with their content, so they are kept for good."""
    client = Visitor(world).client
    for name, kind in [
        ("pages.css", "text/css"),
        ("key.js", "text/javascript"),
        ("vendor/zxing-wasm/zxing_reader.wasm", "application/wasm"),
    ]:
        response = client.get(assets.address(name))
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(kind)
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "name", ["../serving.py", "..%2fserving.py", "vendor/jsqr/LICENSE", "none.js", "/etc/passwd", "%00", ""]
)
def test_nothing_else_is_served_as_a_file(world: World, name: str) -> None:
    """Only what stands in the list."""
    for digest in (assets.digest(), "0" * 16):
        url = f"{world.server.public_url}/static/{digest}/{name}"
        assert httpx.get(url, verify=NO_TLS).status_code == 404


def test_programs_still_get_json_for_a_path_that_there_is_not(world: World) -> None:
    """Only who asks for a page gets one, and below /auth/ nobody does."""
    url = world.server.public_url
    assert httpx.get(f"{url}/none", verify=NO_TLS).headers["content-type"] == "application/json"
    page = {"Accept": "text/html"}
    assert httpx.get(f"{url}/auth/none", headers=page, verify=NO_TLS).headers["content-type"] == "application/json"
    assert httpx.get(f"{url}/none", headers=page, verify=NO_TLS).headers["content-type"].startswith("text/html")
    assert httpx.put(f"{url}/", headers=page, verify=NO_TLS).status_code == 405
