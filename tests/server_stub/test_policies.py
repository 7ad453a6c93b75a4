from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.addresses import networks
from server_stub.criteria import (
    AtTime,
    Context,
    Criterion,
    FidoEnrolled,
    FromNetwork,
    InGroup,
    OnDay,
    OneOfApplications,
    QrFirst,
    Who,
    WithHeader,
)
from server_stub.flows.flow import Flow, Method
from server_stub.policies import Policy, decide, offer
from server_stub.policy_file import load

APPLICATIONS = ("bank", "shop", "post")
GROUPS = ("staff", "guests")
P, S, F = Method.PASSWORD, Method.BADGE_SECURE, Method.FIDO
FLOWS = (Flow("password", ((P,),)), Flow("password-or-badge", ((P,), (S,))), Flow("password-fido", ((P, F),)))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

times = st.times().map(lambda when: when.replace(second=0, microsecond=0))
criteria: st.SearchStrategy[Criterion] = st.one_of(
    st.builds(OneOfApplications, st.frozensets(st.sampled_from(APPLICATIONS))),
    st.builds(InGroup, st.frozensets(st.sampled_from(GROUPS))),
    st.builds(FidoEnrolled, st.booleans()),
    st.builds(QrFirst, st.booleans()),
    st.builds(FromNetwork, st.sampled_from([networks(["10.0.0.0/8"]), networks(["::/0"]), ()])),
    st.builds(OnDay, st.frozensets(st.integers(0, 6))),
    st.builds(AtTime, times, times),
    st.builds(WithHeader, st.just("X-Kiosk"), st.sampled_from("ab")),
)
policy_sets = st.lists(
    st.builds(
        Policy,
        name=st.text("abc", min_size=1),
        priority=st.integers(0, 100),
        criteria=st.lists(criteria, max_size=3).map(tuple),
        flow=st.sampled_from(FLOWS),
    ),
    max_size=6,
    unique_by=lambda policy: policy.priority,
)
contexts = st.builds(
    Context,
    application=st.sampled_from(APPLICATIONS),
    address=st.sampled_from(["10.1.2.3", "192.0.2.1", "2001:db8::1", "unknown"]),
    when=st.datetimes(timezones=st.just(UTC)),
    headers=st.sampled_from([{}, {"x-kiosk": "a"}]),
    first=st.sampled_from([None, P, S]),
    user=st.none() | st.builds(Who, st.frozensets(st.sampled_from(GROUPS)), st.booleans()),
)


@pytest.mark.parametrize(
    ("application", "first"),
    [
        ("ebanking", (P,)),
        ("vpn", (P,)),
        ("self-service", (P,)),
        ("classroom", (P, S, Method.BADGE_INSECURE)),
        ("office", (P, S)),
    ],
)
def test_the_default_policies_say_how_each_application_begins(application: str, first: tuple[Method, ...]) -> None:
    """As the demo and the documents expect."""
    found = offer(load().policies, Context(application))
    assert found.first_methods == first
    assert found.why[-1].endswith(": applies")


def test_what_no_policy_allows_is_denied_with_the_reasons() -> None:
    """One for each policy that was looked at."""
    policies = load().policies
    decision = decide(policies, Context("treasury"))
    assert decision.flow is None
    assert len(decision.why) == len(policies) + 1
    assert decision.why[-1] == "no policy applies: denied"
    assert offer(policies, Context("treasury")).first_methods == ()


@pytest.mark.parametrize(
    ("criterion", "holds", "fails"),
    [
        (InGroup(frozenset({"staff"})), {"user": Who(frozenset({"staff"}))}, {"user": Who(frozenset({"guests"}))}),
        (FidoEnrolled(True), {"user": Who(fido_enrolled=True)}, {"user": Who()}),
        (QrFirst(True), {"first": S}, {"first": P}),
        (FromNetwork(networks(["10.0.0.0/8"])), {"address": "10.9.9.9"}, {"address": "11.0.0.1"}),
        (FromNetwork(networks(["2001:db8::/32"])), {"address": "2001:db8::1"}, {"address": "10.9.9.9"}),
        (OnDay(frozenset({3})), {"when": NOON}, {"when": NOON.replace(day=2)}),
        (AtTime(NOON.time(), NOON.replace(hour=13).time()), {"when": NOON}, {"when": NOON.replace(hour=13)}),
        (
            AtTime(NOON.replace(hour=22).time(), NOON.replace(hour=6).time()),
            {"when": NOON.replace(hour=23)},
            {"when": NOON},
        ),
        (WithHeader("X-Kiosk", "7"), {"headers": {"x-kiosk": "7"}}, {"headers": {"x-kiosk": "8"}}),
    ],
)
def test_each_criterion_holds_and_fails(
    criterion: Criterion, holds: dict[str, object], fails: dict[str, object]
) -> None:
    """And what fails has a sentence."""
    assert criterion.holds(Context("bank", **holds)) is True  # type: ignore[arg-type] # one of the fields
    assert criterion.holds(Context("bank", **fails)) is False  # type: ignore[arg-type] # one of the fields
    assert len(criterion.otherwise) > 10


@given(policy_sets, contexts, st.randoms())
def test_a_decision_depends_on_the_policies_and_not_on_their_order(
    policies: list[Policy], context: Context, random: Random
) -> None:
    """Total, deterministic, and the lowest number of those whose criteria all hold wins."""
    decision, offered = decide(policies, context), offer(policies, context)
    shuffled = policies.copy()
    random.shuffle(shuffled)
    assert (decide(shuffled, context), offer(shuffled, context)) == (decision, offered)
    applying = [policy for policy in policies if all(each.holds(context) for each in policy.criteria)]
    winner = min(applying, key=lambda policy: policy.priority, default=None)
    if winner is None or context.first not in (None, *winner.first_methods()):
        assert decision.flow is None
    else:
        assert decision.flow is winner.flow


@given(policy_sets, contexts.filter(lambda context: context.first is None))
def test_a_further_policy_never_takes_access_away(policies: list[Policy], context: Context) -> None:
    """Monotone: policies allow, none forbids."""
    allowed = [decide(policies[:count], context).flow is not None for count in range(len(policies) + 1)]
    assert allowed == sorted(allowed)


@given(policy_sets, contexts)
def test_who_is_let_in_began_with_what_was_offered(policies: list[Policy], context: Context) -> None:
    """The offer is made before anybody is known, and leaves out nothing that could have worked."""
    before = Context(context.application, context.address, context.when, context.headers)
    decision = decide(policies, context)
    if decision.flow and context.first:
        assert context.first in offer(policies, before).first_methods


def test_an_easier_first_step_is_no_way_around_a_stricter_policy() -> None:
    """Staff need password and key; that everybody else may show a badge does not help them."""
    strict = Policy("staff", 1, (InGroup(frozenset({"staff"})),), FLOWS[2])
    easy = Policy("all", 2, (), FLOWS[1])
    staff = Context("bank", first=S, user=Who(frozenset({"staff"})))
    decision = decide([strict, easy], staff)
    assert decision.flow is None
    assert decision.why == ("staff: applies, but does not begin with BADGE_SECURE: denied",)
    assert decide([strict, easy], Context("bank", first=S, user=Who())).flow is FLOWS[1]
