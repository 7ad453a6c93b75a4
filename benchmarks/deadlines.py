"""Whether anybody ever waits longer for a picture than its deadline, whatever the picture and the deadline.

``python -m benchmarks.deadlines`` reads pictures of the corpus, pictures without a code, and pictures made to take long,
quickly and thoroughly, at several deadlines (``--deadlines`` takes only some of them), and prints how long the slowest answer
took, and how many were late: by anything, and by more than the time for which the kernel (Linux) let whoever waits wait for a
processor, which on a busy machine is no fault of the reader.
"""

import argparse
import time
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.progress import say, told
from emulators.camera_scanner.corpus import corpus, damaged
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Image

DEADLINES_MS = (5, 10, 20, 50, 100, 250)
_WAITS = Path("/proc/thread-self/schedstat")


def pictures() -> list[Image]:
    """Of all conditions, without a code, and carpets of finder patterns one to three pixels a module."""
    found = [sample.image for sample in corpus(96)] + [damaged(number) for number in range(96)]
    finder = np.full((9, 9), 255, np.uint8)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = 0, 255, 0
    for scale, tiles in ((1, (50, 70)), (2, (26, 35)), (1, (120, 210)), (3, (40, 70))):
        found.append(np.asarray(np.tile(np.kron(finder, np.ones((scale, scale), np.uint8)), tiles), np.uint8))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="pictures at each deadline")
    parser.add_argument("--deadlines", nargs="+", type=int, default=DEADLINES_MS, metavar="MS", help="only these")
    args = parser.parse_args()
    seen = pictures()
    table = Table("deadline", "pictures", "slowest answer", "late", "late but for waits for a processor")
    for deadline in args.deadlines:
        took = answers(seen, deadline, args.count)
        late = [answer for answer in took if answer.milliseconds > deadline]
        ours = sum(answer.milliseconds - answer.waited > deadline for answer in late)
        slowest = max(answer.milliseconds for answer in took)
        table.add_row(f"{deadline} ms", str(args.count), f"{slowest:.1f} ms", str(len(late)), str(ours))
    Console(width=100).print(table)


class Answer(NamedTuple):
    """How long one took."""

    milliseconds: float
    waited: float
    """Of them, for a processor."""


def answers(seen: list[Image], deadline: int, count: int) -> list[Answer]:
    """So many answers; the pictures take turns, once quickly and once thoroughly."""
    took: list[Answer] = []
    chosen = enumerate(islice(cycle(seen), count))
    for number, image in told(chosen, count, lambda: f"{deadline} ms: slowest {max(took)[0]:.1f} ms"):
        thorough = number // len(seen) % 2 == 1
        waited, begun = waited_ms(), time.perf_counter()
        read_codes(image, deadline_ms=deadline, thorough=thorough)
        answer = Answer((time.perf_counter() - begun) * 1000, waited_ms() - waited)
        took.append(answer)
        if answer.milliseconds > deadline:
            how = f"picture {number % len(seen)}{', thoroughly' if thorough else ''}"
            say(f"{deadline} ms: {answer.milliseconds:.1f} ms, {answer.waited:.1f} for a processor: {how}")
    return took


def waited_ms() -> float:
    """For how long this thread could have run and had no processor, since it began; 0 where the kernel does not tell."""
    return int(_WAITS.read_text().split()[1]) / 1e6 if _WAITS.exists() else 0.0


if __name__ == "__main__":
    main()
