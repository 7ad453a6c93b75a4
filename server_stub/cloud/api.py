"""The cloud's REST: the paths, who may call them, and what they do."""

import uuid

import msgspec
from starlette.requests import Request

from offline_qr.otq1.header import CHALLENGE_ID_BYTES
from server_stub.api.routing import Call, Nothing, Reply, Route
from server_stub.cloud import challenges, enrollments, passcodes, pushes, tokens
from server_stub.cloud.messages import (
    Activate,
    Activation,
    AppEnroll,
    AppSeed,
    Assign,
    Auth,
    AuthResult,
    Device,
    Enroll,
    Enrollment,
    EnrollPoll,
    EnrollStatus,
    Failure,
    ImportToken,
    ImportTokens,
    NewName,
    NewState,
    Passcode,
    Preauth,
    PreauthResult,
    PushAnswer,
    PushAuth,
    PushPoll,
    PushRequests,
    PushStatus,
    Resync,
    Stock,
    TokenLocks,
    Verify,
    VerifyResult,
)
from server_stub.cloud.service import Cloud
from server_stub.cloud.signing import Credentials, Signed, why_refused
from server_stub.errors import ApiError


class CloudInterface:
    """Lets in what is signed with ``credentials``."""

    def __init__(self, cloud: Cloud, credentials: Credentials) -> None:
        self.services = cloud
        self.body_limit = cloud.settings.body_limit
        self.trusted_proxies = ()
        self._credentials = credentials

    def admit(self, request: Request, body: bytes) -> None:
        """Check the signature.

        Raises:
            ApiError: 401 if it is missing, wrong, or too old.
        """
        path, query = request.scope["raw_path"], request.scope["query_string"]
        target = (path + b"?" + query if query else path).decode("ascii", "replace")
        signed = Signed(request.method, request.headers.get("host", ""), target, body)
        date, authorization = (request.headers.get(name, "") for name in ("ft-date", "authorization"))
        credentials = self._credentials_for(request)
        reason = why_refused(credentials, signed, date, authorization, self.services.settings.time())
        if reason:
            raise ApiError(401, "UNAUTHORIZED", reason)

    def _credentials_for(self, _: Request) -> Credentials:
        return self._credentials

    async def refusal(self, _: Request, error: ApiError) -> Failure:
        """Code and sentence."""
        return Failure(error.code, error.detail, error.lock_expiry)


async def preauth(cloud: Cloud, call: Call[Preauth]) -> Reply:
    """List a user's devices."""
    devices = await cloud.database.run(tokens.devices_of, call.body.user_id)
    factors = sorted({capability for device in devices for capability in device.capabilities})
    return Reply(PreauthResult("auth" if devices else "unknown", factors, devices))


async def auth(cloud: Cloud, call: Call[Auth]) -> Reply:
    """Issue a challenge."""
    challenge_id = cloud.settings.token_bytes(CHALLENGE_ID_BYTES)
    now = cloud.settings.time()
    return Reply(await cloud.database.run(challenges.issue, cloud.vault, challenge_id, call.body, now))


async def verify(cloud: Cloud, call: Call[Verify]) -> Reply:
    """Judge a code."""
    now, schedule = cloud.settings.time(), cloud.settings.cloud_lockout
    return Reply(await cloud.database.run(challenges.verify, cloud.vault, call.body, now, schedule))


async def passcode(cloud: Cloud, call: Call[Passcode]) -> Reply:
    """Judge a passcode."""
    now, schedule = cloud.settings.time(), cloud.settings.cloud_lockout
    return Reply(await cloud.database.run(passcodes.verify, cloud.vault, call.body, now, schedule))


async def push(cloud: Cloud, call: Call[PushAuth]) -> Reply:
    """Ask an app."""
    push_id = cloud.settings.token_bytes(16).hex()
    return Reply(await cloud.database.run(pushes.start, push_id, call.body, cloud.settings.time()))


async def push_status(cloud: Cloud, call: Call[PushPoll]) -> Reply:
    """What the app was answered."""
    body, now = call.body, cloud.settings.time()
    return Reply(await cloud.database.run(pushes.status, body.session_id, body.user_id, now))


async def push_requests(cloud: Cloud, call: Call[Preauth]) -> Reply:
    """What the apps of a user show."""
    now = cloud.settings.time()
    return Reply(PushRequests(await cloud.database.run(pushes.waiting, call.body.user_id, now)))


async def enroll(cloud: Cloud, call: Call[Enroll]) -> Reply:
    """Let a user enrol an app."""
    draw = cloud.settings.token_bytes
    short = f"{int.from_bytes(draw(16), 'big') % 10**enrollments.SHORT_DIGITS:0{enrollments.SHORT_DIGITS}d}"
    codes = enrollments.Codes(draw(16).hex(), draw(16).hex(), short)
    return Reply(await cloud.database.run(enrollments.begin, codes, call.body, cloud.settings.time()))


