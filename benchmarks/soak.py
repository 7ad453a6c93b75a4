"""``python -m benchmarks.soak --minutes 10``: the server at full load, and whether its memory and descriptors stay flat.

Every user logs in by password and QR token, then by key alone, as fast as the server answers. After a warm-up of a tenth
of the time, memory and open descriptors are read ten times a second; the slope is that of a line through the medians of
ten equal parts.
"""

import argparse
import contextlib
import json
import os
import sqlite3
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.http_people import Person, Refused
from benchmarks.lean_http import Served, server_process

USERS = 8
PARTS = 10
PAGE = os.sysconf("SC_PAGE_SIZE")
LIFETIME = 15
"""Seconds until a session expires: longer than any login may be held up by a busy machine."""
CHURN = 20
"""After so many logins a user hangs up and comes back on another connection."""


@dataclass(frozen=True)
class Soaked:
    """What was seen."""

    minutes: float
    logins: int
    memory_mib: tuple[float, ...]
    """The median of each part."""
    memory_mib_a_minute: float
    descriptors: tuple[int, ...]
    live_rows: dict[str, int]
    """Rows that expire, at the end."""
    failures: tuple[str, ...]


class _Load(threading.Thread):
    """One user who logs in again and again until told to stop."""

    def __init__(self, server: Served, name: str, stop: threading.Event) -> None:
        super().__init__(name=name)
        self._at, self._over = server, stop
        self.person = Person(server, name)
        self.logins = 0
        self.failure = ""

    def run(self) -> None:
        """Until the time is over, or something goes wrong."""
        try:
            while not self._over.is_set():
                self.person.line.cookie = ""
                self.person.begin("ebanking", password=True)
                self.person.answer_qr(self.person.ask_qr())
                self.person.line.cookie = ""
                self.person.begin("lounge", password=False)
                self.person.fido()
                self.logins += 2
                if self.logins % CHURN == 0:
                    self.person.reconnect(self._at)
        except (Refused, OSError) as error:
            self.failure = f"{self.name}: {error}"


def soak(minutes: float) -> Soaked:
    """Load a fresh server for ``minutes``."""
    with server_process(
        cheap_passwords=True, sweep_interval=1.0, login_lifetime=LIFETIME, session_lifetime=LIFETIME
    ) as server:
        stop = threading.Event()
        load = [_Load(server, f"user{number}", stop) for number in range(USERS)]
        for each in load:
            each.start()
        end = time.monotonic() + minutes * 60
        time.sleep(minutes * 6)
        samples = []
        while time.monotonic() < end and any(each.is_alive() for each in load):
            samples.append(_look(server.pid))
            time.sleep(0.1)
        stop.set()
        for each in load:
            each.join()
            each.person.line.close()
        swept_by = time.monotonic() + 3 * LIFETIME
        while _expiring(server)["sessions"] and time.monotonic() < swept_by:
            time.sleep(0.2)
        return _soaked(minutes, load, samples, _expiring(server))


def _soaked(minutes: float, load: list[_Load], samples: list[tuple[float, int]], live_rows: dict[str, int]) -> Soaked:
    size = max(len(samples) // PARTS, 1)
    parts = [samples[start : start + size] for start in range(0, size * PARTS, size)]
    memory = [statistics.median(mib for mib, _ in part) for part in parts if part]
    slope = statistics.linear_regression(range(len(memory)), memory).slope if len(memory) > 1 else 0.0
    return Soaked(
        minutes,
        sum(each.logins for each in load),
        tuple(round(mib, 1) for mib in memory),
        round(slope * PARTS / (minutes * 0.9), 3),
        tuple(int(statistics.median(count for _, count in part)) for part in parts if part),
        live_rows,
        tuple(each.failure for each in load if each.failure),
    )


def _look(pid: int) -> tuple[float, int]:
    """Resident memory in MiB, and how many descriptors are open."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * PAGE / 2**20, len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _expiring(server: Served) -> dict[str, int]:
    """How many rows there are that should have been swept."""
    iam = next(file for file in _open_files(server.pid) if file.name == "iam.sqlite3")
    with sqlite3.connect(f"file:{iam}?mode=ro", uri=True) as connection:
        counts = {
            table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our tables
            for table in ("sessions", "address_failures")
        }
    connection.close()
    return counts


def _open_files(pid: int) -> Iterator[Path]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            yield descriptor.readlink()


def main() -> None:
    """Soak, print, and judge: exit code 1 when something failed or was left over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    args = parser.parse_args()
    soaked = soak(args.minutes)
    json.dump(asdict(soaked), sys.stdout, indent=2)
    sys.stdout.write("\n")
    sys.exit(1 if soaked.failures or soaked.live_rows["sessions"] else 0)


if __name__ == "__main__":
    main()
