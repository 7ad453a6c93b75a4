"""The offline QR code: a large picture to hold a token up to, and a field for the code that it shows."""

from server_stub.api.current import subject_of
from server_stub.api.second_factor import refuse_locked
from server_stub.errors import ApiError
from server_stub.sessions import Session
from server_stub.web import qr_picture
from server_stub.web.pages import step
from server_stub.web.visit import Answer, Visit


async def show(visit: Visit, session: Session) -> Answer:
    """The challenge that there is, or a new one; none for who may not answer it now."""
    await refuse_locked(visit.iam, subject_of(session))
    shown = qr_picture.recall(visit, session.pending.challenge_id) or await _fresh(visit)
    return step.page(visit, "offline_qr.html", session, **await qr_picture.values(visit, shown))


async def retrieve(visit: Visit) -> Answer:
    """A new code: because the old one is over, or because the app does not answer and a token shall."""
    await _fresh(visit)
    return step.login(step.application_of(visit))


async def check(visit: Visit) -> Answer:
    """The code that the token, or an app, shows."""
    await visit.rest("airlock_2fa.check_otp", {"otp": typed_code(visit)})
    return step.login(step.application_of(visit))


def typed_code(visit: Visit) -> str:
    """The code in the form, without what only helps to read it.

    Raises:
        ApiError: if there is none.
    """
    code = "".join(visit.form.get("otp", "").replace("-", " ").split())
    if not code:
        raise ApiError(400, "FIELDS_MISSING", "the code is needed")
    return code


async def _fresh(visit: Visit) -> qr_picture.Shown:
    document = await visit.rest("airlock_2fa.retrieve_offline_qr_code", {"image": False})
    session = await visit.require_session()
    return qr_picture.remember(visit, session.pending.challenge_id, document)
