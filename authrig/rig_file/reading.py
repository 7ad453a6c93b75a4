"""Reads a rig file strictly: each mistake is one sentence that names the place, what was expected and what was found."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, cast

import msgspec

from authrig.errors import RigError
from authrig.rig_file.choices import choices
from authrig.rig_file.entries import (
    KINDS,
    Camera,
    CameraDevice,
    Device,
    Name,
    OtpToken,
    QrToken,
    RigFile,
    Scanner,
)

DEFAULT = RigFile(
    version=1,
    devices=msgspec.convert(
        {
            "server": {"kind": "server", "emulated": {}},
            "key": {"kind": "fido", "emulated": {}, "destructive": True},
            "token": {"kind": "qr-token", "emulated": {}, "destructive": True},
            "scanner": {"kind": "scanner", "emulated": {}},
        },
        dict[str, Device],
    ),
)
"""What a rig is without a file: one of each, emulated."""


def load_rig_file(path: Path) -> RigFile:
    """The rig file at ``path``.

    Raises:
        RigError: if it cannot be read or something in it is wrong; all mistakes that could be told apart, one a line.
    """
    try:
        # Editors of Windows begin a file with a mark that says it is UTF-8.
        document = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise RigError(f"cannot read the rig file {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RigError(f"the rig file {path} is wrong: expected text in UTF-8: {error}") from error
    except RecursionError as error:
        raise RigError(f"the rig file {path} is wrong: it has too many brackets within each other") from error
    except tomllib.TOMLDecodeError as error:
        raise RigError(f"the rig file {path} is wrong: {error}") from error
    try:
        rig_file = _rig_file(document)
    except ValueError as error:
        raise RigError(f"the rig file {path} is wrong: {error}") from error
    mistakes = list(_mistakes(rig_file))
    if mistakes:
        raise RigError("\n".join(f"the rig file {path} is wrong: {mistake}" for mistake in mistakes))
    return rig_file


def _rig_file(document: dict[str, Any]) -> RigFile:
    """Each device by itself, so that a sentence can name it; the library's own would say ``[...]``.

    Raises:
        ValueError: with a sentence.
    """
    version = document.get("version")
    if version != 1 or type(version) is not int:
        raise ValueError(f"version: expected 1, found {'none' if version is None else _shown(version)}")
    if not document.get("devices", {}):
        raise ValueError("devices: expected at least one device, found none")
    for name, device in _convert(document["devices"], dict[str, Any], "devices").items():
        _convert(name, Name, "devices")
        kind = device.get("kind", "none") if isinstance(device, dict) else "no table"
        if kind not in KINDS:
            raise ValueError(
                f"devices.{name}.kind: expected one of {', '.join(KINDS)}, found {str(kind)[:_MOST_SHOWN]}"
            )
        _convert(device, Device, f"devices.{name}")
    return _convert(document, RigFile, "")


_Value = TypeVar("_Value")
_SECRETS = frozenset({"pin", "seed_hex"})
"""Whose values a log of CI is not to keep, however wrong they are."""
_MOST_SHOWN = 64
"""Characters of what was found."""


def _convert(value: Any, into: type[_Value] | UnionType, place: str) -> _Value:
    try:
        return cast("_Value", msgspec.convert(value, into))
    except msgspec.ValidationError as error:
        raise ValueError(_sentence(error, value, into, place)) from error


def _sentence(error: msgspec.ValidationError, whole: Any, into: Any, place: str) -> str:
    """The library's sentence with the place before it, and what was found behind it."""
    why, _, where = str(error).rpartition(" - at `") if " - at `" in str(error) else (str(error), "", "$")
    steps = re.findall(r"[^.$`\[\]]+", where) if where.startswith("$") else []
    value = whole
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value.get(step) if isinstance(value, dict) else value
    named = ".".join(filter(None, (place, *steps))) or "the file"
    if why.startswith("Invalid ") and (expected := choices(into, steps, _kind_of(whole))):
        return f"{named}: expected one of {expected}, found {_shown(value)}"
    says_it = any(word in why for word in (", got ", "found", repr(value))) or isinstance(value, dict | list)
    if says_it:
        return f"{named}: {why}"
    return f"{named}: {why}, found {f'{len(value)} characters' if _SECRETS.intersection(steps) else _shown(value)}"


def _kind_of(value: object) -> object:
    return value.get("kind") if isinstance(value, dict) else None


def _shown(value: object) -> str:
    """As Python shows it, the beginning where that is long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _mistakes(rig_file: RigFile) -> Iterator[str]:
    """What no single table shows."""
    for name, device in rig_file.devices.items():
        if (device.emulated is None) == (device.attached is None):
            found = "neither" if device.emulated is None else "both"
            yield f"devices.{name}: expected emulated or attached, found {found}"
        for camera in _cameras_of(device):
            if not isinstance(rig_file.devices.get(camera), CameraDevice):
                yield f"devices.{name}: expected a camera of this file, found {camera!r}"
    yield from _bench_mistakes(rig_file)


def _cameras_of(device: Device) -> Iterator[str]:
    """The names of the cameras that ``device`` is looked at with, or is."""
    if isinstance(device, QrToken | OtpToken) and isinstance(device.display, Camera):
        yield device.display.camera
    if isinstance(device, Scanner) and device.attached is not None and device.attached.camera is not None:
        yield device.attached.camera


def _bench_mistakes(rig_file: RigFile) -> Iterator[str]:
    """A bench is leased as one, so a device that is attached can be on one bench only."""
    bench_of: dict[str, str] = {}
    for bench, names in rig_file.benches.items():
        for name in names:
            device = rig_file.devices.get(name)
            if device is None:
                yield f"benches.{bench}: expected a device of this file, found {name!r}"
            elif device.attached is not None and bench_of.setdefault(name, bench) != bench:
                yield f"benches.{bench}: the device {name} is on the bench {bench_of[name]} already"
