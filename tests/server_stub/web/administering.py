"""Someone at the administration's pages, without script."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from starlette.applications import Starlette

from server_stub import run
from server_stub.app import create_internal_app
from server_stub.iam import Iam
from server_stub.web.admin.routes import add_admin_pages
from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import World

ADMIN = "/admin/"


@contextmanager
def with_admin_pages() -> Iterator[None]:
    """Servers that are started meanwhile have them on their internal port."""

    def create(iam: Iam) -> Starlette:
        app = create_internal_app(iam)
        add_admin_pages(app, iam)
        return app

    with patch.object(run, "create_internal_app", create):
        yield


def administrator(world: World, role: str = "", **headers: str) -> Visitor:
    """Someone who has opened the administration with the token of ``role``, or the one for everything."""
    visitor = Visitor(world, "internal", **headers)
    visitor.open("/admin/login")
    visitor.send("/admin/login", token=world.server.role_tokens[role] if role else world.server.admin_token)
    assert visitor.path == ADMIN, visitor.error
    return visitor
