"""The three descriptions against the three servers: whatever may be sent is answered as described, and never with a 5xx.

``AUTHRIG_SCHEMATHESIS_EXAMPLES`` is how many requests each operation gets; more of them find rarer mistakes.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server_stub.api.routes import ADMIN_ROUTES, APPROVAL_ROUTES, PUBLIC_ROUTES
from server_stub.api.routing import Route
from server_stub.cloud.account import service_account
from server_stub.cloud.api import ADMIN_ROUTES as CLOUD_ADMIN_ROUTES
from server_stub.cloud.api import APP_ROUTES, AUTH_ROUTES, DEVICE_ROUTES
from server_stub.cloud.signing import Credentials, Signed, sign
from server_stub.settings import Settings
from tests.server_stub.api.test_approval_fido import options_of
from tests.server_stub.api.test_fido import at_the_key, logged_in, person_with_key
from tests.server_stub.api.test_transaction_approval import Bank
from tests.server_stub.world import CHEAP, NO_TLS, World, own_world

EXAMPLES = int(os.environ.get("AUTHRIG_SCHEMATHESIS_EXAMPLES", "10"))
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize="AUTHRIG_SCHEMATHESIS_EXAMPLES" not in os.environ,
)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
UNAVAILABLE = {"OIDC_UNAVAILABLE"}
"""A 503 that is right: what the server needs cannot be asked."""


@dataclass
class Target:
    """A running server, and what callers of each table show."""

    world: World
    schemas: dict[str, Any]
    known: dict[str, str]
    """What path parameters may name, so that not everything is unknown."""
    sessions: list[str] = field(default_factory=list)
    approvals: list[str] = field(default_factory=list)

    @property
    def account(self) -> Any:
        """The IAM's at the cloud."""
        return service_account(self.world.server.settings)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, new_database_url: Callable[[], str]) -> Iterator[Target]:
    """With sessions and approvals at every kind of step."""
    folder = tmp_path_factory.mktemp("schemathesis") / "data"
    settings = Settings(data_dir=folder, database_url=new_database_url(), argon2=CHEAP, address_failure_limit=10**9)
    with own_world(settings) as world:
        urls = {name: getattr(world.server, f"{name}_url") for name in ("public", "internal", "cloud")}
        schemas = {
            name: schemathesis.openapi.from_dict(httpx.get(f"{url}/openapi.json", verify=NO_TLS).json())
            for name, url in urls.items()
        }
        person, key = person_with_key(world)
        device = world.device(person)
        known = {"username": person.name, "token": device.id, "device": device.id, "application": "portal"}
        known |= {"flow": "payment", "credential": key.get({"challenge": ""})["id"]}
        yield Target(world, schemas, known, _sessions(world), _approvals(world))


def _sessions(world: World) -> list[str]:
    """Cookies of browsers that stand at different steps."""
    person, _ = person_with_key(world)
    fido, _ = at_the_key(world, person)
    qr, _, _ = world.at_the_qr_code()
    asked, _, _ = world.at_the_qr_code()
    asked.qr()
    first, kiosk = world.browser(), world.browser()
    first.access("ebanking")
    kiosk.access("kiosk")
    browsers = [fido, qr, asked, first, kiosk, *(logged_in(world, world.person()) for _ in range(6))]
    return ["", *(_cookies(each.client) for each in browsers)]


def _approvals(world: World) -> list[str]:
    """Cookies of approvals that stand at different steps."""
    person, _ = person_with_key(world)
    banks = [Bank(world) for _ in range(4)]
    banks[0].post("/flows/payment/select")
    banks[1].post("/flows/limit/select")
    banks[1].post("/user/identify/", {"username": person.name})
    banks[2].begin(person)
    banks[3].begin(person)
    options_of(banks[3])
    return ["", *(_cookies(each.client) for each in banks)]


def _cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


Show = Callable[[Target, requests.PreparedRequest, Any], dict[str, str]]
"""The headers that a caller shows with a request; the last parameter draws."""


