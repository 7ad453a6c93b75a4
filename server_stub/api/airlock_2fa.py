"""Second step: offline QR with a hardware token."""

import asyncio
from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from server_stub import sessions
from server_stub.api.current import next_step, passed, prove, require, step_reply
from server_stub.api.envelope import Document, Request, answer, list_answer, timestamp
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.api.second_factor import judge, refuse_locked
from server_stub.cloud.messages import Auth, AuthResult, Verify, VerifyResult
from server_stub.errors import ApiError, bad_request, unexpected_call
from server_stub.factors import offline_qr
from server_stub.flows.flow import Method
from server_stub.iam import Iam
from server_stub.sessions import Pending, Session
from server_stub.store.iam import audit

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
    """List the user's devices."""
    session = await require(iam, call, Method.OFFLINE_QR)
    devices = await iam.cloud.devices(_user_id(session))
    items = [
        (each.device_id, DeviceAttributes(each.display_name, each.serial, each.type, each.capabilities))
        for each in devices
    ]
    return Reply(list_answer(iam.now(), "airlock-2fa.device", items))


async def select_device(iam: Iam, call: Call[Nothing]) -> Reply:
    """Choose one of the user's devices."""
    session = await require(iam, call, Method.OFFLINE_QR)
    chosen = call.path["device"]
    if chosen not in [each.device_id for each in await iam.cloud.devices(_user_id(session))]:
        raise ApiError(404, "DEVICE_UNKNOWN", "the user has no such device")
    session = await iam.database.run(sessions.set_pending, session, Pending(chosen))
    return step_reply(iam, session)


async def retrieve_offline_qr_code(iam: Iam, call: Call[OfflineQrRequest]) -> Reply:
    """Make a challenge for the chosen device; one made before no longer counts."""
    session = await require(iam, call, Method.OFFLINE_QR)
    device_id, user_id = session.pending.device_id, _user_id(session)
    if device_id is None:
        raise unexpected_call("choose a device first")
    await refuse_locked(iam, user_id)
    title = iam.policies.applications[session.application].title
    fields = offline_qr.login_fields(title, session.username or "", call.body.place or call.client)
    ttl = iam.settings.login_challenge_ttl
    challenge = await ask_for_challenge(
        iam, Auth(user_id.hex(), device_id, "offline_qrcode", "login", session.reference, fields, ttl)
    )
    image = await draw(challenge.qrcode_content, call.body.scale) if call.body.image else None
    session = await iam.database.run(sessions.set_pending, session, Pending(device_id, challenge.session_id))
    attributes = OfflineQrAttributes(
        next_step(iam, session), challenge.qrcode_content, image, timestamp(challenge.expires_at)
    )
    return Reply(answer(iam.now(), "authentication.session", str(session.id), attributes))


async def check_otp(iam: Iam, call: Call[OtpCheck]) -> Reply:
    """Check the code that the token shows."""
    session = await require(iam, call, Method.OFFLINE_QR)
    challenge_id, user_id = session.pending.challenge_id, _user_id(session)
    if challenge_id is None:
        raise unexpected_call("ask for a QR code first")
    message = Verify(user_id.hex(), challenge_id, digits(call.body.otp))
    result = await judge(iam, user_id, iam.cloud.verify(message))
    if result.result != "allow":
        raise await iam.database.run(_wrong_otp, iam, session, result)
    proof = await prove(iam, call, session, Method.OFFLINE_QR, user_id)
    token, session = await iam.database.run(passed, iam, session, proof)
    return step_reply(iam, session, token)


def _wrong_otp(connection: Connection, iam: Iam, session: Session, result: VerifyResult) -> ApiError:
    audit.append(connection, iam.now(), "offline_qr", result.status, session.user_id, session=session.reference)
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


def _user_id(session: Session) -> bytes:
    assert session.user_id is not None, "no flow has this step before one that identifies the user"
    return session.user_id
