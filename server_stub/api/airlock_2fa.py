"""Second steps with a device of the cloud: offline QR, a passcode, an app that is asked online."""

import asyncio
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from server_stub import sessions
from server_stub.addresses import WRONG
from server_stub.alarms import raise_alarm
from server_stub.api.current import (
    Proof,
    claim_of,
    flow_of,
    next_methods,
    next_step,
    passed,
    prepare_next,
    prove,
    require,
    require_in,
    step_reply,
    subject_of,
)
from server_stub.api.envelope import Document, Request, answer, list_answer, timestamp
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.api.second_factor import refuse_locked, refuse_or_reserve, settle
from server_stub.cloud.messages import Auth, AuthResult, Passcode, PushAuth, PushPoll, Verify, VerifyResult
from server_stub.errors import ApiError, bad_request, unexpected_call
from server_stub.factors import offline_qr
from server_stub.flows.devices import CAPABILITY, factor_of, usable
from server_stub.flows.flow import Method
from server_stub.iam import Iam
from server_stub.sessions import Pending, Session
from server_stub.store.iam import addresses, audit

Scale = Annotated[int, Meta(ge=1, le=20, description="pixels per module")]
Otp = Annotated[
    str, Meta(pattern=r"^[0-9 ]{1,16}$(?!\n)", description="the digits that the token shows; spaces do not matter")
]


class DeviceAttributes(Document, frozen=True):
    """A device to choose from."""

    display_name: str
    serial: str
    type: str
    capabilities: tuple[str, ...]


class OfflineQrRequest(Request, frozen=True):
    """``place``: what the token shows as the place of the login, the caller's address unless said otherwise."""

    place: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    image: bool = True
    scale: Scale = 6


class OfflineQrAttributes(Document, frozen=True):
    """The challenge: ``content`` is the text of the QR code, ``image`` its picture as a PNG data URI."""

    next_auth_step: str | None
    content: str
    image: str | None
    expires_at: str


class OtpCheck(Request, frozen=True):
    """The code from the token."""

    otp: Otp


async def retrieve_devices(iam: Iam, call: Call[Nothing]) -> Reply:
    """List the user's devices that can do what may come next."""
    session = await require(iam, call, *CAPABILITY)
    items = [
        (each.device_id, DeviceAttributes(each.display_name, each.serial, each.type, each.capabilities))
        for each in usable(await iam.cloud.devices(subject_of(session)), next_methods(iam, session))
    ]
    return Reply(list_answer(iam.now(), "airlock-2fa.device", items))


async def select_device(iam: Iam, call: Call[Nothing]) -> Reply:
    """Choose one of the user's devices; the flow's order says what it is asked to do."""
    session = await require(iam, call, *CAPABILITY)
    methods = next_methods(iam, session)
    candidates = {each.device_id: each for each in usable(await iam.cloud.devices(subject_of(session)), methods)}
    chosen = candidates.get(call.path["device"])
    if chosen is None:
        raise ApiError(404, "DEVICE_UNKNOWN", "the user has no such device")
    pending = Pending(chosen.device_id, factor=factor_of(chosen, methods))
    return step_reply(iam, await iam.database.run(sessions.set_pending, session, pending))


async def poll_status(iam: Iam, call: Call[Nothing]) -> Reply:
    """Ask the user's app, and from the second call on whether it was answered.

    When nobody answers in time, the login goes on with offline QR if the flow has that and the app can do it.
    """
    session = await require(iam, call, Method.PUSH)
    pending, user_id = session.pending, subject_of(session)
    if pending.factor is not Method.PUSH or pending.device_id is None:
        raise unexpected_call("choose an app first")
    if pending.push_id is None:
        return step_reply(iam, await _ask_app(iam, session, pending.device_id))
    status = (await iam.cloud.push_status(PushPoll(user_id.hex(), pending.push_id))).status
    if status == "waiting":
        return step_reply(iam, session)
    if status == "approved":
        proof = await prove(iam, call, session, Method.PUSH, claim_of(session))
        token, session = await iam.database.run(passed, iam, session, proof)
        return step_reply(iam, session, token)
    raise await iam.database.run(_not_approved, iam, session, status)


async def _ask_app(iam: Iam, session: Session, device_id: str) -> Session:
    user_id = subject_of(session)
    await refuse_locked(iam, user_id)
    title = iam.policies.applications[session.application].title
    text = f"{title}: {session.username}"
    message = PushAuth(user_id.hex(), device_id, session.reference, text, iam.settings.push_ttl)
    push = await iam.cloud.push(message)
    pending = Pending(device_id, factor=Method.PUSH, push_id=push.session_id)
    return await iam.database.run(sessions.set_pending, session, pending)


def _not_approved(connection: Connection, iam: Iam, session: Session, status: str) -> ApiError:
    audit.append(connection, iam.now(), "push", status, session.user_id, session=session.reference)
    if status == "denied":
        return _denied(connection, iam, session, "login denied on the app")
    falls_back = Method.OFFLINE_QR in next_methods(iam, session)
    factor = Method.OFFLINE_QR if falls_back else Method.PUSH
    sessions.set_pending(connection, session, Pending(session.pending.device_id, factor=factor))
    return ApiError(400, "AIRLOCK_2FA_TIMEOUT", "nobody answered on the app in time")


