"""From a route table to an ASGI application: one strict way in for every request, one shape for every refusal."""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from server_stub.addresses import Network, caller
from server_stub.errors import ApiError, bad_request

log = logging.getLogger(__name__)

Body = TypeVar("Body")
BROKEN = ApiError(500, "INTERNAL_ERROR", "the server made a mistake; it is in its log")

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Sent with every answer: it is data, and no page of any site is to run, frame or embed it."""

_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a call that needs none: empty, or ``{}``."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Body]):
    """One request after all checks that do not depend on what it asks for."""

    body: Body
    path: Mapping[str, str]
    query: Mapping[str, str]
    cookies: Mapping[str, str] = field(repr=False)
    client: str
    """The address of the caller."""
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set; an empty value removes it."""

    name: str
    value: str = field(repr=False)
    path: str
    secure: bool = False
    """Only over HTTPS."""
    lifetime: int | None = None
    """In seconds; None means until the browser is closed."""

    def put(self, response: Response) -> None:
        """Set it so that no script reads it and no other site sends it."""
        lifetime = self.lifetime if self.value else 0
        if lifetime is None and _TOKEN.fullmatch(self.value):
            # A session's token, in every login: what follows makes the same of it in ten times the time.
            secure = "; Secure" if self.secure else ""
            line = f"{self.name}={self.value}; HttpOnly; Path={self.path}; SameSite=strict{secure}"
            response.raw_headers.append((b"set-cookie", line.encode()))
            return
        response.set_cookie(
            self.name,
            self.value,
            max_age=lifetime,
            path=self.path,
            httponly=True,
            samesite="strict",
            secure=self.secure,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler answers."""

    document: Any
    status: int = 200
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One row of a route table.

    Args:
        method: GET, POST, PUT or DELETE.
        path: with ``{names}``; a trailing slash is optional for callers.
        handler: ``async (services, Call[body]) -> Reply``.
        answer: the type of the document in a good answer.
        summary: one sentence for the description.
        body: the type of the request's body.
        status: the status of a good answer.
        published: whether the path stands in the public documents of the product it is modelled on.
        errors: the codes that this call in particular may answer.
        body_limit: the largest body in bytes, when it is not the interface's.
        query: the parameters that may follow the path, and what they are; all may be left out.
    """

    method: str
    path: str
    handler: Callable[[Any, Call[Any]], Awaitable[Reply]]
    answer: Any
    summary: str
    body: Any = Nothing
    status: int = 200
    published: bool = False
    errors: tuple[str, ...] = field(default=(), kw_only=True)
    body_limit: int | None = field(default=None, kw_only=True)
    query: Mapping[str, str] = field(default_factory=dict, kw_only=True)

    @property
    def operation(self) -> str:
        """A name for the call: that of the handler and its module."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"

    @property
    def empty_body(self) -> Any:
        """What an empty body means, or None where the call needs one."""
        try:
            return msgspec.convert({}, self.body)
        except msgspec.ValidationError:
            return None

    @property
    def needs_body(self) -> bool:
        """Whether an empty body is refused."""
        return self.empty_body is None


class Interface(Protocol):
    """What the routes of one API share."""

    @property
    def services(self) -> Any:
        """The first parameter of every handler."""
        ...

    @property
    def body_limit(self) -> int:
        """The largest body, in bytes."""
        ...

    @property
    def trusted_proxies(self) -> Sequence[Network]:
        """Whose ``X-Forwarded-For`` is believed."""
        ...

    def admit(self, request: Request, body: bytes) -> None:
        """Let the request in.

        Raises:
            ApiError: if the caller may not call this API at all.
        """
        ...

    async def refusal(self, request: Request, error: ApiError) -> msgspec.Struct:
        """The document that says why a request is refused."""
        ...


Endpoint = Callable[[Request], Awaitable[Response]]


class _Application(Starlette):
    """Finds a path without parameters in a table instead of trying one pattern after the other.

    That is most calls of a login, and the patterns took as long as the rest of a small request.
    """

    def __init__(self, table: Mapping[tuple[str, str], Endpoint], **options: Any) -> None:
        super().__init__(**options)
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._table.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if endpoint is None or self.user_middleware:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        scope["path_params"] = {}
        response = await endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


def build_app(apis: Iterable[tuple[Iterable[Route], Interface]], other: Interface) -> Starlette:
    """The application of several APIs.

    Args:
        apis: route tables, each with the interface that guards it.
        other: answers for paths that stand in no table.
    """

    async def no_route(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        phrase = HTTPStatus(error.status_code)
        refused = ApiError(error.status_code, phrase.name, f"{phrase.phrase}: {request.method} {request.url.path}")
        response = await _refuse(other, request, refused)
        response.headers.update(error.headers or {})
        return response

    routes = [_starlette_route(route, interface) for table, interface in apis for route in table]
    shapes = [shape for pair in routes for shape in pair]
    static = [shape for shape in shapes if "{" not in shape.path]
    app = _Application(
        {
            (method, shape.path): shape.endpoint
            for shape in static
            for method in (shape.methods or ())
            if method != "HEAD"
        },
        routes=shapes,
        exception_handlers={HTTPException: no_route},
    )
    app.router.redirect_slashes = False
    return app


def _starlette_route(route: Route, interface: Interface) -> list[StarletteRoute]:
    decoder = msgspec.json.Decoder(route.body)
    empty = route.empty_body

    async def answer(request: Request) -> Response:
        data = await _read(request, route.body_limit or interface.body_limit)
        interface.admit(request, data)
        if any("\0" in name for name in request.path_params.values()):
            # PostgreSQL holds no such text, so it is nobody's name; where SQLite is asked it is to be the same.
            raise ApiError(404, "NOT_FOUND", "nothing has a name with U+0000 in it")
        body = _decode(request, decoder, data, empty)
        client = _client(request, interface.trusted_proxies)
        query = request.query_params if request.scope["query_string"] else {}
        call = Call(body, request.path_params, query, request.cookies, client, request.headers)
        reply = await route.handler(interface.services, call)
        response = _Answer(reply.document, reply.status)
        for cookie in reply.cookies:
            cookie.put(response)
        return response

    async def endpoint(request: Request) -> Response:
        return await refuse_broken(interface, request, answer(request))

    path = route.path.rstrip("/") or "/"
    paths = [path] if path == "/" else [path, path + "/"]
    return [StarletteRoute(each, endpoint, methods=[route.method]) for each in paths]


async def refuse_broken(interface: Interface, request: Request, answer: Awaitable[Response]) -> Response:
    """What ``answer`` comes to; whatever goes wrong is answered in the shape of ``interface``."""
    try:
        return await answer
    except ApiError as error:
        return await _refuse(interface, request, error)
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception:
        # Whatever we did wrong is answered in the same shape, and only the log tells more.
        log.exception(
            "%s %s broke", request.method, request.scope["route"].path if "route" in request.scope else request.url.path
        )
        return await _refuse(interface, request, BROKEN)


async def _read(request: Request, limit: int) -> bytes:
    data, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        data += message.get("body", b"")
        more = message.get("more_body", False)
        if len(data) > limit:
            raise ApiError(413, "PAYLOAD_TOO_LARGE", f"a request's body has up to {limit} bytes")
    return bytes(data)


def _decode(request: Request, decoder: msgspec.json.Decoder[Any], data: bytes, empty: Any) -> Any:
    if not data:
        if empty is None:
            raise bad_request("the body is empty, expected a JSON object")
        return empty
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", "a body is sent as Content-Type: application/json")
    try:
        return decoder.decode(data)
    except msgspec.DecodeError as error:
        raise bad_request(f"the body is not as expected: {error}") from error
    except UnicodeDecodeError as error:
        raise bad_request(f"the body is not UTF-8: {error.reason}") from error
    except RecursionError as error:
        raise bad_request("the body is nested too deeply") from error


def _client(request: Request, trusted: Sequence[Network]) -> str:
    peer = request.client.host if request.client else "unknown"
    return caller(peer, request.headers.getlist("x-forwarded-for"), trusted)


async def _refuse(interface: Interface, request: Request, error: ApiError) -> Response:
    return _Answer(await interface.refusal(request, error), error.status)


class _Answer(Response):
    """A document as JSON. Starlette would put the same headers into bytes for each."""

    def __init__(self, document: Any, status: int) -> None:
        self.status_code, self.background = status, None
        self.body = msgspec.json.encode(document)
        length = (b"content-length", str(len(self.body)).encode())
        self.raw_headers = [*_RAW_HEADERS, length, (b"content-type", b"application/json")]
