"""Badges: printed on sheets, listed, voided."""

from datetime import datetime, timedelta
from typing import Any

from server_stub.errors import ApiError, bad_request
from server_stub.printing.cards import ON_A_SHEET, Card
from server_stub.web.admin.entrance import HOME, AdminVisit
from server_stub.web.admin.fields import number, required, words
from server_stub.web.admin.paper import print_cards, require_printable
from server_stub.web.visit import Answer, File, Redirect

PATH = f"{HOME}badges"
MOST = 100
NOTES = ("voided", "voided_all")


async def show(administrator: AdminVisit) -> Answer:
    """Print some, look for somebody's, or void all there are."""
    wanted = administrator.visit.query.get("username", "").strip()
    if wanted:
        return Redirect(f"{PATH}/{wanted}")
    return administrator.page("badges.html", NOTES)


async def print_badges(administrator: AdminVisit) -> Answer:
    """A new badge for each of the users, on sheets of paper. Their codes are nowhere but there."""
    visit = administrator.visit
    (text,) = required(visit, "usernames")
    names = list(dict.fromkeys(words(text)))
    if len(names) > MOST:
        raise bad_request(f"up to {MOST} badges are printed at once")
    kind, form, days = visit.form.get("kind", ""), visit.form.get("format", "pdf"), number(visit, "days")
    if form == "svg" and len(names) > ON_A_SHEET:
        raise ApiError(400, "UNPRINTABLE", f"an SVG is one sheet, of up to {ON_A_SHEET} cards: print a PDF")
    require_printable([*names, visit.iam.settings.service_name], form)
    for name in names:
        # Everybody must be known before anything is made.
        await administrator.rest("admin_badges.list_badges", username=name)
    body: dict[str, Any] = {"kind": kind} | ({} if days is None else {"lifetimeDays": days})
    made = [(name, await administrator.rest("admin.add_badge", body, username=name)) for name in names]
    lines: tuple[str, ...] = (visit.language.say(f"print.{made[0][1].data.attributes.kind}"),)
    if days is not None:
        until = visit.iam.local_time() + timedelta(days=days)
        date = until.strftime(visit.language.say("print.date"))
        lines = (*lines, visit.language.say("print.until", until=date))
    cards = [Card(name, visit.iam.settings.service_name, lines, each.data.attributes.content) for name, each in made]
    return File(*await print_cards(visit, cards, form))


async def show_user(administrator: AdminVisit) -> Answer:
    """All badges that a user was ever given."""
    visit = administrator.visit
    name = visit.path["username"]
    issued = (await administrator.rest("admin_badges.list_badges", username=name)).data
    now = visit.iam.now()
    rows = [
        {
            "id": each.id,
            "kind": each.attributes.kind,
            "created": each.attributes.created_at[:10],
            "expires": (each.attributes.expires_at or "")[:10],
            "voided": (each.attributes.voided_at or "")[:10],
            "uses": each.attributes.uses,
            "good": each.attributes.voided_at is None and not _over(each.attributes.expires_at, now),
        }
        for each in reversed(issued)
    ]
    return administrator.page("badges_of.html", NOTES, name=name, badges=rows)


def _over(expires_at: str | None, now: float) -> bool:
    return expires_at is not None and datetime.fromisoformat(expires_at).timestamp() <= now


async def void(administrator: AdminVisit) -> Answer:
    """One is lost."""
    name = administrator.visit.path["username"]
    await administrator.rest("admin_badges.void_badge", username=name, badge=administrator.visit.path["badge"])
    return Redirect(f"{PATH}/{name}?done=voided")


async def void_all(administrator: AdminVisit) -> Answer:
    """All of a user."""
    name = administrator.visit.path["username"]
    await administrator.rest("admin_badges.void_badges", username=name)
    return Redirect(f"{PATH}/{name}?done=voided_all")


async def void_everybodys(administrator: AdminVisit) -> Answer:
    """All there are; whoever means it has ticked the box."""
    if administrator.visit.form.get("sure") != "everybody":
        raise ApiError(400, "FIELDS_MISSING", "say that everybody's badges are meant")
    await administrator.rest("admin_badges.void_everybodys", {"of": "everybody"})
    return Redirect(f"{PATH}?done=voided_all")
