from pathlib import Path

import msgspec
import pytest

from server_stub.api.routes import ADMIN_ROUTES, APPROVAL_ROUTES, PUBLIC_ROUTES
from server_stub.api.routing import Nothing, Route
from server_stub.cloud.api import ADMIN_ROUTES as CLOUD_ADMIN_ROUTES
from server_stub.cloud.api import APP_ROUTES, AUTH_ROUTES, DEVICE_ROUTES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "rest.md"
TABLES = {
    "Public": PUBLIC_ROUTES,
    "Transaction approval": APPROVAL_ROUTES,
    "Administration": ADMIN_ROUTES,
    "Cloud, authentication": AUTH_ROUTES,
    "Cloud, administration": CLOUD_ADMIN_ROUTES,
    "Cloud, apps": APP_ROUTES,
    "Cloud, enrolled apps": DEVICE_ROUTES,
}


def row(route: Route) -> str:
    """The row of the page that describes ``route``."""
    body = () if route.body is Nothing else msgspec.structs.fields(route.body)
    members = ", ".join(f"`{each.encode_name}`" if each.required else f"[`{each.encode_name}`]" for each in body)
    errors = ", ".join(f"`{code}`" for code in route.errors)
    source = "published" if route.published else "modelled, not verified"
    return f"| {route.method} | `{route.path}` | {route.summary} | {members} | {errors} | {source} |"


@pytest.mark.parametrize("title", TABLES)
def test_the_page_has_a_row_for_each_route_and_no_other(title: str) -> None:
    """Whoever reads the page can call everything, and nothing that is not there."""
    section = PAGE.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| Method")]
    assert rows == [row(route) for route in TABLES[title]]
