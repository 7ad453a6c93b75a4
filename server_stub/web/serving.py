"""From the table of pages to routes: one strict way in for every request, one set of headers for every answer."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from server_stub.addresses import caller
from server_stub.api.routing import BROKEN, Cookie
from server_stub.errors import ApiError, bad_request
from server_stub.iam import Iam
from server_stub.web import assets, languages
from server_stub.web.rendering import error_page, render
from server_stub.web.told import COOKIE as TOLD
from server_stub.web.told import MOST_DETAIL, Told, cookie, read
from server_stub.web.visit import PUBLIC, Answer, File, PageHandler, PageRoute, Redirect, Site, Visit

log = logging.getLogger(__name__)

MOST_FIELDS = 30
FORM = "application/x-www-form-urlencoded"
_IN_ADDRESSES = ":/?#[]@!$&'()*+,;=%"
"""What may stand in an address as it is (RFC 3986 §2.2); a line's end may not."""
_POLICY = (
    "default-src 'none'; script-src 'self'{more}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_PERMISSIONS = (
    "camera=({camera}), microphone=(), geolocation=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)"
)
_ALWAYS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # With "no-referrer" browsers would send "Origin: null" with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Language, Cookie",
}


def headers(*, camera: bool) -> dict[str, str]:
    """What is sent with a page; only one with a ``camera`` may use it, and run WebAssembly."""
    return {
        **_ALWAYS,
        "Content-Security-Policy": _POLICY.format(more=" 'wasm-unsafe-eval'" if camera else ""),
        "Permissions-Policy": _PERMISSIONS.format(camera="self" if camera else ""),
    }


def add_pages(
    app: Starlette, iam: Iam, table: Sequence[PageRoute], machine_paths: tuple[str, ...], site: Site = PUBLIC
) -> None:
    """Let ``app`` serve the pages too; for a browser's unknown path below none of ``machine_paths`` there is a page."""
    app.router.routes += [Route(assets.PATH, assets.serve, methods=["GET"])]
    for row in (*table, *_ways_back(table)):
        app.router.routes += [Route(row.path, _endpoint(iam, row, site), methods=[row.method])]
    before = app.exception_handlers[HTTPException]

    async def not_found(request: Request, error: Exception) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if not wants_page or request.url.path.startswith(machine_paths):
            answered: Response = await before(request, error)
            return answered
        assert isinstance(error, HTTPException)
        visit = _visit(iam, request, site)
        refused = ApiError(error.status_code, HTTPStatus(error.status_code).name, "there is no such page")
        return _respond(visit, await error_page(visit, refused))

    app.exception_handlers[HTTPException] = not_found


def _ways_back(table: Sequence[PageRoute]) -> list[PageRoute]:
    """A GET for each path that has only a POST."""
    there = {row.path for row in table if row.method == "GET"}
    rows = {row.path: row for row in table if row.method == "POST" and row.path not in there}

    def way_back(row: PageRoute) -> PageHandler:
        async def go_back(visit: Visit) -> Answer:
            return Redirect(row.back.format_map(visit.path))

        return go_back

    return [PageRoute("GET", path, way_back(row)) for path, row in rows.items()]


