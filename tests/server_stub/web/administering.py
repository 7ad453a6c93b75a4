"""Someone at the administration's pages, without script."""

from tests.server_stub.web.browsing import Visitor
from tests.server_stub.world import World

ADMIN = "/admin/"


def administrator(world: World, role: str = "", **headers: str) -> Visitor:
    """Someone who has opened the administration with the token of ``role``, or the one for everything."""
    visitor = Visitor(world, "internal", **headers)
    visitor.open("/admin/login")
    visitor.send("/admin/login", token=world.server.role_tokens[role] if role else world.server.admin_token)
    assert visitor.path == ADMIN, visitor.error
    return visitor
