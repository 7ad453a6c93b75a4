"""Transaction approval, for business applications on the internal interface.

What is approved is what the server recorded when it was told the parameters; no later call can change it.
"""

import contextlib
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import Connection
from starlette.requests import Request as HttpRequest

from server_stub.alarms import raise_alarm
from server_stub.api.airlock_2fa import OtpCheck, Scale, ask_for_challenge, digits, draw
from server_stub.api.current import require_same_domain
from server_stub.api.envelope import Document, Request, Where, answer, error_answer, log_refusal, timestamp
from server_stub.api.routing import Call, Cookie, Nothing, Reply
from server_stub.api.second_factor import judge, refuse_locked
from server_stub.cloud.messages import Auth, Device, DisplayField, PushAuth, PushPoll, Verify, VerifyResult
from server_stub.errors import ApiError, bad_request, unexpected_call
from server_stub.factors import offline_qr
from server_stub.factors.password import normalise
from server_stub.iam import Iam
from server_stub.message_providers import advice, label_of
from server_stub.policies import ApprovalFlow, ApprovalMethod
from server_stub.store import approvals, users
from server_stub.store.approvals import (
    DENIED,
    FIDO_RETRIEVAL_REQUIRED,
    OTP_REQUIRED,
    PARAMETERS_REQUIRED,
    POLLING_REQUIRED,
    RETRIEVAL_REQUIRED,
    USERNAME_REQUIRED,
    Approval,
)
from server_stub.store.iam import audit
from server_stub.store.users import FidoCredential

COOKIE = "authrig_approval"
LEGACY = "legacy-default-flow"
"""The approval flow of callers that select none."""
DATA_TYPE = "transaction-approval.session"


class Identify(Request, frozen=True):
    """Whose approval is asked for."""

    username: Annotated[str, Meta(min_length=1, max_length=64)]


Name = Annotated[str, Meta(min_length=1, max_length=40)]
Value = Annotated[str, Meta(max_length=120)]


class Parameters(Request, frozen=True):
    """What is to be approved, and (when the user has several) with what: a ``method`` of the flow, a device."""

    message_parameters: Annotated[dict[Name, Value], Meta(max_length=20)]
    auth_token_id: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    method: ApprovalMethod | None = None


class PictureRequest(Request, frozen=True):
    """Whether and how large to draw the QR code."""

    image: bool = True
    scale: Scale = 6


class ApprovalAttributes(Document, frozen=True):
    """``nextStep`` is null when it is approved; then ``approved`` is the transaction, as the server recorded it.

    ``warnings``: what people would find hard to read on a small screen.
    """

    next_step: str | None
    approved: dict[str, str] | UnsetType = UNSET
    warnings: list[str] | UnsetType = UNSET


class ApprovalQrAttributes(Document, frozen=True):
    """The challenge: ``content`` is the text of the QR code, ``image`` its picture as a PNG data URI."""

    next_step: str | None
    content: str
    image: str | None
    expires_at: str


class ApprovalInterface:
    """The internal REST for business applications."""

    def __init__(self, iam: Iam) -> None:
        self.services = iam
        self.body_limit = iam.settings.body_limit
        self.trusted_proxies = iam.trusted_proxies

    def admit(self, request: HttpRequest, _: bytes) -> None:
        """As in the public interface, since here too a cookie says which session is meant.

        Raises:
            ApiError: 403 without ``X-Same-Domain: 1``.
        """
        require_same_domain(request)

    async def refusal(self, request: HttpRequest, error: ApiError) -> msgspec.Struct:
        """Why not, and where the approval stands after that."""
        iam = self.services
        approval = None if error.status >= 500 else await _find(iam, request.cookies)
        where = Where(next_step=approval.step) if approval else Where()
        return log_refusal(request.url.path, error_answer(iam.now(), iam.settings.token_bytes, error, where))


async def select_flow(iam: Iam, call: Call[Nothing]) -> Reply:
    """Start an approval."""
    flow = call.path["flow"]
    if flow not in iam.policies.approvals:
        raise ApiError(404, "FLOW_NOT_FOUND", "there is no approval flow of that name")
    return reply(iam, *await _start(iam, flow))


async def _start(iam: Iam, flow: str) -> tuple[Approval, Cookie]:
    token = iam.new_token()
    expires_at = iam.now() + iam.settings.login_lifetime
    return await iam.database.run(approvals.start, token, flow, expires_at), Cookie(COOKIE, token, "/")


async def identify_user(iam: Iam, call: Call[Identify]) -> Reply:
    """Say whose approval is asked for; who selected no flow gets the one for old callers, if there is one."""
    cookie = None
    if LEGACY in iam.policies.approvals and await _find(iam, call.cookies) is None:
        approval, cookie = await _start(iam, LEGACY)
    else:
        approval = await _require(iam, call, USERNAME_REQUIRED)
    user = await iam.database.run(users.find_user, normalise(call.body.username).decode())
    if user is None:
        raise ApiError(404, "USER_NOT_FOUND", "there is no user of that name")
    changes = {"step": PARAMETERS_REQUIRED, "user_id": user.id, "username": user.username}
    return reply(iam, await iam.database.run(approvals.move, approval, **changes), cookie)


