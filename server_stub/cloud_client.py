"""How the IAM reaches its verification cloud: signed JSON over HTTP, and nothing else."""

from typing import TypeVar
from urllib.parse import quote

import msgspec

from server_stub.cloud.account import ServiceAccount
from server_stub.cloud.messages import (
    Activate,
    Activation,
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
    Message,
    NewName,
    NewState,
    Passcode,
    Preauth,
    PreauthResult,
    PushAnswer,
    PushAuth,
    PushPoll,
    PushRequest,
    PushRequests,
    PushStatus,
    Resync,
    Stock,
    StockToken,
    TokenLock,
    TokenLocks,
    Verify,
    VerifyResult,
)
from server_stub.cloud.signing import Credentials, Signed, sign
from server_stub.cloud_line import CloudLine, LineError
from server_stub.errors import ApiError
from server_stub.settings import Settings

Result = TypeVar("Result", bound=Message)
UNAVAILABLE = "AIRLOCK_2FA_UNAVAILABLE"


class CloudClient:
    """The IAM's connection to the cloud at ``url``.

    Every method raises ``ApiError``: 503 if the cloud cannot be reached or makes no sense, otherwise what it refused.
    """

    def __init__(self, url: str, account: ServiceAccount, settings: Settings) -> None:
        self._line = CloudLine(url, settings.cloud_timeout)
        self._account = account
        self._settings = settings

    async def close(self) -> None:
        """Close the connections."""
        await self._line.close()

    async def devices(self, user_id: bytes) -> list[Device]:
        """The user's devices for offline QR."""
        message = Preauth(user_id.hex())
        return (await self._post(self._account.auth, "/srv/auth/v1/user/preauth", message, PreauthResult)).devices

    async def challenge(self, message: Auth) -> AuthResult:
        """A challenge for one device."""
        return await self._post(self._account.auth, "/srv/auth/v1/user/auth", message, AuthResult)

    async def verify(self, message: Verify) -> VerifyResult:
        """The cloud's judgement of a code."""
        return await self._post(self._account.auth, "/srv/auth/v1/user/auth/verify", message, VerifyResult)

    async def passcode(self, message: Passcode) -> VerifyResult:
        """The cloud's judgement of a passcode."""
        return await self._post(self._account.auth, "/srv/auth/v1/user/auth/passcode", message, VerifyResult)

    async def push(self, message: PushAuth) -> PushStatus:
        """Ask an app."""
        return await self._post(self._account.auth, "/srv/auth/v1/user/auth/push", message, PushStatus)

    async def push_status(self, message: PushPoll) -> PushStatus:
        """What the app was answered."""
        return await self._post(self._account.auth, "/srv/auth/v1/user/auth/status", message, PushStatus)

    async def push_requests(self, user_id: bytes) -> list[PushRequest]:
        """What the apps of a user show."""
        message = Preauth(user_id.hex())
        return (await self._post(self._account.admin, "/srv/admin/v1/push-requests", message, PushRequests)).requests

    async def answer_push(self, push_id: str, message: PushAnswer) -> PushStatus:
        """Press a button of an app."""
        path = f"/srv/admin/v1/push-requests/{quote(push_id, safe='')}/answer"
        return await self._post(self._account.admin, path, message, PushStatus)

    async def resync_token(self, device_id: str, message: Resync) -> VerifyResult:
        """Find an OTP token again."""
        path = f"/srv/admin/v1/hardware-tokens/{quote(device_id, safe='')}/resync"
        return await self._post(self._account.admin, path, message, VerifyResult)

    async def enroll(self, message: Enroll) -> Enrollment:
        """Codes with which a user enrols an app."""
        return await self._post(self._account.auth, "/srv/auth/v1/user/enroll", message, Enrollment)

    async def enroll_status(self, enrollment_id: str, user_id: bytes | None = None) -> EnrollStatus:
        """What became of them; with ``user_id``, of that user's."""
        message = EnrollPoll(enrollment_id, user_id.hex() if user_id else None)
        return await self._post(self._account.auth, "/srv/auth/v1/user/enroll_status", message, EnrollStatus)

    async def import_token(self, message: ImportToken) -> Device:
        """A token with its seed, into the cloud's stock."""
        return await self._post(self._account.admin, "/srv/admin/v1/hardware-tokens", message, Device)

    async def import_tokens(self, messages: list[ImportToken]) -> list[StockToken]:
        """Many tokens into the cloud's stock, all or none."""
        message = ImportTokens(messages)
        return (await self._post(self._account.admin, "/srv/admin/v1/hardware-tokens/import", message, Stock)).tokens

    async def stock(self) -> list[StockToken]:
        """All tokens that the cloud knows."""
        return (await self._send("GET", self._account.admin, "/srv/admin/v1/hardware-tokens", None, Stock)).tokens

    async def token_locks(self) -> list[TokenLock]:
        """What the cloud counts against tokens."""
        path = "/srv/admin/v1/hardware-tokens/locks"
        return (await self._send("GET", self._account.admin, path, None, TokenLocks)).locks

    async def unassign_token(self, device_id: str, user_id: bytes) -> Device:
        """A token, from a user."""
        path = f"/srv/admin/v1/hardware-tokens/{quote(device_id, safe='')}/unassign"
        return await self._post(self._account.admin, path, Assign(user_id.hex()), Device)

    async def set_token_state(self, device_id: str, state: NewState) -> Device:
        """Suspend a token, or let it work again."""
        path = f"/srv/admin/v1/hardware-tokens/{quote(device_id, safe='')}/state"
        return await self._post(self._account.admin, path, state, Device)

    async def assign_token(self, device_id: str, user_id: bytes) -> Device:
        """A token from stock, to a user."""
        path = f"/srv/admin/v1/hardware-tokens/{quote(device_id, safe='')}/assign"
        return await self._post(self._account.admin, path, Assign(user_id.hex()), Device)

    async def rename_token(self, device_id: str, user_id: bytes, display_name: str) -> Device:
        """Call a user's token something else."""
        path = f"/srv/admin/v1/hardware-tokens/{quote(device_id, safe='')}/name"
        return await self._post(self._account.admin, path, NewName(user_id.hex(), display_name), Device)

    async def activate_token(self, message: Activate) -> Activation:
        """A token from stock, to who shows a code of it."""
        return await self._post(self._account.admin, "/srv/admin/v1/hardware-tokens/activate", message, Activation)

    async def unlock_token(self, device_id: str, user_id: bytes) -> Device:
        """Forgive the wrong codes of a user's token."""
        path = f"/srv/admin/v1/hardware-tokens/{quote(device_id, safe='')}/unlock"
        return await self._post(self._account.admin, path, Assign(user_id.hex()), Device)

    async def _post(self, credentials: Credentials, path: str, message: Message, kind: type[Result]) -> Result:
        return await self._send("POST", credentials, path, message, kind)

    async def _send(
        self, method: str, credentials: Credentials, path: str, message: Message | None, kind: type[Result]
    ) -> Result:
        body = b"" if message is None else msgspec.json.encode(message)
        headers = sign(credentials, Signed(method, self._line.host, path, body), self._settings.time())
        headers["Content-Type"] = "application/json"
        try:
            status, data = await self._line.send(method, path, headers, body)
            if status < 300:
                return msgspec.json.decode(data, type=kind)
            failure = msgspec.json.decode(data, type=Failure)
        except (LineError, msgspec.DecodeError) as error:
            raise ApiError(503, UNAVAILABLE, "the verification cloud does not answer; try again") from error
        if status >= 500 or status == 401:
            raise ApiError(503, UNAVAILABLE, f"the verification cloud refuses to work for this server: {failure.code}")
        raise ApiError(status, failure.code, failure.message, failure.locked_until)
