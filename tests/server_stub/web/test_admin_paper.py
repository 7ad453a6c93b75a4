"""Badges and letters that the administration prints: on paper, before a camera, and in use."""

import base64
import json
import re

import httpx
import pytest

from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom
from server_stub.cloud.enrollments import URI
from tests.server_stub.printing.paper import card_of, draw_codes_of_svg, rasterize, read_all, words_of
from tests.server_stub.web.administering import administrator
from tests.server_stub.web.browsing import Form, Visitor
from tests.server_stub.world import NO_TLS, PASSWORD, SEED, World, next_of


def print_form(visitor: Visitor) -> Form:
    """The form that prints badges."""
    visitor.open("/admin/badges")
    return next(form for form in visitor.page.forms if form.action == "/admin/badges" and form.fields.get("state"))


def printed(world: World, *names: str, **typed: str) -> httpx.Response:
    """What comes when badges are printed for those users."""
    visitor = administrator(world, "badges")
    form = print_form(visitor)
    return visitor.post(form.action, form.fields | {"usernames": "\r\n".join(names), "format": "pdf"} | typed)


def photograph(picture: Image) -> bytes:
    """What a camera reads that is held over it."""
    camera = SyntheticCamera(SeededRandom(8), "desk", (1280, 720))
    for _ in range(5):
        found = read_all(camera.photograph(picture))
        if found:
            return found[0]
    pytest.fail("the camera read no code in five pictures")


@pytest.mark.parametrize(("kind", "after"), [("secure", None), ("insecure", "PASSWORD_REQUIRED")])
def test_a_badge_is_printed_photographed_and_logs_in(admin_world: World, kind: str, after: str | None) -> None:
    """From the form to paper, from paper through a lens, from there to the REST."""
    person = admin_world.person()
    response = printed(admin_world, person.name, kind=kind)
    assert response.headers["content-type"] == "application/pdf"
    assert response.headers["content-disposition"] == 'attachment; filename="badges.pdf"'
    assert response.headers["cache-control"] == "no-store"
    [page] = rasterize(response.content)
    badge = photograph(card_of(page, 0))
    browser = admin_world.browser()
    browser.access("classroom")
    answered = browser.post("/badge/check/", {"badge": base64.b64encode(badge).decode()})
    assert answered.status_code == 200, answered.text
    assert next_of(answered) == after
    if after:
        assert browser.post("/password/check/", {"password": PASSWORD}).status_code == 200
    assert browser.session().json()["data"]["attributes"]["username"] == person.name


def test_a_sheet_has_a_card_for_each_in_order(admin_world: World) -> None:
    """Said twice is printed once; each card has a badge of its own, with its end."""
    people = [admin_world.person() for _ in range(12)]
    names = [each.name for each in people]
    response = printed(admin_world, *names, names[0], kind="secure", days="30")
    first, second = rasterize(response.content)
    cards = [card_of(first, number) for number in range(10)] + [card_of(second, number) for number in range(2)]
    assert len({content for card in cards for content in read_all(card)}) == 12
    text = words_of(response.content)
    assert re.findall(r"user\d+", text) == names
    assert text.count("Good until") == 12
    for person in people:
        assert len(admin_world.admin.get(f"/admin/rest/users/{person.name}/badges").json()["data"]) == 1


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"usernames": ""}, "Fill in"),
        ({"usernames": "KNOWN\r\nnobody-at-all"}, "no user of that name"),
        ({"kind": "golden"}, "cannot be understood"),
        ({"days": "soon"}, "whole number"),
        ({"days": "0"}, "cannot be understood"),
        ({"format": "docx"}, "pdf or svg"),
        ({"format": "svg", "usernames": "\n".join(f"u{number}" for number in range(11))}, "one sheet"),
        ({"usernames": "\n".join(f"u{number}" for number in range(101))}, "up to 100"),
    ],
)
def test_what_cannot_be_printed_makes_no_badge(admin_world: World, typed: dict[str, str], words: str) -> None:
    """The code of a badge is told once: whoever could not be given the paper has none."""
    person = admin_world.person()
    known = {name: value.replace("KNOWN", person.name) for name, value in typed.items()}
    visitor = administrator(admin_world, "badges")
    form = print_form(visitor)
    filled = {"usernames": person.name, "kind": "secure", "format": "pdf"} | known
    visitor.post(form.action, form.fields | filled)
    assert words in visitor.error
    assert admin_world.admin.get(f"/admin/rest/users/{person.name}/badges").json()["data"] == []


def test_a_name_that_pdf_lacks_is_refused_before_and_printed_as_svg(admin_world: World) -> None:
    """In any alphabet; SVG's codes log in as well."""
    admin_world.admin.post("/admin/rest/users", json={"username": "محمد", "password": PASSWORD})
    visitor = administrator(admin_world, "badges")
    form = print_form(visitor)
    filled = form.fields | {"usernames": "محمد", "kind": "secure"}
    visitor.post(form.action, filled | {"format": "pdf"})
    assert "SVG" in visitor.error
    assert admin_world.admin.get("/admin/rest/users/محمد/badges").json()["data"] == []
    response = visitor.post(form.action, filled | {"format": "svg"})
    assert response.headers["content-type"] == "image/svg+xml"
    assert "محمد" in response.text
    [badge] = read_all(draw_codes_of_svg(response.text))
    browser = admin_world.browser()
    browser.access("classroom")
    assert browser.post("/badge/check/", {"badge": base64.b64encode(badge).decode()}).status_code == 200


