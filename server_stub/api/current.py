"""The session of a request: who calls, what may come next, and how a passed step is answered."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection
from starlette.requests import Request

from server_stub import sessions
from server_stub.api.envelope import Document, ErrorAnswer, Where, answer, error_answer, log_refusal
from server_stub.api.routing import Call, Cookie, Reply
from server_stub.cloud.messages import Device
from server_stub.criteria import Context
from server_stub.errors import ApiError, unexpected_call
from server_stub.flows.devices import CAPABILITY, prepare
from server_stub.flows.flow import Flow, Method
from server_stub.flows.next_step import next_auth_step
from server_stub.iam import Iam
from server_stub.policies import Decision, decide
from server_stub.sessions import Passed, Pending, Session
from server_stub.store import users
from server_stub.store.iam import audit

COOKIE = "authrig_session"
HTTPS_COOKIE = "__Host-authrig_session"
"""Browsers take a cookie of this name only when it is Secure and for this host alone."""


class StepAttributes(Document, frozen=True):
    """Where a login stands; ``nextAuthStep`` is null when it is complete, then ``redirectUri`` says where to go."""

    next_auth_step: str | None
    redirect_uri: str | UnsetType = UNSET


def cookie(iam: Iam, token: str) -> Cookie:
    """The cookie that holds a session's token; an empty token removes it."""
    return Cookie(cookie_name(iam), token, "/", secure=iam.settings.behind_https)


def cookie_name(iam: Iam) -> str:
    """What the session's cookie is called."""
    return HTTPS_COOKIE if iam.settings.behind_https else COOKIE


def flow_of(iam: Iam, session: Session) -> Flow:
    """The flow that the session is in, once its first step is passed."""
    return iam.policies.flows[session.flow]


def next_methods(iam: Iam, session: Session) -> tuple[Method, ...]:
    """What may come next."""
    if not session.flow:
        return session.offered
    return flow_of(iam, session).next_methods(session.methods)


def next_step(iam: Iam, session: Session) -> str | None:
    """The name of the next step."""
    return next_auth_step(next_methods(iam, session), session.pending)


async def find(iam: Iam, cookies: Any) -> Session | None:
    """The caller's session, if there is one that still counts."""
    if not cookies.get(cookie_name(iam), ""):
        return None
    return await iam.database.run(find_in, iam, cookies)


def find_in(connection: Connection, iam: Iam, cookies: Any) -> Session | None:
    """As ``find``, in the caller's transaction."""
    token = cookies.get(cookie_name(iam), "")
    session = sessions.load(connection, token, iam.now()) if token else None
    return session if session and _still_makes_sense(iam, session) else None


def _still_makes_sense(iam: Iam, session: Session) -> bool:
    """Whether the policy file, which may be another one since a restart, still knows where the session stands."""
    known = session.application in iam.policies.applications and (
        not session.flow or session.flow in iam.policies.flows
    )
    return known and (session.authenticated_at is not None or bool(next_methods(iam, session)))


async def require(iam: Iam, call: Call[Any], *methods: Method) -> Session:
    """The caller's session, in which one of ``methods`` may come next.

    Raises:
        ApiError: 401 without a session, UNEXPECTED_CALL if something else comes next.
    """
    return _at(iam, await find(iam, call.cookies), methods)


def require_in(connection: Connection, iam: Iam, call: Call[Any], *methods: Method) -> Session:
    """As ``require``, in the caller's transaction."""
    return _at(iam, find_in(connection, iam, call.cookies), methods)


def _at(iam: Iam, session: Session | None, methods: tuple[Method, ...]) -> Session:
    if session is None:
        raise ApiError(401, "NOT_AUTHORIZED", "there is no session: ask for access to an application first")
    if not set(methods).intersection(next_methods(iam, session)):
        raise unexpected_call("this is not the next step of the session")
    return session


