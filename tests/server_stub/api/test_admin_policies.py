import base64
from pathlib import Path
from typing import Any

import pytest

from server_stub.settings import Settings
from tests.server_stub.world import Browser, Person, World, code_of, next_of, own_world

MONDAY = 1_767_603_600.0
"""Nine in the morning, UTC."""
POLICIES = """
[applications.desk]
title = "Desk"
target = "/desk/"
[flows.password]
ways = [["PASSWORD"]]
[flows.password-then-qr]
ways = [["PASSWORD", "OFFLINE_QR"]]
[[policies]]
name = "staff at the desk"
priority = 1
applications = ["desk"]
groups = ["staff"]
networks = ["10.0.0.0/8"]
headers = { "X-Desk" = "7" }
flow = "password"
[[policies]]
name = "staff with a badge"
priority = 2
applications = ["desk"]
groups = ["staff"]
qr_first = true
insecure_scans = true
flow = "password"
[[policies]]
name = "staff elsewhere"
priority = 3
applications = ["desk"]
groups = ["staff"]
days = ["Mon", "Tue", "Wed", "Thu", "Fri"]
time = "06:00-22:00"
qr_first = false
flow = "password-then-qr"
"""


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    """The policy file of a server of the test's own."""
    path = tmp_path / "policies.toml"
    path.write_text(POLICIES)
    return path


def explain(world: World, **question: object) -> dict[str, Any]:
    """What the policies would say."""
    response = world.admin.post("/admin/rest/policies/explain", json=question)
    assert response.status_code == 200, response.text
    return dict(response.json()["data"]["attributes"])


def person_in(world: World, *groups: str) -> Person:
    """Somebody in some groups."""
    person = world.person()
    url = f"/admin/rest/users/{person.name}/groups"
    assert world.admin.put(url, json={"groups": list(groups)}).status_code == 200
    return person


def begin(world: World, **headers: str) -> Browser:
    """A browser at the desk."""
    browser = world.browser()
    browser.client.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    browser.access("desk")
    return browser


def test_the_same_person_takes_another_way_from_another_place(settings: Settings, policies: Path) -> None:
    """All criteria of a policy must hold: address and header; otherwise the next policy is asked."""
    with own_world(settings, policies_file=policies, trusted_proxies=("127.0.0.1",)) as world:
        staff = person_in(world, "staff")
        world.device(staff)
        world.clock.advance(MONDAY - world.clock.time())
        inside = {"X_Forwarded_For": "10.1.1.1", "X_Desk": "7"}
        assert next_of(begin(world, **inside).password(staff.name)) is None
        for headers in ({"X_Desk": "7"}, {"X_Forwarded_For": "10.1.1.1", "X_Desk": "8"}):
            assert next_of(begin(world, **headers).password(staff.name)).startswith("AIRLOCK_2FA")
        world.clock.advance(5 * 86400)
        assert code_of(begin(world).password(staff.name)) == "UNEXPECTED_CALL", "on Saturday only a badge is offered"
        assert next_of(begin(world, **inside).password(staff.name)) is None


def test_who_is_in_no_group_is_denied_after_the_password_and_the_audit_says_why(
    settings: Settings, policies: Path
) -> None:
    """The person is told nothing about groups; the right password was no wrong attempt."""
    with own_world(settings, policies_file=policies) as world:
        guest = world.person()
        world.clock.advance(MONDAY - world.clock.time())
        for _ in range(6):
            refused = begin(world).password(guest.name)
            assert (refused.status_code, code_of(refused)) == (403, "ACCESS_DENIED")
            assert "staff" not in refused.text
        [*_, row] = [row for row in world.audit() if row["event"] == "policy"]
        assert (row["user"], row["outcome"]) == (guest.id, "denied")
        assert "staff with a badge: first step is no QR badge" in row["detail"]["why"]


def test_a_badge_as_criterion(settings: Settings, policies: Path) -> None:
    """A secure badge is all that its policy needs; an insecure one leaves the password to be typed."""
    with own_world(settings, policies_file=policies) as world:
        staff = person_in(world, "staff")
        for kind, step in (("secure", None), ("insecure", "PASSWORD_REQUIRED")):
            made = world.admin.post(f"/admin/rest/users/{staff.name}/badges", json={"kind": kind}).json()
            badge = base64.b64encode(made["data"]["attributes"]["content"].encode()).decode()
            browser = begin(world)
            assert next_of(browser.post("/badge/check/", {"badge": badge})) == step


def test_the_reasons_are_told_to_the_policy_administrator(settings: Settings, policies: Path) -> None:
    """For anybody, any place and any time, without a login."""
    with own_world(settings, policies_file=policies, timezone="Europe/Zurich") as world:
        staff = person_in(world, "staff")
        begins = explain(world, application="desk", when="2026-01-05T09:00:00")
        assert begins["firstMethods"] == ["BADGE_SECURE", "BADGE_INSECURE", "PASSWORD"]
        assert begins["why"][-1] == "otherwise: denied"
        question = {"application": "desk", "username": staff.name, "firstMethod": "PASSWORD"}
        morning = explain(world, **question, when="2026-01-05T05:30:00Z")
        assert (morning["flow"], morning["ways"]) == ("password-then-qr", [["PASSWORD", "OFFLINE_QR"]])
        assert morning["why"] == [
            "staff at the desk: address is not in 10.0.0.0/8",
            "staff with a badge: first step is no QR badge",
            "staff elsewhere: applies",
        ]
        night = explain(world, **question, when="2026-01-05T05:30:00")
        assert night["flow"] is None
        assert night["why"][-2:] == [
            "staff elsewhere: time is not between 06:00 and 22:00",
            "no policy applies: denied",
        ]
        inside = explain(world, **question, address="10.0.0.1", headers={"x-desk": "7"}, when="2026-01-04T03:00:00Z")
        assert inside["flow"] == "password"


def test_policies_and_their_warnings_are_listed(settings: Settings, policies: Path) -> None:
    """In the order in which they are asked."""
    policies.write_text(POLICIES.replace("qr_first = false\nflow", "flow").replace('groups = ["staff"]\n', ""))
    with own_world(settings, policies_file=policies) as world:
        listed = world.admin.get("/admin/rest/policies").json()["data"]
        assert [each["id"] for each in listed] == ["staff at the desk", "staff with a badge", "staff elsewhere"]
        assert "header X-Desk is not as expected" in listed[0]["attributes"]["criteria"]
        assert world.admin.get("/admin/rest/policies/warnings").json()["data"] == []


@pytest.mark.parametrize(
    ("question", "code"),
    [
        ({"application": "x"}, "APPLICATION_NOT_FOUND"),
        ({"application": "vpn", "username": "nobody-at-all"}, "USER_NOT_FOUND"),
        ({"application": "vpn", "when": "yesterday"}, "BAD_REQUEST"),
        ({"application": "vpn", "when": "0001-01-01T00:00:00+14:00"}, "BAD_REQUEST"),
        ({"application": "vpn", "when": "9999-12-31T23:59:59-14:00"}, "BAD_REQUEST"),
        ({"application": "vpn", "firstMethod": "MAGIC"}, "BAD_REQUEST"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(world: World, question: dict[str, object], code: str) -> None:
    """With the word for why."""
    assert code_of(world.admin.post("/admin/rest/policies/explain", json=question)) == code
