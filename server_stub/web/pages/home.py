"""The first page: what one can log in to."""

from server_stub.web.visit import Answer, Page, Visit

NOTES = ("logged_out",)


async def show(visit: Visit) -> Answer:
    """All applications, and who is logged in."""
    session = await visit.session()
    known = session if session and session.authenticated_at is not None else None
    done = visit.query.get("done", "")
    values = {
        "applications": visit.iam.policies.applications,
        "username": known.username if known else None,
        "note": done if done in NOTES else None,
    }
    return Page("home.html", values)
