"""The addresses between which a browser travels to an OpenID Connect provider and back.

The way back begins on another site, so the session's cookie, which is SameSite=Strict, is not there yet. The callback
therefore answers a page of ours that goes on at once, by itself or with a click, and without script: that request is our own.
"""

import html
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from server_stub.addresses import caller
from server_stub.api import oidc
from server_stub.api.authentication import AccessRequest, access
from server_stub.api.current import PublicInterface, find
from server_stub.api.routing import HEADERS, Call, Cookie, Nothing, Reply, refuse_broken
from server_stub.errors import ApiError, bad_request
from server_stub.iam import Iam
from server_stub.store.iam import addresses

PATH = "/auth/oidc/{provider}"
PARAMETERS = ("state", "code", "iss", "error")
_PAGE = """<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Logging in</title>
<meta http-equiv="refresh" content="0;url={0}"><p><a href="{0}">Continue</a></p></html>
"""


def add_redirects(app: Starlette, iam: Iam) -> None:
    """Let ``app`` serve them too."""
    interface = PublicInterface(iam)
    check = addresses.limited(oidc.check_response)

    async def start(request: Request) -> Response:
        """Off to the provider; with ``?application=`` a login for it is begun, if there is none."""
        call = _call(iam, request, Nothing())
        begun: tuple[Cookie, ...] = ()
        if "application" in request.query_params:
            path = {**call.path, "application": request.query_params["application"]}
            begun = (await access(iam, replace(call, body=AccessRequest(), path=path))).cookies
        fresh = {cookie.name: cookie.value for cookie in begun}
        reply = await oidc.retrieve_authorization(iam, replace(call, cookies={**call.cookies, **fresh}))
        response = _redirect(reply.document.data.attributes.authorization_uri)
        for cookie in begun:
            cookie.put(response)
        return response

    async def callback(request: Request) -> Response:
        """Back from the provider, with nothing but what it said: another site sent the browser here."""
        query = {name: request.query_params[name] for name in PARAMETERS if name in request.query_params}
        where = f"finish?{urlencode(query)}"
        return Response(_PAGE.format(html.escape(where)), 200, HEADERS, "text/html")

    async def finish(request: Request) -> Response:
        """With the session's cookie: on to the next step."""
        reply = await check(iam, _call(iam, request, _response(request)))
        return await _onward(iam, request, reply)

    for name, handler in (("start", start), ("callback", callback), ("finish", finish)):
        app.router.routes.append(Route(f"{PATH}/{name}", _guarded(interface, handler), methods=["GET"]))


def _guarded(
    interface: PublicInterface, handler: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await refuse_broken(interface, request, handler(request))

    return endpoint


def _call(iam: Iam, request: Request, body: Any) -> Call[Any]:
    peer = request.client.host if request.client else "unknown"
    client = caller(peer, request.headers.getlist("x-forwarded-for"), iam.trusted_proxies)
    return Call(body, request.path_params, request.query_params, request.cookies, client, request.headers)


def _response(request: Request) -> oidc.OidcResponse:
    query = [(name, value) for name, value in request.query_params.multi_items() if name in PARAMETERS]
    if len(dict(query)) != len(query):
        raise bad_request("the provider's answer has a parameter twice")
    try:
        return msgspec.convert(dict(query), oidc.OidcResponse)
    except msgspec.ValidationError as error:
        raise bad_request(f"the provider's answer is not as expected: {error}") from error


async def _onward(iam: Iam, request: Request, reply: Reply) -> Response:
    attributes = reply.document.data.attributes
    target = attributes.redirect_uri
    if attributes.next_auth_step is not None:
        fresh = {cookie.name: cookie.value for cookie in reply.cookies}
        session = await find(iam, {**request.cookies, **fresh})
        if session is None:
            raise ApiError(401, "NOT_AUTHORIZED", "the session ended a moment ago")
        target = f"/login/{quote(session.application, safe='')}"
    response = _redirect(target)
    for cookie in reply.cookies:
        cookie.put(response)
    return response


def _redirect(where: str) -> Response:
    return RedirectResponse(where, 303, HEADERS)
