"""What is before a running token's camera: a webcam, a stream, the screen, a picture, a folder, a photograph of a picture."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from authrig.errors import RigError
from emulators.camera_scanner.frames import Frame, FrameSource, SourceError
from emulators.camera_scanner.sources.by_name import is_camera_number, open_camera
from emulators.env import Clock, Random

LOOK_SECONDS = 0.1
"""How often a picture, or a folder, is looked at."""
Pause = Callable[[float], object]


class Eye:
    """Frames for a token, in a thread of its own, while in a ``with`` block.

    Cameras are read all the time, so that what the token sees is what is there now. Pictures, videos and folders wait
    until the token scans, and for each of their frames to be taken.

    Args:
        where: as for ``--camera``.
        clock: stamps and paces frames.
        random: for a synthetic camera.

    Raises:
        RigError: if there is no such camera, screen or file.
    """

    def __init__(self, where: str, clock: Clock, random: Random) -> None:
        self._closed = threading.Event()
        self._changed = threading.Condition()
        self._watching = False
        self._frame: Frame | None = None
        self.problem = ""
        """Why there will be no more frames, in a sentence; empty while there will."""
        self.on_frame: Callable[[Frame], object] = lambda _: None
        """Called with each frame, in the eye's thread."""
        try:
            self._source, self._live = _open(where, clock, random, self._closed.wait)
        except (SourceError, OSError) as error:
            raise RigError(f"camera {where}: {error}") from error
        self._thread = threading.Thread(target=self._look, name="eye", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=5)  # a camera that hangs ends with the process
        if not self._thread.is_alive():
            self._source.close()

    def watch(self, *, watching: bool) -> None:
        """Whether the token scans now."""
        if watching is not self._watching:
            with self._changed:
                self._watching = watching
                self._changed.notify_all()

    def take(self) -> Frame | None:
        """The newest frame, once."""
        with self._changed:
            frame, self._frame = self._frame, None
            self._changed.notify_all()
        return frame

    def _look(self) -> None:
        try:
            if self._wanted():
                for frame in self._source.frames():
                    self._put(frame)
                    if not self._wanted():
                        return
        except (SourceError, OSError) as error:
            self.problem = str(error)
        else:
            self.problem = self.problem or "the camera has ended"

    def _wanted(self) -> bool:
        """Wait until a frame is wanted; False where none will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed.is_set() or self._live or (self._watching and not self._frame))
        return not self._closed.is_set()

    def _put(self, frame: Frame) -> None:
        with self._changed:
            self._frame = frame
        self.on_frame(frame)


class Held:
    """A picture or a video that is held before the camera: again and again, and anew where the file has changed."""

    def __init__(self, path: Path, pause: Pause) -> None:
        from emulators.camera_scanner.sources.any_file import open_file  # noqa: PLC0415 - OpenCV is slow to import

        self._path, self._pause, self._open_file = path, pause, open_file
        open_file(path).close()
        self.name = str(path)

    def frames(self) -> Iterator[Frame]:
        """Its frames, for ever."""
        while True:
            source, last = self._open_file(self._path), None
            try:
                for frame in source.frames():
                    self._pause(LOOK_SECONDS if last is None else min(max(frame.time - last, 0), 1))
                    last = frame.time
                    yield frame
            finally:
                source.close()

    def close(self) -> None:
        """Nothing to close."""


class Folder:
    """Each new picture in a folder, once, in the order of their times. What is there at the beginning does not count.

    A file counts once it has stopped to grow; what holds no picture is passed over.
    """

    def __init__(self, path: Path, clock: Clock, pause: Pause) -> None:
        self._path, self._clock, self._pause = path, clock, pause
        self._seen = self._stamps()
        self.name = f"folder {path}"

    def frames(self) -> Iterator[Frame]:
        """Of pictures that appear or change, for ever."""
        from emulators.camera_scanner.sources.any_file import open_file  # noqa: PLC0415 - OpenCV is slow to import

        before = self._seen
        while True:
            self._pause(LOOK_SECONDS)
            stamps = self._stamps()
            settled = [path for path, stamp in stamps.items() if before.get(path) == stamp != self._seen.get(path)]
            before = stamps
            for path in sorted(settled, key=stamps.__getitem__):
                self._seen[path] = stamps[path]
                try:
                    source = open_file(path)
                    yield from source.frames()
                except SourceError:
                    continue

    def close(self) -> None:
        """Nothing to close."""

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        """When each file was changed, and its size."""
        found = {}
        for path in self._path.iterdir():
            try:
                status = path.stat()
            except OSError:  # gone again
                continue
            if path.is_file() and not path.name.startswith("."):
                found[path] = (status.st_mtime_ns, status.st_size)
        return found


def _open(where: str, clock: Clock, random: Random, pause: Pause) -> tuple[FrameSource, bool]:
    """The source, and whether it shows what is there now."""
    path = Path(where)
    kind, _, place = where.partition(":")
    if kind == "synthetic" and place:
        return _photographed(Path(place), random), False
    if kind not in {"http", "https"} and not is_camera_number(where):
        if path.is_dir():
            return Folder(path, clock, pause), False
        if path.exists() or (kind != "screen" and ("/" in where or path.suffix)):
            return Held(path, pause), False
    return open_camera(where, clock, pause=pause), True


def _photographed(path: Path, random: Random) -> FrameSource:
    from emulators.camera_scanner.sources.images import load_image  # noqa: PLC0415 - OpenCV is slow to import
    from emulators.camera_scanner.sources.synthetic import SyntheticCamera  # noqa: PLC0415 - as above

    camera = SyntheticCamera(random)
    camera.show(load_image(path))
    return camera
