from pathlib import Path

import pytest

from emulators.camera_scanner.frames import NoSuchCamera
from emulators.camera_scanner.sources.cameras import Camera, find_camera, list_cameras


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with a webcam of two devices, a virtual one, and things that are no cameras."""
    for index, name in ((0, "HD Pro Webcam C920"), (1, "HD Pro Webcam C920"), (10, "Loopback")):
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / f"dev/video{index}").touch()
        (tmp_path / f"sys/class/video4linux/video{index}").mkdir(parents=True)
        (tmp_path / f"sys/class/video4linux/video{index}/name").write_text(name + "\n")
    (tmp_path / "dev/video-notes").touch()
    (tmp_path / "dev/v4l/by-id").mkdir(parents=True)
    (tmp_path / "dev/v4l/by-id/usb-046d_C920_1234-video-index0").symlink_to("../../video0")
    return tmp_path


def test_cameras_are_listed_by_index_with_their_names(root: Path) -> None:
    """10 after 1, and what is no device is left out."""
    assert list_cameras(root) == (
        Camera(0, "HD Pro Webcam C920", ("usb-046d_C920_1234-video-index0",)),
        Camera(1, "HD Pro Webcam C920", ()),
        Camera(10, "Loopback", ()),
    )
    assert list_cameras(root / "nowhere") == ()


def test_a_camera_is_found_by_a_part_of_its_name_or_id(root: Path) -> None:
    """Whatever its case; doubts are told."""
    assert find_camera("c920", root).index == 0
    assert find_camera("046D_c920_1234", root).index == 0
    assert find_camera("loop", root).index == 10
    with pytest.raises(NoSuchCamera, match="contains 'nothing'; this machine has HD Pro Webcam C920, Loopback"):
        find_camera("nothing", root)
    with pytest.raises(NoSuchCamera, match="several cameras"):
        find_camera("o", root)
