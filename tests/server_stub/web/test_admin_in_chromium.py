"""The administration's pages in Debian's Chromium: what an administrator does in an hour, and how the pages look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import SeededRandom
from tests.server_stub.printing.paper import card_of, rasterize
from tests.server_stub.web.chromium import Desk, new_desk
from tests.server_stub.world import PASSWORD, SEED, World

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from authrig.playwright_webcam import FakeWebcam

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.xdist_group("chromium")]


@pytest.fixture
def desk(browser: Browser, admin_world: World) -> Iterator[Desk]:
    """An administrator's browser."""
    with new_desk(browser, admin_world.server.internal_url) as desk:
        yield desk


def open_administration(desk: Desk, world: World) -> None:
    """Type the token."""
    desk.open("/")
    desk.page.fill("#token", world.server.admin_token)
    desk.page.keyboard.press("Enter")
    desk.page.wait_for_selector("nav.areas")


def test_a_new_user_gets_a_token_and_a_badge_and_logs_in_with_it(
    desk: Desk, admin_world: World, fake_webcam: FakeWebcam, browser: Browser, tmp_path: Path
) -> None:
    """Made, a file of tokens imported, one assigned, a badge printed, held up to another browser's camera."""
    from playwright.sync_api import expect  # noqa: PLC0415 - slow to import, for tests that are skipped too

    page = desk.page
    open_administration(desk, admin_world)
    page.click("nav.areas >> text=Users")
    page.fill("#username", "hannah")
    page.fill("#password", PASSWORD)
    page.click("text=Make the user")
    page.wait_for_selector("text=The user is made.")
    page.click("nav.areas >> text=Tokens")
    file = tmp_path / "maker.csv"
    file.write_text(f"serial,kind,seed_hex,display_name\nHANNAH-1,qr,{SEED.hex()},Blue\n")
    page.set_input_files("#file", file)
    expect(page.locator("#content")).to_have_value(re.compile("HANNAH-1"))
    page.click("button:has-text('Import tokens')")
    page.wait_for_selector("text=Imported tokens: 1.")
    page.click("text=HANNAH-1")
    page.fill("#username", "hannah")
    page.click("text=Assign the token")
    page.wait_for_selector("text=The token is assigned.")
    page.click("nav.areas >> text=Badges")
    page.fill("#usernames", "hannah")
    page.check("input[value=secure]")
    with page.expect_download() as download:
        page.click("text=Make and print")
    assert download.value.suggested_filename == "badges.pdf"
    download.value.save_as(tmp_path / "badges.pdf")
    [sheet] = rasterize((tmp_path / "badges.pdf").read_bytes())
    badge = card_of(sheet, 0)
    with new_desk(browser, admin_world.server.origin) as classroom:
        classroom.open("/login/classroom/badge")
        classroom.page.wait_for_selector("[data-decoder]")
        fake_webcam.show(SyntheticCamera(SeededRandom(8), "desk", (1280, 720)).photograph(badge))
        assert "hannah" in classroom.arrive("/classroom/")
    page.click("nav.areas >> text=Audit log")
    page.fill("#event", "badge.scan")
    page.click("text=Search")
    assert "hannah" in page.inner_text("[data-rows]")
    page.click("text=Check the chain")
    assert "The chain is whole" in page.inner_text("#verdict")


def test_a_policy_says_why(desk: Desk, admin_world: World) -> None:
    """The question stays in the form, to be changed a little and asked again."""
    person = admin_world.person()
    open_administration(desk, admin_world)
    page = desk.page
    page.click("nav.areas >> text=Policies")
    page.click("text=Why does a login")
    page.select_option("#application", "ebanking")
    page.fill("#username", person.name)
    page.select_option("#first", "PASSWORD")
    page.fill("#when", "2026-01-05T09:00")
    page.click("button:has-text('Explain')")
    page.wait_for_selector("#answer")
    assert "This flow: password-then-offline-qr" in page.inner_text("section.notice")
    page.select_option("#first", "FIDO")
    page.click("button:has-text('Explain')")
    page.wait_for_selector("text=Access is denied.")
    assert page.input_value("#when") == "2026-01-05T09:00"


def test_a_double_click_prints_one_badge(desk: Desk, admin_world: World) -> None:
    """The page stays, so the form must keep the second click off by itself; later it can be used again."""
    person = admin_world.person()
    open_administration(desk, admin_world)
    page = desk.page
    page.click("nav.areas >> text=Badges")
    page.fill("#usernames", person.name)
    with page.expect_download():
        page.dblclick("text=Make and print")
    page.wait_for_selector("form[data-file]:not([data-sent])")
    assert len(admin_world.admin.get(f"/admin/rest/users/{person.name}/badges").json()["data"]) == 1
    with page.expect_download():
        page.click("text=Make and print")
    assert len(admin_world.admin.get(f"/admin/rest/users/{person.name}/badges").json()["data"]) == 2
