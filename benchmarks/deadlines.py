"""Whether anybody ever waits longer for a picture than its deadline, whatever the picture and the deadline.

``python -m benchmarks.deadlines`` reads pictures of the corpus, pictures without a code, and pictures made to take long,
quickly and thoroughly, at several deadlines, and prints by how much the slowest answers were late. What a busy machine adds by
giving the processor to others is in it: the share of answers that were more than 5 ms late is printed beside.
"""

import argparse
import time
from itertools import cycle, islice

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from emulators.camera_scanner.corpus import corpus, damaged
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Image

DEADLINES_MS = (5, 10, 20, 50, 100, 250)
_LATE_MS = 5.0


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
    args = parser.parse_args()
    seen = pictures()
    table = Table("deadline", "pictures", "slowest answer", f"more than {_LATE_MS:g} ms late")
    for deadline in track(DEADLINES_MS, description="reading", console=Console(stderr=True)):
        took = []
        for number, image in enumerate(islice(cycle(seen), args.count)):
            begun = time.perf_counter()
            read_codes(image, deadline_ms=deadline, thorough=number // len(seen) % 2 == 1)
            took.append((time.perf_counter() - begun) * 1000)
        late = sum(one > deadline + _LATE_MS for one in took)
        table.add_row(f"{deadline} ms", str(len(took)), f"{max(took):.1f} ms", str(late))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
