"""A complete login over HTTP beside one bare HTTP request."""

import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from authrig.ports.server import Administrator, Browser
from benchmarks.harness import Row
from offline_qr import otq1
from server_stub.run import run_server
from server_stub.settings import Settings

SERIAL, SEED = "QT1-00000042", bytes(range(32))
USERNAME, PASSWORD = "alice", "correct horse battery staple"


@contextmanager
def rows() -> Iterator[list[Row]]:
    """Password and offline QR, four requests of which one hashes a password; the floor is one echo by bare uvicorn."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="authrig-bench-"))
        settings = Settings(data_dir=Path(folder))
        server = stack.enter_context(run_server(settings))
        administrator = stack.enter_context(Administrator(server.internal_url, server.admin_token))
        administrator.create_user(USERNAME, PASSWORD)
        administrator.assign_qr_token(USERNAME, SERIAL, SEED, "token")
        keys = otq1.derive_keys(SERIAL, SEED)
        echo = stack.enter_context(Browser(stack.enter_context(_bare_server())))

        def log_in() -> None:
            with Browser(server.public_url) as browser:
                browser.access("ebanking")
                browser.check_password(USERNAME, PASSWORD)
                content = browser.retrieve_offline_qr_code(image=False).attribute("content")
                outcome = browser.check_otp(otq1.compute_code(otq1.decode(content, keys, SERIAL), keys)).outcome
                assert outcome == "DONE", outcome

        def hash_password() -> bytes:
            cost = settings.argon2
            argon2 = Argon2id(
                salt=bytes(16),
                length=32,
                iterations=cost.iterations,
                lanes=cost.lanes,
                memory_cost=cost.memory_kib,
            )
            return argon2.derive(PASSWORD.encode())

        yield [
            Row("HTTP login, password and offline QR", "bare HTTP echo", log_in, echo.session, 10),
            Row("HTTP login, password and offline QR", "Argon2id of its password", log_in, hash_password, 2),
        ]


async def _echo(_scope: Any, receive: Any, send: Any) -> None:
    """The least that an ASGI application can do with a request."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b"{}"})


@contextmanager
def _bare_server() -> Iterator[str]:
    """The URL of uvicorn with nothing behind it, set as the real server is."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(_echo, http="httptools", loop="uvloop", lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
