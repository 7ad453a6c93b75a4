"""The three ASGI applications: public REST, internal REST, verification cloud."""

from starlette.applications import Starlette

from server_stub.api.admin import AdminInterface
from server_stub.api.current import COOKIE as SESSION_COOKIE
from server_stub.api.current import PublicInterface
from server_stub.api.envelope import ErrorAnswer
from server_stub.api.openapi import OPEN, Access, with_description
from server_stub.api.routes import ADMIN_ROUTES, ADMIN_TABLES, APPROVAL_ROUTES, PUBLIC_ROUTES
from server_stub.api.routing import build_app
from server_stub.api.transaction_approval import COOKIE as APPROVAL_COOKIE
from server_stub.api.transaction_approval import ApprovalInterface
from server_stub.cloud.api import ADMIN_ROUTES as CLOUD_ADMIN_ROUTES
from server_stub.cloud.api import (
    APP_ROUTES,
    AUTH_ROUTES,
    DEVICE_ROUTES,
    CloudInterface,
    DeviceInterface,
    OpenInterface,
)
from server_stub.cloud.gauges import cloud_gauges
from server_stub.cloud.messages import Failure
from server_stub.cloud.service import Cloud
from server_stub.cloud.store import audit as cloud_audit
from server_stub.iam import Iam
from server_stub.metrics import Metrics, add_metrics, iam_gauges
from server_stub.store.iam import audit as iam_audit
from server_stub.web.admin.routes import add_admin_pages
from server_stub.web.routes import page_table
from server_stub.web.serving import add_pages

_SAME_DOMAIN = {"X-Same-Domain": "1: no page of another site can set it"}
SESSION = Access("session", {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE}, _SAME_DOMAIN)
APPROVAL = Access("approval", {"type": "apiKey", "in": "cookie", "name": APPROVAL_COOKIE}, _SAME_DOMAIN)
ADMIN = Access("adminToken", {"type": "http", "scheme": "bearer"})
SIGNED = Access("signature", {"type": "http", "scheme": "basic"}, {"FT-Date": "RFC 2822; signed with the request"})


def create_public_app(iam: Iam) -> Starlette:
    """What browsers and login scripts talk to: the REST, and the pages."""
    interface = PublicInterface(iam)
    own = with_description("Authrig public REST", [(PUBLIC_ROUTES, SESSION)], ErrorAnswer, iam.database)
    app = build_app([(PUBLIC_ROUTES, interface), (own, interface)], interface)
    add_pages(app, iam, page_table(iam), machine_paths=("/auth/",))
    return app


def create_internal_app(iam: Iam) -> Starlette:
    """What stands beside the server: business applications and administration, by REST and by its pages."""
    approval = ApprovalInterface(iam)
    admin = [(table, AdminInterface(iam, role)) for role, table in ADMIN_TABLES.items()]
    tables = [(APPROVAL_ROUTES, APPROVAL), (ADMIN_ROUTES, ADMIN)]
    own = with_description("Authrig internal REST", tables, ErrorAnswer, iam.database)
    app = build_app([(APPROVAL_ROUTES, approval), *admin, (own, approval)], approval)
    add_metrics(app, Metrics("authrig_iam", iam.database, iam_audit, iam_gauges, iam.now), approval)
    add_admin_pages(app, iam)
    return app


def create_cloud_app(cloud: Cloud) -> Starlette:
    """The verification cloud."""
    auth = CloudInterface(cloud, cloud.account.auth)
    admin = CloudInterface(cloud, cloud.account.admin)
    other = OpenInterface(cloud, cloud.account.auth)
    tables = [((*AUTH_ROUTES, *CLOUD_ADMIN_ROUTES, *DEVICE_ROUTES), SIGNED), (APP_ROUTES, OPEN)]
    own = with_description("Authrig verification cloud", tables, Failure, cloud.database)
    apps = [(APP_ROUTES, other), (DEVICE_ROUTES, DeviceInterface(cloud, cloud.account.auth))]
    app = build_app([(AUTH_ROUTES, auth), (CLOUD_ADMIN_ROUTES, admin), *apps, (own, other)], other)
    metrics = Metrics("authrig_cloud", cloud.database, cloud_audit, cloud_gauges, cloud.settings.time)
    add_metrics(app, metrics, other)
    return app
