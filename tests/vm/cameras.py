"""Cameras in the guest, for the suites that look through them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import segno

from emulators.camera_scanner.frames import Image
from emulators.usb.usbip_server import UsbIpServer
from tests.codes import read_patiently
from tests.vm.conftest import run, settle, wait_for


def code(text: str) -> Image:
    """A QR code with its quiet zone."""
    rows = [[0 if module else 255 for module in row] for row in segno.make(text, micro=False).matrix_iter(8, 4)]
    return np.array(rows, np.uint8)


def attach(server: UsbIpServer, busid: str | None) -> None:
    """What a user does."""
    host, port = server.address
    assert busid is not None
    run("usbip", "--tcp-port", str(port), "attach", "-r", host, "-b", busid)


def camera_node(name: str) -> Path:
    """The first node of the video device whose name contains ``name``: the one for pictures; waits for it."""
    node = wait_for(lambda: find_camera(name))
    settle()
    return node


def find_camera(name: str) -> Path | None:
    """That node if it is there now."""
    found = []
    for listed in Path("/sys/class/video4linux").glob("video*"):
        node = Path("/dev") / listed.name
        try:
            if name in (listed / "name").read_text() and node.exists():
                found.append((int((listed / "index").read_text()), node))
        except OSError:  # it comes, or it goes, between the two looks
            continue
    return min(found)[1] if found else None


@contextmanager
def capture(node: Path, pixels: str, width: int, height: int) -> Iterator[cv2.VideoCapture]:
    """OpenCV's eye on a camera."""
    eye = cv2.VideoCapture(str(node), cv2.CAP_V4L2)
    try:
        assert eye.isOpened()
        eye.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixels))
        eye.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        eye.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
        yield eye
    finally:
        eye.release()


def wait_until_seen(eye: cv2.VideoCapture, text: str, timeout: float = 100.0) -> Image:
    """A frame in which our scanner reads ``text``."""
    deadline = time.monotonic() + timeout
    while True:
        taken, picture = eye.read()
        assert taken
        frame = np.asarray(picture, np.uint8)
        # The guest's processor is slow: the decoders get more time than beside a camera.
        if [read.data for read in read_patiently(frame)] == [text.encode()]:
            return frame
        assert time.monotonic() < deadline, f"the camera did not show {text}"
