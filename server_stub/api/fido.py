"""FIDO as a second step, and its registration in self-service."""

from dataclasses import replace
from typing import Annotated, Any

from fido2.utils import websafe_encode
from msgspec import Meta
from sqlalchemy import Connection

from server_stub import sessions
from server_stub.addresses import WRONG
from server_stub.alarms import raise_alarm
from server_stub.api.current import (
    Claim,
    Proof,
    choose_flow,
    context,
    denied,
    flow_of,
    next_step,
    passed,
    prepare_next,
    require_authenticated,
    require_in,
    step_reply,
    subject_of,
)
from server_stub.api.envelope import Document, Request, answer, list_answer, timestamp
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.errors import ApiError, unexpected_call
from server_stub.factors.fido import AssertionJson, AttestationJson, FidoRefused, Options, user_handle
from server_stub.factors.password import normalise
from server_stub.flows.flow import NAMING, Method
from server_stub.iam import Iam
from server_stub.sessions import FidoChallenge, Pending, Session
from server_stub.store import users
from server_stub.store.iam import addresses, audit
from server_stub.store.users import FidoCredential

AUTHENTICATION, REGISTRATION = "authentication", "registration"


class AssertionCheck(Request, frozen=True):
    """``credential``: what ``navigator.credentials.get()`` gave, as AuthenticationResponseJSON."""

    credential: AssertionJson


class RegistrationRequest(Request, frozen=True):
    """``displayName``: what the user calls the key."""

    display_name: Annotated[str, Meta(min_length=1, max_length=64)]


class RegistrationCheck(Request, frozen=True):
    """``credential``: what ``navigator.credentials.create()`` gave, as RegistrationResponseJSON."""

    credential: AttestationJson


class FidoAttributes(Document, frozen=True):
    """``publicKey``: options for ``navigator.credentials.get()`` or ``create()``, in their JSON form."""

    next_auth_step: str | None
    public_key: dict[str, Any]


class CredentialAttributes(Document, frozen=True):
    """A registered key; ``lastUsedAt`` is null until it has proven something."""

    display_name: str
    registered_at: str
    last_used_at: str | None


async def retrieve_challenge(iam: Iam, call: Call[Nothing]) -> Reply:
    """Get the options for an assertion by one of the user's credentials."""
    session, public_key = await iam.database.run(_challenge, iam, call)
    return _options(iam, session, public_key)


def _challenge(connection: Connection, iam: Iam, call: Call[Nothing]) -> tuple[Session, dict[str, Any]]:
    session = require_in(connection, iam, call, Method.FIDO)
    if session.subject is None:
        options = iam.fido.request_options((), alone=True)
    else:
        credentials = users.fido_credentials_of(connection, session.subject, iam.fido.rp_id)
        if not credentials:
            raise ApiError(403, "FIDO_NO_CREDENTIAL", "the user has registered no key for this RP ID")
        proven = any(method not in NAMING for method in session.methods)
        options = iam.fido.request_options(credentials, alone=not proven)
    pending = Pending(fido=_new_challenge(iam, options, AUTHENTICATION))
    return sessions.set_pending(connection, session, pending), options.public_key


async def check_assertion(iam: Iam, call: Call[AssertionCheck]) -> Reply:
    """Check the assertion. Its challenge is spent, whatever comes out."""
    outcome = await iam.database.run(_check, iam, call)
    if isinstance(outcome, ApiError):
        raise outcome
    token, session = outcome
    return step_reply(iam, await prepare_next(iam, session), token)


def _check(connection: Connection, iam: Iam, call: Call[AssertionCheck]) -> tuple[str, Session] | ApiError:
    """All of it in one transaction. A refusal is returned, so that what was spent and counted stays so."""
    now = iam.now()
    addresses.check(connection, call.client, now, iam.settings.address_failure_limit)
    session = require_in(connection, iam, call, Method.FIDO)
    challenge = _challenge_of(session, AUTHENTICATION)
    session = sessions.set_pending(connection, session, Pending())
    user_id = session.subject or user_handle(call.body.credential)
    credentials = users.fido_credentials_of(connection, user_id, iam.fido.rp_id)
    refused: ApiError | None = None
    if challenge.expires_at <= now:
        refused = _expired()
    else:
        try:
            used, count = iam.fido.verify_assertion(challenge.state, user_id, credentials, call.body.credential)
        except FidoRefused as error:
            refused = _refuse(connection, iam, session, "FIDO_ASSERTION_WRONG", str(error))
        else:
            refused = _count(connection, iam, session, used, count)
    if refused:
        if refused.code in WRONG:
            addresses.count(connection, call.client, now)
        return refused
    claim = Claim(user_id)
    if session.flow:
        flow = flow_of(iam, session)
    else:
        at = context(iam, call, session.application)
        at = replace(at, first=Method.FIDO, user=users.who_with(connection, user_id, credentials))
        chosen = choose_flow(connection, iam, session, claim, at)
        if chosen is None:
            return denied()
        flow = chosen
    return passed(connection, iam, session, Proof(Method.FIDO, claim, Pending(), flow))


async def retrieve_registration_challenge(iam: Iam, call: Call[RegistrationRequest]) -> Reply:
    """Get the options for a new credential."""
    session = await require_authenticated(iam, call)
    user = await iam.database.run(users.get_user, subject_of(session))
    existing = await iam.database.run(users.fido_credentials_of, user.id, iam.fido.rp_id)
    name = normalise(call.body.display_name).decode()
    return await _ask(iam, session, iam.fido.creation_options(user, existing), REGISTRATION, name)


