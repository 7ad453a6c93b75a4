"""One's own keys and remembered browsers: names, adding, renaming, removing."""

from datetime import datetime

from server_stub.errors import ApiError
from server_stub.sessions import Session
from server_stub.web.visit import Answer, Page, Redirect, Visit

PATH = "/self-service/"
APPLICATION = "self-service"
NOTES = (
    "added",
    "renamed",
    "removed",
    "remembered",
    "forgotten",
    "activated",
    "token_renamed",
    "given_back",
    "app_added",
)


async def rename_key(visit: Visit) -> Answer:
    """Another name for a key."""
    name = _name(visit)
    await visit.rest("fido.rename_credential", {"displayName": name}, credential=visit.path["credential"])
    return Redirect(f"{PATH}?done=renamed")


async def remove_key(visit: Visit) -> Answer:
    """A key less."""
    await visit.rest("fido.remove_credential", credential=visit.path["credential"])
    return Redirect(f"{PATH}?done=removed")


async def activate_token(visit: Visit) -> Answer:
    """A token from stock, by what stands on it and what it shows."""
    serial = visit.form.get("serial", "").strip()
    code = visit.form.get("otp", "").strip()
    if not serial or not code:
        raise ApiError(400, "FIELDS_MISSING", "the serial number and a code are needed")
    await visit.rest("own_tokens.activate_token", {"serial": serial, "otp": code})
    return Redirect(f"{PATH}?done=activated")


async def rename_token(visit: Visit) -> Answer:
    """Another name for a token or an app."""
    await visit.rest("own_tokens.rename_token", {"displayName": _name(visit)}, token=visit.path["token"])
    return Redirect(f"{PATH}?done=token_renamed")


async def give_back_token(visit: Visit) -> Answer:
    """A token or an app less."""
    await visit.rest("own_tokens.give_back_token", token=visit.path["token"])
    return Redirect(f"{PATH}?done=given_back")


async def remember_browser(visit: Visit) -> Answer:
    """Remember this browser."""
    await visit.rest("first_steps.remember_device", {"displayName": _name(visit)})
    return Redirect(f"{PATH}?done=remembered")


async def forget_browser(visit: Visit) -> Answer:
    """Remember a browser no longer."""
    await visit.rest("first_steps.forget_device", device=visit.path["device"])
    return Redirect(f"{PATH}?done=forgotten")


def _name(visit: Visit) -> str:
    name = visit.form.get("name", "").strip()
    if not name:
        raise ApiError(400, "FIELDS_MISSING", "a name is needed")
    return name


async def show(visit: Visit) -> Answer:
    """Everything that is one's own."""
    session = await visit.session()
    if session is None or session.authenticated_at is None:
        return Redirect(_login(visit, session))
    keys = await visit.rest("fido.list_credentials")
    tokens = await _tokens(visit)
    browsers = await visit.rest("first_steps.list_remembered_devices")
    done = visit.query.get("done", "")
    values = {
        "username": session.username,
        "keys": [
            {"id": each.id, "name": each.attributes.display_name, "used": _shown(visit, each.attributes.last_used_at)}
            for each in keys.data
        ],
        "tokens": tokens,
        "browsers": [
            {
                "id": each.id,
                "name": each.attributes.display_name,
                "used": _shown(visit, each.attributes.last_used_at),
                "until": datetime.fromisoformat(each.attributes.expires_at).date(),
            }
            for each in browsers.data
        ],
        "note": done if done in NOTES else None,
    }
    return Page("self_service.html", values)


async def _tokens(visit: Visit) -> list[dict[str, object]] | None:
    """One's own tokens and apps; None while the cloud does not answer, which keys do not need."""
    try:
        listed = await visit.rest("own_tokens.list_tokens")
    except ApiError as error:
        if error.code != "AIRLOCK_2FA_UNAVAILABLE":
            raise
        return None
    return [
        {
            "id": each.id,
            "name": each.attributes.display_name,
            "serial": each.attributes.serial,
            "suspended": each.attributes.state == "suspended",
            "used": _shown(visit, each.attributes.last_used_at),
        }
        for each in listed.data
    ]


def _shown(visit: Visit, timestamp: str | None) -> str | None:
    if timestamp is None:
        return None
    return datetime.fromisoformat(timestamp).astimezone(visit.iam.local_time().tzinfo).strftime("%Y-%m-%d %H:%M")


def _login(visit: Visit, session: Session | None) -> str:
    known = visit.iam.policies.applications
    if APPLICATION in known:
        return f"/login/{APPLICATION}"
    return f"/login/{session.application}" if session else "/"
