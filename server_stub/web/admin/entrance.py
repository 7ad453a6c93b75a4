"""Who may see which page of the administration: a token that was typed once, and is kept as a sealed cookie."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from server_stub.api.admin_routes import ADMIN_TABLES
from server_stub.api.routing import Cookie
from server_stub.errors import ApiError
from server_stub.iam import Iam
from server_stub.web import sealed, told
from server_stub.web.told import Told
from server_stub.web.visit import NONE, Answer, Page, PageHandler, PageRoute, Redirect, Site, Visit

HOME = "/admin/"
LOGIN = "/admin/login"
COOKIE = "authrig_admin"
SITE = Site(HOME, COOKIE, with_details=True, beside_https=False)
EVERYTHING = ""
"""The role of whoever has the token for everything."""
AREAS = {
    "users": ("users", "tokens", "lockouts"),
    "badges": ("badges",),
    "policies": ("policies",),
    "audit": ("audit",),
}
"""What there is to look after, by the role that may."""
_ROWS = {route.operation: (role, route) for role, table in ADMIN_TABLES.items() for route in table}
_ABOUT = "who"


class Kept(msgspec.Struct, frozen=True):
    """What the cookie says: a role, which of its tokens was shown (a hash), and until when that counts."""

    role: str
    proof: str
    until: float


@dataclass(frozen=True, slots=True)
class AdminVisit:
    """A visit of an administrator."""

    visit: Visit
    role: str

    def may(self, role: str) -> bool:
        """Whether that role's calls are theirs."""
        return self.role in {EVERYTHING, role}

    async def rest(
        self,
        operation: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] = NONE,
        **path: str,
    ) -> Any:
        """Do what the administration's REST call ``operation`` does, as whoever has the same token could.

        Raises:
            ApiError: 403 if it is another role's; otherwise as the REST refuses.
        """
        role, route = _ROWS[operation]
        if not self.may(role):
            raise ApiError(403, "ROLE_REQUIRED", f"this is for the administrator of {role}")
        return await self.visit.do(route, body, path, query)

    def page(self, template: str, notes: tuple[str, ...] = (), **values: object) -> Page:
        """A page, with the way to all others that are this administrator's; ``notes`` are what it may say was done."""
        done = self.visit.query.get("done", "")
        common = {
            "role": self.role,
            "areas": [area for role, areas in AREAS.items() if self.may(role) for area in areas],
            "note": done if done in notes else None,
        }
        return Page(f"admin/{template}", common | values)


AdminHandler = Callable[[AdminVisit], Awaitable[Answer]]


def admin_page(path: str, handler: AdminHandler, role: str | None) -> PageRoute:
    """A page for a role; None lets every administrator in."""
    return PageRoute("GET", path, _guarded(handler, role), bound=False)


def admin_form(
    path: str, handler: AdminHandler, role: str | None, *, back: str, body_limit: int | None = None
) -> PageRoute:
    """What a form does, for a role; a refusal is told on the page ``back``."""
    return PageRoute("POST", path, _guarded(handler, role, changes=True), bound=False, back=back, body_limit=body_limit)


def _guarded(handler: AdminHandler, role: str | None, *, changes: bool = False) -> PageHandler:
    async def guard(visit: Visit) -> Answer:
        known = _find(visit)
        if known is None:
            if changes:
                visit.take((told.cookie(Told("ADMIN_NOT_AUTHORIZED"), secure=visit.iam.settings.behind_https),))
            return Redirect(LOGIN)
        administrator = AdminVisit(visit, known)
        if role is not None and not administrator.may(role):
            raise ApiError(403, "ROLE_REQUIRED", f"this is for the administrator of {role}")
        if changes:
            visit.require_state()
        return await handler(administrator)

    return guard


async def show(visit: Visit) -> Answer:
    """The form for the token."""
    return Redirect(HOME) if _find(visit) is not None else Page("admin/login.html")


async def sign_in(visit: Visit) -> Answer:
    """Look whose token it is."""
    token = visit.form.get("token", "").strip()
    role = _role_of(visit.iam, token)
    if role is None:
        raise ApiError(401, "ADMIN_TOKEN_WRONG", "this is no administration token of this server")
    lifetime = visit.iam.settings.session_lifetime
    kept = Kept(role, _proof(token), visit.iam.now() + lifetime)
    sealed.keep(visit, COOKIE, _ABOUT, msgspec.json.encode(kept), lifetime, path=HOME)
    return Redirect(HOME)


async def sign_out(administrator: AdminVisit) -> Answer:
    """The browser forgets."""
    visit = administrator.visit
    visit.take((Cookie(COOKIE, "", HOME, visit.iam.settings.behind_https),))
    return Redirect(LOGIN)


async def home(administrator: AdminVisit) -> Answer:
    """What there is to do."""
    return administrator.page("home.html")


async def lead_home(_: Visit) -> Answer:
    """Whoever types the port's address means this."""
    return Redirect(HOME)


def _find(visit: Visit) -> str | None:
    """The role that the cookie proves, as long as the token that was shown for it is the one in force."""
    content = sealed.kept(visit, COOKIE, _ABOUT)
    if content is None:
        return None
    kept = msgspec.json.decode(content, type=Kept)
    token = _tokens(visit.iam).get(kept.role)
    if token is None or kept.until <= visit.iam.now() or not hmac.compare_digest(kept.proof, _proof(token)):
        return None
    return kept.role


def _tokens(iam: Iam) -> Mapping[str, str]:
    return {EVERYTHING: iam.admin_token, **iam.role_tokens}


def _role_of(iam: Iam, token: str) -> str | None:
    shown = token.encode()
    roles = [role for role, each in _tokens(iam).items() if hmac.compare_digest(each.encode(), shown)]
    return roles[0] if roles else None


def _proof(token: str) -> str:
    return hashlib.sha256(f"admin\0{token}".encode()).hexdigest()
