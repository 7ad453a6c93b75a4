from pathlib import Path

import pytest

from emulators.usb import hidraw
from emulators.usb.errors import PlugError
from emulators.usb.hidraw import find_hidraw, wait_for_hidraw


def _node(folder: Path, name: str, phys: str) -> None:
    (folder / name / "device").mkdir(parents=True)
    (folder / name / "device" / "uevent").write_text(f"HID_ID=0003:1209:0001\nHID_NAME=key\nHID_PHYS={phys}\n")


def test_the_node_of_a_port_is_found(tmp_path: Path) -> None:
    """By its whole location, not by the beginning of one."""
    _node(tmp_path, "hidraw0", "port/1")
    _node(tmp_path, "hidraw1", "port/11")
    (tmp_path / "hidraw2").mkdir()
    assert find_hidraw("HID_PHYS=port/1", tmp_path) == Path("/dev/hidraw0")
    assert find_hidraw("HID_PHYS=port/11", tmp_path) == Path("/dev/hidraw1")
    assert find_hidraw("HID_PHYS=port/2", tmp_path) is None
    assert find_hidraw("HID_PHYS=port/2", tmp_path / "no sysfs") is None


def test_waiting_in_vain_ends_with_a_sentence() -> None:
    """It says what may be missing."""
    with pytest.raises(PlugError, match=r"no /dev/hidraw node within 0\.05 s"):
        wait_for_hidraw("HID_PHYS=no such port", timeout=0.05)


def test_a_node_is_waited_for_that_is_listed_but_not_yet_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The kernel lists a device before it makes its node."""
    made = tmp_path / "hidraw0"
    looks = 0

    def listed(_: str) -> Path:
        nonlocal looks
        looks += 1
        if looks == 3:
            made.touch()
        return made

    monkeypatch.setattr(hidraw, "find_hidraw", listed)
    assert wait_for_hidraw("HID_PHYS=port/1") == made
    assert looks == 3


def test_a_node_that_udev_opens_to_nobody_is_found_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another user's program may be meant to open it."""
    made = tmp_path / "hidraw0"
    made.touch()
    monkeypatch.setattr(hidraw, "find_hidraw", lambda _: made)
    monkeypatch.setattr(hidraw, "_UDEV", 0.05)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert wait_for_hidraw("HID_PHYS=port/1") == made
