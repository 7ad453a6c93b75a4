"""Settings from a TOML file: the members of ``Settings`` by their names, each mistake one sentence that names it.

Paths are relative to the file. ``iam_lockout``, ``cloud_lockout`` and ``argon2`` are tables; ``sso_issuers`` is a table of
issuer to key file, ``oidc_providers`` a table of name to provider, ``fido_metadata`` a table of metadata file to root file.
"""

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

from server_stub import settings_rules
from server_stub.addresses import networks
from server_stub.errors import ServerError
from server_stub.factors.oidc import check_described
from server_stub.settings import OidcProvider, Settings, time_zone
from server_stub.toml_lines import MistakeError, convert, with_line

NOT_IN_A_FILE = frozenset({"time", "token_bytes"})
FOLDERS = frozenset({"data_dir"})
FILES = frozenset({"policies_file"})
FILE_LISTS = frozenset({"fido_attestation_roots"})


def load_settings(path: Path, **otherwise: Any) -> Settings:
    """The settings in a file; ``otherwise`` gives those that the file leaves out.

    Raises:
        ServerError: if the file cannot be read, or something in it is no setting or cannot be meant.
    """
    text = ""
    fields = {field.name: field for field in dataclasses.fields(Settings) if field.name not in NOT_IN_A_FILE}
    try:
        text = path.read_text("utf-8")
        rows = tomllib.loads(text)
        for name in rows:
            if name not in fields:
                raise MistakeError(f"there is no setting {name!r}", name)
        values = {name: _value(path.parent, name, value) for name, value in rows.items()}
    except OSError as error:
        raise ServerError(f"cannot read the settings {path}: {error.strerror}") from error
    except ValueError as error:
        raise ServerError(f"the settings {path} are wrong: {with_line(text, error)}") from error
    missing = [
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and name not in values | otherwise
    ]
    if missing:
        raise ServerError(f"the settings {path} are wrong: {missing[0]} is missing")
    return Settings(**{**otherwise, **values})


def _value(folder: Path, name: str, value: Any) -> Any:
    try:
        converted = _converted(folder, name, value)
        if name == "trusted_proxies":
            networks(converted)
        if name == "timezone":
            time_zone(converted)
    except MistakeError as error:
        raise MistakeError(f"{name}: {error}", *error.path) from error
    except ValueError as error:
        raise MistakeError(f"{name}: {error}", name) from error
    settings_rules.check(name, converted)
    return converted


def _converted(folder: Path, name: str, value: Any) -> Any:
    if name in FOLDERS:
        return folder / convert(value, str, name)
    if name in FILES:
        return _readable(folder / convert(value, str, name), name)
    if name in FILE_LISTS:
        return tuple(_readable(folder / each, name) for each in convert(value, list[str], name))
    if name == "sso_issuers":
        keys = convert(value, dict[str, str], name)
        return tuple((issuer, _readable(folder / key, name, issuer)) for issuer, key in keys.items())
    if name == "fido_metadata":
        files = convert(value, dict[str, str], name)
        return tuple(
            (_readable(folder / blob, name, blob), _readable(folder / root, name, blob)) for blob, root in files.items()
        )
    if name == "oidc_providers":
        return tuple(_provider(folder, key, row) for key, row in convert(value, dict[str, Any], name).items())
    if isinstance(value, dict):
        _refuse_unknown(name, value)
    return convert(value, Settings.__annotations__[name], name)


def _provider(folder: Path, name: str, value: Any) -> OidcProvider:
    place = ("oidc_providers", name)
    row = convert(value, dict[str, Any], *place)
    known = {field.name for field in dataclasses.fields(OidcProvider)} - {"name"}
    for member in row:
        if member not in known:
            raise MistakeError(f"there is no {member!r}", *place, member)
    secret = row.pop("client_secret_file", None)
    provider = convert({**row, "name": name}, OidcProvider, *place)
    try:
        check_described(provider)
    except ValueError as error:
        raise MistakeError(str(error), *place) from error
    if secret is None:
        return provider
    at = (*place, "client_secret_file")
    return dataclasses.replace(provider, client_secret_file=_readable(folder / convert(secret, str, *at), *at))


def _readable(path: Path, *place: str) -> Path:
    """The file that is named at ``place``, as long as it can be read: later nobody knows the line."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise MistakeError(f"cannot read {path}: {error.strerror}", *place) from error
    return path


def _refuse_unknown(name: str, value: dict[str, Any]) -> None:
    """A table with a member that is none: it would be ignored, and somebody would believe that it had an effect."""
    table = Settings.__annotations__[name]
    known = {field.name for field in dataclasses.fields(table)} if dataclasses.is_dataclass(table) else set()
    for member in value:
        if member not in known:
            raise MistakeError(f"there is no {member!r}", name, member)
