from pathlib import Path

import pytest

from server_stub.criteria import Context, Who
from server_stub.errors import ServerError
from server_stub.flows.flow import Method
from server_stub.policies import PolicySet, decide, offer
from server_stub.policy_file import load

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


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("PASSWORD", "PASSWORT", "PASSWORT"),
        ('flow = "password"', 'flow = "none"', "flow 'none', which is not described"),
        ('applications = ["bank"]', 'applications = ["shop"]', "application 'shop', which is not described"),
        ("priority = 1", "", "priority"),
        ("priority = 1", "priority = 1\ngroup = 'x'", "group"),
        ("priority = 1", "priority = 1\nnetworks = ['10.0.0.1/8']", "policy 'one': 10.0.0.1/8 has host bits set"),
        ("priority = 1", "priority = 1\ntime = '8-18'", "time"),
        ("priority = 1", "priority = 1\ndays = ['Monday']", "Monday"),
        ("priority = 1", "priority = 1\ninsecure_scans = true", "insecure_scans without qr_first"),
        ('"/bank/"', '"https://evil.example/"', "expected a path on this site"),
        ('"/bank/"', '"//evil.example/"', "expected a path on this site"),
        ('"/bank/"', '"/\\t/evil.example/"', "expected a path on this site"),
        ('"/bank/"', '"/\\\\evil.example/"', "expected a path on this site"),
        ('"/bank/"', '"/bank\\r\\nSet-Cookie: a=b"', "expected a path on this site"),
        ("[flows.password]", "[flows.password", "line"),
        ('title = "Bank"', 'title = "Bank\\u202e"', "the title of application 'bank': a device could not show this"),
        ('title = "Bank"', f'title = "{"B" * 121}"', "a value has 1 to 120 bytes of UTF-8, found 121 (line 3)"),
        ("applications.bank", 'applications."a/b"', "application 'a/b' is called by its name in paths"),
        ("applications.bank", 'applications.".."', "application '..' is called by its name in paths"),
        ("priority = 1", "priority = 1\ngroups = []", "groups = [], which never holds"),
        ("priority = 1", "priority = 1\nnetworks = []", "networks = [], which never holds"),
        ("priority = 1", "priority = 1\ndays = []", "days = [], which never holds"),
        ("priority = 1", "priority = 1\ntime = '06:00-06:00'", "the time 06:00-06:00, which never comes"),
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


def test_a_tie_is_a_warning_and_the_first_wins(tmp_path: Path) -> None:
    """Two policies of one priority for one application: the file's order decides, and whoever wrote it is told."""
    path = tmp_path / "policies.toml"
    row = GOOD[GOOD.index("[[policies]]") :].replace('"bank"', '"bank"]\ngroups = ["staff"', 1)
    rows = [row.replace('"one"', f'"{name}"') for name in ("second", "first")]
    for names in (("second", "first"), ("first", "second")):
        path.write_text(GOOD[: GOOD.index("[[policies]]")] + "".join(rows if names[0] == "second" else rows[::-1]))
        made = load(path)
        assert (
            f"policies {names[0]!r} and {names[1]!r} both have priority 1 for bank: {names[0]!r} wins"
            in made.warnings[0]
        )
        staff = Context("bank", user=Who(frozenset({"staff"})))
        assert decide(made.policies, staff).why[-1] == f"{names[0]}: applies"


