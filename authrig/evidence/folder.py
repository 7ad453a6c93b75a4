"""The folder in which the evidence of one test is kept."""

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from authrig.errors import RigError
from authrig.evidence import event_log, key_capture
from authrig.evidence.event_log import Logged
from authrig.evidence.recorder import Event, Exhibit, Picture, Recorder, Traffic

ABOUT: Final = "about.json"
STEPS: Final = "steps.json"
AUDIT: Final = "audit.jsonl"
_LONGEST_NAME: Final = 150
"""File systems take 255 bytes."""
_PACKAGES = ("authrig", "pytest", "fido2", "cryptography", "zxing-cpp", "opencv-python-headless")


def keep(
    recorder: Recorder, folder: Path, test: str, about: dict[str, Any], audit: Iterable[dict[str, Any]] = ()
) -> None:
    """Write what a test's devices did to ``folder``.

    Args:
        recorder: what was recorded.
        folder: is made if it is not there.
        test: its name, for the capture.
        about: the circumstances: seed, rig file, how it ended; versions are added.
        audit: the rows that the server wrote meanwhile.

    Raises:
        RigError: if it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_former(folder)
        log = [_logged(time, number, exhibit, folder) for number, (time, exhibit) in enumerate(recorder.timeline, 1)]
        event_log.write_log(folder / event_log.NAME, log)
        steps = [{**asdict(replace(step, exhibits=())), "exhibits": len(step.exhibits)} for step in recorder.steps]
        _write_json(folder / STEPS, steps)
        _write_json(folder / ABOUT, {"test": test, **about, "versions": versions()})
        rows = [json.dumps(row, ensure_ascii=False) + "\n" for row in audit]
        if rows:
            event_log.write_text(folder / AUDIT, "".join(rows))
    except OSError as error:
        raise RigError(f"the evidence in {folder} cannot be written: {error.strerror}") from error
    key_capture.write_capture(folder / key_capture.NAME, log, test)


def _remove_former(folder: Path) -> None:
    """Remove what an earlier run kept of the same test: its pictures and audit rows are not this run's."""
    ours = {event_log.NAME, key_capture.NAME, ABOUT, STEPS, AUDIT}
    for path in list(folder.iterdir()):
        if path.name in ours or re.fullmatch(r"[0-9]{4,}\.png", path.name):
            path.unlink()


def folder_name(test: str) -> str:
    """Of the folder for a test: readable, and another one for each test."""
    plain = test.replace("::", "_").replace("/", "_").replace("[", "_").removesuffix("]")
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", test).strip("_")
    if name == plain and len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.sha256(test.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def versions() -> dict[str, str]:
    """Of all that a result may depend on."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _logged(time: float, number: int, exhibit: Exhibit, folder: Path) -> Logged:
    """The line of an exhibit; a picture becomes a file, and its line names it."""
    match exhibit:
        case Picture(caption=caption, png=png):
            name = f"{number:04}.png"
            (folder / name).write_bytes(png)
            decoded = {"caption": caption, "file": name, "sha256": hashlib.sha256(png).hexdigest()}
            return Logged(time, Event("image", "", "from_device", b"", decoded))
        case Traffic(caption=caption, lines=lines):
            return Logged(time, Event("decoded", "", "from_device", b"", {"caption": caption, "lines": list(lines)}))
        case Event():
            return Logged(time, exhibit)


def _write_json(path: Path, value: object) -> None:
    event_log.write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """What stands in a file of evidence; None if there is no such file.

    Raises:
        RigError: if it is no JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RigError(f"{path}: expected the JSON of kept evidence: {error}") from error


def command_line() -> str:
    """How the run was started, without the folder of the program."""
    return " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
