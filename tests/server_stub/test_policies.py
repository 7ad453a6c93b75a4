from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.errors import ServerError
from server_stub.flows.flow import Flow, Method
from server_stub.policies import Context, Policy, decide, load

APPLICATIONS = ("bank", "shop", "post")
FLOW = Flow("password", ((Method.PASSWORD,),))
GOOD = """
[applications.bank]
title = "Bank"
target = "/bank/"
[flows.password]
ways = [["PASSWORD"]]
[[policies]]
name = "one"
priority = 1
applications = ["bank"]
flow = "password"
"""

policy_sets = st.lists(
    st.builds(
        Policy,
        name=st.text("abc", min_size=1),
        priority=st.integers(0, 100),
        applications=st.frozensets(st.sampled_from(APPLICATIONS)),
        flow=st.just(FLOW),
    ),
    max_size=6,
    unique_by=lambda policy: policy.priority,
)


@pytest.mark.parametrize(
    ("application", "first"),
    [
        ("ebanking", {"PASSWORD"}),
        ("vpn", {"PASSWORD"}),
        ("self-service", {"PASSWORD"}),
        ("classroom", {"PASSWORD", "BADGE_SECURE", "BADGE_INSECURE"}),
        ("office", {"PASSWORD", "BADGE_SECURE"}),
    ],
)
def test_the_default_policies_say_how_each_application_begins(application: str, first: set[str]) -> None:
    """As the demo and the documents expect."""
    decision = decide(load().policies, Context(application))
    assert set(decision.first_methods) == first
    assert decision.why[-1].endswith(": applies")


def test_what_no_policy_allows_is_denied_with_the_reasons() -> None:
    """One for each policy that was looked at."""
    policies = load().policies
    decision = decide(policies, Context("treasury"))
    assert (decision.flow, decision.first_methods) == (None, ())
    assert len(decision.why) == len(policies) + 1
    assert decision.why[-1] == "no policy applies: denied"


@given(policy_sets, st.sampled_from(APPLICATIONS), st.randoms())
def test_a_decision_depends_on_the_policies_and_not_on_their_order(
    policies: list[Policy], application: str, random: Random
) -> None:
    """Total, deterministic, and the lowest number that applies wins."""
    decision = decide(policies, Context(application))
    shuffled = policies.copy()
    random.shuffle(shuffled)
    assert decide(shuffled, Context(application)) == decision
    applying = [policy for policy in policies if application in policy.applications]
    assert (decision.flow is not None) == bool(applying)
    if applying:
        assert decision.why[-1].startswith(min(applying, key=lambda policy: policy.priority).name)


@given(policy_sets, st.sampled_from(APPLICATIONS))
def test_a_further_policy_never_takes_access_away(policies: list[Policy], application: str) -> None:
    """Monotone: policies allow, none forbids."""
    allowed = [decide(policies[:count], Context(application)).flow is not None for count in range(len(policies) + 1)]
    assert allowed == sorted(allowed)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("PASSWORD", "PASSWORT", "PASSWORT"),
        ('flow = "password"', 'flow = "none"', "flow 'none', which is not described"),
        ('applications = ["bank"]', 'applications = ["shop"]', "application 'shop', which is not described"),
        ("priority = 1", "", "priority"),
        ("priority = 1", "priority = 1\ngroup = 'x'", "group"),
        ('"/bank/"', '"https://evil.example/"', "expected a path on this site"),
        ('"/bank/"', '"//evil.example/"', "expected a path on this site"),
        ("[flows.password]", "[flows.password", "line"),
        ('[["PASSWORD"]]', '[["OFFLINE_QR"]]', "does not say who the user is"),
    ],
)
def test_a_policy_file_that_cannot_be_meant_is_refused_in_a_sentence(
    tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    """It names the file and what is wrong in it."""
    path = tmp_path / "policies.toml"
    path.write_text(GOOD)
    assert load(path).policies
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ServerError, match=r"policies\.toml") as caught:
        load(path)
    assert sentence in str(caught.value)


def test_a_tie_is_refused_when_the_file_is_read(tmp_path: Path) -> None:
    """Two policies of one priority for one application: nobody could say which wins."""
    path = tmp_path / "policies.toml"
    second = GOOD[GOOD.index("[[policies]]") :].replace('"one"', '"two"')
    path.write_text(GOOD + second)
    with pytest.raises(ServerError, match="'one' and 'two' both have priority 1 for bank"):
        load(path)


def test_a_missing_policy_file_is_named(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    with pytest.raises(ServerError, match="cannot read the policy file"):
        load(tmp_path / "none.toml")
