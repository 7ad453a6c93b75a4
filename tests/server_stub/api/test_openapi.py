from typing import Any

import httpx
import msgspec
import pytest

from server_stub.api.routes import ADMIN_ROUTES, APPROVAL_ROUTES, PUBLIC_ROUTES
from server_stub.cloud.api import ADMIN_ROUTES as CLOUD_ADMIN_ROUTES
from server_stub.cloud.api import APP_ROUTES, AUTH_ROUTES, DEVICE_ROUTES
from tests.server_stub.world import World

TABLES = {
    "public_url": PUBLIC_ROUTES,
    "internal_url": (*APPROVAL_ROUTES, *ADMIN_ROUTES),
    "cloud_url": (*AUTH_ROUTES, *CLOUD_ADMIN_ROUTES, *APP_ROUTES, *DEVICE_ROUTES),
}


def document(world: World, name: str) -> dict[str, Any]:
    """The description that the interface gives of itself."""
    return dict(httpx.get(getattr(world.server, name) + "/openapi.json").json())


def references(value: Any) -> set[str]:
    """Every $ref in a document."""
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("name", TABLES)
def test_every_interface_describes_all_of_its_routes(world: World, name: str) -> None:
    """And nothing else but itself and its health."""
    found = document(world, name)
    assert found["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in found["paths"].items() for method in item}
    own = {("GET", "/health"), ("GET", "/openapi.json")}
    assert described == {(route.method, route.path) for route in TABLES[name]} | own


@pytest.mark.parametrize("name", TABLES)
def test_every_reference_leads_to_a_schema_and_every_operation_has_its_own_name(world: World, name: str) -> None:
    """So that clients can be generated from it."""
    found = document(world, name)
    schemas = {f"#/components/schemas/{each}" for each in found["components"]["schemas"]}
    assert references(found) <= schemas
    operations = [operation["operationId"] for item in found["paths"].values() for operation in item.values()]
    assert len(set(operations)) == len(operations)


def test_the_description_says_what_callers_have_to_show(world: World) -> None:
    """A cookie and a header, a bearer token, or a signature."""
    login = "/auth/rest/public/authentication/password/check"
    password = document(world, "public_url")["paths"][login]["post"]
    assert password["security"] == [{"session": []}]
    assert [each["name"] for each in password["parameters"]] == ["X-Same-Domain"]
    internal = document(world, "internal_url")
    assert set(internal["components"]["securitySchemes"]) == {"approval", "adminToken"}
    assert internal["paths"]["/admin/rest/users/{username}"]["get"]["parameters"][0]["name"] == "username"
    assert document(world, "cloud_url")["components"]["securitySchemes"]["signature"]["scheme"] == "basic"


def test_an_answer_is_as_described(world: World) -> None:
    """Decoded strictly by the type that the description was made from."""
    browser, _, _ = world.at_the_qr_code()
    route = next(route for route in PUBLIC_ROUTES if route.path.endswith("offline-qr-code/retrieve"))
    response = browser.post("/airlock-2fa/offline-qr-code/retrieve/")
    decoded = msgspec.json.decode(response.content, type=route.answer)
    assert decoded.data.attributes.content.startswith("OTQ1:")


def test_what_the_description_demands_is_what_is_demanded(world: World) -> None:
    """Required members, patterns and lengths stand in the schema."""
    schemas = document(world, "public_url")["components"]["schemas"]
    assert schemas["PasswordCheck"]["required"] == ["password"]
    assert schemas["PasswordCheck"]["additionalProperties"] is False
    assert schemas["OtpCheck"]["properties"]["otp"]["pattern"] == "^[0-9 ]{1,16}$(?!\\n)"


def test_what_may_follow_a_path_is_described(world: World) -> None:
    """The listing of users says that it can be searched and continued."""
    parameters = document(world, "internal_url")["paths"]["/admin/rest/users"]["get"]["parameters"]
    assert [(each["name"], each["in"], each["required"]) for each in parameters] == [
        ("q", "query", False),
        ("after", "query", False),
    ]
