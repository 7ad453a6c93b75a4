"""The stock of tokens: import, look for one, suspend, share, unlock, resync."""

import base64
from typing import Any

from server_stub.errors import ApiError
from server_stub.web.admin.entrance import HOME, AdminVisit
from server_stub.web.admin.fields import required
from server_stub.web.admin.paper import print_token_letter
from server_stub.web.visit import Answer, File, Redirect

PATH = f"{HOME}tokens"
MOST = 100
NOTES = ("suspended", "active", "assigned", "unassigned", "token_unlocked", "resynced")


async def show_stock(administrator: AdminVisit) -> Answer:
    """Tokens whose serial number, name or user holds what was typed."""
    visit = administrator.visit
    wanted = visit.query.get("q", "").strip()[:64]
    stock = (await administrator.rest("admin_stock.list_tokens")).data
    found = [each for each in stock if _holds(each.attributes, wanted.casefold())]
    imported = visit.query.get("imported", "")
    return administrator.page(
        "tokens.html",
        wanted=wanted,
        found=found[:MOST],
        more=max(0, len(found) - MOST),
        imported=int(imported) if imported.isascii() and imported.isdigit() and len(imported) < 7 else None,
    )


def _holds(token: Any, part: str) -> bool:
    return any(part in each.casefold() for each in (token.serial, token.display_name, *token.users))


async def import_file(administrator: AdminVisit) -> Answer:
    """A maker's file, all of it or nothing."""
    form = administrator.visit.form
    kind, content = required(administrator.visit, "kind", "content")
    body: dict[str, Any] = {"format": kind, "content": base64.b64encode(content.encode()).decode()}
    if form.get("key", "").strip():
        body["keyHex"] = form["key"].strip()
    if form.get("password"):
        body["password"] = form["password"]
    imported = (await administrator.rest("admin_stock.import_tokens", body)).data
    return Redirect(f"{PATH}?imported={len(imported)}")


async def write_letter(administrator: AdminVisit) -> Answer:
    """To whom it is sent: how to activate it."""
    visit = administrator.visit
    (name,) = required(visit, "username")
    user = (await administrator.rest("admin.get_user", username=name)).data.attributes
    token = await _find(administrator)
    form, tag = visit.form.get("format", "pdf"), visit.form.get("language", "")
    return File(*await print_token_letter(visit, user.username, token.serial, tag, form))


async def _find(administrator: AdminVisit) -> Any:
    device = administrator.visit.path["device"]
    stock = (await administrator.rest("admin_stock.list_tokens")).data
    found = next((each.attributes for each in stock if each.id == device), None)
    if found is None:
        raise ApiError(404, "TOKEN_UNKNOWN", "there is no such token")
    return found


async def show(administrator: AdminVisit) -> Answer:
    """One token."""
    token = await _find(administrator)
    return administrator.page("token.html", NOTES, device=administrator.visit.path["device"], token=token)


async def set_state(administrator: AdminVisit) -> Answer:
    """Suspend it, or let it work again."""
    device, (state,) = administrator.visit.path["device"], required(administrator.visit, "to")
    await administrator.rest("admin_stock.set_token_state", {"state": state}, device=device)
    return _back(device, "active" if state == "active" else "suspended")


async def assign(administrator: AdminVisit) -> Answer:
    """Give it to a user, or to one more where sharing is allowed."""
    device, (name,) = administrator.visit.path["device"], required(administrator.visit, "username")
    await administrator.rest("admin_stock.assign_token", username=name, device=device)
    return _back(device, "assigned")


async def unassign(administrator: AdminVisit) -> Answer:
    """Take it from a user."""
    device, name = _whose(administrator)
    await administrator.rest("admin_stock.unassign_token", username=name, device=device)
    return _back(device, "unassigned")


async def unlock(administrator: AdminVisit) -> Answer:
    """Forgive its wrong codes."""
    device, name = _whose(administrator)
    await administrator.rest("admin_care.unlock_token", username=name, device=device)
    if administrator.visit.form.get("from") == "lockouts":
        return Redirect(f"{HOME}lockouts?done=token_unlocked")
    return _back(device, "token_unlocked")


async def resync(administrator: AdminVisit) -> Answer:
    """Find it again by two codes."""
    device, name = _whose(administrator)
    first, second = required(administrator.visit, "first", "second")
    body = {"first": first.replace(" ", ""), "second": second.replace(" ", "")}
    await administrator.rest("admin_tokens.resync_token", body, username=name, device=device)
    return _back(device, "resynced")


def _whose(administrator: AdminVisit) -> tuple[str, str]:
    return administrator.visit.path["device"], administrator.visit.path["username"]


def _back(device: str, done: str) -> Redirect:
    return Redirect(f"{PATH}/{device}?done={done}")
