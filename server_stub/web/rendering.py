"""From a page to HTML: the templates, and what all of them know."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from server_stub.errors import ApiError
from server_stub.web import assets
from server_stub.web.languages import languages
from server_stub.web.visit import PUBLIC, Page, Visit

FOLDER = Path(__file__).with_name("templates")
LOCKED = ("USER_LOCKED", "USER_TEMPORARILY_LOCKED")
WITH_DETAILS = ("BAD_REQUEST", "UNPRINTABLE")
"""Refusals whose own sentence says what to mend."""
WITHOUT_SESSION = ("INTERNAL_ERROR", "DATABASE_UNAVAILABLE")
"""Refusals after which nothing more is asked of the database."""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals |= {"asset": assets.address}
    return environment


def render(visit: Visit, page: Page) -> str:
    """The page's HTML."""
    language = visit.language
    values = {
        "home": visit.site.home,
        "service": visit.iam.settings.service_name,
        "say": language.say,
        "has": language.has,
        "language": language,
        "languages": languages().values(),
        "query_in": lambda tag: urlencode({**visit.query, "lang": tag}),
        "state": visit.state(),
        "origin": visit.iam.settings.origins[0],
        "error": words(visit, visit.told.error) if visit.told else None,
        **page.values,
    }
    return _environment().get_template(page.template).render(values)


def words(visit: Visit, error: ApiError) -> str:
    """What to tell a person about a refusal; ours in their language when there are, the REST's otherwise."""
    key = f"refused.{error.code}"
    text = visit.language.say(key if visit.language.has(key) else "script.other")
    if visit.site.with_details and error.detail and error.code in WITH_DETAILS:
        text = f"{text} ({error.detail})"
    if error.lock_expiry is None:
        return text
    minutes = -(-visit.remaining(error.lock_expiry) // 60)
    return f"{text} {visit.language.say('refused.until', time=visit.clock(error.lock_expiry), minutes=minutes)}"


async def error_page(visit: Visit, error: ApiError) -> Page:
    """The general page about a refusal: what happened, and what to do next."""
    if visit.told and (visit.told.code == error.code or error.code in LOCKED):
        visit.told = None  # it is said once, and who is locked need not be told which try it was
    session = await visit.session() if error.code not in WITHOUT_SESSION and visit.site is PUBLIC else None
    application = visit.path.get("application") or (session.application if session else None)
    if application not in visit.iam.policies.applications:
        application = None
    values = {
        "words": words(visit, error),
        "application": application,
        "logged_in": bool(session and session.authenticated_at is not None),
    }
    return Page("error.html", values, error.status)


def iso(seconds: float) -> str:
    """For the attribute ``datetime`` of a time."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