async def require_authenticated(iam: Iam, call: Call[Any]) -> Session:
    """The caller's session, in which all steps are passed.

    Raises:
        ApiError: 401 otherwise.
    """
    session = await find(iam, call.cookies)
    if session is None or session.authenticated_at is None:
        raise ApiError(401, "NOT_AUTHORIZED", "log in first")
    return session


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a step says that it is: a user, or what stands for the user of a name that nobody has."""

    user_id: bytes | None
    decoy: bytes | None = None

    @property
    def subject(self) -> bytes:
        """Something that can be asked about, known or not."""
        subject = self.user_id or self.decoy
        assert subject is not None
        return subject


def subject_of(session: Session) -> bytes:
    """Who is meant, known or not."""
    return claim_of(session).subject


def claim_of(session: Session) -> Claim:
    """Who the steps so far say that it is."""
    return Claim(session.user_id, session.decoy)


@dataclass(frozen=True, slots=True)
class Proof:
    """A step that is about to be passed: by what, by whom, and what is prepared for the step after it."""

    method: Method
    claim: Claim
    pending: Pending
    flow: Flow


async def prove(iam: Iam, call: Call[Any], session: Session, method: Method, claim: Claim) -> Proof:
    """Prepare what follows ``method``: the flow after a first step, and the device when the user has just one.

    If the cloud does not answer, nothing is prepared; the step that needs the cloud will say so.

    Raises:
        ApiError: ACCESS_DENIED if no policy lets this user in.
    """
    flow = flow_of(iam, session) if session.flow else await _choose_flow(iam, call, session, method, claim)
    proof = Proof(method, claim, Pending(), flow)
    following = flow.next_methods((*session.methods, method))
    if not set(CAPABILITY).intersection(following):
        return proof
    try:
        devices: list[Device] = await iam.cloud.devices(claim.subject)
    except ApiError:
        return proof
    return replace(proof, pending=prepare(devices, following))


def choose_flow(connection: Connection, iam: Iam, session: Session, claim: Claim, at: Context) -> Flow | None:
    """The flow that a policy gives, in the caller's transaction; ``at`` says what is known of the user.

    None if no policy lets this user in: an exception would undo what the transaction has spent, and its trace.
    """
    return _decided(connection, iam, session, claim, at).flow


async def prepare_next(iam: Iam, session: Session) -> Session:
    """Choose the device of the next step when the user has just one, after a step that was passed without the cloud.

    If the cloud does not answer, nothing is prepared; the step that needs the cloud will say so.
    """
    following = next_methods(iam, session)
    if session.authenticated_at is not None or not set(CAPABILITY).intersection(following):
        return session
    try:
        devices = await iam.cloud.devices(subject_of(session))
    except ApiError:
        return session
    return await iam.database.run(sessions.set_pending, session, prepare(devices, following))


def denied() -> ApiError:
    """No policy."""
    return ApiError(403, "ACCESS_DENIED", "no policy lets you into this application")


def context(iam: Iam, call: Call[Any], application: str) -> Context:
    """What policies may know of a request before anybody has proven anything."""
    headers = {name.lower(): value for name, value in call.headers.items()}
    return Context(application, call.client, iam.local_time(), headers)


async def _choose_flow(iam: Iam, call: Call[Any], session: Session, method: Method, claim: Claim) -> Flow:
    at = replace(context(iam, call, session.application), first=method)
    decision = await iam.database.run(_decide, iam, session, claim, at)
    if decision.flow is None:
        raise denied()
    return decision.flow


def _decide(connection: Connection, iam: Iam, session: Session, claim: Claim, at: Context) -> Decision:
    at = replace(at, user=users.who(connection, claim.subject, iam.fido.rp_id))
    return _decided(connection, iam, session, claim, at)


def _decided(connection: Connection, iam: Iam, session: Session, claim: Claim, at: Context) -> Decision:
    decision = decide(iam.policies.policies, at)
    outcome = decision.flow.name if decision.flow else "denied"
    about = {"application": session.application, "session": session.reference}
    audit.append(connection, iam.now(), "policy", outcome, claim.user_id, **about, why=list(decision.why))
    return decision


def passed(connection: Connection, iam: Iam, session: Session, proof: Proof) -> tuple[str, Session]:
    """Pass a step, in the caller's transaction: the new token and the session as it is now.

    Raises:
        ApiError: UNEXPECTED_CALL if another request passed it a moment ago.
    """
    now, token = iam.now(), iam.new_token()
    steps = (*session.passed, Passed(proof.method, now))
    after = msgspec.structs.replace(
        session,
        flow=proof.flow.name,
        user_id=proof.claim.user_id,
        decoy=proof.claim.decoy,
        passed=steps,
        pending=proof.pending,
    )
    complete = proof.flow.is_complete(after.methods)
    assert after.user_id is not None or not complete, "what stands for nobody proves nothing"
    if complete:
        after = msgspec.structs.replace(after, authenticated_at=now, expires_at=now + iam.settings.session_lifetime)
    advanced = sessions.advance(connection, session, token, after)
    about = {"application": session.application, "session": session.reference}
    audit.append(connection, now, "step", proof.method, proof.claim.user_id, **about)
    if complete:
        by = [str(method) for method in after.methods]
        audit.append(connection, now, "login", "authenticated", proof.claim.user_id, **about, by=by)
    return token, advanced


def step_reply(iam: Iam, session: Session, token: str = "") -> Reply:
    """Say where the login stands; a new ``token`` goes into the cookie."""
    complete = session.authenticated_at is not None
    target = session.target or iam.policies.applications[session.application].target if complete else UNSET
    attributes = StepAttributes(next_step(iam, session), target)
    document = answer(iam.now(), "authentication.session", str(session.id), attributes)
    return Reply(document, cookies=(cookie(iam, token),) if token else ())


def refusal_document(iam: Iam, session: Session | None, error: ApiError) -> ErrorAnswer:
    """Why not, and where the login stands."""
    now, token_bytes = iam.now(), iam.settings.token_bytes
    if session is None:
        return error_answer(now, token_bytes, error)
    first = [str(method) for method in next_methods(iam, session)] if not session.passed else UNSET
    return error_answer(now, token_bytes, error, Where(next_step(iam, session), allowed_first_steps=first))


class PublicInterface:
    """The public REST: JSON calls of our own pages only."""

    def __init__(self, iam: Iam) -> None:
        self.services = iam
        self.body_limit = iam.settings.body_limit
        self.trusted_proxies = iam.trusted_proxies

    def admit(self, request: Request, _: bytes) -> None:
        """Keep out what another site makes a browser send: it cannot set this header.

        Raises:
            ApiError: 403 without ``X-Same-Domain: 1``.
        """
        require_same_domain(request)

    async def refusal(self, request: Request, error: ApiError) -> msgspec.Struct:
        """Why not, and where the login stands after that."""
        session = None if error.status >= 500 else await find(self.services, request.cookies)
        return log_refusal(request.url.path, refusal_document(self.services, session, error))


def require_same_domain(request: Request) -> None:
    """Refuse what a page of another site could have caused, and what is no mere look.

    Raises:
        ApiError: 403 without ``X-Same-Domain: 1``.
    """
    if request.method not in {"GET", "HEAD"} and request.headers.getlist("x-same-domain") != ["1"]:
        raise ApiError(403, "CSRF_HEADER_MISSING", "what is not a GET needs the header X-Same-Domain: 1")
