"""The policies, and why a login goes the way it does."""

from typing import Any

from server_stub.errors import bad_request
from server_stub.flows.flow import Method
from server_stub.policies import PolicySet
from server_stub.web.admin.entrance import HOME, AdminVisit
from server_stub.web.visit import Answer

PATH = f"{HOME}policies"
EXPLAIN = f"{PATH}/explain"
MOST_HEADERS = 100
FIRST = tuple(
    str(each)
    for each in (
        Method.PASSWORD,
        Method.BADGE_INSECURE,
        Method.BADGE_SECURE,
        Method.USERNAME,
        Method.DEVICE_TOKEN,
        Method.SSO_TICKET,
        Method.OIDC,
        Method.FIDO,
    )
)
"""What a login may begin with."""


async def show(administrator: AdminVisit) -> Answer:
    """All policies in the order in which they are asked, and what in them is probably not meant."""
    policies = (await administrator.rest("admin_policies.list_policies")).data
    warnings = (await administrator.rest("admin_policies.list_warnings")).data
    about: PolicySet = administrator.visit.iam.policies
    return administrator.page(
        "policies.html",
        policies=[(each.id, each.attributes) for each in policies],
        warnings=[each.attributes.sentence for each in warnings],
        applications=about.applications,
    )


async def explain(administrator: AdminVisit) -> Answer:
    """For this user, from this network, at this time: this flow, because."""
    visit = administrator.visit
    asked = {
        name: visit.query.get(name, "").strip() for name in ("application", "username", "first", "address", "when")
    }
    asked["headers"] = visit.query.get("headers", "")
    answered = (
        (await administrator.rest("admin_policies.explain", _question(asked))).data if asked["application"] else None
    )
    return administrator.page(
        "explain.html",
        asked=asked,
        applications=visit.iam.policies.applications,
        first_methods=FIRST,
        answered=answered.attributes if answered else None,
    )


def _question(asked: dict[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {"application": asked["application"], "headers": _headers(asked["headers"])}
    for field, name in (("username", "username"), ("firstMethod", "first"), ("address", "address")):
        if asked[name]:
            body[field] = asked[name]
    if asked["when"]:
        # Browsers leave the seconds out when they are none.
        body["when"] = f"{asked['when']}:00" if len(asked["when"]) == len("2026-01-31T23:59") else asked["when"]
    return body


def _headers(text: str) -> dict[str, str]:
    lines = [line for line in text.splitlines() if line.strip()][: MOST_HEADERS + 1]
    rows = [line.partition(":") for line in lines]
    if not all(name.strip() and colon for name, colon, _ in rows):
        raise bad_request("a header is written as Name: value, one on each line")
    return {name.strip(): value.strip() for name, _, value in rows}
