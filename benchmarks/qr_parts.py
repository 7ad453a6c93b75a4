"""``python -m benchmarks.qr_parts``: where the check of an offline QR code spends its time.

The server runs in this process, and the calls of SQLite's driver are timed: what would be left if all Python around them
cost nothing.
"""

import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Engine

from benchmarks.http_login import BODY, at_the_code
from benchmarks.http_people import Person
from benchmarks.lean_http import Line, Served, echo_process
from server_stub.run import run_server
from server_stub.settings import Argon2Cost, Settings
from server_stub.store import database
from server_stub.store.engine import LocalConnection

CHECKS = 300
WARM = 50
_spent: defaultdict[str, float] = defaultdict(float)


class _Timed:
    """Times the calls of a connection or of a cursor of ``sqlite3``."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __iter__(self) -> Any:
        return iter(self._inner)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if name not in {"execute", "commit", "fetchone", "fetchall"}:
            return attribute

        def timed(*args: Any) -> Any:
            part = "BEGIN and COMMIT" if name == "commit" or args[:1] == ("BEGIN IMMEDIATE",) else "other statements"
            begun = time.perf_counter()
            result = attribute(*args)
            _spent[part] += time.perf_counter() - begun
            return _Timed(result) if isinstance(result, sqlite3.Cursor) else result

        return timed


class _TimedConnection(LocalConnection):
    """The server's connection on a driver that is timed."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.raw: Any = _Timed(self.raw)


def main() -> None:
    """Measure and print medians, in microseconds."""
    parts: defaultdict[str, list[float]] = defaultdict(list)
    with echo_process() as url:
        echo = Line(url)
        for _ in range(CHECKS):
            echo.waited = 0.0
            echo.post("/", BODY)
            echo.post("/", BODY)
            parts["two bare echoes"].append(echo.waited)
        echo.close()
    with tempfile.TemporaryDirectory() as folder, patch.object(database, "LocalConnection", _TimedConnection):
        settings = Settings(data_dir=Path(folder), argon2=Argon2Cost(64, 1), address_failure_limit=10**6)
        with run_server(settings) as server:
            urls = (server.public_url, server.internal_url, server.admin_token, server.origin)
            person = Person(Served(*urls, pid=0), "code")
            for _ in range(CHECKS):
                person.line.cookie = ""
                check = at_the_code(person)
                _spent.clear()
                person.line.waited = 0.0
                check()
                for part, seconds in _spent.items():
                    parts[f"SQLite, {part}"].append(seconds)
                parts["the whole check"].append(person.line.waited)
            person.line.close()
    for part, times in parts.items():
        print(f"{part}: {statistics.median(times[WARM:]) * 1e6:.0f} us")


if __name__ == "__main__":
    main()