async def check_registration(iam: Iam, call: Call[RegistrationCheck]) -> Reply:
    """Check the new credential and keep it. Its challenge is spent, whatever comes out."""
    session, challenge = await _spend(iam, await require_authenticated(iam, call), REGISTRATION)
    try:
        data = iam.fido.verify_registration(challenge.state, call.body.credential)
    except FidoRefused as error:
        raise await iam.database.run(_refuse, iam, session, "FIDO_REGISTRATION_WRONG", str(error)) from error
    assert data.credential_data is not None
    credential = FidoCredential(
        id=data.credential_data.credential_id,
        user_id=subject_of(session),
        rp_id=iam.fido.rp_id,
        display_name=challenge.display_name,
        credential_data=bytes(data.credential_data),
        sign_count=data.counter,
        created_at=iam.now(),
    )
    await iam.database.run(_add, iam, credential)
    return Reply(answer(iam.now(), "my.token.fido", call.body.credential.id, _described(credential)))


async def list_credentials(iam: Iam, call: Call[Nothing]) -> Reply:
    """List one's own keys."""
    session = await require_authenticated(iam, call)
    credentials = await iam.database.run(users.fido_credentials_of, subject_of(session), iam.fido.rp_id)
    return Reply(
        list_answer(iam.now(), "my.token.fido", [(websafe_encode(each.id), _described(each)) for each in credentials])
    )


def _described(credential: FidoCredential) -> CredentialAttributes:
    used = credential.last_used_at
    return CredentialAttributes(
        credential.display_name, timestamp(credential.created_at), timestamp(used) if used is not None else None
    )


async def rename_credential(iam: Iam, call: Call[RegistrationRequest]) -> Reply:
    """Call one of one's own keys something else."""
    session = await require_authenticated(iam, call)
    name = normalise(call.body.display_name).decode()
    found = await iam.database.run(_change, iam, session, call.path["credential"], name)
    described = _described(replace(found, display_name=name))
    return Reply(answer(iam.now(), "my.token.fido", call.path["credential"], described))


async def remove_credential(iam: Iam, call: Call[Nothing]) -> Reply:
    """Register one of one's own keys no longer."""
    session = await require_authenticated(iam, call)
    found = await iam.database.run(_change, iam, session, call.path["credential"], None)
    return Reply(answer(iam.now(), "my.token.fido", call.path["credential"], _described(found)))


def _change(connection: Connection, iam: Iam, session: Session, credential: str, name: str | None) -> FidoCredential:
    """Give one of the user's credentials another name, or remove it; what it was before.

    Raises:
        ApiError: 404 if the user has no such credential.
    """
    own = users.fido_credentials_of(connection, subject_of(session), iam.fido.rp_id)
    found = next((each for each in own if websafe_encode(each.id) == credential), None)
    if found is None:
        raise ApiError(404, "FIDO_CREDENTIAL_UNKNOWN", "you have no such key")
    if name is None:
        users.remove_fido_credential(connection, found.id)
    else:
        users.rename_fido_credential(connection, found.id, name)
    what = "fido.remove" if name is None else "fido.rename"
    audit.append(connection, iam.now(), what, "done", session.user_id, credential=found.id.hex())
    return found


def _add(connection: Connection, iam: Iam, credential: FidoCredential) -> None:
    users.add_fido_credential(connection, credential)
    audit.append(connection, iam.now(), "fido.register", "done", credential.user_id, credential=credential.id.hex())


async def _ask(iam: Iam, session: Session, options: Options, purpose: str, display_name: str = "") -> Reply:
    challenge = _new_challenge(iam, options, purpose, display_name)
    session = await iam.database.run(sessions.set_pending, session, Pending(fido=challenge))
    return _options(iam, session, options.public_key)


def _new_challenge(iam: Iam, options: Options, purpose: str, display_name: str = "") -> FidoChallenge:
    return FidoChallenge(purpose, options.state, iam.now() + iam.settings.fido_challenge_ttl, display_name)


def _options(iam: Iam, session: Session, public_key: dict[str, Any]) -> Reply:
    attributes = FidoAttributes(next_step(iam, session), public_key)
    return Reply(answer(iam.now(), "authentication.session", str(session.id), attributes))


async def _spend(iam: Iam, session: Session, purpose: str) -> tuple[Session, FidoChallenge]:
    """Take the session's challenge out of it, so that it is answered once.

    Raises:
        ApiError: UNEXPECTED_CALL if there is none, or another request took it.
    """
    challenge = _challenge_of(session, purpose)
    session = await iam.database.run(sessions.set_pending, session, Pending())
    if challenge.expires_at <= iam.now():
        raise _expired()
    return session, challenge


def _challenge_of(session: Session, purpose: str) -> FidoChallenge:
    challenge = session.pending.fido
    if challenge is None or challenge.purpose != purpose:
        raise unexpected_call("ask for a FIDO challenge first")
    return challenge


def _expired() -> ApiError:
    return unexpected_call("the FIDO challenge has expired; ask for a new one")


def _count(connection: Connection, iam: Iam, session: Session, credential_id: bytes, count: int) -> ApiError | None:
    """Store the signature counter; what to do when it did not grow is a matter of policy."""
    if users.count_signature(connection, credential_id, count, iam.now()):
        return None
    about = {"credential": credential_id.hex(), "session": session.reference}
    raise_alarm(connection, iam, "signature counter did not grow", session.user_id, **about)
    if iam.settings.fido_counter_regression == "alarm":
        return None
    sentence = "the signature counter did not grow: the key may have been copied"
    return _refuse(connection, iam, session, "FIDO_ASSERTION_WRONG", sentence)


def _refuse(connection: Connection, iam: Iam, session: Session, code: str, sentence: str) -> ApiError:
    audit.append(connection, iam.now(), "fido", code, session.user_id, why=sentence, session=session.reference)
    return ApiError(400, code, sentence)
