"""How every page looks: in both languages and both themes, on a small phone, judged by axe-core; pictures of all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from server_stub.settings import OidcProvider, Settings
from server_stub.web import rendering, serving
from server_stub.web.visit import Page, Visit
from tests.server_stub.oidc_providers import lying_provider
from tests.server_stub.web.chromium import LOCALES, NARROW, Desk, Gallery, Language, plug_in
from tests.server_stub.web.tickets import sign_ticket, trusting
from tests.server_stub.world import CHEAP, SEED, World, own_world

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from authrig.rig import Person, Rig

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("chromium")]
NUMBERS = itertools.count()
PARTS = {"base.html", "parts.html", "shop_invoice.html", "admin/base.html", "admin/parts.html"}
"""Templates that are no pages."""
ELSEWHERE = {"provider.html", "provider_back.html", "ticket.html"}
"""Pages of a server that has been told of other systems."""
POLICIES = """
[applications.desk]
title = "Desk"
target = "/desk/"

[flows.any]
ways = [["OIDC"], ["SSO_TICKET"], ["PASSWORD"]]

[[policies]]
name = "whoever another system knows"
priority = 1
applications = ["desk"]
flow = "any"
"""
both_languages = pytest.mark.parametrize("language", ["en", "de"])


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The templates that the server, which is in this process, has made pages of."""
    seen: set[str] = set()

    def render(visit: Visit, page: Page) -> str:
        seen.add(page.template)
        return rendering.render(visit, page)

    monkeypatch.setattr(serving, "render", render)
    return seen


def templates(folder: str) -> set[str]:
    """All that stand in a folder."""
    return {path.relative_to(rendering.FOLDER).as_posix() for path in rendering.FOLDER.glob(folder)} - PARTS


@pytest.fixture
def open_gallery(browser: Browser, pytestconfig: pytest.Config) -> Iterator[Callable[[str, str, Language], Gallery]]:
    """Someone with a small phone, whose pictures are kept in out/pages."""
    with ExitStack() as stack:

        def open_gallery(title: str, origin: str, language: Language) -> Gallery:
            context = stack.enter_context(browser.new_context(locale=LOCALES[language], viewport=NARROW))
            folder = pytestconfig.rootpath / "out/pages"
            return Gallery(Desk(origin, context.new_page()), folder, language, title)

        yield open_gallery


Open = Callable[[str, str, Language], Gallery]


@both_languages
def test_the_pages_of_a_login_and_what_comes_after(
    open_gallery: Open, rig: Rig, rendered: set[str], language: Language
) -> None:
    """axe-core finds nothing serious, nothing is wider than 360 pixels, and no page is left out."""
    person, with_app, with_otp = (rig.enrol(f"looks-{next(NUMBERS)}") for _ in range(3))
    for number in range(2):
        rig.give_qr_token(person, f"QT1-7100000{number}{language[0].upper()}")
    rig.administrator.assign_token(with_app.username, "app", f"APP-{with_app.username}", bytes(range(32)))
    rig.administrator.assign_token(with_otp.username, "hotp", f"OTP-{with_otp.username}", bytes(range(20)))
    gallery = open_gallery("public", rig.origin, language)
    desk, look = gallery.desk, gallery.look
    plug_in(desk, rig.new_key(f"a key seen in {language}"))
    for path in ("/", "/login/ebanking", "/login/lounge", "/login/kiosk", "/shop/", "/nowhere"):
        desk.open(path)
        look("open" + path.rstrip("/").replace("/", "-"))
    look_at_badges(gallery, rig, person)
    desk.log_in("vpn", person)
    look("key", "[data-start]")
    desk.page.click("[data-start]")
    look("key-refused", "[data-alert]:visible")
    desk.log_in("portal", with_app)
    look("push", "form[action$='/push']")
    desk.page.click("form[action$='/push'] button")
    look("push-waiting", ".notice[role=status]:not([hidden])")
    desk.page.click(".who button")
    desk.page.wait_for_selector("#password")
    desk.log_in("portal", with_otp)
    look("one-time-password", "#otp")
    desk.log_in("ebanking", person)
    look("devices", "fieldset")
    desk.page.click("main form:has(fieldset) button")
    look("offline-qr", "img.qr")
    desk.page.fill("#otp", "0")
    desk.page.keyboard.press("Enter")
    look("offline-qr-wrong", "#error")
    desk.page.click(".who button")
    desk.page.wait_for_selector("#password")
    desk.log_in("ebanking", replace(person, password="wrong"))
    look("wrong-password", "#error")
    look_at_own_pages(gallery, person)
    look_at_the_shop(gallery)
    desk.open("/")
    look("home", ".who")
    desk.page.click(".who button")
    look("logged-out", ".notice.good")
    desk.log_in("classroom", with_app)
    desk.open("/shop/")
    desk.page.click(".things button >> nth=0")
    look("shop-push", "form[action$='/push']")
    gallery.write_contact_sheets()
    assert rendered >= templates("*.html") - ELSEWHERE


