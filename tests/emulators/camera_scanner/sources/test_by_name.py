from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from emulators.camera_scanner.frames import Image, NoScreen, NoSuchCamera
from emulators.camera_scanner.mjpeg import MjpegServer
from emulators.camera_scanner.sources.by_name import open_by_name, open_camera
from emulators.camera_scanner.sources.webcam import Settings
from emulators.env import SystemClock


def test_a_file_is_what_it_holds(tmp_path: Path, draw: Callable[..., Image]) -> None:
    """A picture, by its path."""
    path = tmp_path / "0"
    path.write_bytes(cv2.imencode(".png", draw("hello"))[1].tobytes())
    source = open_by_name(str(path), SystemClock())
    assert [frame.source for frame in source.frames()] == [str(path)]
    source.close()


def test_an_address_is_a_stream(draw: Callable[..., Image]) -> None:
    """Whether it is asked for as a camera or as anything."""
    with MjpegServer() as server:
        server.show(draw("hello"))
        for opened in (open_camera, open_by_name):
            source = opened(server.url + "stream", SystemClock())
            assert next(iter(source.frames())).image.shape[2] == 3
            source.close()


@pytest.mark.parametrize("name", ["http://127.0.0.1:9/", "screen", "screen:1,2,3,4"])
def test_only_cameras_of_this_machine_have_settings(name: str) -> None:
    """A focus cannot be asked of a stream, nor of the screen."""
    with pytest.raises(NoSuchCamera, match="are for a camera of this machine"):
        open_camera(name, SystemClock(), Settings(focus=1))


@pytest.mark.parametrize("place", ["1,2,3", "a,b,c,d", "1,2,3,-4", "1,2,3,400000"])
def test_a_region_is_four_numbers(place: str) -> None:
    """Anything else is told with what was expected."""
    with pytest.raises(NoScreen, match="LEFT,TOP,WIDTH,HEIGHT"):
        open_camera(f"screen:{place}", SystemClock())


@pytest.mark.parametrize("name", ["nosuch.png", "99999999", "\x00"])
def test_what_is_no_source_is_told(name: str) -> None:
    """In a sentence with what this machine has."""
    with pytest.raises(NoSuchCamera, match="this machine has"):
        open_by_name(name, SystemClock())
