"""A first step at an external OpenID Connect provider: where to send the browser, and what it came back with."""

import hmac
from typing import Annotated, Any

from msgspec import Meta
from sqlalchemy import Connection

from server_stub import sessions
from server_stub.api.current import Claim, next_step, passed, prove, require, step_reply
from server_stub.api.envelope import Document, Request, answer, list_answer
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.errors import ApiError, bad_request, unexpected_call
from server_stub.factors.oidc import Identity, OidcRefused, OidcUnavailable, Provider
from server_stub.factors.password import normalise
from server_stub.flows.flow import Method
from server_stub.iam import Iam
from server_stub.sessions import OidcChallenge, Pending, Session
from server_stub.store import users
from server_stub.store.iam import audit
from server_stub.store.users import User

Parameter = Annotated[str, Meta(min_length=1, max_length=4096)]


class OidcResponse(Request, frozen=True):
    """The parameters with which the provider sent the browser back: ``code``, or ``error`` when it refused."""

    state: Parameter
    code: Parameter | None = None
    iss: Parameter | None = None
    error: Parameter | None = None


class OidcProviderAttributes(Document, frozen=True):
    """What people know the provider as."""

    title: str


class OidcAttributes(Document, frozen=True):
    """``authorizationUri``: where to send the browser."""

    next_auth_step: str | None
    authorization_uri: str


async def list_providers(iam: Iam, _: Call[Nothing]) -> Reply:
    """List the providers at which a login may begin."""
    items = [(each.name, OidcProviderAttributes(each.title)) for each in iam.oidc.values()]
    return Reply(list_answer(iam.now(), "oidc-provider", items))


async def retrieve_authorization(iam: Iam, call: Call[Nothing]) -> Reply:
    """Get the address of the provider for this login; one that was got before no longer counts."""
    session = await require(iam, call, Method.OIDC)
    provider = _provider(iam, call)
    try:
        uri, challenge = await provider.begin(iam.now())
    except (OidcRefused, OidcUnavailable) as error:
        raise unavailable(str(error)) from error
    session = await iam.database.run(sessions.set_pending, session, Pending(oidc=challenge))
    attributes = OidcAttributes(next_step(iam, session), uri)
    return Reply(answer(iam.now(), "authentication.session", str(session.id), attributes))


async def check_response(iam: Iam, call: Call[OidcResponse]) -> Reply:
    """Check what the browser came back with. With the right state, it is spent, whatever comes out."""
    session = await require(iam, call, Method.OIDC)
    provider, response = _provider(iam, call), call.body
    session, challenge = await _spend(iam, session, provider, response)
    if response.code is None:
        told = response.error or "nothing"
        raise await iam.database.run(
            _refuse, iam, session, provider, f"the provider answered {told[:64]!r} and no code"
        )
    try:
        identity = await provider.finish(challenge, response.code, response.iss, iam.now)
    except OidcRefused as error:
        raise await iam.database.run(_refuse, iam, session, provider, str(error)) from error
    except OidcUnavailable as error:
        raise unavailable(str(error)) from error
    user = await iam.database.run(_read, iam, session, provider, identity)
    if user is None:
        raise ApiError(403, "OIDC_USER_UNKNOWN", "the provider knows you, but nobody of that name is known here")
    proof = await prove(iam, call, session, Method.OIDC, Claim(user.id))
    token, session = await iam.database.run(passed, iam, session, proof)
    return step_reply(iam, session, token)


async def _spend(
    iam: Iam, session: Session, provider: Provider, response: OidcResponse
) -> tuple[Session, OidcChallenge]:
    """Take the session's challenge out of it, so that it is answered once; a wrong state leaves it: it may be anyone's.

    Raises:
        ApiError: UNEXPECTED_CALL if there is none for this provider, OIDC_RESPONSE_WRONG for another state.
    """
    challenge = session.pending.oidc
    if challenge is None or challenge.provider != provider.name:
        raise unexpected_call("this browser was not sent to that provider, or is back already")
    if not hmac.compare_digest(challenge.state.encode(), response.state.encode("utf-8", "replace")):
        raise await iam.database.run(_refuse, iam, session, provider, "the state is not that of this browser")
    if (response.code is None) == (response.error is None):
        raise bad_request("the provider's answer has either a code or an error")
    session = await iam.database.run(sessions.set_pending, session, Pending())
    if challenge.expires_at <= iam.now():
        raise unexpected_call("it took too long; begin anew")
    return session, challenge


def _provider(iam: Iam, call: Call[Any]) -> Provider:
    provider = iam.oidc.get(call.path["provider"])
    if provider is None:
        raise ApiError(404, "OIDC_PROVIDER_UNKNOWN", "there is no such provider")
    return provider


def unavailable(sentence: str) -> ApiError:
    """The provider cannot be asked; that is nobody's guess."""
    return ApiError(503, "OIDC_UNAVAILABLE", sentence)


def _refuse(connection: Connection, iam: Iam, session: Session, provider: Provider, sentence: str) -> ApiError:
    about = {"why": sentence, "provider": provider.name, "session": session.reference}
    audit.append(connection, iam.now(), "oidc", "refused", None, **about)
    return ApiError(400, "OIDC_RESPONSE_WRONG", sentence)


def _read(connection: Connection, iam: Iam, session: Session, provider: Provider, identity: Identity) -> User | None:
    user = users.find_user(connection, normalise(identity.username).decode())
    about = {"provider": provider.name, "subject": identity.subject, "session": session.reference}
    audit.append(connection, iam.now(), "oidc", "read" if user else "unknown user", user.id if user else None, **about)
    return user
