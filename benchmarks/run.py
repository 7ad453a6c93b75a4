"""``make bench``: every row, as a ratio to its floor. It prints and never judges."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict

from rich.console import Console
from rich.progress import track
from rich.table import Table

from authrig.errors import RigError
from benchmarks import eyes, fido, http_login, qr, token, vm
from benchmarks.harness import Measurement, Row, measure


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    args = parser.parse_args()
    measurements = list(_measure_all())
    if args.json:
        json.dump([_rounded(measurement) for measurement in measurements], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table("What", "Floor", "Ratio", "Target", "10 % .. 90 %", "One call", "Floor's call")
    for measurement in measurements:
        low, high = measurement.spread
        table.add_row(
            measurement.name,
            measurement.floor,
            f"{measurement.ratio:.1f}x",
            f"{measurement.target:g}x",
            f"{low:.1f} .. {high:.1f}",
            f"{measurement.subject_us:.0f} µs",
            f"{measurement.floor_us:.0f} µs",
        )
    Console().print(table)


def _measure_all() -> Iterator[Measurement]:
    groups: list[AbstractContextManager[list[Row]]] = [
        fido.rows(),
        qr.rows(),
        eyes.rows(),
        token.rows(),
        http_login.rows(),
    ]
    console = Console(stderr=True)
    for group in track(groups, description="measuring", console=console):
        with group as rows:
            yield from map(measure, rows)
    yield http_login.tail_measurement()
    with console.status("measuring in the virtual machine"):
        try:
            yield from vm.measurements()
        except RigError as error:
            console.print(f"not measured in the virtual machine: {error}", soft_wrap=True)


def _rounded(measurement: Measurement) -> dict[str, object]:
    return {
        **asdict(measurement),
        "ratio": round(measurement.ratio, 2),
        "spread": [round(ratio, 2) for ratio in measurement.spread],
        "subject_us": round(measurement.subject_us, 1),
        "floor_us": round(measurement.floor_us, 1),
    }


if __name__ == "__main__":
    main()
