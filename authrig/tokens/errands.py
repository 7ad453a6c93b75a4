"""Does what a token wants of its network, and nothing else: a QR code names where to, so this is careful."""

import ipaddress
import ssl
import time
from urllib.parse import urlsplit

import msgspec

from authrig.errors import RigError
from authrig.tokens.token_file import AppAccount, seed_id
from emulators.hwtoken.network import (
    AnswerPush,
    CameBack,
    Done,
    FetchPushes,
    HttpGet,
    HttpPost,
    HttpReply,
    Push,
    Pushes,
    TooLate,
    Unreachable,
    Wanted,
)
from server_stub.cloud.messages import AppEnroll, AppSeed, Failure, PushAnswer, PushRequests, PushStatus
from server_stub.cloud.signing import Credentials, Signed, sign

SECONDS = 10.0
"""For one errand, from the first byte to the last."""
MAX_BYTES = 256 * 1024
_JSON = "application/json"


class NoReply(Exception):  # noqa: N818 - what can happen, and no program error
    """There was no answer that counts; the sentence says why."""


class Courier:
    """Carries errands out over HTTP, each within ``seconds``: https to anywhere, http to this machine only.

    It follows no redirect, reads up to ``MAX_BYTES`` of an answer, and sends nothing that the token did not ask for.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds

    def do(self, wanted: Wanted, app: AppAccount | None) -> CameBack:
        """Do it; every failure is an answer: ``Unreachable``."""
        try:
            match wanted:
                case HttpGet(url=url):
                    return self._send("GET", url, b"", {})
                case HttpPost(url=url, body=body, content_type=content_type, headers=headers):
                    return self._send("POST", url, body, {**dict(headers), "Content-Type": content_type})
                case FetchPushes() if app is not None:
                    return self._fetch_pushes(app)
                case AnswerPush(push_id=push_id, approve=approve) if app is not None:
                    return self._answer_push(app, push_id, approve=approve)
                case _:
                    return Unreachable()
        except (NoReply, msgspec.DecodeError):
            return Unreachable()

    def enrol(self, cloud_url: str, code: str, serial: str, name: str) -> tuple[AppAccount, bytes]:
        """Show an activation code at the cloud: what the app then signs with, and its seed.

        Raises:
            RigError: if the server cannot be reached, or refuses.
        """
        cloud_url = cloud_url.rstrip("/")
        try:
            body = msgspec.json.encode(AppEnroll(code, serial, name))
            reply = self._send("POST", f"{cloud_url}/srv/app/v1/enroll", body, {"Content-Type": _JSON})
        except NoReply as error:
            raise RigError(f"server {cloud_url}: {error}") from error
        try:
            if reply.status != 201:
                raise RigError(f"server {cloud_url}: {msgspec.json.decode(reply.body, type=Failure).message}")
            given = msgspec.json.decode(reply.body, type=AppSeed)
            seed = bytes.fromhex(given.seed_hex)
            return AppAccount(cloud_url, given.device_id, given.request_key_hex, seed_id(seed)), seed
        except (msgspec.DecodeError, ValueError) as error:
            raise RigError(
                f"server {cloud_url}: expected the cloud's answer, found another ({reply.status})"
            ) from error

    def _fetch_pushes(self, app: AppAccount) -> CameBack:
        reply = self._signed(app, "/push-requests", b"")
        if reply.status != 200:
            return Unreachable()
        requests = msgspec.json.decode(reply.body, type=PushRequests).requests
        return Pushes(tuple(Push(each.session_id, each.text, each.expires_at) for each in requests))

    def _answer_push(self, app: AppAccount, push_id: str, *, approve: bool) -> CameBack:
        if not push_id.isalnum():  # it becomes a part of a path
            return Unreachable()
        wanted = PushAnswer("approve" if approve else "deny")
        reply = self._signed(app, f"/push-requests/{push_id}/answer", msgspec.json.encode(wanted))
        if reply.status == 409:
            return TooLate()
        taken = "approved" if approve else "denied"
        if reply.status == 200 and msgspec.json.decode(reply.body, type=PushStatus).status == taken:
            return Done()
        return Unreachable()

    def _signed(self, app: AppAccount, path: str, body: bytes) -> HttpReply:
        target = f"/srv/app/v1/devices/{app.device_id}{path}"
        where = urlsplit(app.cloud_url + target)
        request = Signed("POST", where.netloc.lower(), where.path, body)
        proof = sign(Credentials(app.device_id, bytes.fromhex(app.request_key)), request, time.time())
        return self._send("POST", app.cloud_url + target, body, {"Content-Type": _JSON, **proof})

    def _send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> HttpReply:
        """Send it, and read the answer. Raises NoReply."""
        import httpx  # noqa: PLC0415 - slow to import, and a token without a network never needs it

        try:
            return self._exchange(method, url, body, headers)
        # Whatever a URL that someone printed, or a server that someone named, can lead to.
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OSError) as error:
            raise NoReply(str(error) or type(error).__name__) from error

    def _exchange(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> HttpReply:
        import httpx  # noqa: PLC0415 - as above

        # Judged as the client reads it: two readers of one URL may disagree about its host.
        where = httpx.URL(url)
        here = check_address(where.scheme, where.host)
        until = time.monotonic() + self._seconds
        # Reading the machine's root certificates takes longer than the request, and plain HTTP needs none.
        verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if where.scheme == "http" else ssl.create_default_context()
        with (
            httpx.Client(verify=verify, timeout=self._seconds, trust_env=not here, follow_redirects=False) as client,
            client.stream(
                method, where, content=body or None, headers={"Accept-Encoding": "identity", **headers}
            ) as response,
        ):
            if response.headers.get("content-encoding", "identity") != "identity":
                raise ValueError("expected an answer that is not compressed, as asked for, found another")
            content = bytearray()
            for chunk in response.iter_raw():
                content += chunk
                if len(content) > MAX_BYTES or time.monotonic() > until:
                    raise ValueError(f"expected up to {MAX_BYTES} bytes within {self._seconds:g} seconds, found more")
            return HttpReply(response.status_code, bytes(content), {k.lower(): v for k, v in response.headers.items()})


def check_address(scheme: str, host: str) -> bool:
    """Whether ``host`` is this machine.

    Raises:
        ValueError: it is neither https, nor http to this machine.
    """
    here = _is_loopback(host)
    if (scheme == "https" and host) or (scheme == "http" and here):
        return here
    raise ValueError("expected a URL with https, or with http on this machine, found another")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
