"""``authrig cameras``: the cameras of this machine, and what they can deliver."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emulators.camera_scanner.sources.cameras import Camera


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "cameras",
        help="list the cameras of this machine",
        description="List the cameras of this machine: number, name, names that stay (by-id), picture sizes.",
        epilog="Exit code: 0 there is one, 1 there is none.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line for each camera")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print; returns the exit code."""
    from emulators.camera_scanner.sources.cameras import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        sys.stdout.write(as_json(camera) if args.json else as_text(camera))
    if not cameras:
        sys.stderr.write("authrig cameras: this machine has no camera (no /dev/video*)\n")
    return 0 if cameras else 1


def as_json(camera: Camera) -> str:
    """One line for a script."""
    sizes = {name: [list(size) for size in sizes] for name, sizes in camera.sizes.items()}
    return json.dumps({"index": camera.index, "name": camera.name, "ids": list(camera.ids), "sizes": sizes}) + "\n"


def as_text(camera: Camera) -> str:
    """Some lines for a person."""
    from emulators.camera_scanner.report import printable

    lines = [f"{camera.index:>2}  {printable(camera.name.encode()) or '(no name)'}"]
    lines += [f"    {printable(name.encode('utf-8', 'surrogateescape'))}" for name in camera.ids]
    lines += [f"    {name}  {' '.join(f'{w}x{h}' for w, h in sizes)}" for name, sizes in camera.sizes.items()]
    if not camera.sizes:
        lines.append("    delivers no pictures, or may not be opened")
    return "\n".join(lines) + "\n"