def test_a_lost_badge_is_voided_then_all_then_everybodys(admin_world: World) -> None:
    """Listed with what became of each."""
    person = admin_world.person()
    for _ in range(3):
        assert printed(admin_world, person.name, kind="insecure").status_code == 200
    visitor = administrator(admin_world, "badges")
    visitor.open(f"/admin/badges?username={person.name}")
    good = [form for form in visitor.page.forms if re.search(r"/[0-9a-f]{32}/void$", form.action)]
    assert len(good) == 3
    visitor.post(good[0].action, good[0].fields)
    assert "The badge is void." in visitor.page.text
    assert visitor.page.text.count("Void since") == 1
    visitor.send(f"/admin/badges/{person.name}/void")
    assert visitor.page.text.count("Void since") == 3
    printed(admin_world, person.name, kind="insecure")
    visitor.open("/admin/badges")
    visitor.send("/admin/badges/void")
    assert "Fill in" in visitor.error
    visitor.send("/admin/badges/void", sure="everybody")
    assert "The badges are void." in visitor.page.text
    issued = admin_world.admin.get(f"/admin/rest/users/{person.name}/badges").json()["data"]
    assert all(each["attributes"]["voidedAt"] for each in issued)


@pytest.mark.parametrize(
    ("language", "words", "scanned"), [("en", "Activate your app", True), ("de", "Aktivieren Sie Ihre App", False)]
)
def test_a_letter_enrols_an_app(admin_world: World, language: str, words: str, *, scanned: bool) -> None:
    """By the code on it that is scanned, and as well by the digits that are typed."""
    person = admin_world.person()
    visitor = administrator(admin_world, "users")
    visitor.open(f"/admin/users/{person.name}")
    response = visitor.send("/letter", language=language, days="3", format="pdf")
    assert response.headers["content-disposition"] == 'attachment; filename="letter.pdf"'
    text = words_of(response.content)
    assert words in text
    assert person.name in text
    digits = re.search(r"\d{4} \d{4} \d{4} \d{4}", text)
    assert digits
    [page] = rasterize(response.content)
    [content] = read_all(page)
    code = content.decode().removeprefix(URI) if scanned else digits[0].replace(" ", "")
    body = {"activation_code": code, "serial": f"APP-{person.name}", "display_name": "phone"}
    with httpx.Client(base_url=admin_world.server.cloud_url, verify=NO_TLS) as app:
        enrolled = app.post(
            "/srv/app/v1/enroll", content=json.dumps(body), headers={"Content-Type": "application/json"}
        )
    assert enrolled.status_code in {200, 201}, enrolled.text
    owned = admin_world.admin.get(f"/admin/rest/users/{person.name}").json()["data"]["attributes"]["qrTokens"]
    assert [each["displayName"] for each in owned] == ["phone"]


def test_a_letter_for_nobody_or_that_cannot_be_printed_enrols_nothing(admin_world: World) -> None:
    """No code is made for it."""
    admin_world.admin.post("/admin/rest/users", json={"username": "山田", "password": PASSWORD})
    visitor = administrator(admin_world, "users")
    visitor.open("/admin/users/山田")
    before = len([row for row in admin_world.audit() if row["event"] == "admin.app.enroll"])
    visitor.send("/letter", format="pdf")
    assert "SVG" in visitor.error
    visitor.send("/letter", format="pdf", days="many")
    assert visitor.error
    assert len([row for row in admin_world.audit() if row["event"] == "admin.app.enroll"]) == before


@pytest.mark.parametrize(("language", "words"), [("en", "Activate your token"), ("de", "Aktivieren Sie Ihr Token")])
def test_a_letter_for_a_token_says_how_to_activate_it(admin_world: World, language: str, words: str) -> None:
    """With its serial number and the address, and without its seed."""
    person, serial = admin_world.person(), f"LETTER-{language}"
    content = base64.b64encode(f"serial,kind,seed_hex\n{serial},hotp,{SEED.hex()}\n".encode()).decode()
    made = admin_world.admin.post("/admin/rest/tokens/import", json={"format": "csv", "content": content}).json()
    visitor = administrator(admin_world, "users")
    visitor.open(f"/admin/tokens/{made['data'][0]['id']}")
    visitor.send("/letter", username="nobody-at-all", language=language, format="pdf")
    assert "no user of that name" in visitor.error
    text = words_of(visitor.send("/letter", username=person.name, language=language, format="pdf").content)
    for each in (words, person.name, serial, f"{admin_world.server.origin}/self-service/"):
        assert each in text
    assert SEED.hex() not in text.replace(" ", "")