def browser(target: Target, _: requests.PreparedRequest, draw: Any) -> dict[str, str]:
    """A session at any step, or none."""
    return {"X-Same-Domain": "1", "Cookie": draw(st.sampled_from(target.sessions))}


def bank(target: Target, _: requests.PreparedRequest, draw: Any) -> dict[str, str]:
    """An approval at any step, or none."""
    return {"X-Same-Domain": "1", "Cookie": draw(st.sampled_from(target.approvals))}


def administrator(target: Target, _: requests.PreparedRequest, __: Any) -> dict[str, str]:
    """One who may do everything."""
    return {"Authorization": f"Bearer {target.world.server.admin_token}"}


def signed(credentials: Callable[[Target], Credentials]) -> Show:
    """A service that signs what it sends."""

    def show(target: Target, request: requests.PreparedRequest, _: Any) -> dict[str, str]:
        body = request.body or b""
        data = body.encode() if isinstance(body, str) else body
        assert isinstance(data, bytes)
        host = target.world.server.cloud_url.removeprefix("http://")
        what = Signed(str(request.method), host, request.path_url, data)
        return sign(credentials(target), what, time.time())

    return show


def anybody(_: Target, __: requests.PreparedRequest, ___: Any) -> dict[str, str]:
    """Nothing is shown."""
    return {}


TABLES: tuple[tuple[str, tuple[Route, ...], Show], ...] = (
    ("public", PUBLIC_ROUTES, browser),
    ("internal", APPROVAL_ROUTES, bank),
    ("internal", ADMIN_ROUTES, administrator),
    ("cloud", AUTH_ROUTES, signed(lambda target: target.account.auth)),
    ("cloud", CLOUD_ADMIN_ROUTES, signed(lambda target: target.account.admin)),
    ("cloud", DEVICE_ROUTES, signed(lambda target: target.account.auth)),
    ("cloud", APP_ROUTES, anybody),
)
OPERATIONS = [
    pytest.param(part, route, show, id=f"{route.method} {route.path}")
    for part, table, show in TABLES
    for route in table
]


@pytest.mark.parametrize(("part", "route", "show"), OPERATIONS)
def test_every_call_answers_as_it_is_described(target: Target, part: str, route: Route, show: Show) -> None:
    """What the description allows and what it does not, to things that are there and things that are not."""
    operation = target.schemas[part][route.path][route.method]
    named = {name: target.known[name] for name in re.findall(r"{(\w+)}", route.path) if name in target.known}
    modes = [operation.as_strategy(mode) for mode in schemathesis.GenerationMode]
    if named:
        modes.append(operation.as_strategy(path_parameters=named))

    with requests.Session() as http:

        @given(st.one_of(modes), st.data())
        @BOUNDED
        def ask(case: schemathesis.Case[Any], data: st.DataObject) -> None:
            base = getattr(target.world.server, f"{part}_url")
            request = http.prepare_request(requests.Request(**_sendable(case, base)))
            request.headers.update(show(target, request, data.draw))
            response = http.send(request, timeout=30)
            http.cookies.clear()
            if response.status_code == 503 and response.json()["errors"][0]["code"] in UNAVAILABLE:
                return
            case.validate_response(response, checks=CHECKS)

        ask()


def _sendable(case: schemathesis.Case[Any], base: str) -> dict[str, Any]:
    """What ``requests`` takes; headers that HTTP cannot carry are tried with raw sockets elsewhere."""
    known = {"method", "url", "headers", "files", "data", "json", "params", "cookies"}
    arguments = {name: value for name, value in case.as_transport_kwargs(base_url=base).items() if name in known}
    headers = {name: value for name, value in (arguments.get("headers") or {}).items() if _carried(value)}
    return {**arguments, "headers": headers}


def _carried(value: object) -> bool:
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return re.fullmatch(r"[!-~]([ -~]*[!-~])?", text) is not None