async def retrieve_offline_qr_code(iam: Iam, call: Call[OfflineQrRequest]) -> Reply:
    """Make a challenge for the chosen device; one made before no longer counts."""
    session = await require(iam, call, Method.OFFLINE_QR)
    device_id, user_id = session.pending.device_id, subject_of(session)
    if device_id is None or session.pending.factor is Method.OTP:
        raise unexpected_call("choose a device for offline QR first")
    await refuse_locked(iam, user_id)
    title = iam.policies.applications[session.application].title
    fields = offline_qr.login_fields(title, session.username or "", call.body.place or call.client)
    ttl = iam.settings.login_challenge_ttl
    challenge = await ask_for_challenge(
        iam, Auth(user_id.hex(), device_id, "offline_qrcode", "login", session.reference, fields, ttl)
    )
    image = await draw(challenge.qrcode_content, call.body.scale) if call.body.image else None
    session = await iam.database.run(
        sessions.set_pending, session, Pending(device_id, challenge.session_id, Method.OFFLINE_QR)
    )
    attributes = OfflineQrAttributes(
        next_step(iam, session), challenge.qrcode_content, image, timestamp(challenge.expires_at)
    )
    return Reply(answer(iam.now(), "authentication.session", str(session.id), attributes))


async def check_otp(iam: Iam, call: Call[OtpCheck]) -> Reply:
    """Check the code that the token shows: for a QR code, or by its own count or clock."""
    code = digits(call.body.otp)
    session, method = await iam.database.run(_reserve, iam, call)
    pending, user_id, result = session.pending, subject_of(session).hex(), None
    try:
        if method is Method.OTP:
            assert pending.device_id is not None
            result = await iam.cloud.passcode(Passcode(user_id, pending.device_id, code))
        else:
            assert pending.challenge_id is not None
            result = await iam.cloud.verify(Verify(user_id, pending.challenge_id, code))
    finally:
        if result is None:
            await iam.database.run(_take_back, iam, call, session)
    outcome = await iam.database.run(_settle, iam, call, (session, method), result)
    if isinstance(outcome, ApiError):
        raise outcome
    token, session = outcome
    return step_reply(iam, await prepare_next(iam, session), token)


def _reserve(connection: Connection, iam: Iam, call: Call[OtpCheck]) -> tuple[Session, Method]:
    """Count the attempt as wrong, for the address and for the user, before the cloud is asked."""
    now = iam.now()
    session = require_in(connection, iam, call, Method.OFFLINE_QR, Method.OTP)
    pending = session.pending
    is_passcode = pending.factor is Method.OTP and pending.device_id is not None
    if not is_passcode and pending.challenge_id is None:
        raise unexpected_call("choose a device, or ask for a QR code first")
    addresses.reserve(connection, call.client, now, iam.settings.address_failure_limit)
    refuse_or_reserve(connection, iam, subject_of(session))
    return session, Method.OTP if is_passcode else Method.OFFLINE_QR


def _take_back(connection: Connection, iam: Iam, call: Call[OtpCheck], session: Session) -> None:
    """The cloud judged nothing."""
    addresses.release(connection, call.client, iam.now())
    settle(connection, subject_of(session), None)


def _settle(
    connection: Connection, iam: Iam, call: Call[OtpCheck], reserved: tuple[Session, Method], result: VerifyResult
) -> tuple[str, Session] | ApiError:
    """What follows from the cloud's judgement. A refusal is returned, so that what was counted stays so."""
    session, method = reserved
    # The address comes before the user here as in _reserve, or two that guess at once would wait for each other.
    addresses.hold(connection, call.client, iam.now())
    settle(connection, subject_of(session), result.status)
    refused = None if result.result == "allow" else _wrong_otp(connection, iam, session, method, result)
    if refused is None or refused.code not in WRONG:
        addresses.release(connection, call.client, iam.now())
    if refused:
        return refused
    return passed(connection, iam, session, Proof(method, claim_of(session), Pending(), flow_of(iam, session)))


def _denied(connection: Connection, iam: Iam, session: Session, what: str) -> ApiError:
    """The device's owner says that it was somebody else: the login ends, and an operator should look at it."""
    raise_alarm(connection, iam, what, session.user_id, session=session.reference)
    sessions.end_by_hash(connection, session.token_hash)
    return ApiError(403, "AIRLOCK_2FA_DENIED", f"the {what}")


def _wrong_otp(connection: Connection, iam: Iam, session: Session, method: Method, result: VerifyResult) -> ApiError:
    audit.append(connection, iam.now(), method.lower(), result.status, session.user_id, session=session.reference)
    if method is Method.OTP:
        return offline_qr.refusal(result, challenge=False)
    if result.status == "declined":
        return _denied(connection, iam, session, "login declined on the token")
    if not result.attempts_left and result.status != "locked_out":
        sessions.forget_challenge(connection, session)
    return offline_qr.refusal(result)


async def ask_for_challenge(iam: Iam, message: Auth) -> AuthResult:
    """A challenge from the cloud.

    Raises:
        ApiError: as the cloud refused, in this API's words.
    """
    try:
        return await iam.cloud.challenge(message)
    except ApiError as error:
        if error.code == "LOCKED_OUT":
            raise offline_qr.locked(error.lock_expiry) from error
        raise


async def draw(content: str, scale: int) -> str:
    """The picture of a QR code, drawn off the event loop: it takes milliseconds."""
    return await asyncio.to_thread(offline_qr.picture, content, scale)


def digits(otp: str) -> str:
    """The code without the spaces that help people read it.

    Raises:
        ApiError: if nothing is left.
    """
    compact = otp.replace(" ", "")
    if not compact:
        raise bad_request("the code is empty")
    return compact
