"""A pcscd of our own for as long as it is needed, with the Virtual PCD as its only reader.

The place of its socket is built into it. So it lives in a mount namespace, where a folder of our own is in that place, and
the machine's pcscd, if it runs one, is not touched. Where namespaces are forbidden, as in many containers, root can
still have one such daemon at a time, if the machine runs none.
"""

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from authrig.errors import RigError

SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
"""The environment variable in which PC/SC programs look for the daemon's socket; each process reads it once."""
SLOTS = ("Virtual PCD 00 00", "Virtual PCD 00 01")
"""The slots of its reader, by the names that PC/SC programs see."""

_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_SOCKET = "pcscd.comm"
_BUILT_IN = Path("/run/pcscd")
_LOCK = Path("/run/lock/authrig-pcscd")
_PATIENCE = 20.0
_ISOLATED = ("unshare", "--map-root-user", "--mount")
_MOVE_IN = f'mount -t tmpfs none /run && mkdir {_BUILT_IN} && mount --bind "$1" {_BUILT_IN} && shift && exec "$@"'


@dataclass(frozen=True, slots=True)
class Pcscd:
    """A daemon at work: the ``socket`` that clients open, and the TCP port of the first slot; the second is one above."""

    socket: Path
    port: int


@contextmanager
def own_pcscd(folder: Path | None = None) -> Iterator[Pcscd]:
    """Run one; it is ready for cards and clients. Its socket is in ``folder`` if that can be, by default a new one.

    Raises:
        RigError: if it is not installed, or does not start.
    """
    if shutil.which("pcscd") is None or not _DRIVER.exists():
        raise RigError("no card reader can be made here: `apt-get install pcscd vsmartcard-vpcd`")
    with ExitStack() as opened:
        # Not below /run, which the daemon sees as its own; and the path of a socket must be short.
        scratch = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="authrig-pcscd-", dir="/tmp")))
        port = _free_ports()
        command = _daemon(scratch, port)
        if _may_isolate():
            folder = folder or scratch
            command = [*_ISOLATED, "sh", "-c", _MOVE_IN, "sh", str(folder), *command]
        else:
            folder = _BUILT_IN
            opened.enter_context(_alone())
        daemon = Pcscd(folder / _SOCKET, port)
        log = scratch / "log"
        output = opened.enter_context(log.open("wb"))
        process = opened.enter_context(subprocess.Popen(command, stdout=output, stderr=output))
        opened.callback(process.terminate)
        _await(daemon, process, log)
        yield daemon


def _daemon(scratch: Path, port: int) -> list[str]:
    """The command that runs it, with a configuration below ``scratch``."""
    readers = scratch / "readers"
    readers.mkdir()
    (readers / "vpcd").write_text(
        f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{port}\nLIBPATH {_DRIVER}\nCHANNELID {port}\n'
    )
    # setpriv: it must not outlive a process that is killed.
    return ["setpriv", "--pdeathsig", "TERM", "pcscd", "--foreground", *_admits_all(), "--config", str(readers)]


def _admits_all() -> list[str]:
    """The option for it: since Debian 13 it asks polkit about every client, over a bus that many places lack, and refuses without."""
    asked = ["pcscd", "--help"]
    options = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    return ["--disable-polkit"] if "--disable-polkit" in options else []


def _may_isolate() -> bool:
    """Whether this process may make namespaces and mount in them."""
    tried = [*_ISOLATED, "mount", "-t", "tmpfs", "none", "/run"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process that asks here has a daemon in the place that is built in."""
    try:
        _LOCK.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RigError("a card reader of our own needs root, or the right to make user namespaces") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _free_ports() -> int:
    """The lower of two ports, one after another, that nobody listens on."""
    while True:
        port = 20_000 + 2 * secrets.randbelow(6_000)
        if not (_is_taken(port) or _is_taken(port + 1)):
            return port


def _is_taken(port: int) -> bool:
    # To call would be to put a card in.
    with socket.socket() as caller:
        try:
            caller.bind(("", port))
        except OSError:
            return True
    return False


def _await(daemon: Pcscd, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not (_is_taken(daemon.port + 1) and _answers(daemon.socket)):
        if process.poll() is not None or time.monotonic() > deadline:
            said = " ".join(log.read_text(errors="replace").split())[-300:] or "nothing"
            raise RigError(f"pcscd did not start; it said: {said}")
        time.sleep(0.01)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as caller, suppress(OSError):
        caller.connect(str(path))
        return True
    return False
