"""The verification server of the bench: ours, with one person who has every emulated token, or one that runs already."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from authrig.control.device import Device

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from authrig.control.happenings import Happenings
    from authrig.control.tokens import EmulatedQrToken
    from authrig.rig_file.entries import AttachedServer, EmulatedServer

USERNAME = "tester"
APPLICATION = "ebanking"
"""A login by password and token."""


class OurServer(Device):
    """Our server, started with the bench. It knows one person, to whom each token of ``tokens`` is assigned.

    Raises:
        RigError: if it cannot start.
    """

    def __init__(
        self,
        name: str,
        entry: EmulatedServer,
        folder: Path,
        tokens: Sequence[EmulatedQrToken],
        happenings: Happenings,
    ) -> None:
        from authrig.ports.verification_server import OwnServer  # noqa: PLC0415 - a bench without a server is up sooner

        super().__init__(name, "server", frozenset(), happenings, emulated=True)
        self._server = OwnServer(entry, folder, time.time, secrets.token_bytes)
        try:
            self._password = secrets.token_urlsafe(12)
            administrator = self._server.administrator
            administrator.create_user(USERNAME, self._password)
            for token in tokens:
                administrator.assign_qr_token(USERNAME, token.serial, token.seed, token.name)
        except BaseException:
            self._server.close()
            raise

    def state(self) -> dict[str, Any]:
        """Where to log in, and as whom."""
        return {
            "url": self._server.origin,
            "login": f"{self._server.origin}/login/{APPLICATION}",
            "username": USERNAME,
            "password": self._password,
        }

    def close(self) -> None:
        """Stop it."""
        self._server.close()


class OtherServer(Device):
    """A server that runs already: the bench only says where."""

    def __init__(self, name: str, entry: AttachedServer, happenings: Happenings) -> None:
        super().__init__(name, "server", frozenset(), happenings, emulated=False)
        self._url = entry.public_url

    def state(self) -> dict[str, Any]:
        """Where it is."""
        return {"url": self._url}
