import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from pathlib import Path

import pytest

from emulators.usb import hid_binding
from emulators.usb.hid_binding import HidBinding

Pair = tuple[HidBinding, socket.socket]


@pytest.fixture
def kernel() -> Iterator[Pair]:
    """Who waits for the device in port/1, and what a kernel tells it by."""
    kernel, news = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with kernel, closing(HidBinding("HID_PHYS=port/1", news)) as binding:
        yield binding, kernel


def _message(action: str, phys: str) -> bytes:
    """As the kernel words it (lib/kobject_uevent.c)."""
    path = "/devices/virtual/misc/uhid/0003:1209:0001.0001"
    lines = (f"{action}@{path}", f"ACTION={action}", f"DEVPATH={path}", "SUBSYSTEM=hid", f"HID_PHYS={phys}", "SEQNUM=7")
    return b"".join(line.encode() + b"\0" for line in lines)


def test_only_the_driver_of_that_device_ends_the_wait(kernel: Pair) -> None:
    """Not that it was found, nor that another one was taken whose port begins alike."""
    binding, sender = kernel
    for action, phys in (("add", "port/1"), ("bind", "port/11"), ("unbind", "port/1")):
        sender.send(_message(action, phys))
    assert not binding.wait(0.01)
    sender.send(_message("bind", "port/1"))
    assert binding.wait(30)
    assert binding.wait(0)


def test_it_is_told_while_somebody_waits(kernel: Pair) -> None:
    """The usual case: the node was there, the driver still at work."""
    binding, sender = kernel
    told = threading.Timer(0.05, sender.send, [_message("bind", "port/1")])
    told.start()
    assert binding.wait(30)
    told.join()


def test_where_nobody_can_listen_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a sandbox, or once the kernel has lost some of its news."""
    monkeypatch.setattr(hid_binding, "_listen", lambda: None)
    assert HidBinding("HID_PHYS=port/1").wait(30)
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    binding = HidBinding("HID_PHYS=port/1", one)
    other.send(b"unread")
    one.send(b"unread")
    other.close()  # resets the connection: reading fails
    assert binding.wait(30)
    assert one.fileno() == -1


def test_this_kernel_lets_it_listen_or_says_so() -> None:
    """Either way it ends, in time, and leaves nothing open."""
    binding = HidBinding("HID_PHYS=no such port")
    binding.wait(0.01)
    binding.close()
    assert binding.wait(0)


def test_its_node_is_told_once_the_driver_has_taken_it(
    kernel: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not as soon as it is there; who asks again does not wait again."""
    binding, sender = kernel
    monkeypatch.setattr(hid_binding, "wait_for_hidraw", {"HID_PHYS=port/1": tmp_path}.__getitem__)
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(binding.node)
        assert not wait([asked], 0.1).done
        sender.send(_message("bind", "port/1"))
        assert asked.result(30) == tmp_path
    assert binding.node() == tmp_path
