"""Photographs as people take them: what each reader gets out of pictures of one to twelve million pixels.

``python -m benchmarks.photos`` prints the share of codes that are read, by kind of picture, and wrong reads. It knows nothing
of ``corpus``: other backgrounds, other severities, styles of codes that do not follow the standard, many codes in a picture.
A picture counts for as many codes as it shows; a reader that hands over bytes which stand in none of them is wrong.
"""

import argparse
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.photo_kinds import KINDS
from benchmarks.photo_scene import take
from benchmarks.readers import EXACT_READERS, Reader, texts_by_aruco
from emulators.camera_scanner.frames import Image


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """One picture, and what is in it."""

    kind: str
    image: Image
    payloads: frozenset[bytes]


def photo(kind: str, number: int) -> Photo:
    """The picture of a kind with this number: always the same."""
    rng = np.random.default_rng((20261122, tuple(KINDS).index(kind), number))
    return Photo(kind, *take(rng, KINDS[kind]))


def _by_aruco(image: Image) -> set[bytes]:
    return {text.encode() for text in texts_by_aruco(image)}


READERS: dict[str, Reader] = {**EXACT_READERS, "OpenCV Aruco": _by_aruco}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20, help="pictures of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first number")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND", help="only these")
    parser.add_argument(
        "--readers", nargs="+", choices=READERS, default=list(READERS), metavar="NAME", help="only these"
    )
    parser.add_argument("--missed", action="store_true", help="say what others read and we do not")
    args = parser.parse_args()
    codes: Counter[str] = Counter()
    hits: dict[str, Counter[str]] = {name: Counter() for name in args.readers}
    wrong: Counter[str] = Counter()
    seconds: dict[str, list[float]] = {name: [] for name in args.readers}
    console = Console(stderr=True)
    numbers = [(kind, args.first + number) for kind in args.kinds for number in range(args.count)]
    for kind, number in track(numbers, description="reading", console=console):
        seen = photo(kind, number)
        codes[kind] += len(seen.payloads)
        found = {}
        for name in args.readers:
            begun = time.perf_counter()
            found[name] = READERS[name](seen.image)
            seconds[name].append(time.perf_counter() - begun)
            hits[name][kind] += len(found[name] & seen.payloads)
            wrong[name] += len(found[name] - seen.payloads)
        if args.missed:
            ours = found.get("authrig, thorough", set())
            others = {
                name: len((got & seen.payloads) - ours) for name, got in found.items() if (got & seen.payloads) - ours
            }
            if others:
                print(f"{kind} {number}: {others}", flush=True)
    table = Table("kind", "codes", *args.readers)
    for kind in args.kinds:
        table.add_row(kind, str(codes[kind]), *(f"{hits[name][kind] / codes[kind]:.0%}" for name in args.readers))
    rates = [sum(hits[name][kind] / codes[kind] for kind in args.kinds) / len(args.kinds) for name in args.readers]
    table.add_row("mean of the kinds", "", *(f"{rate:.1%}" for rate in rates))
    table.add_row("wrong", "", *(str(wrong[name]) for name in args.readers))
    table.add_row("median ms", "", *(f"{1e3 * sorted(seconds[name])[len(numbers) // 2]:.0f}" for name in args.readers))
    table.add_row("slowest ms", "", *(f"{1e3 * max(seconds[name]):.0f}" for name in args.readers))
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
