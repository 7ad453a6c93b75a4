"""OpenAPI 3.1 from the same route tables that make the applications: the two cannot say different things."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from server_stub.api.routing import Call, Nothing, Reply, Route
from server_stub.store.database import Database

_PARAMETER = re.compile(r"{(\w+)}")
_REF = "#/components/schemas/{name}"
NOT_VERIFIED = "Modelled, not verified against the product."
PUBLISHED = "A path of the product's public documents."


class Described(msgspec.Struct, frozen=True):
    """What can be asked of any interface without a session."""

    status: str = "ok"


@dataclass(frozen=True, slots=True)
class Access:
    """What callers of some routes have to show: an OpenAPI security scheme, and headers for what is not a GET."""

    name: str
    scheme: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)


OPEN = Access("open", {})


def describe(title: str, apis: Iterable[tuple[Iterable[Route], Access]], error: type[msgspec.Struct]) -> dict[str, Any]:
    """The OpenAPI document of all routes, whose refusals are all an ``error``."""
    rows = [(route, access) for routes, access in apis for route in routes]
    types = [error, *(each for route, _ in rows for each in (route.answer, route.body) if each is not Nothing)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(map(str, types), schemas, strict=True))
    paths: dict[str, Any] = {}
    for route, access in rows:
        operation = _operation(route, access, schema_of, schema_of[str(error)])
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": NOT_VERIFIED},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {access.name: access.scheme for _, access in rows if access.scheme},
        },
    }


def with_description(
    title: str, apis: Iterable[tuple[Iterable[Route], Access]], error: type[msgspec.Struct], database: Database
) -> tuple[Route, ...]:
    """Two more routes: ``/health`` of what works with ``database``, and ``/openapi.json``, which describes ``apis`` and these two."""

    async def health(_: object, __: Call[Nothing]) -> Reply:
        await database.run(lambda connection: connection.execute(select(1)).scalar_one())
        return Reply(Described())

    async def openapi(_: object, __: Call[Nothing]) -> Reply:
        return Reply(document)

    own = (
        Route(
            "GET",
            "/health",
            health,
            Described,
            "Say that the server and its database answer",
            errors=("DATABASE_UNAVAILABLE",),
        ),
        Route("GET", "/openapi.json", openapi, dict[str, Any], "This description"),
    )
    document = msgspec.Raw(msgspec.json.encode(describe(title, [*apis, (own, OPEN)], error)))
    return own


def _operation(route: Route, access: Access, schema_of: dict[str, Any], error: dict[str, Any]) -> dict[str, Any]:
    codes = ", ".join(route.errors)
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "description": (PUBLISHED if route.published else NOT_VERIFIED)
        + (f" Own error codes: {codes}." if codes else ""),
        "security": [{access.name: []}] if access.scheme else [],
        "parameters": [*_path_parameters(route), *_query(route), *_headers(route, access)],
        "responses": {
            str(route.status): _content("As asked", schema_of[str(route.answer)]),
            "default": _content("Refused", error),
        },
    }
    if route.body is not Nothing:
        operation["requestBody"] = {"required": route.needs_body, **_json(schema_of[str(route.body)])}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = _PARAMETER.findall(route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query(route: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in route.query.items()
    ]


def _headers(route: Route, access: Access) -> list[dict[str, Any]]:
    if route.method == "GET":
        return []
    return [
        {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
        for name, text in access.headers.items()
    ]


def _content(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, **_json(schema)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
