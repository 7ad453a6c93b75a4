"""OpenID Connect, our side: the authorization code flow with PKCE (OpenID Connect Core 1.0 §3.1, RFC 7636, RFC 9700).

A provider is asked three things over HTTPS: where its endpoints are, what its keys are, and what a code is worth.
"""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from server_stub.jose import KeySet, TicketRefused, verify_with
from server_stub.sessions import OidcChallenge
from server_stub.settings import OidcProvider, Settings

if TYPE_CHECKING:
    import httpx

Answer = TypeVar("Answer")
RANDOM = 32
"""Bytes in a state, a nonce and a code verifier."""
MOST = 256 * 1024
"""The largest answer of a provider, in bytes."""
KEEP = 600.0
"""How long (seconds) a provider's endpoints and keys are believed without asking again."""
PATIENCE = 10.0
"""After how long (seconds) the keys may be asked for again because a token names one that is not among them."""


class OidcRefused(Exception):  # noqa: N818 - a verdict, not a mistake of the program
    """The provider, or what came back from it, does not prove what it should; the sentence says why."""


class OidcUnavailable(Exception):  # noqa: N818 - as above
    """The provider cannot be asked."""


class Metadata(msgspec.Struct, frozen=True):
    """What we need of a provider's configuration (OpenID Connect Discovery 1.0 §3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    authorization_response_iss_parameter_supported: bool = False


class TokenAnswer(msgspec.Struct, frozen=True):
    """What a code was worth (OpenID Connect Core 1.0 §3.1.3.3)."""

    id_token: str
    token_type: str

    def __repr__(self) -> str:
        return f"TokenAnswer({self.token_type!r})"


class TokenError(msgspec.Struct, frozen=True):
    """Why it was worth nothing (RFC 6749 §5.2)."""

    error: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider has authenticated: its own name for them, and ours."""

    subject: str
    username: str


