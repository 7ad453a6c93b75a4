"""The audit log: the newest rows, or those that fit a filter, and whether its chain is whole."""

from datetime import datetime
from typing import Any

from server_stub.audit import Entry
from server_stub.errors import bad_request
from server_stub.store import users
from server_stub.store.iam import audit
from server_stub.web.admin.entrance import HOME, AdminVisit
from server_stub.web.visit import Answer

PATH = f"{HOME}audit"
ON_A_PAGE = 50
MOST_READS = 20
"""How often a filter reads on for one page: each time a thousand rows."""


async def show(administrator: AdminVisit) -> Answer:
    """Rows of the log."""
    visit = administrator.visit
    asked = {name: visit.query.get(name, "").strip()[:64] for name in ("event", "outcome", "user")}
    names = await visit.iam.database.run(users.names) if administrator.may("users") else {}
    ids = {name: user_id for user_id, name in names.items()}
    last, _ = await visit.iam.database.run(audit.head)
    after = _after(visit.query.get("after", ""), 0 if any(asked.values()) else max(0, last - ON_A_PAGE))
    wanted = asked | {"user": ids.get(asked["user"], asked["user"])}
    rows, end = await _read(administrator, after, wanted)
    verdict = (await administrator.rest("admin_care.verify_audit")).data.attributes if "check" in visit.query else None
    return administrator.page(
        "audit.html",
        rows=[_row(administrator, each, names) for each in rows],
        asked=asked,
        last=last,
        end=end,
        before=max(0, after - ON_A_PAGE) if after and not any(asked.values()) else None,
        verdict=verdict,
    )


def _after(text: str, otherwise: int) -> int:
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise bad_request("after is the number of a row")
    return int(text)


async def _read(administrator: AdminVisit, after: int, wanted: dict[str, str]) -> tuple[list[Entry], int]:
    """Up to a page of rows after ``after``, and the last row that was looked at."""
    found: list[Entry] = []
    for _ in range(MOST_READS):
        rows: list[Any] = (await administrator.rest("admin.read_audit", query={"after": str(after)})).data
        for each in rows:
            after = each.attributes.sequence
            if _fits(each.attributes, wanted):
                found.append(each.attributes)
            if len(found) == ON_A_PAGE:
                return found, after
        if not rows:
            break
    return found, after


def _fits(entry: Entry, wanted: dict[str, str]) -> bool:
    return wanted["event"] in entry.event and wanted["outcome"] in entry.outcome and wanted["user"] in {"", entry.user}


def _row(administrator: AdminVisit, entry: Entry, names: dict[str, str]) -> dict[str, object]:
    zone = administrator.visit.iam.local_time().tzinfo
    return {
        "sequence": entry.sequence,
        "time": datetime.fromtimestamp(entry.time, zone).strftime("%Y-%m-%d %H:%M:%S"),
        "event": entry.event,
        "outcome": entry.outcome,
        "user": names.get(entry.user, entry.user) if entry.user else "",
        "detail": [(name, _text(value)) for name, value in entry.detail.items()],
    }


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
