"""A webcam on the network: an HTTP stream of JPEG pictures, as IP cameras and phones send it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulators.camera_scanner.mjpeg import LOOPBACK, MjpegServer
from emulators.camera_scanner.webcams.errors import WebcamError
from emulators.camera_scanner.webcams.paced import PacedWebcam

if TYPE_CHECKING:
    from emulators.camera_scanner.frames import Image
    from emulators.env import Clock

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Authrig test camera</title>
<style>body{margin:0;background:#000}img{width:100vw;height:100vh;object-fit:contain}</style>
<img src="/stream" alt="What the camera shows">
"""


class StreamWebcam(PacedWebcam):
    """Sends the picture that was shown last to all who open ``url``, at a steady rate.

    Raises:
        WebcamError: if it cannot listen there.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = LOOPBACK,
        *,
        size: tuple[int, int] = (640, 480),
        frames_per_second: float = 30,
        clock: Clock | None = None,
    ) -> None:
        try:
            self._server = MjpegServer(port, host, page=_PAGE)
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "a port is a number up to 65535"
            raise WebcamError(f"cannot stream on {host} port {port}: {reason}; another port may be free") from error
        try:
            super().__init__(size, frames_per_second, clock)
        except ValueError:
            self._server.close()
            raise
        self.page = self._server.url
        """A page with the stream, for people."""
        self.url = f"{self._server.url}stream"
        """The stream."""

    def _put(self, frame: Image) -> None:
        self._server.show(frame)

    def _close_files(self) -> None:
        self._server.close()
