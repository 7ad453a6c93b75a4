import json
import re
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from server_stub.api.routes import ADMIN_ROUTES, APPROVAL_ROUTES, PUBLIC_ROUTES
from server_stub.api.routing import Nothing, Route
from server_stub.cloud.store import metadata as cloud_tables
from server_stub.settings import database_of
from server_stub.store.database import Database
from server_stub.store.iam import metadata as iam_tables
from tests.server_stub.soft_key import SoftKey
from tests.server_stub.world import APPROVAL, NO_TLS, World, code_of

TABLES = (*PUBLIC_ROUTES, *APPROVAL_ROUTES, *ADMIN_ROUTES)
ROUTES = [route for route in TABLES if route.method != "GET" and not route.path.endswith("/logout")]
HYPOTHESIS = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
bodies = st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode())


def url(world: World, route: Route) -> str:
    """Where the route is, with names that nobody has."""
    base = world.server.public_url if route in PUBLIC_ROUTES else world.server.internal_url
    return base + re.sub(r"{\w+}", "nobody-at-all", route.path)


def almost(route: Route) -> st.SearchStrategy[bytes]:
    """Bodies with the right members and anything in them."""
    names = [] if route.body is Nothing else list(route.body.__struct_encode_fields__)
    if {"groups", "password"} <= set(names):
        names.remove("password")  # a new user must not come out of it
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, json_values)).map(
        lambda value: json.dumps(value).encode()
    )


def users_and_tokens(world: World) -> list[Any]:
    """What administrators made: it must not change by itself."""
    rows: list[Any] = []
    for name, tables, some in (
        ("iam", iam_tables, ("users", "badges", "fido_credentials")),
        ("cloud", cloud_tables, ("tokens",)),
    ):
        with closing(Database(database_of(world.server.settings, name), tables)) as database:
            for table in some:
                query = select(tables.tables[table]).order_by("id")
                rows += database.run_now(lambda connection, query: connection.execute(query).all(), query)
    return rows


@pytest.fixture
def headers(world: World) -> dict[str, str]:
    """All that any interface asks for."""
    return {
        "X-Same-Domain": "1",
        "Authorization": f"Bearer {world.server.admin_token}",
        "Content-Type": "application/json",
    }


@pytest.fixture
def cookie_jars(world: World) -> list[dict[str, str]]:
    """Sessions at every kind of step: nowhere, badge, code, key, logged in with a key to come; approvals at each step."""
    classroom, (bank, person, _), vpn, self_service = (
        world.browser(),
        world.at_the_qr_code(),
        world.browser(),
        world.browser(),
    )
    classroom.access("classroom")
    bank.qr()
    self_service.access("self-service")
    self_service.password(person.name)
    registration = "/auth/rest/protected/self-service/fido/registration"
    options = self_service.client.post(f"{registration}/challenge/retrieve/", json={"displayName": "x"}).json()
    key = SoftKey(world.server.origin).create(options["data"]["attributes"]["publicKey"])
    self_service.client.post(f"{registration}/check/", json={"credential": key})
    vpn.access("vpn")
    vpn.password(person.name)
    vpn.post("/fido/challenge/retrieve/")
    begun, identified = world.internal(), world.internal()
    for client in (begun, identified):
        client.post(f"{APPROVAL}/flows/payment/select")
    identified.post(f"{APPROVAL}/user/identify", json={"username": person.name})
    clients = (classroom.client, bank.client, vpn.client, self_service.client, begun, identified)
    return [{}, *(dict(client.cookies) for client in clients)]


HARMLESS = ("/retrieve", "/sweep", "/remembered-devices")
"""Asking once more for a challenge, removing what has expired, having a browser of one's own remembered."""


def test_any_body_is_answered_with_an_error_in_our_shape_and_changes_nothing(
    world: World, headers: dict[str, str], cookie_jars: list[dict[str, str]]
) -> None:
    """Each route, from each kind of session: bytes, JSON of any kind, and almost right JSON."""
    before = users_and_tokens(world)
    cases = st.tuples(
        st.sampled_from(ROUTES).flatmap(lambda route: st.tuples(st.just(route), bodies | almost(route))),
        st.sampled_from(cookie_jars),
    )
    with ExitStack() as stack:
        clients = {
            str(jar): stack.enter_context(httpx.Client(verify=NO_TLS, headers=headers, cookies=jar))
            for jar in cookie_jars
        }

        @HYPOTHESIS
        @given(cases)
        def check(case: tuple[tuple[Route, bytes], dict[str, str]]) -> None:
            (route, body), jar = case
            response = clients[str(jar)].request(route.method, url(world, route), content=body)
            if response.status_code in {200, 201}:
                assert route.path.endswith(HARMLESS), (route, body)
                return
            assert 400 <= response.status_code < 500, (route, body, response.text)
            error = response.json()["errors"][0]
            assert (error["status"], set(error)) == (response.status_code, {"id", "status", "code", "detail"})
            assert re.fullmatch("[0-9a-f]{4}:[0-9a-f]{4}", error["id"])

        check()
    assert users_and_tokens(world) == before


