"""``authrig test``: a shipped suite on the devices of a rig file, and a summary by area."""

import argparse
import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from authrig.errors import RigError

if TYPE_CHECKING:
    from authrig.hil.report import Case, SuiteReport

_SHOWN_LINES = 40
"""Of the exchange of a failed case; the page has all of them."""


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "test",
        help="run a shipped suite on the devices of a rig file",
        description="Runs a suite (fido, qr_token, scanner, flows) and sums up: passed, failed, not applicable. "
        "Exit code 0: nothing failed; 1: something did; 2: it could not run.",
    )
    parser.add_argument("suite", metavar="SUITE", help="fido, qr_token, scanner or flows")
    parser.add_argument("--rig", type=Path, metavar="FILE", help="the rig file; without one every device is emulated")
    parser.add_argument("--hil", metavar="MODE", help="prefer-attached (the default), emulated or attached")
    parser.add_argument("--transport", metavar="NAME", help="how emulated keys are plugged in")
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of the emulated devices; drawn and printed when not given"
    )
    parser.add_argument(
        "--clock", metavar="WHICH", help="real (the default), or simulated: emulated devices wait for no time to pass"
    )
    parser.add_argument("--evidence", metavar="WHEN", help="on-failure (the default), always or off")
    parser.add_argument("--artifacts", type=Path, metavar="DIR", help="where evidence goes (default: out/hil)")
    parser.add_argument(
        "--destructive-ok",
        action="store_true",
        help="also run what erases attached devices that the rig file marks as destructive",
    )
    parser.add_argument(
        "--only", metavar="WORDS", help='cases whose name has these words, as in "large_blobs and not token"'
    )
    parser.add_argument("--list", action="store_true", help="say in Markdown which cases there are; nothing runs")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write a JUnit file")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write a page with each case, and the exchange of each failure"
    )
    parser.add_argument(
        "--hil-report", type=Path, metavar="FILE", help="write a page on the run: each case with its evidence in time"
    )
    parser.add_argument(
        "--hil-report-before", type=Path, metavar="FILE", help="the page of a former run, to say what has changed"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the suite; 0 if nothing failed."""
    if find_spec("pytest") is None:
        raise RigError("authrig test runs on pytest, which is not installed: pip install pytest")
    from authrig.hil.report import SuiteReport, as_json, as_list, as_page

    if args.rig is not None:
        from authrig.rig_file.reading import load_rig_file

        load_rig_file(args.rig)  # one sentence, rather than one for each case
    if args.seed is None:
        args.seed = secrets.randbelow(2**31)
    suite = args.suite.replace("-", "_")
    options = [str(_folder(suite)), *_options(args)]
    if args.list:
        report = SuiteReport()
        _run_pytest([*options, "--collect-only"], report)
        sys.stdout.write(as_list(report.listed))
        return 0
    report = _run_with_progress(options, quiet=args.json)
    if not report.cases:
        raise RigError(f"the suite {suite} has no case that is named like that")
    if args.report is not None:
        _write(args.report, as_page(suite, report.cases, f"Rig: {args.rig or 'emulated devices'}, seed {args.seed}"))
    if args.json:
        json.dump({**as_json(suite, report.cases), "seed": args.seed}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print_summary(report.cases, args.seed)
    if all(case.outcome == "not applicable" for case in report.cases):
        # A script must not take a bench without devices for one on which all is well.
        raise RigError(f"nothing was tested: {report.cases[0].why}")
    return 1 if any(case.outcome == "failed" for case in report.cases) else 0


def _folder(suite: str) -> Path:
    """Where the suite is; it may be one module.

    Raises:
        RigError: if there is no such suite.
    """
    spec = find_spec("hil_tests")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    for place in map(Path, places):
        for path in (place / suite, place / f"test_{suite}.py"):
            if suite.isidentifier() and path.exists():
                return path
    found = sorted(
        {path.name.removeprefix("test_").removesuffix(".py") for place in places for path in Path(place).glob("[a-z]*")}
        - {"conftest", "py.typed"}
    )
    raise RigError(f"there is no suite {suite!r}: expected one of {', '.join(found) or 'none, hil_tests is missing'}")


def _options(args: argparse.Namespace) -> list[str]:
    """Pytest's options. The settings of the project in whose folder the user happens to stand are none of its.

    The plugin is named, as the environment may keep pytest from looking for plugins.
    """
    given: list[tuple[str, object]] = [
        ("--rig", args.rig.resolve() if args.rig else None),
        ("--hil", args.hil),
        ("--hil-transport", args.transport),
        ("--hil-seed", args.seed),
        ("--hil-clock", args.clock),
        ("--hil-evidence", args.evidence),
        ("--hil-artifacts", args.artifacts),
        ("-k", args.only),
        ("--junitxml", args.junit),
        ("--hil-report", args.hil_report),
        ("--hil-report-before", args.hil_report_before),
    ]
    options = ["-c", os.devnull, "--rootdir", str(Path.cwd()), "--import-mode=importlib", "-p", "no:cacheprovider"]
    options += ["-p", "authrig"]
    options += [word for option, value in given if value is not None for word in (option, str(value))]
    return [*options, "--hil-destructive-ok"] if args.destructive_ok else options


def _run_pytest(options: list[str], report: "SuiteReport") -> None:
    """Run pytest, which says nothing itself.

    Raises:
        RigError: if it cannot run; pytest has said why.
        KeyboardInterrupt: if it was interrupted.
    """
    import pytest

    with _without_settings():
        code = pytest.main([*options, "-p", "no:terminal"], plugins=[report])
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        raise RigError("the suite cannot run with these options")


@contextmanager
def _without_settings() -> Iterator[None]:
    """What the user has set for their own runs of pytest: -v alone would end this one, which has no terminal of pytest's."""
    settings = os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        yield
    finally:
        if settings is not None:
            os.environ["PYTEST_ADDOPTS"] = settings


def _run_with_progress(options: list[str], *, quiet: bool) -> "SuiteReport":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from authrig.hil.report import SuiteReport

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Its own handle: pytest takes standard error for itself while a test runs.
    with (
        os.fdopen(os.dup(2), "w", encoding="utf-8") as terminal,
        Progress(*columns, console=Console(file=terminal), disable=quiet) as progress,
    ):
        bar = progress.add_task("starting", total=None)

        def tell(case: "Case", total: int) -> None:
            progress.update(bar, description=case.area, total=total, advance=1)
            if case.outcome == "failed":
                progress.console.print(f"failed: {case.area}: {case.title}", markup=False)

        report = SuiteReport(tell)
        _run_pytest(options, report)
    return report


def _print_summary(cases: "list[Case]", seed: int) -> None:
    from rich.console import Console
    from rich.table import Table

    from authrig.hil.report import OUTCOMES, by_area

    console = Console()
    for case in cases:
        if case.outcome == "failed":
            console.print(
                f"\nfailed: {case.title} ({case.clause}; {case.name})",
                markup=False,
                highlight=False,
                style="red",
                soft_wrap=True,
            )
            console.print(f"  {case.why}", markup=False, highlight=False, soft_wrap=True)
            for line in case.exchange[-_SHOWN_LINES:]:
                console.print(f"    {line}", markup=False, highlight=False, soft_wrap=True)
    table = Table("Area", *(outcome.capitalize() for outcome in OUTCOMES))
    areas = by_area(cases)
    for area, found in areas.items():
        table.add_row(area, *(str(found[outcome]) for outcome in OUTCOMES))
    table.add_section()
    table.add_row("All", *(str(sum(found[outcome] for found in areas.values())) for outcome in OUTCOMES))
    console.print(table)
    console.print(f"Emulated devices: --seed {seed}", highlight=False)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise RigError(f"cannot write {path}: {error.strerror}") from error
