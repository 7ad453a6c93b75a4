"""How quick and how heavy the pages are in Debian's Chromium: `python -m tests.server_stub.web.measure_pages`."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from authrig.pictures import picture_from_png, print_code
from authrig.playwright_webcam import FakeWebcam
from emulators.camera_scanner.webcams.chromium_file import ChromiumFileWebcam
from server_stub.settings import Settings
from tests.server_stub.world import World, own_world

ROUNDS = 20
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
WEIGHT = """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, each) => sum + each.transferSize, 0)"""


def measure_login_page(browser: Browser, origin: str) -> tuple[float, int]:
    """Milliseconds to the first contentful paint in a browser that has never been here, and bytes transferred."""
    page = browser.new_page()
    page.goto(f"{origin}/login/lounge")
    page.wait_for_load_state("networkidle")
    page.wait_for_function(PAINT)
    measured = float(page.evaluate(PAINT)), int(page.evaluate(WEIGHT))
    page.close()
    return measured


def measure_badge(browser: Browser, origin: str, webcam: FakeWebcam, badge: np.ndarray) -> float:
    """Seconds from the badge in view to the next page."""
    webcam.cover()
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{origin}/login/classroom/badge")
    page.wait_for_selector("[data-decoder]")
    begin = time.perf_counter()
    webcam.show(badge)
    page.wait_for_url("**/classroom/")
    taken = time.perf_counter() - begin
    context.close()
    return taken


def make_badge(world: World) -> np.ndarray:
    """A secure badge, printed."""
    person = world.person()
    made = world.admin.post(f"/admin/rest/users/{person.name}/badges", json={"kind": "secure"})
    return picture_from_png(print_code(made.json()["data"]["attributes"]["content"]))


def main() -> None:
    """Print the medians and the worst."""
    with tempfile.TemporaryDirectory() as folder, ChromiumFileWebcam(Path(folder) / "webcam.y4m") as file:
        webcam = FakeWebcam(file)
        with own_world(Settings(data_dir=Path(folder) / "data")) as world, sync_playwright() as playwright:
            browser = playwright.chromium.launch(**webcam.launch_options)
            origin, badge = world.server.origin, make_badge(world)
            loads = [measure_login_page(browser, origin) for _ in range(ROUNDS)]
            scans = [measure_badge(browser, origin, webcam, badge) for _ in range(ROUNDS)]
            browser.close()
    paints = [paint for paint, _ in loads]
    sys.stdout.write(
        f"login page: first contentful paint {statistics.median(paints):.0f} ms, worst {max(paints):.0f} ms\n"
    )
    sys.stdout.write(f"login page: {max(weight for _, weight in loads) / 1024:.1f} KiB transferred, headers included\n")
    sys.stdout.write(f"badge in view to next page: {statistics.median(scans):.2f} s, worst {max(scans):.2f} s\n")


if __name__ == "__main__":
    main()
