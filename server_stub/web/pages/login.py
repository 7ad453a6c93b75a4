"""The login: one address, which shows whatever step comes next."""

from collections.abc import Awaitable, Callable, Mapping

from server_stub.api.current import context, next_step
from server_stub.errors import ApiError
from server_stub.flows.flow import BADGES, Method
from server_stub.policies import offer
from server_stub.sessions import Session
from server_stub.web.pages import devices, key, offline_qr, passcode, push
from server_stub.web.pages.step import application_of, begin, login, page
from server_stub.web.visit import Answer, Page, Redirect, Visit

StepPage = Callable[[Visit, Session], Awaitable[Answer]]


async def show(visit: Visit) -> Answer:
    """The page of the next step. Looking at it proves nothing, and nothing is begun before a form is sent."""
    name = application_of(visit)
    session = await visit.session()
    if session is None or session.application != name:
        return _first(visit, name, alone=session is None)
    if session.authenticated_at is not None:
        # The policy file can only name paths of this server; a fragment in one is for the application's own script.
        target = session.target or visit.iam.policies.applications[session.application].target
        return Redirect(target, as_written=True)
    if not session.passed:
        return _first(visit, name, alone=True)
    step = next_step(visit.iam, session)
    assert step is not None
    return await _STEPS[step](visit, session)


async def check_password(visit: Visit) -> Answer:
    """User name and password."""
    name = await begin(visit)
    body = {"username": visit.form.get("username"), "password": visit.form.get("password", "")}
    if not body["username"] or not body["password"]:
        raise ApiError(400, "FIELDS_MISSING", "user name and password are both needed")
    await visit.rest("authentication.check_password", body)
    return login(name)


async def check_second_password(visit: Visit) -> Answer:
    """The password of the user whom an earlier step named."""
    await visit.rest("authentication.check_password", {"password": visit.form.get("password", "")})
    return login(application_of(visit))


async def check_username(visit: Visit) -> Answer:
    """A user name, which the next step has to prove."""
    name = await begin(visit)
    if not visit.form.get("username"):
        raise ApiError(400, "FIELDS_MISSING", "the user name is needed")
    await visit.rest("first_steps.check_username", {"username": visit.form["username"]})
    return login(name)


async def check_device_token(visit: Visit) -> Answer:
    """This browser, if it is remembered."""
    name = await begin(visit)
    await visit.rest("first_steps.check_device_token")
    return login(name)


async def restart(visit: Visit) -> Answer:
    """Somebody else wants to log in, or the same person in another way."""
    if await visit.session():
        await visit.rest("self_service.log_out")
    return login(application_of(visit))


async def log_out(visit: Visit) -> Answer:
    """End the session."""
    await visit.rest("self_service.log_out")
    return Redirect("/?done=logged_out")


def _first(visit: Visit, name: str, *, alone: bool) -> Page:
    """``alone``: no login for something else is under way, which a challenge for passkeys would end."""
    methods = offer(visit.iam.policies.policies, context(visit.iam, visit.call(None), name)).first_methods
    if not visit.iam.oidc:
        methods = tuple(each for each in methods if each is not Method.OIDC)
    if not methods:
        raise ApiError(403, "ACCESS_DENIED", "no policy lets anyone into this application")
    typed = {Method.PASSWORD, Method.USERNAME}.intersection(methods)
    values = {
        "application": name,
        "title": visit.iam.policies.applications[name].title,
        "challenge_ttl": visit.iam.settings.fido_challenge_ttl if alone and typed and Method.FIDO in methods else None,
        "with_password": Method.PASSWORD in methods,
        "with_key": Method.FIDO in methods,
        "with_badge": bool(BADGES.intersection(methods)),
        "with_name": Method.USERNAME in methods,
        "providers": [(each.name, each.title) for each in visit.iam.oidc.values()] if Method.OIDC in methods else [],
        "with_device": Method.DEVICE_TOKEN in methods,
        "with_ticket": Method.SSO_TICKET in methods,
        "username": visit.told.username if visit.told else "",
    }
    return Page("first.html", values)


async def _password(visit: Visit, session: Session) -> Answer:
    return page(visit, "password.html", session)


async def _code(visit: Visit, session: Session) -> Answer:
    by_token = session.pending.factor is Method.OTP
    return await (passcode.show if by_token else offline_qr.show)(visit, session)


_STEPS: Mapping[str, StepPage] = {
    "PASSWORD_REQUIRED": _password,
    "PASSWORD_OR_BADGE_REQUIRED": _password,
    "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED": devices.show,
    "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED": push.show,
    "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED": offline_qr.show,
    "AIRLOCK_2FA_OTP_REQUIRED": _code,
    "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED": key.show,
    "FIDO_AUTHENTICATION_RESPONSE_REQUIRED": key.show,
}
"""The page for each next step; first steps share one."""
