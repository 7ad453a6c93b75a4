"""Keys and tokens that live in files which only their owner can read."""

import os
from collections.abc import Callable
from pathlib import Path

from server_stub.errors import ServerError


def load_or_create(path: Path, length: int, token_bytes: Callable[[int], bytes]) -> bytes:
    """The ``length`` bytes in ``path`` (written as hex), made at the first start; the environment's go before.

    The variable for ``iam-kek.key`` is ``AUTHRIG_IAM_KEK_KEY``: so nothing is written, and several machines agree.

    Raises:
        ServerError: if the variable does not hold ``length`` bytes, or the file cannot be made or read, is open to other users, or does not hold ``length`` bytes.
    """
    variable = variable_of(path.name)
    if variable in os.environ:
        return _decode(os.environ[variable], length, f"the variable {variable}")
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read(path, length)
        key = token_bytes(length)
        with os.fdopen(descriptor, "w") as file:
            file.write(key.hex() + "\n")
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise ServerError(f"cannot use the key file {path}: {error.strerror}") from error
    return key


def _read(path: Path, length: int) -> bytes:
    if path.stat().st_mode & 0o077:
        raise ServerError(
            f"the key file {path} can be read by other users: chmod 600 it, or remove it to get a new key"
        )
    try:
        text = path.read_text("ascii")
    except UnicodeDecodeError as error:
        raise ServerError(f"the key file {path} does not hold hexadecimal digits") from error
    return _decode(text, length, f"the key file {path}")


def variable_of(name: str) -> str:
    """The variable that goes before the file ``name``."""
    return "AUTHRIG_" + name.replace("-", "_").replace(".", "_").upper()


def _decode(text: str, length: int, where: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise ServerError(f"{where} does not hold hexadecimal digits") from error
    if len(key) != length:
        raise ServerError(f"{where} holds {len(key)} bytes, expected {length}")
    return key