@pytest.mark.parametrize("text", ["\u00e9", "====", "QVFCMTo", "QVFCMTo=", "QVFCMTowMDA=", " "])
def test_a_badge_of_any_text_is_refused(world: World, text: str) -> None:
    """What is no base64 is a bad request, what is no badge a wrong badge."""
    browser = world.browser()
    browser.access("classroom")
    response = browser.post("/badge/check/", {"badge": text})
    assert response.status_code == 400
    assert code_of(response) in {"BAD_REQUEST", "BADGE_WRONG"}


def test_a_post_that_another_site_could_cause_is_refused(world: World) -> None:
    """A form cannot set the header X-Same-Domain."""
    browser = world.browser()
    for value in ({}, {"X-Same-Domain": "0"}):
        browser.client.headers.pop("X-Same-Domain", None)
        browser.client.headers.update(value)
        response = browser.access("ebanking")
        assert (response.status_code, code_of(response)) == (403, "CSRF_HEADER_MISSING")
        assert "set-cookie" not in response.headers
    looks = [browser.client.request(method, "/auth/rest/protected/session").status_code for method in ("GET", "HEAD")]
    assert looks == [401, 401], "to look needs no header, with a body or without"


@pytest.mark.parametrize("chunked", ["chunked", ""])
def test_a_body_that_is_too_long_is_refused_before_it_is_read(world: World, chunked: str) -> None:
    """Whether it says its length or not."""
    browser = world.browser()
    body = b" " * (world.server.settings.body_limit + 1)
    response = browser.client.post(
        "/auth/rest/public/authentication/password/check/",
        content=iter([body]) if chunked else body,
        headers={"Content-Type": "application/json"},
    )
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")


def test_a_body_of_another_type_is_refused(world: World) -> None:
    """A plain form can send text/plain without asking first."""
    browser = world.browser()
    response = browser.client.post(
        "/auth/rest/public/authentication/password/check/", content=b"{}", headers={"Content-Type": "text/plain"}
    )
    assert (response.status_code, code_of(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_an_unknown_member_is_named(world: World) -> None:
    """Nobody believes that a misspelt member had an effect."""
    browser = world.browser()
    response = browser.post("/password/check/", {"usrname": "x", "password": "y"})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")
    assert "usrname" in response.json()["errors"][0]["detail"]


def test_unknown_paths_and_methods_are_refused_in_the_same_shape(world: World) -> None:
    """Also outside the tables."""
    client = world.browser().client
    assert code_of(client.get("/nowhere")) == "NOT_FOUND"
    response = client.delete("/auth/rest/protected/session")
    assert (response.status_code, code_of(response)) == (405, "METHOD_NOT_ALLOWED")
    assert "GET" in response.headers["allow"]


def test_nothing_is_kept_by_caches(world: World) -> None:
    """Good answers and refusals alike."""
    browser = world.browser()
    for response in (browser.access("ebanking"), browser.client.get("/health"), browser.client.get("/nowhere")):
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "body",
    [
        b'{"username": "\\ud800", "password": "x"}',
        b'{"username": "\xff", "password": "x"}',
        b'{"username": "\\u0000", "password": "\\u0000"}',
        b"[" * 60_000,
        b'{"password": ' * 4_000,
        b'{"username": "a", "username": "b", "password": "c"}',
        b'{"username": "a", "password": "c"} {}',
        b"\xef\xbb\xbf{}",
    ],
)
def test_bodies_that_parsers_trip_over_are_refused(world: World, body: bytes) -> None:
    """Lone surrogates, bytes that are no UTF-8, zero characters, deep nests, members twice, more than one value."""
    browser = world.browser()
    browser.access("self-service")
    response = browser.client.post(
        "/auth/rest/public/authentication/password/check/", content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert code_of(response) in {"BAD_REQUEST", "USERNAME_PASSWORD_WRONG"}


@pytest.mark.parametrize("name", ["%ff", "%00", "..", "%2e%2e%2f", "a" * 5000, "\u00fc", "'%20OR%201=1--"])
def test_names_in_paths_are_only_names(world: World, name: str) -> None:
    """Whatever they hold, they are not found."""
    client = world.browser().client
    public = client.post(f"/auth/rest/public/authentication/applications/{name}/access/")
    admin = world.admin.get(f"/admin/rest/users/{name}")
    assert (public.status_code, admin.status_code) == (404, 404)
