"""A pcscd of our own for as long as it is needed, with the Virtual PCD as its only reader.

The machine's own pcscd, if it runs one, is not touched: ours lives in a mount namespace, where it finds a folder of its
own in the place that is built into it. It needs root, or the right to make user namespaces.
"""

import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from authrig.errors import RigError

SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
"""The environment variable in which PC/SC programs look for the daemon's socket; each reads it once."""
SLOTS = ("Virtual PCD 00 00", "Virtual PCD 00 01")
"""The slots of its reader, by the names that PC/SC programs see."""

_DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_PATIENCE = 20.0
# setpriv: it must not outlive a process that is killed.
_START = (
    'mount -t tmpfs none /run && mkdir /run/pcscd && mount --bind "$1" /run/pcscd '
    '&& exec setpriv --pdeathsig TERM pcscd --foreground --config "$2"'
)


@dataclass(frozen=True, slots=True)
class Pcscd:
    """A daemon at work: the ``socket`` that clients open, and the TCP port of the first slot; the second is one above."""

    socket: Path
    port: int


@contextmanager
def own_pcscd() -> Iterator[Pcscd]:
    """Run one; it is ready for cards and clients.

    Raises:
        RigError: if it is not installed, or does not start.
    """
    if shutil.which("pcscd") is None or not _DRIVER.exists():
        raise RigError("no card reader can be made here: `apt-get install pcscd vsmartcard-vpcd`")
    # Not below /run, which the daemon sees as its own; and the path of a socket must be short.
    with tempfile.TemporaryDirectory(prefix="authrig-pcscd-", dir="/tmp") as scratch:
        folder, readers, log = Path(scratch, "run"), Path(scratch, "readers"), Path(scratch, "log")
        folder.mkdir()
        readers.mkdir()
        daemon = Pcscd(folder / "pcscd.comm", _free_ports())
        (readers / "vpcd").write_text(
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{daemon.port}\nLIBPATH {_DRIVER}\nCHANNELID {daemon.port}\n'
        )
        command = ["unshare", "--map-root-user", "--mount", "sh", "-c", _START, "sh", str(folder), str(readers)]
        with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
            try:
                _await(daemon, process, log)
                yield daemon
            finally:
                process.terminate()


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