def look_at_badges(gallery: Gallery, rig: Rig, person: Person) -> None:
    """With a camera, without one, and what follows a badge."""
    desk = gallery.desk
    desk.open("/login/classroom/badge")
    gallery.look("badge", "[data-decoder]")
    page = desk.page
    desk.page = page.context.new_page()
    desk.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); }"
    )
    desk.open("/login/classroom/badge")
    gallery.look("badge-without-camera", "[data-alert]:visible")
    desk.page.fill("#badge", rig.administrator.make_badge(person.username, "insecure"))
    desk.page.keyboard.press("Enter")
    gallery.look("password-after-badge", "form[action$='/second-password']")
    desk.page.close()
    desk.page = page


def look_at_own_pages(gallery: Gallery, person: Person) -> None:
    """Self-service, empty and full."""
    desk, look = gallery.desk, gallery.look
    desk.log_in("classroom", person)
    desk.page.wait_for_url("**/classroom/")
    for path in ("/self-service/", "/classroom/", "/shop/"):
        desk.open(path)
        look("own" + path.rstrip("/").replace("/", "-"))
    desk.open("/self-service/")
    desk.page.click("form[action='/self-service/app'] button")
    look("own-app", "img.qr")
    desk.page.click("form[action='/self-service/app/check'] button")
    look("own-app-waiting", ".notice[role=status]")
    desk.open("/self-service/")
    desk.page.fill("#new-browser", "Küchentablet")
    desk.page.click("form[action='/self-service/browsers'] button")
    desk.page.wait_for_url("**/?done=remembered")
    desk.page.fill("#new-key", "Donaudampfschifffahrtsgesellschaftskapitänsschlüssel")
    desk.page.click("[data-key=create] [data-start]")
    desk.page.wait_for_url("**/?done=added")
    open_details(desk)
    look("own-self-service-open")


def look_at_the_shop(gallery: Gallery) -> None:
    """A payment, in each way, and one that was refused."""
    desk, look = gallery.desk, gallery.look
    desk.open("/shop/")
    desk.page.click(".things button >> nth=0")
    look("shop-devices", "fieldset")
    desk.page.check("input[value=FIDO]")
    desk.page.click("main form:has(fieldset) button")
    look("shop-key", "[data-key=approve]")
    desk.page.click("[data-start]")
    look("shop-paid", ".notice.good")
    desk.open("/shop/2026-002/devices")
    desk.page.click("main form:has(fieldset) button")
    look("shop-qr", "img.qr")
    desk.page.fill("#otp", "0")
    desk.page.keyboard.press("Enter")
    look("shop-qr-wrong", "#error")


def open_details(desk: Desk) -> None:
    """Unfold whatever is folded."""
    for details in desk.page.locator("details").all():
        details.evaluate("each => each.open = true")


@both_languages
def test_the_pages_between_other_systems_and_this_one(
    open_gallery: Open, rendered: set[str], tmp_path: Path, language: Language
) -> None:
    """The same, for those that a server has which was told of a provider and of a system that signs tickets."""
    (tmp_path / "policies.toml").write_text(POLICIES)
    with lying_provider() as liar:
        settings = Settings(
            data_dir=tmp_path / "data",
            policies_file=tmp_path / "policies.toml",
            argon2=CHEAP,
            oidc_providers=(
                OidcProvider(name="outside", issuer=liar.url, client_id="authrig", title="Corporate login"),
            ),
        )
        with own_world(trusting(settings, tmp_path)) as world:
            gallery = open_gallery("elsewhere", world.server.origin, language)
            look_at_other_systems(gallery, world)
    gallery.write_contact_sheets()
    assert rendered >= ELSEWHERE


