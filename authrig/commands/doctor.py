"""``authrig doctor``: what this machine lacks, what for, and the command that mends it."""

import argparse
import ctypes.util
import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from glob import glob
from pathlib import Path
from typing import Any

from authrig.errors import RigError
from authrig.vm.kernel import check_machine

VIRTUAL_READER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")


@dataclass(frozen=True, slots=True)
class Need:
    """Something outside Python that a part of the rig uses."""

    name: str
    used_for: str
    mend: str
    is_there: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a need is met, and the command that meets it."""

    name: str
    used_for: str
    present: bool
    mend: str | None


def _runs_guests() -> bool:
    """Whether the virtual machine finds all that it needs; it knows best."""
    try:
        check_machine()
    except RigError:
        return False
    return True


NEEDS = (
    Need(
        "libzbar",
        "a second opinion when a QR code is hard to read",
        "apt-get install libzbar0",
        lambda: ctypes.util.find_library("zbar") is not None,
    ),
    Need(
        "fido2-tools",
        "fido2-token, fido2-cred and fido2-assert on `authrig key run`",
        "apt-get install fido2-tools",
        lambda: shutil.which("fido2-token") is not None,
    ),
    Need(
        "camera",
        "`authrig scan --camera`",
        "plug a webcam in; the user must be in the group video",
        lambda: bool(glob("/dev/video*")),  # noqa: PTH207 - a device pattern, not a path of ours
    ),
    Need(
        "uhid",
        "`authrig key run --transport uhid`",
        "modprobe uhid; docs/how-to/plug-the-key-in.md has the udev rule",
        lambda: os.access("/dev/uhid", os.W_OK),
    ),
    Need(
        "qemu",
        "`authrig vm`",
        "apt-get install qemu-system-x86 busybox-static kmod udev",
        _runs_guests,
    ),
    Need(
        "card reader",
        "`authrig key run --transport smartcard`",
        "apt-get install pcscd vsmartcard-vpcd",
        lambda: shutil.which("pcscd") is not None and VIRTUAL_READER.exists(),
    ),
    Need(
        "usbip",
        "devices on USB/IP, attached to this machine's kernel",
        "apt-get install usbip; modprobe vhci-hcd",
        lambda: shutil.which("usbip") is not None,
    ),
    Need(
        "tshark",
        "reading captures, with `authrig key dissector`",
        "apt-get install tshark",
        lambda: shutil.which("tshark") is not None,
    ),
    Need(
        "chromium",
        "logging in on the server's pages by itself",
        "apt-get install chromium",
        lambda: shutil.which("chromium") is not None,
    ),
    Need("pseudo-terminals", "`authrig key run`", "mount devpts on /dev/pts", lambda: os.access("/dev/ptmx", os.W_OK)),
)


def examine() -> list[Finding]:
    """Look at the machine."""
    findings = []
    for need in NEEDS:
        present = need.is_there()
        findings.append(Finding(need.name, need.used_for, present, None if present else need.mend))
    return findings


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("doctor", help="say what this machine lacks and how to mend it")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument(
        "--rig", type=Path, metavar="FILE", help="look at the devices of a rig file instead, one by one"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the findings. Nothing here is needed by the demo, so the exit code is 1 only as a hint for scripts."""
    if args.rig is not None:
        return _look_at_rig(args.rig, as_json=args.json)
    findings = examine()
    if args.json:
        json.dump([asdict(finding) for finding in findings], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        from rich.console import Console
        from rich.table import Column, Table

        table = Table("", "What", *(Column(title, overflow="fold") for title in ("Used for", "Mend with")))
        for finding in findings:
            table.add_row("ok" if finding.present else "--", finding.name, finding.used_for, finding.mend or "")
        Console().print(table)
    return 0 if all(finding.present for finding in findings) else 1


def _look_at_rig(path: Path, *, as_json: bool) -> int:
    """Whether each device of the rig file is as it should be; exit code 1 if one is not."""
    from authrig.bench.checking import check_devices
    from authrig.rig_file.reading import load_rig_file

    findings = check_devices(load_rig_file(path))
    if as_json:
        json.dump([asdict(finding) for finding in findings], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for finding in findings:
            mark = "ok" if finding.problem is None else "--"
            sys.stdout.write(
                f"{mark} {finding.name} ({finding.kind}, {finding.end}) {finding.problem or ''}".rstrip() + "\n"
            )
    return 0 if all(finding.problem is None for finding in findings) else 1
