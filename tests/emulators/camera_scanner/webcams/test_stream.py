import itertools

import httpx
import numpy as np
import pytest
import segno

from emulators.camera_scanner.sources.stream import HttpStream
from emulators.camera_scanner.webcams.errors import WebcamError
from emulators.camera_scanner.webcams.stream import StreamWebcam
from emulators.env import SystemClock
from tests.codes import read_patiently


def test_the_scanner_reads_what_the_webcam_shows() -> None:
    """Over HTTP, with no new picture needed: what is shown goes on coming."""
    rows = [[0 if module else 255 for module in row] for row in segno.make("on air", micro=False).matrix_iter(8, 4)]
    with StreamWebcam(frames_per_second=60) as webcam:
        webcam.show(np.array(rows, np.uint8))
        source = HttpStream(webcam.url, SystemClock())
        frames = list(itertools.islice(source.frames(), 5))
        source.close()
        assert httpx.get(webcam.page).headers["content-type"].startswith("text/html")
    assert {frame.image.shape for frame in frames} == {(480, 640, 3)}
    assert [read.data for read in read_patiently(frames[-1].image)] == [b"on air"]


def test_a_port_that_cannot_be_is_named() -> None:
    """Taken, or no port at all."""
    with StreamWebcam() as webcam:
        port = int(webcam.page.rsplit(":", 1)[1].strip("/"))
        with pytest.raises(WebcamError, match=f"port {port}: Address already in use; another port may be free"):
            StreamWebcam(port)
    with pytest.raises(WebcamError, match="port 70000: a port is a number up to 65535"):
        StreamWebcam(70_000)
    with pytest.raises(ValueError, match="found 0"):
        StreamWebcam(frames_per_second=0)
