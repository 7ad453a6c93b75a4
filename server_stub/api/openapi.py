"""OpenAPI 3.1 from the same route tables that make the applications: the two cannot say different things."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from server_stub.api.routing import Call, Nothing, Reply, Route

_PARAMETER = re.compile(r"{(\w+)}")
_REF = "#/components/schemas/{name}"
NOT_VERIFIED = "Modelled, not verified against the product."
PUBLISHED = "A path of the product's public documents."


class Described(msgspec.Struct, frozen=True):
    """What can be asked of any interface without a session."""

    status: str = "ok"


def describe(title: str, routes: Sequence[Route], error: type[msgspec.Struct]) -> dict[str, Any]:
    """The OpenAPI document of ``routes``, whose refusals are all an ``error``."""
    types = [error, *(route.answer for route in routes), *(route.body for route in routes if route.body is not Nothing)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(map(str, types), schemas, strict=True))
    paths: dict[str, Any] = {}
    for route in routes:
        operation = _operation(route, schema_of, schema_of[str(error)])
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": NOT_VERIFIED},
        "paths": paths,
        "components": {"schemas": components},
    }


def with_description(title: str, routes: Iterable[Route], error: type[msgspec.Struct]) -> tuple[Route, ...]:
    """Two more routes: ``/health``, and ``/openapi.json``, which describes ``routes`` and these two."""

    async def health(_: object, __: Call[Nothing]) -> Reply:
        return Reply(Described())

    async def openapi(_: object, __: Call[Nothing]) -> Reply:
        return Reply(document)

    own = (
        Route("GET", "/health", health, Described, "Say that the server answers"),
        Route("GET", "/openapi.json", openapi, dict[str, Any], "This description"),
    )
    document = msgspec.Raw(msgspec.json.encode(describe(title, (*routes, *own), error)))
    return own


def _operation(route: Route, schema_of: dict[str, Any], error: dict[str, Any]) -> dict[str, Any]:
    codes = ", ".join(route.errors)
    operation: dict[str, Any] = {
        "operationId": route.operation,
        "summary": route.summary,
        "description": (PUBLISHED if route.published else NOT_VERIFIED)
        + (f" Own error codes: {codes}." if codes else ""),
        "responses": {
            str(route.status): _content("As asked", schema_of[str(route.answer)]),
            "default": _content("Refused", error),
        },
    }
    names = _PARAMETER.findall(route.path)
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    if route.body is not Nothing:
        operation["requestBody"] = {"required": route.needs_body, **_json(schema_of[str(route.body)])}
    return operation


def _content(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, **_json(schema)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
