"""A real PostgreSQL from Debian's packages, on loopback, gone when the tests are."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

DEBIAN = Path("/usr/lib/postgresql")


def find_binaries() -> None:
    """Put Debian's newest PostgreSQL on PATH: its packages leave the server's commands off it."""
    folders = sorted(DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name))
    if folders and not shutil.which("pg_ctl"):
        os.environ["PATH"] += os.pathsep + str(folders[-1])


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL: ``url`` is that of its superuser, without the name of a database."""

    url: str
    _data: Path

    def crash(self) -> None:
        """End all of it at once, with no time for anything, and start it again: it has to recover from its log."""
        _run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "restart")


@contextmanager
def running_postgresql() -> Iterator[Cluster]:
    """A fresh cluster. It refuses to run as root, so root lends it a user."""
    folder = Path(tempfile.mkdtemp(prefix="authrig-pg-"))
    port = free_port()
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = str(folder / "data")
        _run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        _run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield Cluster(f"postgresql://postgres@127.0.0.1:{port}", Path(data))
        finally:
            _run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def new_database(server: str, name: str) -> str:
    """The URL of an empty database of that name."""
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
    return f"{server}/{name}"


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _run(*command: str) -> None:
    program = shutil.which(command[0])
    assert program is not None
    as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()
    subprocess.run((*as_postgres, program, *command[1:]), check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60)
