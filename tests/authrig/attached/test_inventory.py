from pathlib import Path

import pytest

from authrig.attached.inventory import find, inventory
from authrig.errors import RigError
from authrig.rig_file.entries import UsbMatch
from authrig.rig_file.reading import load_rig_file
from authrig.rig_file.writing import first_rig_file

FIDO_REPORT = bytes.fromhex("06d0f10901a101")
MOUSE_REPORT = bytes.fromhex("05010902a101")


class Machine:
    """A /sys and a /dev as Linux lays them out."""

    def __init__(self, folder: Path) -> None:
        self.sys, self.dev = folder / "sys", folder / "dev"
        self.dev.mkdir()

    def usb(self, path: str, *, vendor: str, product: str, serial: str = "", name: str = "Thing") -> Path:
        """A USB device in the socket ``path``."""
        device = self.sys / "devices/usb1" / path
        device.mkdir(parents=True)
        files = {"idVendor": vendor, "idProduct": product, "serial": serial, "product": name, "manufacturer": "ACME"}
        for file, text in files.items():
            (device / file).write_text(text + "\n")
        return device

    def hidraw(self, node: str, usb: Path, report: bytes, uevent: str) -> None:
        """An interface of ``usb`` that is a HID device."""
        device = usb / f"{usb.name}:1.0" / f"0003:{node}"
        device.mkdir(parents=True)
        (device / "report_descriptor").write_bytes(report)
        (device / "uevent").write_text(uevent)
        self._list("hidraw", node, device)

    def tty(self, node: str, usb: Path, by_id: str) -> None:
        """An interface of ``usb`` that is a serial line."""
        device = usb / f"{usb.name}:1.1"
        device.mkdir()
        self._list("tty", node, device)
        self._link("serial/by-id", by_id, node)

    def camera(self, node: str, device: Path, index: str = "0") -> None:
        """A camera."""
        device.mkdir(parents=True, exist_ok=True)
        entry = self._list("video4linux", node, device)
        (entry / "index").write_text(index)
        (entry / "name").write_text("A camera")

    def _list(self, group: str, node: str, device: Path) -> Path:
        entry = self.sys / "class" / group / node
        entry.mkdir(parents=True)
        (entry / "device").symlink_to(device)
        (self.dev / node).touch()
        return entry

    def _link(self, folder: str, name: str, node: str) -> None:
        (self.dev / folder).mkdir(parents=True, exist_ok=True)
        (self.dev / folder / name).symlink_to(self.dev / node)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with two keys of one kind, a mouse, a serial line and a webcam with two nodes."""
    machine = Machine(tmp_path)
    for number, serial in ((0, "A1"), (1, "B2")):
        usb = machine.usb(f"1-{number + 1}", vendor="1050", product="0407", serial=serial)
        uevent = f"HID_ID=0003:00001050:00000407\nHID_NAME=ACME Key\nHID_UNIQ={serial}\n"
        machine.hidraw(f"hidraw{number}", usb, FIDO_REPORT, uevent)
    machine.hidraw("hidraw2", machine.usb("1-3", vendor="0001", product="0002"), MOUSE_REPORT, "HID_NAME=Mouse\n")
    machine.tty("ttyACM0", machine.usb("1-4.2", vendor="2341", product="0043", serial="S9"), "usb-ACME_Thing_S9-if00")
    webcam = machine.usb("1-5", vendor="046d", product="082d", name="C920")
    machine.camera("video0", webcam / "1-5:1.0")
    machine.camera("video1", webcam / "1-5:1.0", index="1")
    return machine


def test_finds_keys_serial_lines_and_cameras(machine: Machine) -> None:
    """A mouse is no key, and the second node of a webcam is no camera."""
    found = inventory(machine.sys, machine.dev)
    assert [(one.sort, one.node.name, one.serial, one.usb_path) for one in found] == [
        ("camera", "video0", "", "1-5"),
        ("fido", "hidraw0", "A1", "1-1"),
        ("fido", "hidraw1", "B2", "1-2"),
        ("serial", "ttyACM0", "S9", "1-4.2"),
    ]
    assert found[3].by_id == ("usb-ACME_Thing_S9-if00",)


def test_a_machine_with_nothing_has_nothing(tmp_path: Path) -> None:
    """No /sys/class/hidraw is no error."""
    assert inventory(tmp_path, tmp_path) == ()


@pytest.mark.parametrize(
    "match", [UsbMatch(serial="B2"), UsbMatch(usb_path="1-2"), UsbMatch(vendor=0x1050, product=0x0407, serial="B2")]
)
def test_finds_the_one_that_is_meant(machine: Machine, match: UsbMatch) -> None:
    """By its serial number, its socket, or all together."""
    assert find("fido", match, inventory(machine.sys, machine.dev), "key-b").node.name == "hidraw1"


def test_two_that_match_are_refused(machine: Machine) -> None:
    """Not the first one found: the wrong key might be erased."""
    with pytest.raises(RigError, match=r"^key-b: expected one fido device with vendor 1050, found 2: .*A1; .*B2$"):
        find("fido", UsbMatch(vendor=0x1050), inventory(machine.sys, machine.dev), "key-b")


def test_none_that_matches_is_a_sentence_that_says_what_is_there(machine: Machine) -> None:
    """So that one sees the mistyped serial number."""
    with pytest.raises(
        RigError, match=r"^key-b: expected one fido device with serial C3, found none; attached: .*A1; "
    ):
        find("fido", UsbMatch(serial="C3"), inventory(machine.sys, machine.dev), "key-b")


def test_the_first_rig_file_is_right_as_it_stands(machine: Machine, tmp_path: Path) -> None:
    """What a scan writes, the check takes, and it means the same devices."""
    found = inventory(machine.sys, machine.dev)
    path = tmp_path / "rig.toml"
    path.write_text(first_rig_file(found), "utf-8")
    devices = load_rig_file(path).devices
    kinds = {name: device.__struct_config__.tag for name, device in devices.items()}
    assert kinds == {
        "server": "server",
        "fido-1": "fido",
        "fido-2": "fido",
        "camera-1": "camera",
        "token-1": "qr-token",
        "scanner-1": "scanner",
    }
    match = devices["fido-2"].attached.match  # type: ignore[union-attr] # it is attached, or this fails
    assert find("fido", match, found, "fido-2").serial == "B2"
    assert "usb-ACME_Thing_S9-if00" in path.read_text("utf-8")


def test_a_device_cannot_write_into_the_rig_file(tmp_path: Path) -> None:
    """Names come from the device: a line break in one does not end the comment."""
    machine = Machine(tmp_path)
    evil = 'x"\n[devices.evil]\nkind = "fido"\nemulated = {}\n#\x7f'
    usb = machine.usb("1-1", vendor="1050", product="0407", serial=evil, name=evil)
    machine.camera("video0", usb / "1-1:1.0")
    path = tmp_path / "rig.toml"
    path.write_text(first_rig_file(inventory(machine.sys, machine.dev)), "utf-8")
    assert set(load_rig_file(path).devices) == {"server", "camera-1", "fido-1", "token-1", "scanner-1"}


def test_a_camera_that_nothing_tells_apart_is_a_comment(tmp_path: Path) -> None:
    """A virtual camera has no USB identity; an entry without anything to match by would be refused."""
    machine = Machine(tmp_path)
    machine.camera("video0", machine.sys / "devices/platform/vivid.0")
    path = tmp_path / "rig.toml"
    path.write_text(first_rig_file(inventory(machine.sys, machine.dev)), "utf-8")
    assert "camera-1" not in load_rig_file(path).devices
    assert "Nothing tells this one from others" in path.read_text("utf-8")
