"""The cameras of this machine, by names that stay the same when they are plugged in elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from emulators.camera_scanner.frames import NoSuchCamera
from emulators.camera_scanner.sources.v4l2 import picture_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEVICE = re.compile(r"video([0-9]+)")


@dataclass(frozen=True, slots=True)
class Camera:
    """One video device."""

    index: int
    """For ``Webcam``: N of /dev/videoN."""
    name: str
    """What its driver calls it; empty where that is not told."""
    ids: tuple[str, ...]
    """Its names in /dev/v4l/by-id, such as usb-046d_HD_Pro_Webcam_C920-video-index0."""
    sizes: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """For each pixel format the sizes (width, height) of its pictures; empty for a device that delivers none."""


def list_cameras(root: Path = Path("/")) -> tuple[Camera, ...]:
    """All video devices below ``root``, by index; a webcam may have several, of which one delivers pictures."""
    ids: dict[str, list[str]] = {}
    for link in sorted((root / "dev/v4l/by-id").glob("*")):
        ids.setdefault(link.resolve().name, []).append(link.name)
    found = []
    for device in (root / "dev").glob("video*"):
        number = _DEVICE.fullmatch(device.name)
        if number is None:
            continue
        found.append(
            Camera(
                int(number[1]),
                _first_line(root / "sys/class/video4linux" / device.name / "name"),
                tuple(ids.get(device.name, ())),
                picture_sizes(device),
            )
        )
    return tuple(sorted(found, key=lambda camera: camera.index))


def find_camera(wanted: str, root: Path = Path("/")) -> Camera:
    """The camera whose name or id contains ``wanted``, whatever its case; the first device of it.

    Raises:
        NoSuchCamera: if there is none, or several that are not one camera.
    """
    matches = [
        camera
        for camera in list_cameras(root)
        if any(wanted.lower() in known.lower() for known in (camera.name, *camera.ids))
    ]
    if not matches:
        names = ", ".join(sorted({camera.name for camera in list_cameras(root)})) or "none"
        raise NoSuchCamera(f"no camera's name or id contains {wanted!r}; this machine has {names}")
    if len({camera.name for camera in matches}) > 1:
        names = ", ".join(f"{camera.name} (camera {camera.index})" for camera in matches)
        raise NoSuchCamera(f"several cameras' names or ids contain {wanted!r}: {names}")
    return matches[0]


def _first_line(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").partition("\n")[0].strip()
    except OSError:
        return ""
