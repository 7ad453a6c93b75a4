"""One's own tokens in self-service: listed, activated by a scan or by a code, renamed, given back."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from server_stub.api.admin_tokens import EnrollmentState, app_codes
from server_stub.api.current import require_authenticated, subject_of
from server_stub.api.envelope import Document, Request, answer, list_answer, timestamp
from server_stub.api.fido import RegistrationRequest
from server_stub.api.first_steps import Forgotten
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.api.second_factor import judge
from server_stub.cloud.messages import Activate, Device, Enroll, VerifyResult
from server_stub.errors import ApiError
from server_stub.factors import offline_qr
from server_stub.factors.password import normalise
from server_stub.iam import Iam
from server_stub.sessions import Session
from server_stub.store.iam import audit

KIND = "my.token"


class OwnTokenAttributes(Document, frozen=True):
    """A token of one's own; ``lastUsedAt`` is null until it has given a right code or an answer."""

    display_name: str
    serial: str
    type: str
    capabilities: tuple[str, ...]
    state: str
    last_used_at: str | None


class TokenActivation(Request, frozen=True):
    """``serial`` as it stands on the token, ``otp``: what it shows."""

    serial: Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
    otp: Annotated[str, Meta(pattern=r"^[0-9 ]{1,16}$(?!\n)")]


class OwnAppEnrollment(Request, frozen=True):
    """``shortCode``: also 16 digits, for an app that cannot see this screen."""

    short_code: bool = False


async def list_tokens(iam: Iam, call: Call[Nothing]) -> Reply:
    """List one's own tokens and apps, and when each was used last."""
    session = await require_authenticated(iam, call)
    items = [(each.device_id, _described(each)) for each in await iam.cloud.devices(subject_of(session))]
    return Reply(list_answer(iam.now(), KIND, items))


async def activate_token(iam: Iam, call: Call[TokenActivation]) -> Reply:
    """Take an OTP token out of stock by its serial and a code that it shows."""
    session = await require_authenticated(iam, call)
    user_id = subject_of(session)
    code = call.body.otp.replace(" ", "")
    if not code:
        raise _refused()
    message, got = Activate(user_id.hex(), call.body.serial, code), list[Device]()

    async def verdict() -> VerifyResult:
        activation = await iam.cloud.activate_token(message)
        if activation.device:
            got.append(activation.device)
        return VerifyResult(activation.result, activation.status, locked_until=activation.locked_until)

    result = await judge(iam, user_id, verdict())
    await iam.database.run(_audit, iam, "token.activate", result.status, session)
    if result.status == "wrong_code":
        raise _refused()
    if not got:
        raise offline_qr.refusal(result)
    return Reply(answer(iam.now(), KIND, got[0].device_id, _described(got[0])), 201)


def _refused() -> ApiError:
    return ApiError(400, "OTP_WRONG", "there is no free token with this serial that shows this code")


async def rename_token(iam: Iam, call: Call[RegistrationRequest]) -> Reply:
    """Call one of one's own tokens something else."""
    session = await require_authenticated(iam, call)
    name = normalise(call.body.display_name).decode()
    device = await iam.cloud.rename_token(call.path["token"], subject_of(session), name)
    await iam.database.run(_audit, iam, "token.rename", "done", session, token=device.device_id)
    return Reply(answer(iam.now(), KIND, device.device_id, _described(device)))


async def give_back_token(iam: Iam, call: Call[Nothing]) -> Reply:
    """Have one of one's own tokens no longer; it can be activated again."""
    session = await require_authenticated(iam, call)
    device = await iam.cloud.unassign_token(call.path["token"], subject_of(session))
    await iam.database.run(_audit, iam, "token.give-back", "done", session, token=device.device_id)
    return Reply(answer(iam.now(), KIND, device.device_id, Forgotten()))


async def enroll_own_app(iam: Iam, call: Call[OwnAppEnrollment]) -> Reply:
    """Make the codes with which one enrols an app of one's own: scanned, or typed."""
    session = await require_authenticated(iam, call)
    made = await iam.cloud.enroll(Enroll(subject_of(session).hex(), short_code=call.body.short_code))
    await iam.database.run(_audit, iam, "app.enroll", "begun", session, enrollment=made.enrollment_id)
    return Reply(answer(iam.now(), "app-enrollment", made.enrollment_id, await app_codes(made)), 201)


async def get_own_enrollment(iam: Iam, call: Call[Nothing]) -> Reply:
    """Tell whether the app was enrolled."""
    session = await require_authenticated(iam, call)
    status = await iam.cloud.enroll_status(call.path["enrollment"], subject_of(session))
    return Reply(answer(iam.now(), "app-enrollment", call.path["enrollment"], EnrollmentState(status.result)))


def _described(device: Device) -> OwnTokenAttributes:
    used = device.last_used_at
    return OwnTokenAttributes(
        device.display_name,
        device.serial,
        device.type,
        device.capabilities,
        device.state,
        timestamp(used) if used is not None else None,
    )


def _audit(connection: Connection, /, iam: Iam, what: str, outcome: str, session: Session, **detail: str) -> None:
    audit.append(connection, iam.now(), what, outcome, session.user_id, **detail)
