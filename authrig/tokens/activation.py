"""Takes a token into use: by its maker's file of seeds, or by the server of an app."""

import sys
from pathlib import Path

from authrig.errors import RigError
from authrig.tokens.errands import Courier
from authrig.tokens.token_file import TokenFile
from emulators.hwtoken.memory import MemoryFault
from offline_qr import pskc
from offline_qr.otq1 import seeds

_HEADER = ",".join(seeds.COLUMNS)


def provision(file: TokenFile, data: bytes, source: str, *, password: str | None = None) -> None:
    """Give the token the seed that ``data`` has for its serial: PSKC, CSV, or one line ``serial,seed``.

    The token is dark afterwards.

    Raises:
        RigError: if the data is none of these, has no seed for this token, or the token has another one already.
    """
    try:
        found = _read(data, password)
    except (seeds.SeedFileError, pskc.PskcError) as error:
        raise RigError(f"{source}: {error}") from error
    serial = file.memory().serial
    mine = [each for each in found if each.serial == serial]
    if not mine:
        raise RigError(f"{source}: expected a seed for {serial}, found {_serials(found)}")
    _give(file, mine[0].seed)


def enrol_app(file: TokenFile, courier: Courier, cloud_url: str, code: str) -> None:
    """Show ``code`` (or what a QR code of an enrolment says) to the cloud at ``cloud_url``, and keep what it gives.

    The token is dark afterwards.

    Raises:
        RigError: if this model has no network, is activated already, or the server refuses.
    """
    memory, profile = file.memory(), file.profile
    if not profile.behaviour.network:
        raise RigError(f"expected a model with a network, such as phone-app, found {profile.name}")
    if memory.identity is not None or memory.serial is None:
        raise RigError(f"token file {file.name}: expected a token that is not activated yet, found {memory.serial}")
    account, seed = courier.enrol(cloud_url, code.strip().rpartition("/")[2], memory.serial, profile.name)
    # The seed last: a token that has it has all.
    file.keep(app=account)
    _give(file, seed)


def _give(file: TokenFile, seed: bytes) -> None:
    memory = file.memory()
    try:
        memory.provision(memory.serial or "", seed)
    except (ValueError, MemoryFault) as error:
        raise RigError(f"token file {file.name}: {error}") from error
    file.keep(session=None)


def _read(data: bytes, password: str | None) -> list[seeds.Seed]:
    text = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<"):
        return seeds.read_pskc(data, password=password)
    if not text.startswith(_HEADER.encode()):
        text = f"{_HEADER}\r\n".encode() + text
    return seeds.read_csv(text.rstrip() + b"\r\n")


def _serials(found: list[seeds.Seed]) -> str:
    if not found:
        return "none at all"
    shown = ", ".join(each.serial for each in found[:3])
    return shown if len(found) <= 3 else f"{shown} and {len(found) - 3} more"


def read_input(path: str) -> bytes:
    """The bytes of the file ``path``, or of standard input for ``-``. Raises RigError."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise RigError(f"{path}: cannot be read: {error.strerror}") from error