def _endpoint(iam: Iam, row: PageRoute, site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = _visit(iam, request, site)
        try:
            if row.method == "POST":
                visit.form = await _form(request, row.body_limit or iam.settings.body_limit)
                _admit(request, https=iam.settings.behind_https and site.beside_https)
            answer = await _answer(visit, row)
        except ClientDisconnect:
            return Response(status_code=400)
        except ApiError as error:
            answer = await error_page(visit, error)
        except Exception:
            # Whatever we did wrong gets the same page, and only the log tells more.
            log.exception("%s %s broke", request.method, row.path)
            answer = await error_page(visit, BROKEN)
        return _respond(visit, answer)

    return endpoint


async def _answer(visit: Visit, row: PageRoute) -> Answer:
    try:
        if row.method == "POST" and row.bound:
            await _require_current(visit)
        return await row.handler(visit)
    except ApiError as error:
        log.info("page %s refused: %s %s", row.path, error.status, error.code)
        if not row.back:
            raise
        if error.code != "UNEXPECTED_CALL":
            # Otherwise it was an older page, or a form sent twice: the page of what comes next says all there is to say.
            detail = error.detail[:MOST_DETAIL] if visit.site.with_details else ""
            told = Told(error.code, error.lock_expiry, visit.form.get("username", "")[:64], detail)
            visit.take((cookie(told, secure=visit.iam.settings.behind_https),))
        return Redirect(row.back.format_map(visit.path))


def _visit(iam: Iam, request: Request, site: Site) -> Visit:
    peer = request.client.host if request.client else "unknown"
    client = caller(peer, request.headers.getlist("x-forwarded-for"), iam.trusted_proxies)
    switch = request.query_params.get("lang", "")
    chosen = switch if switch in languages.languages() else request.cookies.get(languages.COOKIE)
    language = languages.choose(chosen, request.headers.get("accept-language", ""))
    visit = Visit(
        iam=iam,
        path=dict(request.path_params),
        query=dict(request.query_params),
        form={},
        headers=dict(request.headers),
        client=client,
        language=language,
        jar=dict(request.cookies),
        told=read(request.cookies.get(TOLD, ""), request.query_params.get("why", "")),
        site=site,
    )
    if switch in languages.languages():
        lifetime = 365 * 86400
        visit.take((Cookie(languages.COOKIE, switch, "/", iam.settings.behind_https, lifetime),))
    return visit


async def _form(request: Request, limit: int) -> dict[str, str]:
    """The fields of a form.

    Raises:
        ApiError: if it is none, too long, or says something twice.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != FORM:
        raise ApiError(415, "UNSUPPORTED_MEDIA_TYPE", f"a form is sent as {FORM}")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit:
            raise ApiError(413, "PAYLOAD_TOO_LARGE", f"a form has up to {limit} bytes")
    try:
        pairs = parse_qsl(
            bytes(data).decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise bad_request("the form is not as expected") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise bad_request("the form says something twice")
    return fields


def _admit(request: Request, *, https: bool) -> None:
    """Keep out forms that a page of another site sends; browsers say where a form is from.

    Raises:
        ApiError: 403 if it is from elsewhere, or nothing says that it is from here.
    """
    site = request.headers.getlist("sec-fetch-site")
    origins = [urlsplit(each) for each in request.headers.getlist("origin")]
    if site not in ([], ["same-origin"]):
        raise ApiError(403, "FORM_FROM_ELSEWHERE", "the form is from another site")
    here = [each.netloc for each in origins] == request.headers.getlist("host")
    if not here or (https and origins[0].scheme != "https"):
        raise ApiError(403, "FORM_FROM_ELSEWHERE", "nothing says that the form is from this server")


async def _require_current(visit: Visit) -> None:
    await visit.require_session()
    visit.require_state()


def _respond(visit: Visit, answer: Answer) -> Response:
    if isinstance(answer, Redirect):
        where = quote(answer.to, safe=_IN_ADDRESSES if answer.as_written else "/?=&")
        response = Response(status_code=303, headers={**headers(camera=False), "Location": where})
    elif isinstance(answer, File):
        response = Response(answer.content, headers=headers(camera=False), media_type=answer.media_type)
        response.headers["Content-Disposition"] = f'attachment; filename="{answer.name}"'
    else:
        if TOLD in visit.jar:
            visit.take((cookie(None, secure=visit.iam.settings.behind_https),))
        response = Response(render(visit, answer), answer.status, headers(camera=answer.camera), "text/html")
        response.headers["Content-Language"] = visit.language.tag
    for each in visit.to_set.values():
        each.put(response)
    return response
