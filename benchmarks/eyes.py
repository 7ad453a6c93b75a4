"""What the scanner's eyes cost: frames of the synthetic camera, a code that stays in view, and from glass to result.

``python -m benchmarks.eyes`` prints how long a code takes from the moment it is shown until it is read: a live y4m file is
overwritten in place at random times, and a reader takes a picture from that file 30 times a second, as Chromium's fake
camera does. Measured is from the end of ``show`` to the answer of ``read_codes``. Half a frame period of it is waiting.
"""

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import segno
import zxingcpp

from benchmarks.harness import Row
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.preset import preset_names
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.camera_scanner.tracking import LastPlaceFirst
from emulators.camera_scanner.webcams.chromium_file import ChromiumFileWebcam
from emulators.env import SeededRandom

PERIOD = 1 / 30


@contextmanager
def rows() -> Iterator[list[Row]]:
    """One row for each preset's camera, and one each for a first look in gray and in the last place."""
    code = draw("the synthetic camera")
    cameras = []
    for name in preset_names():
        camera = SyntheticCamera(SeededRandom(1), name)
        camera.show(code)
        cameras.append((name, camera.frames()))
    frame = next(cameras[0][1]).image
    gray = np.ascontiguousarray(frame[:, :, 1])
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    track = LastPlaceFirst()
    yield [
        *(
            Row(
                f"a frame of the synthetic camera, 640x480, {name}",
                "the time between two frames at 30 a second",
                lambda frames=frames: next(frames),  # type: ignore[misc] # bound now, called without arguments
                lambda: time.sleep(PERIOD),
                target=1,
                batch=5,
                rounds=10,
            )
            for name, frames in cameras
        ),
        Row(
            "a gray frame that is read at first look",
            "the same look, bare",
            lambda: read_codes(gray),
            lambda: zxingcpp.read_barcodes(gray, formats=formats),
            target=1.1,
            batch=20,
        ),
        Row(
            "a code that stays in view, five frames",
            "five bare looks",
            lambda: [track(frame) for _ in range(5)],
            lambda: [zxingcpp.read_barcodes(frame, formats=formats) for _ in range(5)],
            target=1,
            batch=4,
        ),
    ]


def draw(text: str) -> Image:
    """A code, six pixels a module."""
    rows = segno.make(text, micro=False, error="m").matrix_iter(scale=6, border=4)
    return np.where(np.array([list(row) for row in rows], np.uint8), 0, 255).astype(np.uint8)


def glass_to_result(count: int) -> list[float]:
    """Seconds from the end of ``show`` until the code is read, for ``count`` codes shown at random times."""
    delays: list[float] = []
    shown: dict[bytes, float] = {}
    read: dict[bytes, threading.Event] = {}
    pictures = {f"code {number}": draw(f"code {number}") for number in range(count)}
    read.update((text.encode(), threading.Event()) for text in pictures)
    over = threading.Event()
    with tempfile.TemporaryDirectory() as folder, ChromiumFileWebcam(Path(folder) / "live.y4m") as webcam:

        def watch() -> None:
            file = os.open(webcam.path, os.O_RDONLY)
            size = os.fstat(file).st_size
            pixels = 640 * 480
            start = size - pixels * 3 // 2
            due = time.monotonic()
            while not over.is_set():
                time.sleep(max(0.0, due - time.monotonic()))
                due += PERIOD
                luminance = np.frombuffer(os.pread(file, pixels, start), np.uint8).reshape(480, 640)
                for found in read_codes(luminance):
                    if not read[found.data].is_set():
                        delays.append(time.monotonic() - shown[found.data])
                        read[found.data].set()
            os.close(file)

        eye = threading.Thread(target=watch)
        eye.start()
        chance = np.random.default_rng(1)
        for text, picture in pictures.items():
            time.sleep(float(chance.uniform(0.02, 0.08)))
            shown[text.encode()] = time.monotonic()
            webcam.show(picture)
            shown[text.encode()] = time.monotonic()
            read[text.encode()].wait(5)
        over.set()
        eye.join()
    return delays


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="codes")
    args = parser.parse_args()
    delays = sorted(1000 * delay for delay in glass_to_result(args.count))
    median, late = statistics.median(delays), delays[len(delays) * 95 // 100]
    print(f"{len(delays)} of {args.count} codes read; glass to result: median {median:.0f} ms (at most 38), ", end="")
    print(f"95 of 100 within {late:.0f} ms (at most 67), worst {delays[-1]:.0f} ms")


if __name__ == "__main__":
    main()
