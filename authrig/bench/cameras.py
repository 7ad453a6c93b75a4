"""Cameras of a bench."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from authrig.attached.inventory import find, inventory
from authrig.errors import RigError
from authrig.rig_file.entries import CameraDevice
from emulators.camera_scanner.frames import SourceError
from emulators.camera_scanner.preset import PresetError
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.camera_scanner.sources.webcam import Settings, Webcam
from emulators.env import SystemClock

if TYPE_CHECKING:
    from authrig.bench.tools import Tools
    from emulators.camera_scanner.frames import FrameSource


def camera(tools: Tools, device: str) -> FrameSource:
    """The camera that the rig file calls ``device``.

    Raises:
        RigError: if there is none, or it cannot be opened.
    """
    entry = tools.rig_file.devices.get(device)
    if not isinstance(entry, CameraDevice):
        raise RigError(f"{device}: the rig file has no such camera")
    if entry.emulated is not None:
        try:
            return SyntheticCamera(tools.stream(entry.emulated.seed, device), entry.emulated.preset)
        except PresetError as error:
            raise RigError(f"{device}: {error}") from error
    assert entry.attached is not None  # a rig file with neither is refused when it is read
    node = find("camera", entry.attached.match, inventory(), device).node
    number = re.fullmatch(r"video([0-9]+)", node.name)
    assert number is not None  # the kernel names them so
    try:
        webcam = Webcam(int(number[1]), SystemClock(), settings=Settings(entry.attached.size))
    except SourceError as error:
        raise RigError(f"{device}: {error}") from error
    tools.opened.callback(webcam.close)
    return webcam
