"""Cookies that only this server can read and write: what a page needs again, kept by the browser and by no process.

So it does not matter which process answers, nor whether one was started anew meanwhile.
"""

import base64

from server_stub.api.routing import Cookie
from server_stub.vault import VaultError
from server_stub.web.visit import Visit


def keep(visit: Visit, name: str, about: str, content: bytes, lifetime: int, *, path: str = "/") -> None:  # noqa: PLR0913 - a cookie has as many parts
    """Let the browser keep ``content`` for ``lifetime`` seconds; it can be read again only as being ``about`` the same."""
    sealed = visit.iam.vault.seal(content, _row(name, about))
    value = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    visit.take((Cookie(name, value, path, visit.iam.settings.behind_https, lifetime),))


def kept(visit: Visit, name: str, about: str) -> bytes | None:
    """What the browser has kept; nothing if it has not, or it is about something else, or not of this server."""
    value = visit.jar.get(name, "")
    if not value:
        return None
    try:
        sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        return visit.iam.vault.open(sealed, _row(name, about))
    except (ValueError, VaultError):  # ValueError: it is not base64
        return None


def _row(name: str, about: str) -> str:
    return f"web/{name}/{about}"
