"""Users: look for one, make one, and everything that one has."""

from datetime import datetime
from typing import Any

from server_stub.errors import ApiError
from server_stub.web.admin.entrance import HOME, AdminVisit
from server_stub.web.admin.fields import number, required, words
from server_stub.web.admin.paper import app_letter
from server_stub.web.visit import Answer, File, Redirect

PATH = f"{HOME}users"
LOCKOUTS = f"{HOME}lockouts"
MOST = 100
"""How many are shown at once; a search finds the others."""
NOTES = ("added", "password", "renamed", "groups", "unlocked", "assigned", "unassigned", "token_unlocked", "resynced")


async def search(administrator: AdminVisit) -> Answer:
    """Users whose name holds what was typed, a hundred at a time."""
    query = administrator.visit.query
    asked = {"q": query.get("q", "").strip()[:64], "after": query.get("after", "")[:64]}
    found = (await administrator.rest("admin_lists.list_users", query=asked)).data
    shown = [each.attributes for each in found[:MOST]]
    last = shown[-1].username if len(found) > MOST else None
    return administrator.page("users.html", wanted=asked["q"], found=shown, after=asked["after"], last=last)


async def add(administrator: AdminVisit) -> Answer:
    """Make a user."""
    visit = administrator.visit
    name, password = required(visit, "username", "password")
    groups = words(visit.form.get("groups", ""))
    made = await administrator.rest("admin.add_user", {"username": name, "password": password, "groups": groups})
    return _back(made.data.attributes.username, "added")


async def show(administrator: AdminVisit) -> Answer:
    """One user."""
    name = administrator.visit.path["username"]
    user = (await administrator.rest("admin.get_user", username=name)).data
    locks = (await administrator.rest("admin_care.get_locks", username=name)).data.attributes.wrong_attempts
    stock = {each.id: each.attributes for each in (await administrator.rest("admin_stock.list_tokens")).data}
    own = [{"id": each.id, "token": stock.get(each.id), "named": each} for each in user.attributes.qr_tokens]
    free = [(key, each) for key, each in stock.items() if not each.users]
    return administrator.page(
        "user.html",
        NOTES,
        user=user.attributes,
        user_id=user.id,
        locks=locks,
        tokens=own,
        free=free[:MOST],
    )


async def set_password(administrator: AdminVisit) -> Answer:
    """Another password."""
    name, (password,) = administrator.visit.path["username"], required(administrator.visit, "password")
    await administrator.rest("admin.set_password", {"password": password}, username=name)
    return _back(name, "password")


async def rename(administrator: AdminVisit) -> Answer:
    """Another name."""
    (new,) = required(administrator.visit, "new_name")
    done = await administrator.rest(
        "admin.rename_user", {"username": new}, username=administrator.visit.path["username"]
    )
    return _back(done.data.attributes.username, "renamed")


async def set_groups(administrator: AdminVisit) -> Answer:
    """Other groups; none is possible too."""
    name = administrator.visit.path["username"]
    groups = words(administrator.visit.form.get("groups", ""))
    await administrator.rest("admin.set_groups", {"groups": groups}, username=name)
    return _back(name, "groups")


async def unlock(administrator: AdminVisit) -> Answer:
    """Forgive wrong attempts."""
    name = administrator.visit.path["username"]
    await administrator.rest("admin_care.unlock_user", username=name)
    if administrator.visit.form.get("from") == "lockouts":
        return Redirect(f"{LOCKOUTS}?done=unlocked")
    return _back(name, "unlocked")


async def assign(administrator: AdminVisit) -> Answer:
    """Give a token by its serial number, as it is read off the token."""
    name, (serial,) = administrator.visit.path["username"], required(administrator.visit, "serial")
    stock = (await administrator.rest("admin_stock.list_tokens")).data
    device = next((each.id for each in stock if each.attributes.serial == serial), None)
    if device is None:
        raise ApiError(404, "TOKEN_UNKNOWN", "there is no token of that serial number")
    await administrator.rest("admin_stock.assign_token", username=name, device=device)
    return _back(name, "assigned")


async def write_letter(administrator: AdminVisit) -> Answer:
    """Codes for an app, as a letter."""
    visit = administrator.visit
    name = visit.path["username"]
    user = (await administrator.rest("admin.get_user", username=name)).data.attributes
    letter = app_letter(visit, user.username, visit.form.get("language", ""), visit.form.get("format", "pdf"))
    body: dict[str, Any] = {"validSeconds": (number(visit, "days") or 7) * 86400, "shortCode": True}
    made = (await administrator.rest("admin_tokens.enroll_app", body, username=name)).data.attributes
    return File(*await letter(made.content, made.short_code, made.expires_at))


async def list_lockouts(administrator: AdminVisit) -> Answer:
    """Everybody who got something wrong and has not got it right since, and every token with wrong codes."""
    people = (await administrator.rest("admin_lists.list_locks")).data
    try:
        tokens = (await administrator.rest("admin_lists.list_token_locks")).data
    except ApiError as error:
        if error.code != "AIRLOCK_2FA_UNAVAILABLE":
            raise
        tokens = None
    values = {
        "people": [(each.attributes.username, _counts(administrator, each)) for each in people[:MOST]],
        "more_people": max(0, len(people) - MOST),
        "tokens": tokens and [(each.id, each.attributes, _counts(administrator, each)) for each in tokens[:MOST]],
        "more_tokens": max(0, len(tokens or ()) - MOST),
    }
    return administrator.page("lockouts.html", ("unlocked", "token_unlocked"), **values)


def _counts(administrator: AdminVisit, item: Any) -> list[dict[str, object]]:
    """Wrong attempts by each method, and until when they lock."""
    return [
        {
            "method": each.method,
            "failures": each.failures,
            "locked": each.locked,
            "until": administrator.visit.clock(datetime.fromisoformat(each.locked_until).timestamp())
            if each.locked_until
            else None,
        }
        for each in item.attributes.wrong_attempts
    ]


def _back(name: str, done: str) -> Redirect:
    return Redirect(f"{PATH}/{name}?done={done}")
