"""``make bench``: every row, as a ratio to its floor. It prints and never judges."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import fido, http_login, qr, token
from benchmarks.harness import Measurement, Row, measure


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    args = parser.parse_args()
    measurements = list(_measure_all())
    if args.json:
        json.dump([_as_json(measurement) for measurement in measurements], sys.stdout, indent=2)
        sys.stdout.write("\n")
        return
    table = Table("What", "Floor", "Ratio", "Target", "10 % .. 90 %", "One call", "Floor's call")
    for measurement in measurements:
        low, high = _spread(measurement)
        table.add_row(
            measurement.row.name,
            measurement.row.floor_name,
            f"{measurement.ratio:.1f}x",
            f"{measurement.row.target:g}x",
            f"{low:.1f} .. {high:.1f}",
            f"{measurement.subject_us:.0f} µs",
            f"{measurement.floor_us:.0f} µs",
        )
    Console().print(table)


def _measure_all() -> Iterator[Measurement]:
    groups: list[AbstractContextManager[list[Row]]] = [fido.rows(), qr.rows(), token.rows(), http_login.rows()]
    for group in track(groups, description="measuring", console=Console(stderr=True)):
        with group as rows:
            yield from map(measure, rows)


def _spread(measurement: Measurement) -> tuple[float, float]:
    ratios = sorted(measurement.ratios)
    tenth = len(ratios) // 10
    return ratios[tenth], ratios[-1 - tenth]


def _as_json(measurement: Measurement) -> dict[str, object]:
    return {
        "name": measurement.row.name,
        "floor": measurement.row.floor_name,
        "ratio": round(measurement.ratio, 2),
        "target": measurement.row.target,
        "spread": [round(ratio, 2) for ratio in _spread(measurement)],
        "subject_us": round(measurement.subject_us, 1),
        "floor_us": round(measurement.floor_us, 1),
    }


if __name__ == "__main__":
    main()
