"""Which flow a login takes: policies are data, ``decide`` is a pure function, and what no policy allows is denied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from server_stub.criteria import Context, Criterion, QrFirst
from server_stub.flows.flow import BADGES, Flow, Method
from server_stub.message_providers import MessageProvider


@dataclass(frozen=True, slots=True)
class Policy:
    """If the criteria all hold, ``flow`` is the way in, or there is none. The lowest ``priority`` number wins, then the first."""

    name: str
    priority: int
    criteria: tuple[Criterion, ...]
    flow: Flow | None
    """None in a policy that always fails."""

    def holds(self, context: Context) -> bool | None:
        """Whether all criteria hold; None when none fails but some cannot be known yet."""
        verdicts = [criterion.holds(context) for criterion in self.criteria]
        if False in verdicts:
            return False
        return None if None in verdicts else True

    def why_not(self, context: Context) -> str | None:
        """The first criterion that does not hold, in words; None when none fails."""
        return next((each.otherwise for each in self.criteria if each.holds(context) is False), None)

    def open_questions(self, context: Context) -> list[str]:
        """What is not known yet, in words."""
        return [each.otherwise for each in self.criteria if each.holds(context) is None]

    def first_methods(self) -> tuple[Method, ...]:
        """The methods that may come first: of the flow's, those that the criteria allow."""
        methods = self.flow.next_methods(()) if self.flow else ()
        for criterion in self.criteria:
            if isinstance(criterion, QrFirst):
                methods = tuple(method for method in methods if (method in BADGES) == criterion.badge)
        return methods


@dataclass(frozen=True, slots=True)
class Decision:
    """What ``decide`` found; ``flow`` is None when access is denied. ``why`` has a sentence for each policy looked at."""

    flow: Flow | None
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """How a login may begin; no method when access is denied to everybody. ``why`` as in a Decision."""

    first_methods: tuple[Method, ...]
    why: tuple[str, ...]


def offer(policies: Sequence[Policy], context: Context) -> Offer:
    """How a login may begin that nothing is known of but where and when it is.

    Every policy that may still turn out to apply contributes its first methods, down to the first that applies to
    everybody: what stands after that one can never win.
    """
    methods: list[Method] = []
    why: list[str] = []
    for policy in _by_priority(policies):
        holds = policy.holds(context)
        if holds is False:
            why.append(f"{policy.name}: {policy.why_not(context)}")
            continue
        methods += policy.first_methods()
        if holds and policy.flow is None:
            why.append(f"{policy.name}: applies, and always fails: {'nobody else' if methods else 'denied'}")
            return Offer(tuple(dict.fromkeys(methods)), tuple(why))
        if holds:
            return Offer(tuple(dict.fromkeys(methods)), (*why, f"{policy.name}: applies"))
        why.append(f"{policy.name}: depends on whether {'; '.join(policy.open_questions(context))}")
    why.append("otherwise: denied" if methods else "no policy applies: denied")
    return Offer(tuple(dict.fromkeys(methods)), tuple(why))


def decide(policies: Sequence[Policy], context: Context) -> Decision:
    """The first policy, by priority, whose criteria all hold; otherwise denied.

    What cannot be known does not hold. If the policy's flow cannot go on from the first step, access is denied: a
    later policy with an easier first step must not become the way around a stricter one.
    """
    why: list[str] = []
    for policy in _by_priority(policies):
        reason = policy.why_not(context) or "; ".join(policy.open_questions(context))
        if reason:
            why.append(f"{policy.name}: {reason}")
            continue
        if policy.flow is None:
            return Decision(None, (*why, f"{policy.name}: applies, and always fails: denied"))
        if context.first is not None and context.first not in policy.first_methods():
            refused = f"{policy.name}: applies, but does not begin with {context.first}: denied"
            return Decision(None, (*why, refused))
        return Decision(policy.flow, (*why, f"{policy.name}: applies"))
    return Decision(None, (*why, "no policy applies: denied"))


def _by_priority(policies: Sequence[Policy]) -> list[Policy]:
    return sorted(policies, key=lambda policy: policy.priority)


@dataclass(frozen=True, slots=True)
class Application:
    """Something to log in to: the name that people and tokens see, and where the browser goes afterwards."""

    title: str
    target: str
    targets: frozenset[str] = frozenset()
    """Where else a login may ask to be sent."""


ApprovalMethod = Literal["AIRLOCK_2FA", "FIDO"]


@dataclass(frozen=True, slots=True)
class ApprovalFlow:
    """How transactions of one kind are approved: what is shown, and with what, the first that the user has."""

    messages: MessageProvider
    methods: tuple[ApprovalMethod, ...]


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All that the policy file says."""

    applications: Mapping[str, Application]
    flows: Mapping[str, Flow]
    policies: tuple[Policy, ...]
    approvals: Mapping[str, ApprovalFlow]
    warnings: tuple[str, ...] = ()
    """What can be meant, but probably is not."""
