"""Administration of what the cloud keeps for a user: tokens of every kind, resynchronisation, and the buttons of emulated apps."""

import asyncio
from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection

from server_stub.api.admin import known_user
from server_stub.api.envelope import Document, Request, SecretDocument, answer, list_answer, timestamp
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.cloud.messages import Device, Enroll, Enrollment, ImportToken, Kind, PushAnswer, Resync
from server_stub.errors import ApiError
from server_stub.factors import offline_qr
from server_stub.factors.password import normalise
from server_stub.iam import Iam
from server_stub.store.iam import audit
from server_stub.store.users import User


class NewDevice(Request, frozen=True):
    """A token of any kind: ``qr``, ``hotp`` (with ``counter``), ``totp`` (with ``period``), or ``app``."""

    kind: Kind
    serial: Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
    seed_hex: Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{2}){16,64}$(?!\n)")]
    display_name: Annotated[str, Meta(min_length=1, max_length=64)]
    digits: Annotated[int, Meta(ge=6, le=8)] = 6
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha1"
    period: Annotated[int, Meta(ge=10, le=300)] = 30
    counter: Annotated[int, Meta(ge=0, le=2**62)] = 0


class DeviceState(Document, frozen=True):
    """A token of a user."""

    serial: str
    display_name: str
    capabilities: tuple[str, ...]
    state: str


class ResyncCodes(Request, frozen=True):
    """Two codes that the token showed one after the other."""

    first: Annotated[str, Meta(pattern=r"^[0-9]{6,8}$(?!\n)")]
    second: Annotated[str, Meta(pattern=r"^[0-9]{6,8}$(?!\n)")]


class Resynced(Document, frozen=True):
    """The token is where the server believes it to be."""


class AppEnrollment(Request, frozen=True):
    """``shortCode``: also 16 digits, for a letter or the telephone."""

    valid_seconds: Annotated[int, Meta(ge=30, le=30 * 86400)] = 300
    short_code: bool = False


class AppCodes(SecretDocument, frozen=True):
    """What the user is given; it is told only now. ``image`` is the QR code of ``content`` as a PNG data URI."""

    content: str
    image: str
    short_code: str | None
    expires_at: str


class EnrollmentState(Document, frozen=True):
    """``success``, ``pending`` or ``expired``."""

    status: str


class PushShown(Document, frozen=True):
    """What an app shows."""

    device_id: str
    text: str
    expires_at: str


class PushButton(Request, frozen=True):
    """``approve`` or ``deny``."""

    answer: Literal["approve", "deny"]


class PushAnswered(Document, frozen=True):
    """What the login will be told."""

    status: str


async def add_device(iam: Iam, call: Call[NewDevice]) -> Reply:
    """Import a token of any kind into the cloud and assign it."""
    user = await iam.database.run(known_user, call.path["username"])
    new = call.body
    message = ImportToken(
        new.serial,
        new.seed_hex,
        normalise(new.display_name).decode(),
        new.kind,
        8 if new.kind in {"qr", "app"} else new.digits,
        new.algorithm,
        new.period,
        new.counter,
    )
    device = await iam.cloud.import_token(message)
    device = await iam.cloud.assign_token(device.device_id, user.id)
    await iam.database.run(_audit, iam, "admin.token.assign", user, token=device.device_id)
    return Reply(answer(iam.now(), "token", device.device_id, device_state(device)), 201)


def device_state(device: Device) -> DeviceState:
    """A token as administrators see it."""
    return DeviceState(device.serial, device.display_name, device.capabilities, device.state)


async def resync_token(iam: Iam, call: Call[ResyncCodes]) -> Reply:
    """Find an OTP token again that was used without the server."""
    user = await iam.database.run(known_user, call.path["username"])
    message = Resync(user.id.hex(), call.body.first, call.body.second)
    result = await iam.cloud.resync_token(call.path["device"], message)
    if result.result != "allow":
        raise ApiError(400, "OTP_WRONG", "these are not two codes in a row of this token that were never used")
    await iam.database.run(_audit, iam, "admin.token.resync", user, token=call.path["device"])
    return Reply(answer(iam.now(), "token", call.path["device"], Resynced()))


async def enroll_app(iam: Iam, call: Call[AppEnrollment]) -> Reply:
    """Make the codes with which a user enrols an app."""
    user = await iam.database.run(known_user, call.path["username"])
    made = await iam.cloud.enroll(Enroll(user.id.hex(), call.body.valid_seconds, call.body.short_code))
    await iam.database.run(_audit, iam, "admin.app.enroll", user, enrollment=made.enrollment_id)
    return Reply(answer(iam.now(), "app-enrollment", made.enrollment_id, await app_codes(made)), 201)


async def app_codes(made: Enrollment) -> AppCodes:
    """The codes, and the picture of the one that is scanned."""
    picture = await asyncio.to_thread(offline_qr.picture, made.activation_code_uri, 6)
    return AppCodes(made.activation_code_uri, picture, made.activation_code_short, timestamp(made.expiration))


async def get_enrollment(iam: Iam, call: Call[Nothing]) -> Reply:
    """Tell what became of an enrolment."""
    status = await iam.cloud.enroll_status(call.path["enrollment"])
    return Reply(answer(iam.now(), "app-enrollment", call.path["enrollment"], EnrollmentState(status.result)))


async def list_push_requests(iam: Iam, call: Call[Nothing]) -> Reply:
    """List what the apps of a user show: the rig is their finger."""
    user = await iam.database.run(known_user, call.path["username"])
    items = [
        (each.session_id, PushShown(each.device_id, each.text, timestamp(each.expires_at)))
        for each in await iam.cloud.push_requests(user.id)
    ]
    return Reply(list_answer(iam.now(), "push-request", items))


async def answer_push_request(iam: Iam, call: Call[PushButton]) -> Reply:
    """Press a button of an app."""
    status = await iam.cloud.answer_push(call.path["push"], PushAnswer(call.body.answer))
    return Reply(answer(iam.now(), "push-request", status.session_id, PushAnswered(status.status)))


def _audit(connection: Connection, /, iam: Iam, what: str, user: User, **detail: str) -> None:
    audit.append(connection, iam.now(), what, "done", user.id, **detail)
