"""The reading table: our cascade beside bare readers, on the same seeded pictures, and on pictures without a code.

``python -m benchmarks.reading`` takes some minutes; ``--count`` and ``--negatives`` make it shorter, and ``--skip`` goes on
where a shorter run has ended. A read that is wrong is told at once, with the number of its picture.
"""

import argparse
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from benchmarks.progress import say, told
from benchmarks.readers import EXACT_READERS, Reader, texts_by_aruco
from emulators.camera_scanner.corpus import CONDITIONS, OTHER_CARRIERS, OTHER_SIZES, Sample, corpus, damaged
from emulators.camera_scanner.frames import Image

_ARUCO, _FOUND = "OpenCV Aruco", b"?"


def _by_aruco(image: Image) -> set[bytes]:
    """What it finds is counted as found, whatever it says: its bytes are not exact."""
    return {_FOUND} if texts_by_aruco(image) else set()


READERS: dict[str, Reader] = {**EXACT_READERS, _ARUCO: _by_aruco}


@dataclass
class _Score:
    """What one reader made of the pictures."""

    name: str
    hits: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    work_ns: int = 0
    """Of the processor."""
    wrong: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.hits.total()} read, {self.wrong} wrong"

    def see(self, sample: Sample) -> None:
        """Read a picture with a code."""
        begun, worked = time.perf_counter(), time.process_time_ns()
        found = READERS[self.name](sample.image)
        self.seconds.append(time.perf_counter() - begun)
        self.work_ns += time.process_time_ns() - worked
        self.hits[sample.condition] += bool(found)
        self._judge(found - set(sample.payloads) - {_FOUND}, sample.condition)

    def see_nothing(self, image: Image, number: int) -> None:
        """Read a picture in which nothing can be read."""
        if self.name != _ARUCO:
            self._judge(READERS[self.name](image), f"negative {number}")

    def _judge(self, wrong: set[bytes], what: str) -> None:
        if wrong:
            self.wrong += 1
            say(f"{self.name} reads {sorted(wrong)} wrong: {what}")

    def row(self, total: Counter[str]) -> list[str]:
        """Of the table."""
        times = sorted(self.seconds)
        return [
            self.name,
            f"{self.hits.total() / total.total():.1%}",
            f"{statistics.median(times) * 1e3:.1f}",
            f"{statistics.mean(times) * 1e3:.1f}",
            f"{times[len(times) * 99 // 100] * 1e3:.0f}",
            str(self.wrong),
            *(f"{self.hits[condition] / max(1, total[condition]):.0%}" for condition in CONDITIONS),
        ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="pictures with a code")
    parser.add_argument("--negatives", type=int, default=2000, help="pictures without one, or with a damaged one")
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--second", action="store_true", help="other seeds, and codes on phones, laptops and badges")
    other.add_argument(
        "--third", action="store_true", help="other seeds again, on everything, in pictures of other sizes"
    )
    parser.add_argument(
        "--readers", nargs="+", choices=READERS, default=list(READERS), metavar="NAME", help="only these"
    )
    parser.add_argument("--skip", type=int, default=0, help="so many pictures of each kind were seen before")
    args = parser.parse_args()
    first = args.skip + (1_400_000 if args.third else 700_000 if args.second else 0)
    carriers = ("paper", *OTHER_CARRIERS) if args.third else OTHER_CARRIERS if args.second else ("paper",)
    samples = corpus(args.count, first, carriers, OTHER_SIZES) if args.third else corpus(args.count, first, carriers)
    scores = [_Score(name) for name in args.readers]
    total: Counter[str] = Counter()
    for sample in told(samples, args.count, lambda: ", ".join(map(str, scores))):
        total[sample.condition] += 1
        for score in scores:
            score.see(sample)
    negatives = range(first, first + args.negatives)
    for number in told(negatives, args.negatives, lambda: "negatives, " + ", ".join(map(str, scores))):
        image = damaged(number)
        for score in scores:
            score.see_nothing(image, number)
    if not total:
        print(f"{args.negatives} negatives: " + ", ".join(f"{score.name} {score.wrong} wrong" for score in scores))
        return
    table = Table("reader", "rate", "median ms", "mean ms", "p99 ms", "wrong", *CONDITIONS)
    for score in scores:
        table.add_row(*score.row(total))
    Console(width=240).print(table)
    by_name = {score.name: score for score in scores}
    if {"authrig", "zxing-cpp"} <= by_name.keys():
        ours, bare = by_name["authrig"], by_name["zxing-cpp"]
        print(
            f"mean cost of authrig over zxing-cpp: {statistics.mean(ours.seconds) / statistics.mean(bare.seconds):.2f}x "
            f"in time, {ours.work_ns / bare.work_ns:.2f}x of the processor"
        )


if __name__ == "__main__":
    main()
