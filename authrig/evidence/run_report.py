"""One page on a run: its tests, the evidence of each in time, and what has changed since a former run.

The page is one file, loads nothing, and carries its own data: a later run reads them from it.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from authrig.errors import RigError
from authrig.evidence import event_log, key_capture
from authrig.evidence.event_log import Logged
from authrig.evidence.folder import AUDIT, STEPS, read_json, versions
from authrig.evidence.meaning import exchanges
from authrig.rig_file.entries import RigFile

OPENS, CLOSES = '<script type="application/json" id="run">', "</script>"
LARGE_PICTURE, PICTURE_WIDTH = 32 << 10, 400
"""Bytes from which a picture is made smaller for the page, and the pixels that it then has from side to side."""
MOST_EVENTS: Final = 400
"""Of one test on the page; its folder has all of them."""


class Outcome(Protocol):
    """A test and how it ended, as ``authrig.hil.report.Case`` is."""

    @property
    def name(self) -> str: ...  # noqa: D102 - the members of Case, which says what they are
    @property
    def area(self) -> str: ...  # noqa: D102 - as above
    @property
    def title(self) -> str: ...  # noqa: D102 - as above
    @property
    def clause(self) -> str: ...  # noqa: D102 - as above
    @property
    def needs(self) -> str: ...  # noqa: D102 - as above
    @property
    def outcome(self) -> str: ...  # noqa: D102 - as above
    @property
    def why(self) -> str: ...  # noqa: D102 - as above
    @property
    def evidence(self) -> str: ...  # noqa: D102 - as above
    @property
    def seconds(self) -> float: ...  # noqa: D102 - as above


class Told(msgspec.Struct, frozen=True):
    """What a page says of one test, for the page of a later run; ``exchanges`` is a line for each, without what always differs."""

    outcome: str
    exchanges: tuple[str, ...]


class Run(msgspec.Struct, frozen=True):
    """What a page says of its run, for the page of a later one."""

    made: str
    seed: int
    tests: dict[str, Told]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing in a test's timeline."""

    time: float
    layer: str
    direction: str
    device: str
    text: str
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class Test:
    """One test on the page; ``change`` says what is new since the former run."""

    outcome: Outcome
    key: str
    rows: tuple[Row, ...]
    left_out: int
    steps: Sequence[Mapping[str, Any]]
    audit: tuple[str, ...]
    capture: str | None
    exchanges: tuple[str, ...]
    change: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToldRun:
    """A run as the page shows it."""

    tests: tuple[Test, ...]
    seed: int
    mode: str
    rig: str
    made: str


def tell_run(outcomes: Sequence[Outcome], seed: int, mode: str, rig_file: RigFile) -> ToldRun:
    """Read the evidence of each test.

    Raises:
        RigError: if some of it is no evidence.
    """
    rig = msgspec.json.format(msgspec.json.encode(rig_file)).decode()
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return ToldRun(tuple(map(_test, outcomes)), seed, mode, rig, made)


def _test(outcome: Outcome) -> Test:
    folder = Path(outcome.evidence) if outcome.evidence else None
    key = f"{outcome.area}: {outcome.name}"
    if folder is None or not (folder / event_log.NAME).is_file():
        return Test(outcome, key, (), 0, (), (), None, ())
    log = event_log.read_log(folder / event_log.NAME)
    rows = tuple(_row(logged, folder) for logged in log[:MOST_EVENTS])
    audit = (folder / AUDIT).read_text("utf-8").splitlines() if (folder / AUDIT).is_file() else ()
    capture = folder / key_capture.NAME
    return Test(
        outcome,
        key,
        rows,
        max(0, len(log) - MOST_EVENTS),
        read_json(folder / STEPS) or (),
        tuple(audit),
        str(capture) if capture.is_file() else None,
        tuple(map(str, exchanges(log))),
    )


