from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from authrig.attached.inventory import Attachment
from authrig.errors import RigError
from authrig.ports import key_cables
from authrig.ports.key_cables import HidrawCable, WiredCable
from authrig.rig_file.entries import UsbMatch
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.usb import hid_binding
from tests.emulators.usb.usbip_host import UsbIpHost

HID = CtapHid(Authenticator(Env.simulated(1)))
SERIAL = HID.authenticator.profile.usb.serial_number


class Kernel:
    """Attaches keys, and takes its time: it lists one before its node is there, and still when it is asked twice after."""

    def __init__(self, folder: Path) -> None:
        self.node = folder / "hidraw0"
        self.host: UsbIpHost | None = None
        self.lists_it = self.asked = 0
        self.attached_while_listed = False

    def has_the_key(self) -> bool:
        """Whether it is attached."""
        return self.host is not None

    def inventory(self) -> tuple[Attachment, ...]:
        """What it has."""
        self.lists_it -= self.host is None
        if self.host is not None:
            self.asked += 1
            if self.asked > 2:
                self.node.touch()
        listed = self.host is not None or self.lists_it > 0
        return (Attachment("fido", self.node, "key", SERIAL, 1, 1, "1-1", ()),) if listed else ()

    def attach(self, host: str, port: str, busid: str) -> None:
        """`usbip attach`."""
        self.attached_while_listed |= self.lists_it > 0
        self.host = UsbIpHost((host, int(port)), busid)
        self.host.descriptor(1)  # once that is answered, the key knows that it has been plugged in

    def detach(self) -> None:
        """The bus has cut it off."""
        assert self.host is not None
        self.host.socket.close()
        self.host, self.lists_it, self.asked = None, 3, 0
        self.node.unlink()


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Kernel]:
    """A kernel in place of this machine's."""
    kernel = Kernel(tmp_path)
    monkeypatch.setattr(key_cables, "inventory", kernel.inventory)
    monkeypatch.setattr(key_cables, "_attach", kernel.attach)
    monkeypatch.setattr(hid_binding, "_listen", lambda: None)  # this machine's kernel knows nothing of it
    yield kernel
    if kernel.host is not None:
        kernel.host.socket.close()


def test_a_key_on_usbip_has_power_from_when_it_is_plugged_in(kernel: Kernel) -> None:
    """Not from when somebody first opens it; and the kernel has let go of the one before."""
    with closing(WiredCable(HID, "usbip")) as cable:
        assert not kernel.has_the_key()
        cable.unplug()
        cable.plug_in()
        assert kernel.has_the_key()
        assert kernel.node.exists()
        cable.unplug()
        kernel.detach()
        cable.plug_in()
        assert kernel.has_the_key()
        assert not kernel.attached_while_listed


class SlowSocket:
    """A socket with a switch, before a kernel that lists a key at once and makes its node when asked for the third time."""

    def __init__(self, folder: Path) -> None:
        self.key = Attachment("fido", folder / "hidraw0", "key", SERIAL, 1, 1, "1-1", ())
        self.asked = 0
        self.on = False

    def power_on(self) -> None:
        """Give power."""
        self.on = True

    def power_off(self) -> None:
        """Take it away."""
        self.on = False

    def inventory(self) -> tuple[Attachment, ...]:
        """What the kernel lists."""
        self.asked += 1
        if self.asked == 3:
            self.key.node.touch()
        return (self.key,)


def test_an_attached_key_is_plugged_in_once_it_can_be_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who opens it right after power came finds its node."""
    socket = SlowSocket(tmp_path)
    monkeypatch.setattr(key_cables, "inventory", socket.inventory)
    cable = HidrawCable("key", UsbMatch(serial=SERIAL), socket)
    assert not socket.key.node.exists()
    cable.plug_in()
    assert socket.on
    assert socket.key.node.exists()


def test_a_node_that_stays_shut_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With what may be missing."""
    socket = SlowSocket(tmp_path)
    socket.asked = 3
    monkeypatch.setattr(key_cables, "inventory", socket.inventory)
    monkeypatch.setattr(key_cables, "PATIENCE", 0.1)
    cable = HidrawCable("key", UsbMatch(serial=SERIAL), socket)
    with pytest.raises(RigError, match=r"key: .*hidraw0 cannot be opened after 0\.1 s; is there a udev rule"):
        cable.plug_in()
