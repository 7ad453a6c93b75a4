"""The event log of a test: one line of JSON for each thing that passed between the rig and its devices.

A line has ``time`` (seconds since the test began, by the rig's clock), ``layer``, ``device``, ``direction``
(``to_device`` or ``from_device``), ``bytes`` (hexadecimal) and ``decoded`` (an object). It is the source from which
captures, pages and comparisons are made. docs/how-to/evidence.md says what stands in it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from authrig.errors import RigError
from authrig.evidence.recorder import Event

NAME: Final = "events.jsonl"
_MICROSECONDS = 6


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of a log: what happened, and how many seconds after the test began."""

    time: float
    event: Event


def to_line(logged: Logged) -> str:
    """The line, without its end; the same event is the same line, whatever made it."""
    event = logged.event
    return json.dumps(
        {
            "time": round(logged.time, _MICROSECONDS),
            "layer": event.layer,
            "device": event.device,
            "direction": event.direction,
            "bytes": event.data.hex(),
            "decoded": event.decoded,
        },
        ensure_ascii=False,
    )


def write_log(path: Path, log: Iterable[Logged]) -> None:
    """Write a log.

    Raises:
        OSError: if it cannot be written.
    """
    write_text(path, "".join(to_line(logged) + "\n" for logged in log))


def write_text(path: Path, text: str) -> None:
    """Write ``text`` of JSON; the half of a character, as names of files may have, is written as JSON's escape of it.

    Raises:
        OSError: if it cannot be written.
    """
    path.write_text(text, "utf-8", errors="backslashreplace")


def read_log(path: Path) -> list[Logged]:
    """The log in ``path``.

    Raises:
        RigError: if it cannot be read, or a line is none of a log's.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RigError(f"{path}: cannot be read: {error.strerror}") from error
    return list(_read(path, lines))


def _read(path: Path, lines: Iterable[bytes]) -> Iterator[Logged]:
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            found: dict[str, Any] = json.loads(line)
            layer, device, direction = (str(found[name]) for name in ("layer", "device", "direction"))
            decoded = found["decoded"]
            if not isinstance(decoded, dict):
                raise TypeError("decoded")  # noqa: TRY301 - one sentence for all that a line may lack
            event = Event(layer, device, direction, bytes.fromhex(found["bytes"]), decoded)
            yield Logged(float(found["time"]), event)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RigError(
                f"{path}, line {number}: expected an event with time, layer, device, direction, bytes and decoded, "
                f"found {line[:60]!r}"
            ) from error
