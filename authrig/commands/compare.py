"""``authrig compare``: what two devices said otherwise in the same tests."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "compare",
        help="compare the evidence of two runs, field by field",
        description="Compares recorded exchanges by what they mean: challenges, nonces, counters, signatures, channels "
        "and codes do not count. Exit code 0: nothing differs; 1: something does; 2: it could not be compared.",
    )
    parser.add_argument("first", type=Path, metavar="A", help="evidence of a run or of one test, such as out/hil")
    parser.add_argument("second", type=Path, metavar="B", help="evidence of the same tests on another device")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of sentences")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare; 1 if something differs."""
    from authrig.evidence.comparison import compare

    count, differences = compare(args.first, args.second)
    if args.json:
        document = {"tests": count, "equal": not differences, "differences": [asdict(each) for each in differences]}
        json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.writelines(f"{each.sentence}\n" for each in differences)
        tests = {each.test for each in differences}
        sys.stdout.write(f"{count} tests compared; {len(differences)} differences in {len(tests)} of them.\n")
    return 1 if differences else 0
