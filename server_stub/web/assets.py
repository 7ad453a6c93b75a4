"""The files that pages load: read once, under an address that changes with their content, so browsers keep them for good."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).with_name("static")
PATH = "/static/{digest}/{name:path}"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm"}
"""What is served at all: nothing else in the folder is."""
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@cache
def files() -> Mapping[str, bytes]:
    """The files by their names below the folder."""
    found = sorted(path for path in FOLDER.rglob("*") if path.suffix in TYPES)
    return {path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in found}


@cache
def digest() -> str:
    """Stands for the content of all files: modules that import each other are never of two versions."""
    summary = hashlib.sha256()
    for name, content in files().items():
        summary.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return summary.hexdigest()[:16]


def address(name: str) -> str:
    """Where a page finds a file.

    Raises:
        KeyError: if there is no such file.
    """
    if name not in files():
        raise KeyError(f"no page file is called {name!r}")
    return f"/static/{digest()}/{name}"


async def serve(request: Request) -> Response:
    """One file."""
    name = request.path_params["name"]
    if request.path_params["digest"] != digest() or name not in files():
        return Response("no such file", 404, {**HEADERS, "Cache-Control": "no-store"}, "text/plain")
    return Response(files()[name], headers=HEADERS, media_type=TYPES[Path(name).suffix])
