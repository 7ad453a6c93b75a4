"""To an OpenID Connect provider and back.

The way back begins on another site, so the session's cookie, which is SameSite=Strict, is not there yet. The browser
therefore comes back to a page that goes on at once, by itself or with a click, and without script: that request is our own.
"""

from urllib.parse import urlencode

from server_stub.errors import ApiError
from server_stub.factors.oidc import Provider
from server_stub.web.pages.step import application_of, begin, login
from server_stub.web.told import Told, cookie
from server_stub.web.visit import Answer, Page, Redirect, Visit

PATH = "/auth/oidc/{provider}"
PARAMETERS = ("state", "code", "iss", "error")
"""What a provider may answer; whatever else it adds is passed over (RFC 6749 §4.1.2)."""


async def choose(visit: Visit) -> Answer:
    """Off to a provider. A form may lead to this server only, so a page of ours goes on from here."""
    name = await begin(visit)
    provider = _known(visit, visit.form.get("provider", ""))
    return Redirect(f"/login/{name}/provider/{provider.name}")


async def leave(visit: Visit) -> Answer:
    """The page that leads there."""
    provider = _known(visit, visit.path["provider"])
    values = {
        "application": application_of(visit),
        "title": provider.title,
        "target": f"{PATH.format(provider=provider.name)}/start",
    }
    return Page("provider.html", values)


async def start(visit: Visit) -> Answer:
    """Off to the provider; with ``?application=`` a login for it is begun, if there is none."""
    provider = _known(visit, visit.path["provider"])
    application = visit.query.get("application")
    if application is not None:
        await visit.rest("authentication.access", application=application)
    try:
        document = await visit.rest("oidc.retrieve_authorization", provider=provider.name)
    except ApiError as error:
        session = await visit.session()
        if error.code != "UNEXPECTED_CALL" or session is None:
            raise
        return login(session.application)
    return Redirect(document.data.attributes.authorization_uri, as_written=True)


async def come_back(visit: Visit) -> Answer:
    """Back from the provider, with nothing but what it said: another site sent the browser here."""
    provider = _known(visit, visit.path["provider"])
    said = urlencode({name: visit.query[name] for name in PARAMETERS if name in visit.query})
    values = {"title": provider.title, "target": f"{PATH.format(provider=provider.name)}/finish?{said}"}
    return Page("provider_back.html", values)


async def finish(visit: Visit) -> Answer:
    """With the session's cookie: on to the next step. Why not is told on the login page, where one can begin anew."""
    provider = _known(visit, visit.path["provider"])
    session = await visit.require_session()
    said = {name: visit.query[name] for name in PARAMETERS if name in visit.query}
    try:
        await visit.rest("oidc.check_response", said, provider=provider.name)
    except ApiError as error:
        if not session.passed:
            visit.take((cookie(_told(error, said), secure=visit.iam.settings.behind_https),))
    return login(session.application)


def _told(error: ApiError, said: dict[str, str]) -> Told:
    """What to say of it: who loads this page again, or was elsewhere for too long, has an answer that is not good."""
    if "error" in said:
        return Told("OIDC_REFUSED")
    return Told("OIDC_RESPONSE_WRONG" if error.code in {"UNEXPECTED_CALL", "BAD_REQUEST"} else error.code)


def _known(visit: Visit, name: str) -> Provider:
    provider = visit.iam.oidc.get(name)
    if provider is None:
        raise ApiError(404, "OIDC_PROVIDER_UNKNOWN", "there is no such provider")
    return provider
