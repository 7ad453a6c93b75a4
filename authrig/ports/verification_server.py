"""The two ends of the server's port: our own, started for the run, and one that runs already.

A suite asks for a browser, an administrator or a bank, and never which server answers.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit

from authrig.errors import RigError
from authrig.ports.server import Administrator, Bank, Browser
from authrig.rig_file.entries import AttachedServer, EmulatedServer

OURS = "authrig"
"""The adapter of a server that answers in the shape of docs/reference/rest.md."""


class VerificationServer(Protocol):
    """What a rig needs of a server. An adapter of your own is a class with these, made with an ``AttachedServer``."""

    @property
    def origin(self) -> str:
        """The web origin that people log in at."""
        ...

    @property
    def administrator(self) -> Administrator:
        """Somebody who may do everything."""
        ...

    def browser(self) -> Browser:
        """A person's browser with no cookies."""
        ...

    def bank(self) -> Bank:
        """An application that wants transactions approved."""
        ...

    def close(self) -> None:
        """Let go of it; our own server ends."""
        ...


class OwnServer:
    """Our server, in this process, from the start until ``close``.

    Args:
        entry: of the rig file; its settings file is as ``authrig serve --config`` takes it.
        folder: for its databases.
        time: its clock, in seconds since 1970.
        token_bytes: so many random bytes.

    Raises:
        RigError: if it cannot start.
    """

    def __init__(
        self, entry: EmulatedServer, folder: Path, time: Callable[[], float], token_bytes: Callable[[int], bytes]
    ) -> None:
        from dataclasses import replace  # noqa: PLC0415 - the server's own imports cost, and come with it

        from server_stub.errors import ServerError  # noqa: PLC0415 - as above
        from server_stub.run import run_server  # noqa: PLC0415 - as above
        from server_stub.settings import Settings  # noqa: PLC0415 - as above
        from server_stub.settings_file import load_settings  # noqa: PLC0415 - as above

        self._opened = ExitStack()
        try:
            settings = Settings(data_dir=folder)
            if entry.settings is not None:
                settings = load_settings(Path(entry.settings), data_dir=folder)
            self._server = self._opened.enter_context(run_server(replace(settings, time=time, token_bytes=token_bytes)))
            self.origin = self._server.origin
            self.administrator = self._opened.enter_context(
                Administrator(self._server.internal_url, self._server.admin_token)
            )
        except ServerError as error:
            self._opened.close()
            raise RigError(str(error)) from error

    def browser(self) -> Browser:
        """A person's browser with no cookies."""
        return Browser(self._server.public_url)

    def bank(self) -> Bank:
        """An application that wants transactions approved."""
        return Bank(self._server.internal_url)

    def close(self) -> None:
        """Stop it."""
        self._opened.close()


def check_settings(path: Path) -> None:
    """Whether our own server would start with these.

    Raises:
        RigError: says why not.
    """
    from server_stub.errors import ServerError  # noqa: PLC0415 - as above
    from server_stub.settings_file import load_settings  # noqa: PLC0415 - as above

    try:
        load_settings(path, data_dir=path.parent)
    except ServerError as error:
        raise RigError(str(error)) from error


class RunningServer:
    """A server that runs already and answers in our shape.

    Raises:
        RigError: if its administrator's secret is not in the environment.
    """

    def __init__(self, entry: AttachedServer) -> None:
        secret = os.environ.get(entry.credentials_variable)
        if not secret:
            raise RigError(
                f"the server at {entry.public_url} wants its administrator's token: export {entry.credentials_variable}=..."
            )
        self._entry = entry
        parts = urlsplit(entry.public_url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._internal_url = entry.internal_url or entry.public_url
        self.administrator = Administrator(self._internal_url, secret)

    def browser(self) -> Browser:
        """A person's browser with no cookies."""
        return Browser(self._entry.public_url)

    def bank(self) -> Bank:
        """An application that wants transactions approved."""
        return Bank(self._internal_url)

    def close(self) -> None:
        """Let go of it."""
        self.administrator.close()


def attached_server(entry: AttachedServer) -> VerificationServer:
    """The server of the rig file, through its adapter.

    Raises:
        RigError: if the adapter cannot be imported, or refuses.
    """
    if entry.adapter == OURS:
        return RunningServer(entry)
    module, colon, name = entry.adapter.partition(":")
    try:
        adapter = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        wanted = "authrig, or module:Class" if not colon else f"{name} in the module {module}"
        raise RigError(f"the adapter {entry.adapter!r} of the server: expected {wanted}: {error}") from error
    return cast("VerificationServer", adapter(entry))
