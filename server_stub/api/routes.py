"""The IAM's route tables. The applications, /openapi.json and docs/reference/rest.md are made from them."""

from server_stub.api.admin_routes import ADMIN_ROUTES, ADMIN_TABLES
from server_stub.api.approval_routes import APPROVAL_ROUTES
from server_stub.api.public_routes import PUBLIC_ROUTES

__all__ = ["ADMIN_ROUTES", "ADMIN_TABLES", "APPROVAL_ROUTES", "PUBLIC_ROUTES"]
