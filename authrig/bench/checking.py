"""Looks at each device of a rig file, one by one: is it there, and what would mend it."""

from dataclasses import dataclass
from pathlib import Path

from authrig.attached.controller import ControlledPort
from authrig.bench.bench import Bench
from authrig.errors import RigError
from authrig.ports.server import Browser
from authrig.ports.verification_server import attached_server, check_settings
from authrig.rig_file.entries import (
    CameraDevice,
    Controller,
    Device,
    Fido,
    OtpToken,
    QrToken,
    RigFile,
    Scanner,
    Server,
)
from emulators.camera_scanner.frames import SourceError
from emulators.env import SeededRandom


@dataclass(frozen=True, slots=True)
class DeviceFinding:
    """One device of a rig file; ``problem`` is a sentence, or None if it is as it should be."""

    name: str
    kind: str
    end: str
    problem: str | None


def check_devices(rig_file: RigFile) -> list[DeviceFinding]:
    """Open each device as a run would, without doing anything to it, and put it away again."""
    findings = []
    for name, entry in rig_file.devices.items():
        try:
            problem = None
            _look_at(rig_file, name, entry)
        except (RigError, SourceError, OSError) as error:
            problem = str(error)
        end = "attached" if entry.attached is not None else "emulated"
        findings.append(DeviceFinding(name, str(entry.__struct_config__.tag), end, problem))
    return findings


def _look_at(rig_file: RigFile, name: str, entry: Device) -> None:
    """Raise a RigError if the device is not as it should be."""
    if isinstance(entry, Server):
        if entry.attached is not None:
            server = attached_server(entry.attached)
            with server.browser() as browser:
                _answers(browser)
            server.close()
        elif entry.emulated is not None and entry.emulated.settings is not None:
            check_settings(Path(entry.emulated.settings))
        return
    # Alone, so that no other device of its kind is taken in its place; what looks at displays stays.
    cameras = {name: other for name, other in rig_file.devices.items() if isinstance(other, CameraDevice)}
    alone = RigFile(version=1, devices={**cameras, name: entry})
    with Bench(alone, SeededRandom(0), lambda _: None) as bench:
        _lend(bench, name, entry)
    for part in (getattr(entry, "touch", None), getattr(entry, "power", None)):
        if isinstance(part, Controller):
            ControlledPort(part.url, part.port).check()


def _lend(bench: Bench, name: str, entry: Device) -> None:
    match entry:
        case Fido():
            bench.key(name).open().close()
        case QrToken():
            bench.qr_token(name)
        case OtpToken():
            bench.otp_token(name)
        case Scanner():
            bench.scanner(name)
        case CameraDevice(attached=attached) if attached is not None:
            next(iter(bench.camera(name).frames()))
        case _:
            bench.camera(name)


def _answers(browser: Browser) -> None:
    """A server that answers anything at all in JSON is there."""
    browser.request("GET", "/health")
