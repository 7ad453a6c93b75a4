"""What the pages of a login have in common."""

from server_stub.api.current import next_methods
from server_stub.errors import ApiError
from server_stub.flows.devices import CAPABILITY
from server_stub.flows.flow import Method
from server_stub.sessions import Session
from server_stub.web.visit import Page, Redirect, Visit


def application_of(visit: Visit) -> str:
    """The application in the path.

    Raises:
        ApiError: 404 if there is none of that name.
    """
    name = visit.path["application"]
    if name not in visit.iam.policies.applications:
        raise ApiError(404, "APPLICATION_NOT_FOUND", "there is no application of that name")
    return name


async def begin(visit: Visit) -> str:
    """Begin a login for the application in the path, unless one is under way; its name."""
    name = application_of(visit)
    await visit.rest("authentication.access", application=name)
    return name


def login(application: str) -> Redirect:
    """The page of the login's next step."""
    return Redirect(f"/login/{application}")


def page(visit: Visit, template: str, session: Session, **values: object) -> Page:
    """A step's page."""
    methods = next_methods(visit.iam, session)
    common = {
        "application": session.application,
        "title": visit.iam.policies.applications[session.application].title,
        "username": session.username,
        "methods": [str(method) for method in methods],
        "with_devices": bool(set(CAPABILITY).intersection(methods)),
        "with_key": Method.FIDO in methods,
    }
    return Page(template, common | values)
