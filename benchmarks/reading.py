"""The reading table: our cascade beside bare readers, on the same seeded pictures, and on pictures without a code.

``python -m benchmarks.reading`` takes some minutes; ``--count`` and ``--negatives`` make it shorter.
"""

import argparse
import statistics
import time
from collections import Counter

import cv2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.readers import EXACT_READERS, Reader
from emulators.camera_scanner.corpus import CONDITIONS, OTHER_CARRIERS, OTHER_SIZES, corpus, damaged
from emulators.camera_scanner.frames import Image

_ARUCO_SIDE = 1280
"""OpenCV's search takes minutes on some larger pictures: it sees them shrunk to this."""


def _by_aruco(image: Image) -> set[bytes]:
    """What it finds is counted as found, whatever it says: its bytes are not exact."""
    if max(image.shape) > _ARUCO_SIDE:
        return set()
    try:
        return {b"?"} if any(cv2.QRCodeDetectorAruco().detectAndDecodeMulti(image)[1]) else set()
    except cv2.error:
        return set()


READERS: dict[str, Reader] = {**EXACT_READERS, "OpenCV Aruco": _by_aruco}


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
    args = parser.parse_args()
    readers = {name: READERS[name] for name in args.readers}
    first = 1_400_000 if args.third else 700_000 if args.second else 0
    carriers = ("paper", *OTHER_CARRIERS) if args.third else OTHER_CARRIERS if args.second else ("paper",)
    samples = corpus(args.count, first, carriers, OTHER_SIZES) if args.third else corpus(args.count, first, carriers)
    console = Console(stderr=True)
    hits: dict[str, Counter[str]] = {name: Counter() for name in readers}
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    work: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for sample in track(samples, total=args.count, description="reading", console=console):
        total[sample.condition] += 1
        for name, read in readers.items():
            begun, worked = time.perf_counter(), time.process_time_ns()
            found = read(sample.image)
            seconds[name].append(time.perf_counter() - begun)
            work[name] += time.process_time_ns() - worked
            hits[name][sample.condition] += bool(found)
            wrong[name] += bool(found - set(sample.payloads) - {b"?"})
    for number in track(range(first, first + args.negatives), description="negatives", console=console):
        image = damaged(number)
        for name, read in readers.items():
            if name != "OpenCV Aruco":
                wrong[name] += bool(read(image))
    table = Table("reader", "rate", "median ms", "mean ms", "p99 ms", "wrong", *CONDITIONS)
    for name in readers:
        times = sorted(seconds[name])
        table.add_row(
            name,
            f"{hits[name].total() / total.total():.1%}",
            f"{statistics.median(times) * 1e3:.1f}",
            f"{statistics.mean(times) * 1e3:.1f}",
            f"{times[len(times) * 99 // 100] * 1e3:.0f}",
            str(wrong[name]),
            *(f"{hits[name][condition] / max(1, total[condition]):.0%}" for condition in CONDITIONS),
        )
    Console(width=240).print(table)
    mean = {name: statistics.mean(times) for name, times in seconds.items()}
    if {"authrig", "zxing-cpp"} <= mean.keys():
        ratio = mean["authrig"] / mean["zxing-cpp"]
        print(
            f"mean cost of authrig over zxing-cpp: {ratio:.2f}x in time, {work['authrig'] / work['zxing-cpp']:.2f}x of the processor"
        )


if __name__ == "__main__":
    main()