async def set_parameters(iam: Iam, call: Call[Parameters]) -> Reply:
    """Record what is to be approved."""
    approval = await _require(iam, call, PARAMETERS_REQUIRED)
    fields = _shown(iam, approval, call.body.message_parameters)
    changes = await _choose(iam, approval, call.body)
    if "device_id" in changes:
        # Before anything is asked: what an app shows is to be as whole and as plain as what a token shows.
        _require_showable(fields)
    changes["transaction"] = call.body.message_parameters
    return reply(iam, await iam.database.run(approvals.move, approval, **changes), warnings=advice(fields))


def _flow(iam: Iam, approval: Approval) -> ApprovalFlow:
    flow = iam.policies.approvals.get(approval.flow)
    if flow is None:
        raise ApiError(404, "FLOW_NOT_FOUND", "the approval flow is no longer there")
    return flow


def _shown(iam: Iam, approval: Approval, parameters: dict[str, str]) -> list[DisplayField]:
    flow = _flow(iam, approval)
    try:
        return flow.messages.render(parameters)
    except ValueError as error:
        raise bad_request(f"messageParameters: {error}") from error


def _require_showable(fields: list[DisplayField]) -> None:
    try:
        offline_qr.require_showable(fields)
    except ValueError as error:
        raise bad_request(f"messageParameters: {error}") from error


async def _choose(iam: Iam, approval: Approval, body: Parameters) -> dict[str, Any]:
    """With what it is approved: what was asked for, or the first of the flow's methods that the user has something for."""
    wanted = body.method or ("AIRLOCK_2FA" if body.auth_token_id else None)
    if wanted == "FIDO" and body.auth_token_id:
        raise bad_request("authTokenId names a device, but the method is FIDO")
    allowed = _flow(iam, approval).methods
    methods = tuple(method for method in allowed if wanted in {None, method})
    if not methods:
        raise ApiError(403, "APPROVAL_METHOD_NOT_ALLOWED", f"the flow is approved with {' or '.join(allowed)}")
    refused: ApiError | None = None
    for method in methods:
        try:
            if method == "FIDO":
                await iam.database.run(credentials_in, iam, approval)
                return {"step": FIDO_RETRIEVAL_REQUIRED}
            device = await _choose_device(iam, approval, body.auth_token_id)
        except ApiError as error:
            if error.code not in {"DEVICE_UNKNOWN", "FIDO_NO_CREDENTIAL"}:
                raise
            refused = refused or error
        else:
            step = POLLING_REQUIRED if "one_touch" in device.capabilities else RETRIEVAL_REQUIRED
            return {"step": step, "device_id": device.device_id}
    assert refused is not None
    raise refused


def credentials_in(connection: Connection, iam: Iam, approval: Approval) -> list[FidoCredential]:
    """The keys with which the user may approve, in the caller's transaction.

    Raises:
        ApiError: FIDO_NO_CREDENTIAL if there is none.
    """
    assert approval.user_id is not None
    credentials = users.fido_credentials_of(connection, approval.user_id, iam.fido.rp_id)
    if not credentials:
        raise ApiError(403, "FIDO_NO_CREDENTIAL", "the user has registered no key for this RP ID")
    return credentials


async def _choose_device(iam: Iam, approval: Approval, wanted: str | None) -> Device:
    assert approval.user_id is not None
    usable = [
        each
        for each in await iam.cloud.devices(approval.user_id)
        if each.state == "active" and "offline_qrcode" in each.capabilities
    ]
    if wanted is None and len(usable) > 1:
        raise ApiError(400, "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED", "the user has several devices: say authTokenId")
    for device in usable:
        if wanted in {None, device.device_id}:
            return device
    raise ApiError(404, "DEVICE_UNKNOWN", "the user has no such device")


async def poll_status(iam: Iam, call: Call[Nothing]) -> Reply:
    """Ask the user's app, and from the second call on whether it was answered.

    When nobody answers in time, the approval goes on with offline QR.
    """
    approval = await _require(iam, call, POLLING_REQUIRED)
    assert approval.user_id is not None
    if approval.push_id is None:
        return reply(iam, await _ask_app(iam, approval))
    status = (await iam.cloud.push_status(PushPoll(approval.user_id.hex(), approval.push_id))).status
    if status == "waiting":
        return reply(iam, approval)
    if status == "approved":
        return reply(iam, await iam.database.run(approve, iam, approval))
    if status == "denied":
        raise await iam.database.run(_deny, iam, approval, "transaction denied on the app")
    await iam.database.run(approvals.move, approval, step=RETRIEVAL_REQUIRED, push_id=None)
    raise ApiError(400, "AIRLOCK_2FA_TIMEOUT", "nobody answered on the app in time")


async def _ask_app(iam: Iam, approval: Approval) -> Approval:
    assert approval.user_id is not None
    assert approval.device_id is not None
    await refuse_locked(iam, approval.user_id)
    fields = _shown(iam, approval, approval.transaction or {})
    text = "\n".join(f"{field.label or label_of(field.tag)}: {field.value}" for field in fields)
    ttl = iam.settings.push_ttl
    push = await iam.cloud.push(PushAuth(approval.user_id.hex(), approval.device_id, approval.reference, text, ttl))
    return await iam.database.run(approvals.move, approval, push_id=push.session_id)


