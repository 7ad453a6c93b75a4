"""One request for a page: who asks, in which language, and the REST calls that are made in their name."""

import base64
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import msgspec

from server_stub.api.approval_routes import APPROVAL_ROUTES
from server_stub.api.current import cookie_name, find
from server_stub.api.public_routes import PUBLIC_ROUTES
from server_stub.api.routing import Call, Cookie, Reply, Route
from server_stub.errors import ApiError, bad_request
from server_stub.iam import Iam
from server_stub.sessions import Session
from server_stub.web.languages import Language
from server_stub.web.told import Told

_CALLS = {route.operation: route for route in (*PUBLIC_ROUTES, *APPROVAL_ROUTES)}
"""The rows of the REST's own tables: what a page does is what a call to the REST would do, with the same limits."""
STATE_LENGTH = 16
NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Site:
    """The pages of one port."""

    home: str = "/"
    """Where they begin."""
    cookie: str = ""
    """Whose value forms are bound to; empty means the login session's."""
    with_details: bool = False
    """Whether a refusal is told with the REST's own sentence: administrators may know all of it."""
    beside_https: bool = True
    """Whether the proxy that speaks HTTPS stands before it too, if there is one."""


PUBLIC = Site()


@dataclass(frozen=True, slots=True)
class Page:
    """A page to show: a template, and the values that it is filled with."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    camera: bool = False
    """Whether the page may use the camera and run WebAssembly of our own."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to keep: the browser stays on the page where it was asked for."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Redirect:
    """What to see next."""

    to: str
    as_written: bool = False
    """Whether ``to`` is an address (of another server, or out of the policy file), and not a path with names in it."""


@dataclass(slots=True)
class Visit:
    """A request for a page, after the checks that are the same for all pages."""

    iam: Iam
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    client: str
    """The address of the caller."""
    language: Language
    jar: dict[str, str] = field(repr=False)
    """The browser's cookies, as they will be after the answer."""
    told: Told | None
    """Why the form was refused that led here."""
    to_set: dict[str, Cookie] = field(default_factory=dict)
    site: Site = PUBLIC

    def call(self, body: Any, path: Mapping[str, str] = NONE, query: Mapping[str, str] = NONE) -> Call[Any]:
        """A REST call of this visitor."""
        return Call(body, path, query, dict(self.jar), self.client, self.headers)

    async def rest(self, operation: str, body: Mapping[str, Any] | None = None, **path: str) -> Any:
        """Do what the REST call ``operation`` does; its cookies go to the browser.

        Args:
            operation: a name such as ``authentication.check_password``.
            body: the members of the request's body, in the REST's spelling; checked as strictly as there.
            path: the parameters of the path.

        Returns:
            The document of the answer.

        Raises:
            ApiError: as the REST refuses.
        """
        return await self.do(_CALLS[operation], body, path)

    async def do(
        self,
        route: Route,
        body: Mapping[str, Any] | None,
        path: Mapping[str, str],
        query: Mapping[str, str] = NONE,
    ) -> Any:
        """As ``rest``, for a row of any of the REST's tables."""
        try:
            typed = msgspec.convert(dict(body or {}), route.body)
        except msgspec.ValidationError as error:
            raise bad_request(str(error)) from error
        reply: Reply = await route.handler(self.iam, self.call(typed, path, query))
        self.take(reply.cookies)
        return reply.document

    def take(self, cookies: tuple[Cookie, ...]) -> None:
        """Let the browser have ``cookies``, and later calls of this visit too."""
        https = self.iam.settings.behind_https and self.site.beside_https
        for each in cookies:
            # Also those of the REST that is meant for the internal port, where no HTTPS is.
            cookie = replace(each, secure=True) if https else each
            self.to_set[cookie.name] = cookie
            if cookie.value:
                self.jar[cookie.name] = cookie.value
            else:
                self.jar.pop(cookie.name, None)

    async def session(self) -> Session | None:
        """The visitor's session as it is now."""
        return await find(self.iam, self.jar)

    async def require_session(self) -> Session:
        """The visitor's session, complete or not.

        Raises:
            ApiError: 401 if there is none.
        """
        session = await self.session()
        if session is None:
            raise ApiError(401, "NOT_AUTHORIZED", "there is no session")
        return session

    def state(self) -> str:
        """Stands for the session as it is now: forms carry it, so that one of an older page changes nothing."""
        token = self.jar.get(self.site.cookie or cookie_name(self.iam), "")
        return base64.urlsafe_b64encode(hashlib.sha256(f"page\0{token}".encode()).digest()).decode()[:STATE_LENGTH]

    def require_state(self) -> None:
        """Refuse a form of an older page.

        Raises:
            ApiError: 409 if it is not of the session as it is now.
        """
        if not hmac.compare_digest(self.form.get("state", "").encode(), self.state().encode()):
            raise ApiError(409, "PAGE_OUT_OF_DATE", "the login went on in another window since this page was shown")

    def remaining(self, until: float) -> int:
        """Whole seconds until then, at least 0."""
        return max(0, round(until - self.iam.now()))

    def clock(self, seconds: float) -> str:
        """A time of day, on the clock that policies are written for."""
        zone = self.iam.local_time().tzinfo
        return datetime.fromtimestamp(seconds, zone).strftime("%H:%M:%S %Z")


Answer = Page | Redirect | File
PageHandler = Callable[[Visit], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class PageRoute:
    """One row of the table of pages.

    Args:
        method: GET or POST.
        path: with ``{names}``.
        handler: what is done.
        bound: whether a form must be of the session as it is now; those that begin something are not.
        back: the page that follows a refusal, and tells it; empty means a page of its own. For a POST it is also where a
            GET of its path leads.
        body_limit: the longest form in bytes, when it is not the server's.
    """

    method: str
    path: str
    handler: PageHandler
    bound: bool = True
    back: str = ""
    body_limit: int | None = None
