from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from authrig.attached.inventory import Attachment
from authrig.ports import key_cables
from authrig.ports.key_cables import WiredCable
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from tests.emulators.usb.usbip_host import UsbIpHost

HID = CtapHid(Authenticator(Env.simulated(1)))
KEY = Attachment("fido", Path("/dev/hidraw0"), "key", HID.authenticator.profile.usb.serial_number, 1, 1, "1-1", ())


class Kernel:
    """Attaches keys, and takes its time to let go of one: it still lists it when it is asked twice."""

    def __init__(self) -> None:
        self.host: UsbIpHost | None = None
        self.lists_it = 0
        self.attached_while_listed = False

    def has_the_key(self) -> bool:
        """Whether it is attached."""
        return self.host is not None

    def inventory(self) -> tuple[Attachment, ...]:
        """What it has."""
        self.lists_it -= self.host is None
        return (KEY,) if self.host is not None or self.lists_it > 0 else ()

    def attach(self, host: str, port: str, busid: str) -> None:
        """`usbip attach`."""
        self.attached_while_listed |= self.lists_it > 0
        self.host = UsbIpHost((host, int(port)), busid)
        self.host.descriptor(1)  # once that is answered, the key knows that it has been plugged in

    def detach(self) -> None:
        """The bus has cut it off."""
        assert self.host is not None
        self.host.socket.close()
        self.host, self.lists_it = None, 3


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    """A kernel in place of this machine's."""
    kernel = Kernel()
    monkeypatch.setattr(key_cables, "inventory", kernel.inventory)
    monkeypatch.setattr(key_cables, "_attach", kernel.attach)
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
        cable.unplug()
        kernel.detach()
        cable.plug_in()
        assert kernel.has_the_key()
        assert not kernel.attached_while_listed
