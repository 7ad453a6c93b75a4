"""Who may ask: programs that know the token, and our own page. Nothing else that runs in a browser, whatever its name."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

OWN_NAMES = ("127.0.0.1", "localhost")
"""A Host header with another name is one that somebody else's DNS resolves to this machine."""

HTTP_PORT = 80
"""The one that a browser does not name."""


class Guard:
    """The secrets of one bench, and what each of them opens."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        """Opens everything."""
        self.controller = secrets.token_urlsafe(24)
        """In a path; opens the calls of Yubico's rig, whose clients know no other way to say who they are."""
        self.login = secrets.token_urlsafe(24)
        """In the link to the page; is exchanged for the token, once."""
        self._login_spent = False

    def spend_login(self, code: str) -> bool:
        """Whether ``code`` is the one of the link, for the first time."""
        if self._login_spent or not _same(code, self.login):
            return False
        self._login_spent = True
        return True

    def is_controller(self, secret: str) -> bool:
        """Whether ``secret`` is that of the controller's path."""
        return _same(secret, self.controller)

    def knows_token(self, request: Request) -> bool:
        """Whether the request bears the token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and _same(token.strip(), self.token)


def objection(request: Request, port: int, *, page: bool) -> str | None:
    """Why a request to the API on ``port`` is not answered at all; None if it may go on.

    Args:
        request: what was asked.
        port: where it was asked.
        page: our own page may ask this too, else only programs may.
    """
    hosts = {f"{name}:{port}" for name in OWN_NAMES} | set(OWN_NAMES if port == HTTP_PORT else ())
    if request.headers.get("host", "") not in hosts:
        return f"expected a request to {OWN_NAMES[0]}:{port}, found another Host"
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
    if not page and (origin is not None or site != "none"):
        return "expected a request of a program, found one of a page"
    if origin is not None and origin not in {f"http://{host}" for host in hosts}:
        return "expected a request of this page, found one of another origin"
    if site not in {"none", "same-origin"}:
        return "expected a request of this page, found one of another site"
    return None


def _same(found: str, expected: str) -> bool:
    return hmac.compare_digest(found.encode("utf-8", "surrogatepass"), expected.encode())