def _row(logged: Logged, folder: Path) -> Row:
    event, picture = logged.event, None
    decoded = dict(event.decoded)
    if event.layer == "image":
        path = folder / Path(str(decoded.pop("file", ""))).name
        decoded.pop("sha256", None)
        picture = _data_uri(path.read_bytes()) if path.is_file() else None
    if event.layer == "decoded":
        text = "\n".join([str(decoded.get("caption", "")), *map(str, decoded.get("lines", ()))])
    else:
        said = ", ".join(f"{name}: {_short(value)}" for name, value in decoded.items())
        text = " ".join(part for part in (said, event.data.hex()) if part)
    arrow = "→" if event.direction == "to_device" else "←"
    return Row(logged.time, event.layer, arrow, event.device, text, picture)


def _data_uri(png: bytes) -> str:
    """A picture as the page carries it: a large one made smaller, for the folder has it whole."""
    if len(png) <= LARGE_PICTURE:
        return "data:image/png;base64," + base64.b64encode(png).decode()
    import cv2  # noqa: PLC0415 - slow to import, and only cameras' pictures need it
    import numpy as np  # noqa: PLC0415 - as above

    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return "data:,"
    scale = min(1.0, PICTURE_WIDTH / image.shape[1])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 75])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode()


def _short(value: object) -> str:
    if isinstance(value, list):
        return " / ".join(map(str, value))
    return str(value) if not isinstance(value, dict) else json.dumps(value, ensure_ascii=False)


def as_run(run: ToldRun) -> Run:
    """What a later page wants to know."""
    return Run(run.made, run.seed, {test.key: Told(test.outcome.outcome, test.exchanges) for test in run.tests})


def read_page(path: Path) -> Run:
    """The run of which ``path`` is the page.

    Raises:
        RigError: if it is no such page.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RigError(f"{path}: cannot be read: {error}") from error
    found = re.search(re.escape(OPENS) + "(.*?)" + re.escape(CLOSES), text, re.DOTALL)
    if found is None:
        raise RigError(f"{path}: expected a page that --hil-report wrote, found another file")
    try:
        return msgspec.json.decode(found[1], type=Run)
    except msgspec.DecodeError as error:
        raise RigError(f"{path}: its data are damaged: {error}") from error


def write_page(path: Path, run: ToldRun, former: Run | None = None) -> None:
    """Write the page, with what has changed since ``former``.

    Raises:
        RigError: if it cannot be written.
    """
    text = render(run, former)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", errors="backslashreplace")
    except OSError as error:
        raise RigError(f"{path}: cannot be written: {error.strerror}") from error


def render(run: ToldRun, former: Run | None = None) -> str:
    """The page."""
    import jinja2  # noqa: PLC0415 - only where a page is wanted

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("authrig.evidence"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    # "</script>" in a name must not end the data.
    data = msgspec.json.encode(as_run(run)).decode().replace("<", "\\u003c")
    tests = [(test, *_change(test, former)) for test in run.tests]
    gone = [] if former is None else sorted(set(former.tests) - {test.key for test in run.tests})
    return environment.get_template("run.html.j2").render(
        run=run,
        tests=tests,
        gone=gone,
        former=former,
        counts=Counter(test.outcome.outcome for test in run.tests),
        changed=sum(bool(change) for _, change, _ in tests),
        versions=versions(),
        data=data,
        opens=OPENS,
        closes=CLOSES,
    )


def _change(test: Test, former: Run | None) -> tuple[str, tuple[str, ...]]:
    """What is new about a test since the former run, in words and as the lines of a difference."""
    if former is None:
        return "", ()
    before = former.tests.get(test.key)
    if before is None:
        return "new", ()
    if before.outcome != test.outcome.outcome:
        return f"was {before.outcome}", _difference(before.exchanges, test.exchanges)
    if before.exchanges and test.exchanges and before.exchanges != test.exchanges:
        return "other exchanges", _difference(before.exchanges, test.exchanges)
    return "", ()


def _difference(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    from difflib import unified_diff  # noqa: PLC0415 - only where something differs

    if not before or not after:
        return ()
    return tuple(unified_diff(before, after, "former run", "this run", lineterm="", n=1))[:MOST_EVENTS]
