"""A client of the control API, for what runs in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from authrig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class ControlClient:
    """Asks the bench at ``url`` with its ``token``. Its own failures and the bench's refusals are RigErrors."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        try:
            self._http = httpx.AsyncClient(
                base_url=self._url,
                headers={"Authorization": f"Bearer {token}"},
                trust_env=False,
                timeout=httpx.Timeout(30, connect=5),
            )
        except (httpx.InvalidURL, UnicodeEncodeError) as error:
            raise RigError(f"the bench at {url}: {error}") from error

    async def devices(self) -> list[dict[str, Any]]:
        """All devices, and how they stand."""
        found: list[dict[str, Any]] = (await self._ask("GET", "/devices")).json()["devices"]
        return found

    async def state(self, name: str) -> dict[str, Any]:
        """One device, and how it stands."""
        found: dict[str, Any] = (await self._ask("GET", f"/devices/{name}/state")).json()
        return found

    async def dots(self, name: str) -> bytes:
        """Its panel as a PNG, one pixel for each dot."""
        return (await self._ask("GET", f"/devices/{name}/screen.png?dots=1")).content

    async def post(self, name: str, call: str, **body: Any) -> None:
        """Do something to a device."""
        await self._ask("POST", f"/devices/{name}/{call}", json=body)

    async def show_text(self, name: str, text: str) -> None:
        """Hold a text before its camera, as a QR code."""
        await self._ask("POST", f"/devices/{name}/picture", content=text, headers={"Content-Type": "text/plain"})

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """What happens, from what is kept of the past on; ends when the bench does.

        Raises:
            RigError: if the bench refuses, or is gone.
        """
        try:
            async with self._http.stream("GET", "/events", timeout=httpx.Timeout(None, connect=5)) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise RigError(_sentence(answer))
                async for line in answer.aiter_lines():
                    if line.startswith("data: ") and "text" in (event := msgspec.json.decode(line[6:])):
                        yield event
        except httpx.HTTPError as error:
            raise RigError(f"the bench at {self._url} is gone: {error}") from error

    async def close(self) -> None:
        """Let go of it."""
        await self._http.aclose()

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, **more)
        except httpx.HTTPError as error:
            raise RigError(f"the bench at {self._url} does not answer: {error}") from error
        if not answer.is_success:
            raise RigError(_sentence(answer))
        return answer


def _sentence(answer: httpx.Response) -> str:
    """The API's own words."""
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"the answer has status {answer.status_code} and no sentence: is this a bench?"