async def enroll_status(cloud: Cloud, call: Call[EnrollPoll]) -> Reply:
    """What became of an enrolment."""
    return Reply(await cloud.database.run(enrollments.status, call.body, cloud.settings.time()))


async def app_enroll(cloud: Cloud, call: Call[AppEnroll]) -> Reply:
    """Give an app its seed for a good code."""
    named = (_new_id(cloud), cloud.settings.token_bytes(32))
    now = cloud.settings.time()
    kept = await cloud.database.run(enrollments.complete, cloud.vault, named, call.body, now)
    key = cloud.app_credentials(kept.device_id).key
    return Reply(msgspec.structs.replace(kept, request_key_hex=key.hex()), status=201)


async def own_push_requests(cloud: Cloud, call: Call[Nothing]) -> Reply:
    """What this app shows."""
    now = cloud.settings.time()
    return Reply(PushRequests(await cloud.database.run(pushes.waiting_at, call.path["device"], now)))


async def answer_own_push(cloud: Cloud, call: Call[PushAnswer]) -> Reply:
    """A button of this app was pressed."""
    now, path = cloud.settings.time(), call.path
    return Reply(await cloud.database.run(pushes.answer, path["push"], call.body, now, path["device"]))


async def answer_push(cloud: Cloud, call: Call[PushAnswer]) -> Reply:
    """Press a button of the app."""
    now = cloud.settings.time()
    return Reply(await cloud.database.run(pushes.answer, call.path["push"], call.body, now))


async def resync(cloud: Cloud, call: Call[Resync]) -> Reply:
    """Find an OTP token again."""
    now = cloud.settings.time()
    return Reply(await cloud.database.run(passcodes.resync, cloud.vault, call.path["token"], call.body, now))


async def import_token(cloud: Cloud, call: Call[ImportToken]) -> Reply:
    """Take a token into stock."""
    token_id, now = _new_id(cloud), cloud.settings.time()
    return Reply(await cloud.database.run(tokens.import_token, cloud.vault, token_id, call.body, now), status=201)


async def assign(cloud: Cloud, call: Call[Assign]) -> Reply:
    """Give a token to a user."""
    now = cloud.settings.time()
    sharing = cloud.settings.share_tokens
    return Reply(await cloud.database.run(tokens.assign, call.path["token"], call.body.user_id, now, sharing=sharing))


async def unassign(cloud: Cloud, call: Call[Assign]) -> Reply:
    """Take a token from a user."""
    now = cloud.settings.time()
    return Reply(await cloud.database.run(tokens.unassign, call.path["token"], call.body.user_id, now))


async def rename(cloud: Cloud, call: Call[NewName]) -> Reply:
    """Call a user's token something else."""
    now, body = cloud.settings.time(), call.body
    return Reply(await cloud.database.run(tokens.rename, call.path["token"], body.user_id, body.display_name, now))


async def activate(cloud: Cloud, call: Call[Activate]) -> Reply:
    """Give a token from stock to who shows a code of it."""
    now, schedule = cloud.settings.time(), cloud.settings.cloud_lockout
    return Reply(await cloud.database.run(passcodes.activate, cloud.vault, call.body, now, schedule))


async def set_state(cloud: Cloud, call: Call[NewState]) -> Reply:
    """Suspend a token, or let it work again."""
    now = cloud.settings.time()
    return Reply(await cloud.database.run(tokens.set_state, call.path["token"], call.body.state, now))


async def import_tokens(cloud: Cloud, call: Call[ImportTokens]) -> Reply:
    """Take many tokens into stock, all or none."""
    named = [(_new_id(cloud), each) for each in call.body.tokens]
    imported = await cloud.database.run_aside(tokens.import_tokens, cloud.vault, named, cloud.settings.time())
    return Reply(Stock(imported), status=201)


async def stock(cloud: Cloud, _: Call[Nothing]) -> Reply:
    """List all tokens."""
    return Reply(Stock(await cloud.database.run_aside(tokens.stock)))


async def token_locks(cloud: Cloud, _: Call[Nothing]) -> Reply:
    """List what is counted against tokens."""
    return Reply(TokenLocks(await cloud.database.run_aside(tokens.locks, cloud.settings.time())))


def _new_id(cloud: Cloud) -> str:
    return str(uuid.UUID(bytes=cloud.settings.token_bytes(16), version=4))


async def unlock(cloud: Cloud, call: Call[Assign]) -> Reply:
    """Forgive the wrong codes of a user's token."""
    now = cloud.settings.time()
    return Reply(await cloud.database.run(tokens.unlock, call.path["token"], call.body.user_id, now))


