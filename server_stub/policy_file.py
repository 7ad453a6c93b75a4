"""The policy file: TOML in, a ``PolicySet`` or one sentence out."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import time
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from offline_qr.otq1 import Tag
from server_stub import policy_rules
from server_stub.addresses import networks
from server_stub.criteria import (
    DAYS,
    AtTime,
    Criterion,
    FidoEnrolled,
    FromNetwork,
    InGroup,
    OnDay,
    OneOfApplications,
    QrFirst,
    WithHeader,
)
from server_stub.errors import ServerError
from server_stub.flows.flow import BADGES, Flow, Method, after_badge
from server_stub.message_providers import FieldTemplate, MessageProvider
from server_stub.policies import Application, ApprovalFlow, ApprovalMethod, Policy, PolicySet
from server_stub.toml_lines import MistakeError, convert, with_line

NAMED = frozenset({Method.USERNAME, Method.BADGE_INSECURE})
"""First steps that anybody can take for anybody."""
DEFAULT_FILE = Path(__file__).with_name("default_policies.toml")


class _ApplicationRow(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    target: str
    targets: list[str] = []


class _FlowRow(msgspec.Struct, forbid_unknown_fields=True):
    ways: list[list[Method]]


class _PolicyRow(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    priority: int
    applications: list[str]
    flow: str = ""
    always_fail: bool = False
    """Whom it applies to is denied, whatever stands below; instead of a flow."""
    groups: list[str] | None = None
    networks: list[str] | None = None
    days: list[Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]] | None = None
    time: Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")] | None = None
    headers: dict[str, str] = {}
    fido_enrolled: bool | None = None
    qr_first: bool | None = None
    insecure_scans: bool = False
    """Whether an insecure badge may say who it is; only with ``qr_first = true``."""


class _FieldRow(msgspec.Struct, forbid_unknown_fields=True):
    template: str
    tag: str = ""
    label: Annotated[str, Meta(max_length=40)] = ""
    optional: bool = False


class _ApprovalRow(msgspec.Struct, forbid_unknown_fields=True):
    fields: Annotated[list[_FieldRow], Meta(max_length=8)] = []
    methods: Annotated[tuple[ApprovalMethod, ...], Meta(min_length=1)] = ("AIRLOCK_2FA",)


class _Outline(msgspec.Struct, forbid_unknown_fields=True):
    applications: dict[str, Any]
    flows: dict[str, Any]
    policies: list[Any]
    approvals: dict[str, Any] = {}


class _File(msgspec.Struct):
    applications: dict[str, _ApplicationRow]
    flows: dict[str, _FlowRow]
    policies: list[_PolicyRow]
    approvals: dict[str, _ApprovalRow]


def load(path: Path = DEFAULT_FILE) -> PolicySet:
    """Read a policy file.

    Raises:
        ServerError: if it cannot be read, or says something that cannot be meant: an unknown flow, application or
            method, a redirect to another site.
    """
    text = ""
    try:
        text = path.read_text("utf-8")
        return _build(_read(tomllib.loads(text)))
    except OSError as error:
        raise ServerError(f"cannot read the policy file {path}: {error.strerror}") from error
    except ValueError as error:
        raise ServerError(f"the policy file {path} is wrong: {with_line(text, error)}") from error


def _read(tables: dict[str, Any]) -> _File:
    """Row by row, so that a mistake can be found in its row."""
    whole = convert(tables, _Outline)
    return _File(
        {name: convert(row, _ApplicationRow, "applications", name) for name, row in whole.applications.items()},
        {name: convert(row, _FlowRow, "flows", name) for name, row in whole.flows.items()},
        [convert(row, _PolicyRow, "policies", number) for number, row in enumerate(whole.policies)],
        {name: convert(row, _ApprovalRow, "approvals", name) for name, row in whole.approvals.items()},
    )


@contextmanager
def _at(*path: str | int) -> Iterator[None]:
    """What is wrong in here stands at ``path``."""
    try:
        yield
    except ValueError as error:
        raise MistakeError(str(error), *path) from error


def _build(rows: _File) -> PolicySet:
    for name, application in rows.applications.items():
        with _at("applications", name):
            policy_rules.check_name("application", name)
        with _at("applications", name, "title"):
            policy_rules.check_title(name, application.title)
        for target in (application.target, *application.targets):
            if not policy_rules.is_target(target):
                sentence = f"application {name!r} redirects to {target!r}, expected a path on this site"
                raise MistakeError(
                    sentence, "applications", name, "target" if target is application.target else "targets"
                )
    described = {}
    for name, flow in rows.flows.items():
        with _at("flows", name, "ways"):
            described[name] = Flow(name, tuple(tuple(way) for way in flow.ways))
    made = []
    for number, policy in enumerate(rows.policies):
        with _at("policies", number):
            made.append(_policy(policy, rows.applications, described))
    policies = tuple(made)
    applications = {
        name: Application(row.title, row.target, frozenset({row.target, *row.targets}))
        for name, row in rows.applications.items()
    }
    approvals = {}
    for name, approval in rows.approvals.items():
        with _at("approvals", name):
            policy_rules.check_name("approval", name)
            approvals[name] = _approval_flow(name, approval)
    flows = described | {policy.flow.name: policy.flow for policy in policies if policy.flow}
    return PolicySet(applications, flows, policies, approvals, _warnings(rows.policies, policies))


def _approval_flow(name: str, row: _ApprovalRow) -> ApprovalFlow:
    if len(set(row.methods)) != len(row.methods):
        raise ValueError(f"approval {name!r} names a method twice")
    try:
        templates = tuple(_template(field) for field in row.fields)
        policy_rules.check_templates(templates)
        return ApprovalFlow(MessageProvider(templates), row.methods)
    except ValueError as error:
        raise ValueError(f"approval {name!r}: {error}") from error


def _template(row: _FieldRow) -> FieldTemplate:
    if row.tag and row.tag not in Tag.__members__:
        raise ValueError(f"there is no tag {row.tag!r}, expected one of {', '.join(Tag.__members__)}")
    return FieldTemplate(int(Tag[row.tag]) if row.tag else 0, row.label, row.template, row.optional)


def _policy(row: _PolicyRow, applications: Mapping[str, object], flows: Mapping[str, Flow]) -> Policy:
    lists = {name: getattr(row, name) for name in ("applications", "groups", "networks", "days")}
    policy_rules.check_criteria(row.name, lists, row.time)
    for application in row.applications:
        if application not in applications:
            raise ValueError(f"policy {row.name!r} names the application {application!r}, which is not described")
    if row.always_fail:
        if row.flow or row.insecure_scans:
            raise ValueError(f"policy {row.name!r} has always_fail and also says how to log in")
        return Policy(row.name, row.priority, tuple(_criteria(row)), None)
    if row.flow not in flows:
        raise ValueError(f"policy {row.name!r} names the flow {row.flow!r}, which is not described")
    if row.insecure_scans and not row.qr_first:
        raise ValueError(f"policy {row.name!r} has insecure_scans without qr_first = true")
    flow = flows[row.flow]
    if row.qr_first:
        flow = after_badge(flow, insecure=row.insecure_scans)
    policy = Policy(row.name, row.priority, tuple(_criteria(row)), flow)
    if not policy.first_methods():
        raise ValueError(f"policy {row.name!r} has qr_first = false, and its flow {row.flow!r} begins with badges only")
    return policy


def _criteria(row: _PolicyRow) -> list[Criterion]:
    """In the order in which they are asked: what is known first comes first, so that the reason is the plainest one."""
    criteria: list[Criterion] = [OneOfApplications(frozenset(row.applications))]
    try:
        if row.networks is not None:
            criteria.append(FromNetwork(networks(row.networks)))
    except ValueError as error:
        raise ValueError(f"policy {row.name!r}: {error}") from error
    if row.days is not None:
        criteria.append(OnDay(frozenset(map(DAYS.index, row.days))))
    if row.time is not None:
        begin, _, end = row.time.partition("-")
        criteria.append(AtTime(time.fromisoformat(begin), time.fromisoformat(end)))
    criteria += [WithHeader(name, value) for name, value in sorted(row.headers.items())]
    if row.qr_first is not None:
        criteria.append(QrFirst(row.qr_first))
    if row.groups is not None:
        criteria.append(InGroup(frozenset(row.groups)))
    if row.fido_enrolled is not None:
        criteria.append(FidoEnrolled(row.fido_enrolled))
    return criteria


def _warnings(rows: list[_PolicyRow], policies: tuple[Policy, ...]) -> tuple[str, ...]:
    warnings = []
    for application in sorted({name for row in rows for name in row.applications}):
        ways = {
            method
            for row, policy in zip(rows, policies, strict=True)
            if application in row.applications
            for method in policy.first_methods()
        }
        if ways <= BADGES:
            warnings.append(f"only people who hold a badge can enter {application}: were the badges printed?")
    # Of one priority the one that stands first in the file comes first, as sorting keeps it.
    for first, second in combinations(sorted(rows, key=lambda row: row.priority), 2):
        shared = set(first.applications) & set(second.applications)
        if first.priority == second.priority and shared:
            warnings.append(
                f"policies {first.name!r} and {second.name!r} both have priority {first.priority} "
                f"for {', '.join(sorted(shared))}: {first.name!r} wins, which stands first"
            )
        if len(_criteria(first)) == 1 and set(second.applications) <= set(first.applications):
            warnings.append(f"policy {second.name!r} can never win: {first.name!r} always applies before it")
    warnings += [
        f"policy {row.name!r} asks who somebody is before anything is proven: by which steps follow, a stranger who tries "
        f"names at {', '.join(row.applications)} can tell whose {_asked_of(row)} is meant"
        for row, policy in zip(rows, policies, strict=True)
        if _asked_of(row) and _named_first(row, rows, policies)
    ]
    return tuple(warnings)


def _asked_of(row: _PolicyRow) -> str:
    """What the policy asks of the user, in a word; empty when it asks nothing."""
    return "group" if row.groups is not None else ("key" if row.fido_enrolled is not None else "")


def _named_first(row: _PolicyRow, rows: list[_PolicyRow], policies: tuple[Policy, ...]) -> bool:
    """Whether somebody may only say a name at one of the policy's applications."""
    return any(
        set(row.applications) & set(other.applications) and set(NAMED) & set(policy.first_methods())
        for other, policy in zip(rows, policies, strict=True)
    )