def test_a_missing_policy_file_is_named(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    with pytest.raises(ServerError, match="cannot read the policy file"):
        load(tmp_path / "none.toml")


def test_what_can_be_meant_but_probably_is_not_is_a_warning(tmp_path: Path) -> None:
    """Only badges lead in, before any was printed; a policy that can never win."""
    path = tmp_path / "policies.toml"
    never = GOOD[GOOD.index("[[policies]]") :].replace('"one"', '"two"').replace("priority = 1", "priority = 2")
    path.write_text(GOOD.replace('[["PASSWORD"]]', '[["BADGE_SECURE"]]') + never)
    assert load(path).warnings == (
        "only people who hold a badge can enter bank: were the badges printed?",
        "policy 'two' can never win: 'one' always applies before it",
    )
    assert load().warnings == ()


@pytest.mark.parametrize(
    ("insecure", "ways"),
    [
        ("false", ((Method.BADGE_SECURE,),)),
        ("true", ((Method.BADGE_SECURE,), (Method.BADGE_INSECURE, Method.PASSWORD))),
    ],
)
def test_a_badge_as_criterion_stands_before_the_methods(
    tmp_path: Path, insecure: str, ways: tuple[tuple[Method, ...], ...]
) -> None:
    """A secure one also stands for the password that would follow; an insecure one never does."""
    path = tmp_path / "policies.toml"
    path.write_text(GOOD.replace("priority = 1", f"priority = 1\nqr_first = true\ninsecure_scans = {insecure}"))
    flow = load(path).policies[0].flow
    assert flow is not None
    assert flow.ways == ways


NAMED = """
[flows.name]
ways = [["USERNAME", "OTP"]]
[[policies]]
name = "by name"
priority = 2
applications = ["bank"]
flow = "name"
"""


def loaded(tmp_path: Path, text: str) -> PolicySet:
    """What a file with ``text`` says."""
    path = tmp_path / "policies.toml"
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize(("line", "word"), [("groups = ['staff']", "group"), ("fido_enrolled = true", "key")])
def test_a_policy_that_tells_a_stranger_who_is_who_is_a_warning(tmp_path: Path, line: str, word: str) -> None:
    """Where a name alone begins a login, the steps that follow tell what the policies ask about its user."""
    asking = GOOD.replace("priority = 1", f"priority = 1\n{line}")
    assert loaded(tmp_path, asking).warnings == ()
    (warning,) = loaded(tmp_path, asking + NAMED).warnings
    assert warning.startswith("policy 'one' asks who somebody is before anything is proven")
    assert warning.endswith(f"names at bank can tell whose {word} is meant")


def test_a_policy_that_always_fails_denies_those_it_applies_to_and_nobody_else(tmp_path: Path) -> None:
    """Whatever a later policy would have allowed them; the reason is told."""
    failing = GOOD.replace("priority = 1", "priority = 1\ngroups = ['banned']").replace(
        'flow = "password"', "always_fail = true"
    )
    policies = loaded(tmp_path, failing + GOOD[GOOD.index("[[policies]]") :].replace("priority = 1", "priority = 2"))
    banned, other = (
        decide(policies.policies, Context("bank", first=Method.PASSWORD, user=Who(frozenset({group}))))
        for group in ("banned", "staff")
    )
    assert (banned.flow, banned.why) == (None, ("one: applies, and always fails: denied",))
    assert other.flow is not None
    assert offer(policies.policies, Context("bank")).first_methods == (Method.PASSWORD,)
    everybody = loaded(tmp_path, GOOD.replace('flow = "password"', "always_fail = true"))
    closed = offer(everybody.policies, Context("bank"))
    assert (closed.first_methods, closed.why) == ((), ("one: applies, and always fails: denied",))


def test_a_policy_that_always_fails_says_nothing_else(tmp_path: Path) -> None:
    """A flow beside it would be read as if it had an effect."""
    path = tmp_path / "policies.toml"
    path.write_text(GOOD.replace("priority = 1", "priority = 1\nalways_fail = true"))
    with pytest.raises(ServerError, match="'one' has always_fail and also says how to log in"):
        load(path)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ('{ label = "Limit", template = "{amount" }', "has a brace that is no place"),
        ('{ label = "Limit", template = "" }', "a value has 1 to 120 bytes"),
        (f'{{ label = "{"L" * 39}ä", template = "{{a}}" }}', "a label has 1 to 40 bytes"),
        (
            '{ label = "Limit", template = "{a}" }, { tag = "AMOUNT", template = "{b}" }',
            "amount, account and beneficiary",
        ),
        ('{ tag = "AMOUNT", template = "{a}" }, { tag = "AMOUNT", template = "{b}" }', "a well-known tag stands once"),
    ],
)
def test_fields_that_no_device_could_show_are_refused_at_the_start(tmp_path: Path, fields: str, sentence: str) -> None:
    """And not when the first customer is to approve something."""
    path = tmp_path / "policies.toml"
    path.write_text(f"{GOOD}[approvals.limit]\nfields = [{fields}]\n")
    with pytest.raises(ServerError, match="approval 'limit'") as caught:
        load(path)
    assert sentence in str(caught.value)
