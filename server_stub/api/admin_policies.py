"""What the policies would say, and why: for whoever writes them and for whoever wonders why a login was refused."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta
from sqlalchemy import Connection

from server_stub.api.admin import known_user
from server_stub.api.envelope import Document, Request, answer, list_answer
from server_stub.api.routing import Call, Nothing, Reply
from server_stub.criteria import Context, Who
from server_stub.errors import ApiError, bad_request
from server_stub.flows.flow import Method
from server_stub.iam import Iam
from server_stub.policies import decide, offer
from server_stub.store import users

Header = Annotated[str, Meta(max_length=1024)]


class Question(Request, frozen=True):
    """A login that may never happen. Without ``username`` or ``firstMethod`` the answer says how it may begin."""

    application: Annotated[str, Meta(max_length=64)]
    username: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    first_method: Method | None = None
    address: Annotated[str, Meta(max_length=64)] = "127.0.0.1"
    when: datetime | None = None
    """Now unless said; without an offset, on the clock of the policies."""
    headers: Annotated[dict[Header, Header], Meta(max_length=100)] = msgspec.field(default_factory=dict)


class Explanation(Document, frozen=True):
    """``flow`` and ``ways`` are empty when access is denied; ``why`` has a sentence for each policy looked at."""

    flow: str | None
    ways: tuple[tuple[Method, ...], ...]
    first_methods: tuple[Method, ...]
    why: tuple[str, ...]


class PolicyAttributes(Document, frozen=True):
    """A policy as it was read; ``criteria`` say what is the matter when one does not hold.

    ``flow`` is null for a policy that always fails.
    """

    priority: int
    criteria: tuple[str, ...]
    flow: str | None
    ways: tuple[tuple[Method, ...], ...]


class WarningAttributes(Document, frozen=True):
    """Something that can be meant, but probably is not."""

    sentence: str


async def explain(iam: Iam, call: Call[Question]) -> Reply:
    """Say what the policies make of a login, and why."""
    asked = call.body
    if asked.application not in iam.policies.applications:
        raise ApiError(404, "APPLICATION_NOT_FOUND", "there is no application of that name")
    when = _local(iam, asked.when)
    user = None if asked.username is None else await iam.database.run(_who, iam, asked.username)
    headers = {name.lower(): value for name, value in asked.headers.items()}
    context = Context(asked.application, asked.address, when, headers, asked.first_method, user)
    if user is None and asked.first_method is None:
        offered = offer(iam.policies.policies, context)
        explanation = Explanation(None, (), offered.first_methods, offered.why)
    else:
        decision = decide(iam.policies.policies, context)
        flow = decision.flow
        explanation = Explanation(
            flow.name if flow else None,
            flow.ways if flow else (),
            flow.next_methods(()) if flow else (),
            decision.why,
        )
    return Reply(answer(iam.now(), "policy-decision", asked.application, explanation))


def _local(iam: Iam, when: datetime | None) -> datetime:
    """On the clock of the policies."""
    now = iam.local_time()
    if when is None:
        return now
    try:
        return when.replace(tzinfo=now.tzinfo) if when.tzinfo is None else when.astimezone(now.tzinfo)
    except OverflowError as error:
        raise bad_request("when is before the year 1 or after the year 9999 on the clock of the policies") from error


def _who(connection: Connection, iam: Iam, username: str) -> Who:
    return users.who(connection, known_user(connection, username).id, iam.fido.rp_id)


async def list_policies(iam: Iam, _: Call[Nothing]) -> Reply:
    """List the policies in the order in which they are asked."""
    items = [
        (
            each.name,
            PolicyAttributes(
                each.priority,
                tuple(c.otherwise for c in each.criteria),
                each.flow.name if each.flow else None,
                each.flow.ways if each.flow else (),
            ),
        )
        for each in sorted(iam.policies.policies, key=lambda policy: policy.priority)
    ]
    return Reply(list_answer(iam.now(), "policy", items))


async def list_warnings(iam: Iam, _: Call[Nothing]) -> Reply:
    """List what in the policy file can be meant, but probably is not."""
    items = [(str(number), WarningAttributes(text)) for number, text in enumerate(iam.policies.warnings, 1)]
    return Reply(list_answer(iam.now(), "policy-warning", items))