def look_at_other_systems(gallery: Gallery, world: World) -> None:
    """The way there, and back, and refusals; pages that lead on by themselves are kept from doing so."""
    desk, look = gallery.desk, gallery.look
    person, ticket = world.person(), ""
    for pattern in ("**/auth/oidc/*/start", "**/auth/oidc/*/finish*"):
        desk.page.context.route(pattern, lambda route: route.fulfill(status=204))
    desk.open("/login/desk")
    look("desk")
    desk.page.click("form[action$='/provider'] button")
    look("provider", "a.button")
    desk.open("/auth/oidc/outside/callback?error=access_denied&state=x")
    look("provider-back", "a.button")
    desk.page.context.unroute("**/auth/oidc/*/finish*")
    desk.page.click("a.button")
    look("provider-refused", "[role=alert]")
    desk.open("/login/desk/ticket")
    look("ticket-typed", "#ticket")
    ticket = sign_ticket(person.name, world.clock.time())
    desk.open(f"/login/desk/ticket?ticket={ticket}")
    look("ticket", "main form button")
    desk.page.click("main form button")
    desk.page.wait_for_url("**/desk/")
    desk.open(f"/login/desk/ticket?ticket={ticket}")
    desk.page.click("main form button")
    look("ticket-refused", "#error")


@both_languages
def test_the_pages_of_the_administration(
    open_gallery: Open, admin_world: World, rendered: set[str], language: Language
) -> None:
    """The same, with something on each of them; then empty ones, and as one role sees them."""
    world, person = admin_world, admin_world.person()
    device, stock = world.device_of(person, "hotp", SEED.hex()), f"STOCK-{next(NUMBERS)}"
    for kind in ("insecure", "secure"):
        world.admin.post(f"/admin/rest/users/{person.name}/badges", json={"kind": kind, "lifetimeDays": 9})
    customer = world.browser()
    customer.access("classroom")
    for _ in range(5):
        customer.password(person.name, "wrong")
    gallery = open_gallery("administration", world.server.internal_url, language)
    desk = gallery.desk
    desk.open("/admin/login")
    gallery.look("admin-login")
    desk.page.fill("#token", "wrong")
    desk.page.keyboard.press("Enter")
    gallery.look("admin-login-wrong", "#error")
    desk.page.fill("#token", world.server.admin_token)
    desk.page.keyboard.press("Enter")
    gallery.look("admin-home", "nav.areas")
    desk.open("/admin/tokens")
    desk.page.fill("#content", f"serial,kind,seed_hex,display_name\n{stock},totp,{SEED.hex()},Blue\n")
    desk.page.click("form[data-token-file] button")
    desk.page.wait_for_selector(".notice.good")
    question = f"application=ebanking&username={person.name}&first=PASSWORD&address=10.0.0.1&when=2026-01-05T09:00"
    for name, path in {
        "users": f"/admin/users?q={person.name}",
        "users-none": "/admin/users?q=nobody-at-all",
        "user": f"/admin/users/{person.name}",
        "tokens": f"/admin/tokens?q={device.serial}",
        "token": f"/admin/tokens/{device.id}",
        "lockouts": "/admin/lockouts",
        "badges": "/admin/badges",
        "badges-of": f"/admin/badges/{person.name}",
        "policies": "/admin/policies",
        "explain": f"/admin/policies/explain?{question}",
        "audit": f"/admin/audit?check=1&user={person.name}&event=badge",
        "audit-none": "/admin/audit?event=nothing-of-the-kind",
        "nowhere": "/admin/nowhere",
    }.items():
        desk.open(path)
        open_details(desk)
        gallery.look(f"admin-{name}")
    desk.open(f"/admin/tokens?q={stock}")
    desk.page.click(f"text={stock}")
    gallery.look("admin-token-of-nobody", "#letter")
    desk.page.click("form[action='/admin/logout'] button")
    desk.page.fill("#token", world.server.role_tokens["badges"])
    desk.page.keyboard.press("Enter")
    gallery.look("admin-home-badges", "nav.areas")
    desk.open("/admin/users")
    gallery.look("admin-not-yours", "[role=alert]")
    gallery.write_contact_sheets()
    assert rendered >= templates("admin/*.html")
