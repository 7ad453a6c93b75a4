"""Which flow a login takes: policies are data, ``decide`` is a pure function, and what no policy allows is denied."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from server_stub.errors import ServerError
from server_stub.flows.flow import Flow, Method

DEFAULT_FILE = Path(__file__).with_name("default_policies.toml")


@dataclass(frozen=True, slots=True)
class Context:
    """What is known when someone asks for access."""

    application: str


@dataclass(frozen=True, slots=True)
class Policy:
    """If the criteria hold, ``flow`` is the way in. The lowest ``priority`` number wins."""

    name: str
    priority: int
    applications: frozenset[str]
    flow: Flow

    def why_not(self, context: Context) -> str | None:
        """The criterion that does not hold, in words; None when all hold."""
        if context.application not in self.applications:
            return f"application is not one of {', '.join(sorted(self.applications))}"
        return None


@dataclass(frozen=True, slots=True)
class Decision:
    """What ``decide`` found; ``flow`` is None when access is denied. ``why`` has a sentence for each policy looked at."""

    flow: Flow | None
    why: tuple[str, ...]

    @property
    def first_methods(self) -> tuple[Method, ...]:
        """The methods that may come first."""
        return self.flow.next_methods(()) if self.flow else ()


def decide(policies: Sequence[Policy], context: Context) -> Decision:
    """The first policy, by priority, whose criteria all hold; otherwise denied."""
    why: list[str] = []
    for policy in sorted(policies, key=lambda policy: policy.priority):
        reason = policy.why_not(context)
        if reason is None:
            return Decision(policy.flow, (*why, f"{policy.name}: applies"))
        why.append(f"{policy.name}: {reason}")
    return Decision(None, (*why, "no policy applies: denied"))


@dataclass(frozen=True, slots=True)
class Application:
    """Something to log in to: the name that people and tokens see, and where the browser goes afterwards."""

    title: str
    target: str


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All that the policy file says."""

    applications: Mapping[str, Application]
    flows: Mapping[str, Flow]
    policies: tuple[Policy, ...]
    approvals: frozenset[str]
    """Names of the transaction approval flows."""


class _ApplicationRow(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    target: str


class _FlowRow(msgspec.Struct, forbid_unknown_fields=True):
    ways: list[list[Method]]


class _PolicyRow(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    priority: int
    applications: list[str]
    flow: str


class _File(msgspec.Struct, forbid_unknown_fields=True):
    applications: dict[str, _ApplicationRow]
    flows: dict[str, _FlowRow]
    policies: list[_PolicyRow]
    approvals: list[str] = []


def load(path: Path = DEFAULT_FILE) -> PolicySet:
    """Read a policy file.

    Raises:
        ServerError: if it cannot be read, or says something that cannot be meant: an unknown flow, application or
            method, two policies of the same priority for one application, a redirect to another site.
    """
    try:
        rows = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File)
        return _build(rows)
    except OSError as error:
        raise ServerError(f"cannot read the policy file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, ValueError) as error:
        raise ServerError(f"the policy file {path} is wrong: {error}") from error


def _build(rows: _File) -> PolicySet:
    for name, application in rows.applications.items():
        if not application.target.startswith("/") or application.target.startswith(("//", "/\\")):
            raise ValueError(f"application {name!r} redirects to {application.target!r}, expected a path on this site")
    flows = {name: Flow(name, tuple(tuple(way) for way in row.ways)) for name, row in rows.flows.items()}
    policies = tuple(_policy(row, rows.applications, flows) for row in rows.policies)
    for position, policy in enumerate(policies):
        for other in policies[:position]:
            shared = policy.applications & other.applications
            if policy.priority == other.priority and shared:
                raise ValueError(
                    f"policies {other.name!r} and {policy.name!r} both have priority {policy.priority} "
                    f"for {', '.join(sorted(shared))}: which one wins?"
                )
    applications = {name: Application(row.title, row.target) for name, row in rows.applications.items()}
    return PolicySet(applications, flows, policies, frozenset(rows.approvals))


def _policy(row: _PolicyRow, applications: Mapping[str, object], flows: Mapping[str, Flow]) -> Policy:
    for application in row.applications:
        if application not in applications:
            raise ValueError(f"policy {row.name!r} names the application {application!r}, which is not described")
    if row.flow not in flows:
        raise ValueError(f"policy {row.name!r} names the flow {row.flow!r}, which is not described")
    return Policy(row.name, row.priority, frozenset(row.applications), flows[row.flow])