async def retrieve_offline_qr_code(iam: Iam, call: Call[PictureRequest]) -> Reply:
    """Make a challenge for the recorded transaction; one made before no longer counts."""
    approval = await _require(iam, call, RETRIEVAL_REQUIRED, OTP_REQUIRED, POLLING_REQUIRED)
    assert approval.user_id is not None
    assert approval.device_id is not None
    assert approval.transaction is not None
    await refuse_locked(iam, approval.user_id)
    challenge = await ask_for_challenge(
        iam,
        Auth(
            user_id=approval.user_id.hex(),
            device_id=approval.device_id,
            factor="offline_qrcode",
            type="transaction",
            reference=approval.reference,
            fields=_shown(iam, approval, approval.transaction),
            ttl=iam.settings.transaction_challenge_ttl,
        ),
    )
    image = await draw(challenge.qrcode_content, call.body.scale) if call.body.image else None
    changes = {"step": OTP_REQUIRED, "challenge_id": challenge.session_id, "push_id": None}
    approval = await iam.database.run(approvals.move, approval, **changes)
    attributes = ApprovalQrAttributes(approval.step, challenge.qrcode_content, image, timestamp(challenge.expires_at))
    return Reply(answer(iam.now(), DATA_TYPE, str(approval.id), attributes))


async def check_otp(iam: Iam, call: Call[OtpCheck]) -> Reply:
    """Check the code: if it is right, the recorded transaction is approved."""
    approval = await _require(iam, call, OTP_REQUIRED)
    assert approval.user_id is not None
    assert approval.challenge_id is not None
    message = Verify(approval.user_id.hex(), approval.challenge_id, digits(call.body.otp))
    result = await judge(iam, approval.user_id, iam.cloud.verify(message))
    if result.result != "allow":
        raise await iam.database.run(_wrong_otp, iam, approval, result)
    return reply(iam, await iam.database.run(approve, iam, approval))


def approve(connection: Connection, /, iam: Iam, approval: Approval, **how: str) -> Approval:
    """The recorded transaction is approved; ``how`` is for the audit log."""
    approved = approvals.move(connection, approval, step=None, fido=None)
    about = {"approval": approval.reference, "flow": approval.flow, **how}
    told = approval.transaction or {}
    audit.append(connection, iam.now(), "transaction", "approved", approval.user_id, **about, transaction=told)
    return approved


def _deny(connection: Connection, iam: Iam, approval: Approval, what: str) -> ApiError:
    """The user says no: nothing can follow, and an operator should look at it."""
    approvals.move(connection, approval, step=DENIED)
    audit.append(connection, iam.now(), "transaction", "denied", approval.user_id, approval=approval.reference)
    raise_alarm(connection, iam, what, approval.user_id, approval=approval.reference)
    return ApiError(403, "TRANSACTION_DENIED", f"the {what}")


def _wrong_otp(connection: Connection, iam: Iam, approval: Approval, result: VerifyResult) -> ApiError:
    if result.status == "declined":
        return _deny(connection, iam, approval, "transaction declined on the token")
    audit.append(connection, iam.now(), "transaction", result.status, approval.user_id, approval=approval.reference)
    if not result.attempts_left and result.status != "locked_out":
        with contextlib.suppress(ApiError):  # a newer challenge, asked for meanwhile, is left alone
            approvals.move(connection, approval, step=RETRIEVAL_REQUIRED, challenge_id=None)
    return offline_qr.refusal(result)


async def _find(iam: Iam, cookies: Any) -> Approval | None:
    token = cookies.get(COOKIE, "")
    return await iam.database.run(approvals.load, token, iam.now()) if token else None


async def _require(iam: Iam, call: Call[Any], *steps: str) -> Approval:
    return await iam.database.run(require_in, iam, call, *steps)


def require_in(connection: Connection, iam: Iam, call: Call[Any], *steps: str) -> Approval:
    """The caller's approval, in the caller's transaction.

    Raises:
        ApiError: 401 without one, UNEXPECTED_CALL if none of ``steps`` comes next.
    """
    token = call.cookies.get(COOKIE, "")
    approval = approvals.load(connection, token, iam.now()) if token else None
    if approval is None:
        raise ApiError(401, "NOT_AUTHORIZED", "there is no approval: select a flow first")
    if approval.step not in steps:
        raise unexpected_call("this is not the next step of the approval")
    return approval


def reply(iam: Iam, approval: Approval, cookie: Cookie | None = None, warnings: Sequence[str] = ()) -> Reply:
    """Say where the approval stands."""
    approved = approval.transaction if approval.step is None and approval.transaction else UNSET
    document = answer(
        iam.now(), DATA_TYPE, str(approval.id), ApprovalAttributes(approval.step, approved, list(warnings) or UNSET)
    )
    return Reply(document, cookies=(cookie,) if cookie else ())
