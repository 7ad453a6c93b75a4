"""Settings from a TOML file: the members of ``Settings`` by their names, each mistake one sentence that names it.

Paths are relative to the file. ``iam_lockout``, ``cloud_lockout`` and ``argon2`` are tables; ``sso_issuers`` is a table of
issuer to key file, ``oidc_providers`` a table of name to provider, ``fido_metadata`` a table of metadata file to root file.
"""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from server_stub.errors import ServerError
from server_stub.settings import OidcProvider, Settings

NOT_IN_A_FILE = frozenset({"time", "token_bytes"})
PATHS = frozenset({"data_dir", "policies_file"})
PATH_LISTS = frozenset({"fido_attestation_roots"})
PORTS = frozenset({"public_port", "internal_port", "cloud_port"})


def load_settings(path: Path, **otherwise: Any) -> Settings:
    """The settings in a file; ``otherwise`` gives those that the file leaves out.

    Raises:
        ServerError: if the file cannot be read, or something in it is no setting or cannot be meant.
    """
    try:
        rows = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ServerError(f"cannot read the settings {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ServerError(f"the settings {path} are wrong: {error}") from error
    fields = {field.name: field for field in dataclasses.fields(Settings) if field.name not in NOT_IN_A_FILE}
    for name in rows:
        if name not in fields:
            raise ServerError(f"the settings {path} are wrong: there is no setting {name!r}")
    values = {name: _value(path, name, value) for name, value in rows.items()}
    missing = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and name not in values | otherwise
    ]
    if missing:
        raise ServerError(f"the settings {path} are wrong: {missing[0]} is missing")
    return Settings(**{**otherwise, **values})


def _value(path: Path, name: str, value: Any) -> Any:
    folder = path.parent
    try:
        if name in PATHS:
            return folder / msgspec.convert(value, str)
        if name in PATH_LISTS:
            return tuple(folder / each for each in msgspec.convert(value, list[str]))
        if name == "sso_issuers":
            return tuple((issuer, folder / file) for issuer, file in msgspec.convert(value, dict[str, str]).items())
        if name == "fido_metadata":
            return tuple(
                (folder / blob, folder / root) for blob, root in msgspec.convert(value, dict[str, str]).items()
            )
        if name == "oidc_providers":
            return tuple(_provider(folder, key, row) for key, row in msgspec.convert(value, dict[str, Any]).items())
        if isinstance(value, dict):
            _refuse_unknown(name, value)
        converted = msgspec.convert(value, Settings.__annotations__[name])
    except (msgspec.ValidationError, ValueError) as error:
        raise ServerError(f"the settings {path} are wrong: {name}: {error}") from error
    sentence = _why_not(name, converted)
    if sentence:
        raise ServerError(f"the settings {path} are wrong: {name} is {converted!r}, expected {sentence}")
    return converted


def _provider(folder: Path, name: str, value: Any) -> OidcProvider:
    row = msgspec.convert(value, dict[str, Any])
    known = {field.name for field in dataclasses.fields(OidcProvider)} - {"name"}
    for member in row:
        if member not in known:
            raise ValueError(f"there is no {member!r}")
    secret = row.pop("client_secret_file", None)
    provider = msgspec.convert({**row, "name": name}, OidcProvider)
    if secret is None:
        return provider
    return dataclasses.replace(provider, client_secret_file=folder / msgspec.convert(secret, str))


def _refuse_unknown(name: str, value: dict[str, Any]) -> None:
    """A table with a member that is none: it would be ignored, and somebody would believe that it had an effect."""
    table = Settings.__annotations__[name]
    known = {field.name for field in dataclasses.fields(table)} if dataclasses.is_dataclass(table) else set()
    for member in value:
        if member not in known:
            raise ValueError(f"there is no {member!r}")


def _why_not(name: str, value: Any) -> str | None:
    if name in PORTS:
        return None if 0 <= value <= 65535 else "a port from 0 to 65535"
    if isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
        return "a number greater than 0"
    return None
