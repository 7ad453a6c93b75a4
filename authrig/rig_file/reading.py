"""Reads a rig file strictly: each mistake is one sentence that names the place, what was expected and what was found."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, cast

import msgspec

from authrig.errors import RigError
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
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RigError(f"cannot read the rig file {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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
    if document.get("version") != 1:
        raise ValueError(f"version: expected 1, found {document.get('version', 'none')}")
    for name, device in _convert(document.get("devices"), dict[str, Any], "devices").items():
        _convert(name, Name, "devices")
        kind = device.get("kind", "none") if isinstance(device, dict) else "no table"
        if kind not in KINDS:
            raise ValueError(f"devices.{name}.kind: expected one of {', '.join(KINDS)}, found {kind}")
        _convert(device, Device, f"devices.{name}")
    return _convert(document, RigFile, "")


_Value = TypeVar("_Value")
_SECRETS = frozenset({"pin", "seed_hex"})
"""Whose values a log of CI is not to keep, however wrong they are."""


def _convert(value: Any, into: type[_Value] | UnionType, place: str) -> _Value:
    try:
        return cast("_Value", msgspec.convert(value, into))
    except msgspec.ValidationError as error:
        raise ValueError(_sentence(error, value, place)) from error


def _sentence(error: msgspec.ValidationError, value: Any, place: str) -> str:
    """The library's sentence with the place before it, and what was found behind it."""
    why, _, where = str(error).rpartition(" - at `") if " - at `" in str(error) else (str(error), "", "$")
    steps = re.findall(r"[^.$`\[\]]+", where) if where.startswith("$") else []
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value.get(step) if isinstance(value, dict) else value
    named = ".".join(filter(None, (place, *steps))) or "the file"
    says_it = any(word in why for word in (", got ", "found", repr(value))) or isinstance(value, dict | list)
    if says_it:
        return f"{named}: {why}"
    return f"{named}: {why}, found {f'{len(value)} characters' if _SECRETS.intersection(steps) else repr(value)}"


def _mistakes(rig_file: RigFile) -> Iterator[str]:
    """What no single table shows."""
    if not rig_file.devices:
        yield "devices: expected at least one device, found none"
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