class Provider:
    """One provider, as the settings describe it."""

    def __init__(self, described: OidcProvider, secret: str, settings: Settings) -> None:
        self.name, self.title, self.issuer = described.name, described.title or described.name, described.issuer
        self._described = described
        self._secret = secret
        self._redirect_uri = f"{settings.origins[0] if settings.origins else ''}/auth/oidc/{described.name}/callback"
        self._token_bytes = settings.token_bytes
        self._ttl = settings.login_lifetime
        self._timeout = settings.cloud_timeout
        self._http: httpx.AsyncClient | None = None
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._http:
            await self._http.aclose()

    async def begin(self, now: float) -> tuple[str, OidcChallenge]:
        """Where the browser is sent, and what must be remembered until it is back.

        Raises:
            OidcRefused: if the provider's configuration is not what it should be.
            OidcUnavailable: if it cannot be asked.
        """
        metadata = await self._discover(now)
        state, nonce, verifier = (_text(self._token_bytes(RANDOM)) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._described.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": self._described.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
        challenge = OidcChallenge(self.name, state, nonce, verifier, now + self._ttl)
        return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}", challenge

    async def finish(
        self, challenge: OidcChallenge, code: str, issuer: str | None, now: Callable[[], float]
    ) -> Identity:
        """Whom the code is for that came back with the right state; ``issuer`` is the parameter ``iss`` beside it.

        Raises:
            OidcRefused: if it proves nobody.
            OidcUnavailable: if the provider cannot be asked.
        """
        metadata = await self._discover(now())
        # RFC 9207: who answers must be whom we asked, otherwise our code would go to the wrong one.
        if issuer != self.issuer and (issuer is not None or metadata.authorization_response_iss_parameter_supported):
            raise OidcRefused("the answer is from another provider")
        token = await self._redeem(metadata, code, challenge.code_verifier)
        return await self._identity(metadata, token, challenge.nonce, now)

    async def _redeem(self, metadata: Metadata, code: str, verifier: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        if self._secret:
            # RFC 6749 §2.3.1: both are form-encoded before they are joined.
            pair = f"{quote(self._described.client_id, safe='')}:{quote(self._secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_id"] = self._described.client_id
        status, body = await self._fetch("POST", metadata.token_endpoint, form, headers)
        if status != 200:
            raise OidcRefused(f"the provider does not take the code: {_why(body)}")
        answer = _decode(body, TokenAnswer, "token answer")
        if answer.token_type.lower() != "bearer":
            raise OidcRefused("the provider's token answer has another token type than Bearer")
        return answer.id_token

    async def _identity(self, metadata: Metadata, token: str, nonce: str, now: Callable[[], float]) -> Identity:
        """OpenID Connect Core 1.0 §3.1.3.7."""
        client = self._described.client_id
        try:
            keys = await self._key_set(metadata, token, now())
            claims = verify_with(token, keys, self.issuer, client, now()).all
        except TicketRefused as error:
            raise OidcRefused(f"the ID token: {error}") from error
        audience, party = claims.get("aud"), claims.get("azp")
        if party != client and (party is not None or (isinstance(audience, list) and len(audience) > 1)):
            raise OidcRefused("the ID token was made for another client beside us")
        if not isinstance(claims.get("iat"), int | float):
            raise OidcRefused("the ID token does not say when it was made")
        found = claims.get("nonce")
        if not isinstance(found, str) or not hmac.compare_digest(found.encode("utf-8", "replace"), nonce.encode()):
            raise OidcRefused("the ID token was made for another login: its nonce is not ours")
        return Identity(claims["sub"], self._username(claims))

    def _username(self, claims: dict[str, Any]) -> str:
        name = self._described.username_claim
        value = claims.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= 255:
            raise OidcRefused(f"the ID token has no {name} that could be a user name")
        if name == "email" and claims.get("email_verified") is not True:
            raise OidcRefused("the provider has not verified the email address")
        return value

    async def _discover(self, now: float) -> Metadata:
        """The provider's configuration (OpenID Connect Discovery 1.0 §4), from itself or from a moment ago."""
        if self._metadata and now < self._metadata[0] + KEEP:
            return self._metadata[1]
        where = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        metadata = await self._get(where, Metadata, "configuration")
        if metadata.issuer != self.issuer:
            raise OidcRefused("the provider's configuration names another issuer")
        for endpoint in (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri):
            if not safe(endpoint):
                raise OidcRefused("the provider's configuration names an endpoint that is not https")
        self._metadata = (now, metadata)
        return metadata

    async def _key_set(self, metadata: Metadata, token: str, now: float) -> KeySet:
        """The provider's keys; asked for again when they are old, or the token names one that is not among them."""
        if self._keys is not None:
            at, keys = self._keys
            if now < at + (KEEP if keys.candidates(token) else PATIENCE):
                return keys
        keys = KeySet.of(await self._get(metadata.jwks_uri, dict[str, Any], "key set"))
        self._keys = (now, keys)
        return keys

    async def _get(self, url: str, kind: type[Answer], what: str) -> Answer:
        status, body = await self._fetch("GET", url, None, {"Accept": "application/json"})
        if status != 200:
            raise OidcUnavailable(f"the provider's {what} cannot be had: status {status}")
        return _decode(body, kind, what)

    async def _fetch(
        self, method: str, url: str, form: dict[str, str] | None, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        import httpx  # noqa: PLC0415 - only who has a provider pays for it

        if self._http is None:
            self._http = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=self._timeout)
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream(method, url, data=form, headers=headers) as response,
            ):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MOST:
                        raise OidcUnavailable("the provider's answer is too large")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise OidcUnavailable(f"the provider cannot be asked: {type(error).__name__}") from error
        return response.status_code, bytes(body)


_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def check_described(provider: OidcProvider) -> None:
    """Refuse a description that could not be of a provider.

    Raises:
        ValueError: with what is the matter.
    """
    name = provider.name
    if not _NAME.fullmatch(name):
        raise ValueError(f"an OIDC provider is called {name!r}, expected up to 32 of a-z, 0-9 and -")
    if not safe(provider.issuer) or urlsplit(provider.issuer).query:
        raise ValueError(f"the issuer of the OIDC provider {name!r} is no https address: {provider.issuer!r}")
    if "openid" not in provider.scope.split():
        raise ValueError(f"the scope of the OIDC provider {name!r} does not have openid in it")


def safe(url: str) -> bool:
    """Whether nobody on the way can change what is said there: https, or this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.fragment or parts.username is not None:
        return False
    if parts.scheme == "https":
        return True
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    return parts.scheme == "http" and loopback


def _decode(body: bytes, kind: type[Answer], what: str) -> Answer:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OidcRefused(f"the provider's {what} makes no sense") from error


def _why(body: bytes) -> str:
    """The provider's error code, if it is one: nothing else of what it says is repeated."""
    try:
        code = msgspec.json.decode(body, type=TokenError).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        code = ""
    return code if code.isascii() and code.replace("_", "").isalnum() and len(code) <= 40 else "no reason given"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
