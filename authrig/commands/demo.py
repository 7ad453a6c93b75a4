"""``authrig demo``: every flow end to end, a table of what happened, and a page that shows it."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authrig.demo.runner import Flow, FlowResult
    from authrig.evidence.recorder import Step


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("demo", help="run every flow end to end and write a page that shows it")
    parser.add_argument("--out", type=Path, default=Path("out/demo"), metavar="DIR", help="where the page goes")
    parser.add_argument("--seed", type=int, default=2026, help="seed of the emulated devices (default: 2026)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the flows; 0 only if every one did what it should."""
    from authrig.evidence.page import render_page

    results = _run_flows(args.seed, quiet=args.json)
    page = args.out / "index.html"
    try:
        args.out.mkdir(parents=True, exist_ok=True)
        page.write_text(render_page(results, args.seed), encoding="utf-8")
    except OSError as error:
        from authrig.errors import RigError

        raise RigError(f"the page cannot be written to {page}: {error.strerror}") from error
    if args.json:
        json.dump(_as_json(results, args.seed, page), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print_table(results, page)
    return 0 if all(result.passed for result in results) else 1


def _run_flows(seed: int, *, quiet: bool) -> "list[FlowResult]":
    """Run every flow on a fresh rig, with a progress bar on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from authrig.demo.flows import FLOWS
    from authrig.demo.runner import run_flows
    from authrig.rig import Rig

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=Console(stderr=True), disable=quiet) as progress,
        tempfile.TemporaryDirectory(prefix="authrig-demo-") as folder,
    ):
        bar = progress.add_task("starting the server", total=len(FLOWS))

        def tell(flow: "Flow", step: "Step") -> None:
            progress.update(bar, description=f"{flow.title}: {step.name}")

        results = []
        with Rig(Path(folder), seed=seed) as rig:
            for result in run_flows(FLOWS, rig, on_step=tell):
                results.append(result)
                progress.advance(bar)
        progress.update(bar, description="done")
    return results


def _print_table(results: "list[FlowResult]", page: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("Flow", "Steps", "Attacks refused", "Result", "Time")
    for result in results:
        attacks = [step for step in result.steps if step.evil]
        outcome = "[green]as it should be[/]" if result.passed else f"[red]{result.failure}[/]"
        refused = f"{sum(step.passed for step in attacks)} of {len(attacks)}"
        table.add_row(result.title, str(len(result.steps)), refused, outcome, f"{result.seconds:.2f} s")
    console.print(table)
    console.print(f"What happened, with every picture: {page}")


def _as_json(results: "list[FlowResult]", seed: int, page: Path) -> dict[str, Any]:
    """What a script wants to know."""
    return {
        "passed": all(result.passed for result in results),
        "seed": seed,
        "page": str(page),
        "flows": [
            {
                "name": result.name,
                "title": result.title,
                "passed": result.passed,
                "failure": result.failure,
                "seconds": round(result.seconds, 3),
                "steps": [
                    {
                        "name": step.name,
                        "attack": step.evil,
                        "expected": step.expected,
                        "found": step.found,
                        "passed": step.passed,
                        "seconds": round(step.seconds, 3),
                    }
                    for step in result.steps
                ],
            }
            for result in results
        ],
    }
