"""The control API as an ASGI application (docs/reference/control-api.md)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from authrig.control import messages
from authrig.control.device import CannotError, NothingToShowError
from authrig.control.guard import Guard, objection
from authrig.control.open_bench import NoSuchDeviceError, OpenBench
from authrig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from starlette.requests import Request

    from authrig.control.device import Device

logger = logging.getLogger(__name__)

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
FILES = {"/": "page.html", "/page.css": "page.css", "/page.js": "page.js", "/icon.svg": "icon.svg"}
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOLDER = Path(__file__).with_name("page")
_USB = re.compile(r"usb([1-9][0-9]{0,3})")
_STATUS: Mapping[type[RigError], HTTPStatus] = {
    messages.BadRequestError: HTTPStatus.BAD_REQUEST,
    NoSuchDeviceError: HTTPStatus.NOT_FOUND,
    NothingToShowError: HTTPStatus.NOT_FOUND,
    CannotError: HTTPStatus.CONFLICT,
}
KEEPALIVE_SECONDS = 15.0
"""After which a quiet stream says that it is still there."""


class ControlApi:
    """Serves ``bench`` to those whom ``guard`` knows; ``port`` is where it will listen."""

    def __init__(self, bench: OpenBench, guard: Guard, port: int) -> None:
        self._bench = bench
        self._guard = guard
        self._port = port
        device = "/devices/{name}"
        self.app = Starlette(
            routes=[
                *(Route(path, self._open(self._file), methods=["GET"]) for path in FILES),
                Route("/login", self._open(self._login), methods=["POST"]),
                Route("/devices", self._closed(self._list), methods=["GET"]),
                Route("/events", self._closed(self._events), methods=["GET"]),
                Route(f"{device}/events", self._closed(self._events), methods=["GET"]),
                Route(f"{device}/state", self._closed(self._state), methods=["GET"]),
                Route(f"{device}/screen.png", self._closed(self._screen), methods=["GET"]),
                Route(f"{device}/press", self._closed(self._press), methods=["POST"]),
                Route(f"{device}/touch", self._closed(self._touch), methods=["POST"]),
                Route(f"{device}/power", self._closed(self._power), methods=["POST"]),
                Route(f"{device}/picture", self._closed(self._picture), methods=["POST"]),
                Route(f"{device}/picture", self._closed(self._no_picture), methods=["DELETE"]),
                Route("/{usb}/{what}/{position}", self._closed(self._usb), methods=["GET"]),
                Route("/controller/{secret}/", self._controller(self._ports), methods=["GET"]),
                Route("/controller/{secret}/{usb}/{what}/{position}", self._controller(self._usb), methods=["GET"]),
            ],
            exception_handlers={
                HTTPStatus.NOT_FOUND: lambda *_: _refusal(HTTPStatus.NOT_FOUND, "there is no such call"),
                HTTPStatus.METHOD_NOT_ALLOWED: lambda *_: _refusal(
                    HTTPStatus.METHOD_NOT_ALLOWED, "this call has another method"
                ),
            },
        )

    # Who may ask what

    def _open(self, answer: _Answer) -> _Answer:
        """Anybody on this machine, and our own page."""
        return self._guarded(answer, lambda _: None, page=True)

    def _closed(self, answer: _Answer) -> _Answer:
        """Who knows the token."""
        sentence = "expected the token that was printed at the start: Authorization: Bearer ..."
        return self._guarded(answer, lambda each: None if self._guard.knows_token(each) else sentence, page=True)

    def _controller(self, answer: _Answer) -> _Answer:
        """Programs that know the controller's path."""
        sentence = "expected the controller's address that was printed at the start"
        return self._guarded(
            answer,
            lambda each: None if self._guard.is_controller(each.path_params["secret"]) else sentence,
            page=False,
        )

    def _guarded(self, answer: _Answer, stranger: Callable[[Request], str | None], *, page: bool) -> _Answer:
        async def endpoint(request: Request) -> Response:
            if (why := objection(request, self._port, page=page)) is not None:
                return _refusal(HTTPStatus.FORBIDDEN, why)
            if (why := stranger(request)) is not None:
                return _refusal(HTTPStatus.UNAUTHORIZED, why, {"WWW-Authenticate": "Bearer"})
            try:
                return await answer(request)
            except RigError as error:
                status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), None)
                return _refusal(status or HTTPStatus.BAD_GATEWAY, str(error))
            except Exception:  # one device must not take the others down
                logger.exception("%s failed", request.scope["route"].path)
                return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a mistake in authrig; the log has more")

        return endpoint

    # The page

    async def _file(self, request: Request) -> Response:
        path = _FOLDER / FILES[request.url.path]
        return Response(path.read_bytes(), headers=HEADERS, media_type=_TYPES[path.suffix])

    async def _login(self, request: Request) -> Response:
        login = messages.decode(await _body(request), messages.Login)
        if not self._guard.spend_login(login.code):
            return _refusal(HTTPStatus.UNAUTHORIZED, "this link was used already, or is of another bench")
        return _json({"token": self._guard.token})

    # The devices

    async def _list(self, request: Request) -> Response:
        del request
        devices = [await run_in_threadpool(self._described, each) for each in self._bench.devices.values()]
        return _json({"devices": devices})

    async def _state(self, request: Request) -> Response:
        return _json(await run_in_threadpool(self._described, self._device(request)))

    async def _screen(self, request: Request) -> Response:
        dots = request.query_params.get("dots") == "1"
        device = self._device(request)
        png = await run_in_threadpool(lambda: device.screen(dots=dots))
        return Response(png, headers=HEADERS, media_type="image/png")

    async def _press(self, request: Request) -> Response:
        device, press = self._device(request), messages.decode(await _body(request), messages.Press)
        return await self._after(device, lambda: device.press(press.button, held=press.held))

    async def _touch(self, request: Request) -> Response:
        device, touch = self._device(request), messages.decode(await _body(request), messages.Touch)
        return await self._after(device, lambda: device.touch(touch.on))

    async def _power(self, request: Request) -> Response:
        device, power = self._device(request), messages.decode(await _body(request), messages.Power)
        return await self._after(device, lambda: device.power(on=power.on))

    async def _picture(self, request: Request) -> Response:
        device, body = self._device(request), await _body(request)
        kind = request.headers.get("content-type", "")
        image = await run_in_threadpool(messages.decode_picture, body, kind)
        return await self._after(device, lambda: device.picture(image))

    async def _no_picture(self, request: Request) -> Response:
        device = self._device(request)
        return await self._after(device, lambda: device.picture(None))

    def _device(self, request: Request) -> Device:
        return self._bench.device(request.path_params["name"])

    async def _after(self, device: Device, act: Callable[[], object]) -> Response:
        """Do ``act``, and say how the device stands then."""
        await run_in_threadpool(act)
        return _json(await run_in_threadpool(self._described, device))

    def _described(self, device: Device) -> dict[str, Any]:
        """What a device is and how it stands; one that cannot be asked says why."""
        # Before its state: of two answers that overtake each other the one with the higher number is the newer one.
        number = self._bench.happenings.last
        try:
            state = device.state()
        except RigError as error:
            state = {"trouble": str(error)}
        return {
            "name": device.name,
            "kind": device.kind,
            "emulated": device.emulated,
            "actions": sorted(device.actions),
            "number": number,
            "state": state,
        }

    # The calls of Yubico's rig

    async def _ports(self, request: Request) -> Response:
        del request
        ports = [
            {"port": number, **await run_in_threadpool(self._described, key)}
            for number, key in self._bench.keys.items()
        ]
        return _json({"ports": ports})

    async def _usb(self, request: Request) -> Response:
        usb, what, position = (request.path_params[each] for each in ("usb", "what", "position"))
        number = _USB.fullmatch(usb)
        if number is None or what not in {"touch", "power"} or position not in {"on", "off"}:
            return _refusal(HTTPStatus.NOT_FOUND, "expected /usbN/touch/on|off or /usbN/power/on|off")
        keys = self._bench.keys
        key = keys.get(int(number[1]))
        if key is None:
            known = ", ".join(f"usb{each}" for each in keys) or "none: the rig file has no keys"
            return _refusal(HTTPStatus.NOT_FOUND, f"expected one of {known}, found usb{number[1]}")
        on = position == "on"
        return await self._after(key, lambda: key.touch(on) if what == "touch" else key.power(on=on))

    # What happens

    async def _events(self, request: Request) -> Response:
        name = request.path_params.get("name")
        if name is not None:
            self._bench.device(name)
        given = request.headers.get("last-event-id", "")
        known = given.isascii() and given.isdecimal() and len(given) < 16
        # Asked for now: what goes by from here on is missed, also before the stream has its first turn.
        since = int(given) if known else self._bench.happenings.gone
        headers = {**HEADERS, "X-Accel-Buffering": "no"}
        if request.method == "HEAD":
            return Response(headers=headers, media_type="text/event-stream")
        return StreamingResponse(self._stream(name, since), headers=headers, media_type="text/event-stream")

    async def _stream(self, name: str | None, since: int) -> AsyncIterator[bytes]:
        """What is kept after ``since``, and then each as it happens; who reads slowly is told how much was skipped."""
        happenings, loop, stirred = self._bench.happenings, asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits
                loop.call_soon_threadsafe(stirred.set)

        happenings.listen(wake)
        try:
            yield b": authrig\n\n"
            while not happenings.closed:
                stirred.clear()
                happened, skipped = happenings.after(since)
                if skipped:
                    yield _event(since + skipped, "skipped", {"count": skipped})
                for each in happened:
                    since = each.number
                    if name in (None, each.device):
                        yield _event(each.number, "happening", asdict(each))
                try:
                    await asyncio.wait_for(stirred.wait(), KEEPALIVE_SECONDS)
                except TimeoutError:
                    yield b": still here\n\n"
        finally:
            happenings.unlisten(wake)


if TYPE_CHECKING:
    _Answer = Callable[[Request], Awaitable[Response]]


async def _body(request: Request) -> bytes:
    """The body of a request, if it is not too long.

    Raises:
        BadRequestError: if it is.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > messages.MAX_BODY_BYTES:
            raise messages.BadRequestError(f"expected at most {messages.MAX_BODY_BYTES} bytes, found more")
    return bytes(body)


def _json(document: object, status: HTTPStatus = HTTPStatus.OK, more: Mapping[str, str] | None = None) -> Response:
    content = msgspec.json.encode(document) + b"\n"
    return Response(content, status, {**HEADERS, **(more or {})}, "application/json")


def _refusal(status: HTTPStatus, sentence: str, more: Mapping[str, str] | None = None) -> Response:
    return _json({"error": sentence}, status, more)


def _event(number: int, kind: str, document: object) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, kind.encode(), msgspec.json.encode(document))