AUTH_ROUTES = (
    Route(
        "POST", "/srv/auth/v1/user/preauth", preauth, PreauthResult, "List a user's devices", Preauth, published=True
    ),
    Route(
        "POST",
        "/srv/auth/v1/user/auth",
        auth,
        AuthResult,
        "Make a challenge for a device",
        Auth,
        published=True,
        errors=("DEVICE_UNKNOWN", "LOCKED_OUT"),
    ),
    Route("POST", "/srv/auth/v1/user/auth/verify", verify, VerifyResult, "Judge the code for a challenge", Verify),
    Route("POST", "/srv/auth/v1/user/auth/passcode", passcode, VerifyResult, "Judge a passcode", Passcode),
    Route(
        "POST",
        "/srv/auth/v1/user/auth/push",
        push,
        PushStatus,
        "Ask the user's app online",
        PushAuth,
        errors=("DEVICE_UNKNOWN",),
    ),
    Route("POST", "/srv/auth/v1/user/enroll", enroll, Enrollment, "Let a user enrol an app", Enroll, published=True),
    Route(
        "POST",
        "/srv/auth/v1/user/enroll_status",
        enroll_status,
        EnrollStatus,
        "Tell what became of an enrolment",
        EnrollPoll,
        published=True,
        errors=("ENROLLMENT_UNKNOWN",),
    ),
    Route(
        "POST",
        "/srv/auth/v1/user/auth/status",
        push_status,
        PushStatus,
        "Tell what the app was answered",
        PushPoll,
        published=True,
        errors=("PUSH_UNKNOWN",),
    ),
)
APP_ROUTES = (
    Route(
        "POST",
        "/srv/app/v1/enroll",
        app_enroll,
        AppSeed,
        "Give an app its seed for an activation code",
        AppEnroll,
        201,
        errors=("ACTIVATION_CODE_WRONG", "TOKEN_EXISTS"),
    ),
)
DEVICE_ROUTES = (
    Route(
        "POST",
        "/srv/app/v1/devices/{device}/push-requests",
        own_push_requests,
        PushRequests,
        "List what this app shows",
    ),
    Route(
        "POST",
        "/srv/app/v1/devices/{device}/push-requests/{push}/answer",
        answer_own_push,
        PushStatus,
        "Say which button of this app was pressed",
        PushAnswer,
        errors=("PUSH_OVER",),
    ),
)
ADMIN_ROUTES = (
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens",
        import_token,
        Device,
        "Import a hardware token with its seed",
        ImportToken,
        201,
        errors=("TOKEN_EXISTS",),
    ),
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens/{token}/assign",
        assign,
        Device,
        "Assign a hardware token to a user",
        Assign,
        errors=("TOKEN_UNKNOWN", "TOKEN_ASSIGNED"),
    ),
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens/{token}/unassign",
        unassign,
        Device,
        "Take a token from a user",
        Assign,
        errors=("TOKEN_UNKNOWN",),
    ),
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens/{token}/state",
        set_state,
        Device,
        "Suspend a token, or let it work again",
        NewState,
        errors=("TOKEN_UNKNOWN",),
    ),
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens/import",
        import_tokens,
        Stock,
        "Import many tokens, all or none",
        ImportTokens,
        201,
        errors=("TOKEN_EXISTS",),
        body_limit=8 * 2**20,
    ),
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens/activate",
        activate,
        Activation,
        "Give an OTP token from stock to who shows a code of it",
        Activate,
    ),
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens/{token}/name",
        rename,
        Device,
        "Call a user's token something else",
        NewName,
        errors=("TOKEN_UNKNOWN",),
    ),
    Route("GET", "/srv/admin/v1/hardware-tokens", stock, Stock, "List all tokens"),
    Route("GET", "/srv/admin/v1/hardware-tokens/locks", token_locks, TokenLocks, "List what is counted against tokens"),
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens/{token}/unlock",
        unlock,
        Device,
        "Forgive the wrong codes of a user's token",
        Assign,
        errors=("TOKEN_UNKNOWN",),
    ),
    Route(
        "POST",
        "/srv/admin/v1/hardware-tokens/{token}/resync",
        resync,
        VerifyResult,
        "Find an OTP token again by two codes in a row",
        Resync,
        errors=("TOKEN_UNKNOWN",),
    ),
    Route(
        "POST", "/srv/admin/v1/push-requests", push_requests, PushRequests, "List what the apps of a user show", Preauth
    ),
    Route(
        "POST",
        "/srv/admin/v1/push-requests/{push}/answer",
        answer_push,
        PushStatus,
        "Press a button of the app",
        PushAnswer,
        errors=("PUSH_OVER",),
    ),
)


class DeviceInterface(CloudInterface):
    """Lets in what the app that the path names has signed with the key of its own."""

    def _credentials_for(self, request: Request) -> Credentials:
        return self.services.app_credentials(request.path_params["device"])


class OpenInterface(CloudInterface):
    """Lets everyone in."""

    def admit(self, request: Request, body: bytes) -> None:
        """Nothing to check."""
