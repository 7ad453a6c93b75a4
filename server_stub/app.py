"""The three ASGI applications: public REST, internal REST, verification cloud."""

from starlette.applications import Starlette

from server_stub.api.admin import AdminInterface
from server_stub.api.current import PublicInterface
from server_stub.api.routes import ADMIN_ROUTES, PUBLIC_ROUTES
from server_stub.api.routing import build_app
from server_stub.cloud.api import ADMIN_ROUTES as CLOUD_ADMIN_ROUTES
from server_stub.cloud.api import AUTH_ROUTES, OPEN_ROUTES, CloudInterface, OpenInterface
from server_stub.cloud.service import Cloud
from server_stub.iam import Iam


def create_public_app(iam: Iam) -> Starlette:
    """What browsers and login scripts talk to."""
    interface = PublicInterface(iam)
    return build_app([(PUBLIC_ROUTES, interface)], interface)


def create_internal_app(iam: Iam) -> Starlette:
    """What only machines beside the server talk to: administration."""
    admin = AdminInterface(iam)
    return build_app([(ADMIN_ROUTES, admin)], admin)


def create_cloud_app(cloud: Cloud) -> Starlette:
    """The verification cloud."""
    auth = CloudInterface(cloud, cloud.account.auth)
    admin = CloudInterface(cloud, cloud.account.admin)
    other = OpenInterface(cloud, cloud.account.auth)
    return build_app([(AUTH_ROUTES, auth), (CLOUD_ADMIN_ROUTES, admin), (OPEN_ROUTES, other)], other)
