"""What stands for an application when none is beside the server: who is logged in, and how."""

from server_stub.web.visit import Answer, Page, PageHandler, Redirect, Visit


def page_of(name: str) -> PageHandler:
    """The page of the application ``name``."""

    async def show(visit: Visit) -> Answer:
        session = await visit.session()
        if session is None or session.application != name or session.authenticated_at is None:
            return Redirect(f"/login/{name}")
        values = {
            "title": visit.iam.policies.applications[name].title,
            "username": session.username,
            "methods": [str(method) for method in session.methods],
            "since": visit.clock(session.authenticated_at),
            "until": visit.clock(session.expires_at),
        }
        return Page("application.html", values)

    return show
