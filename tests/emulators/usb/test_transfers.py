"""The seam of USB transfers: each kind of fault, placed by nothing but an object that stands in between."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.usb import UsbTransport
from emulators.usb.transfers import Transfer
from emulators.usb.usbip_hid import UsbHid, UsbIdentity
from emulators.usb.usbip_server import UsbIpServer
from tests.emulators.usb.usbip_host import IN, OUT, UsbHidHost, UsbIpHost

DESCRIPTOR = bytes.fromhex("06d0f10901a1010920150026ff007508954081020921150026ff00750895409102c0")
TO_HOST, FROM_HOST = 0x81, 0x01
STALL = -32
PassOn = Callable[[Transfer], None]


class Through:
    """Lets everything through, and writes it down."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Transfer]] = []

    def asked(self, transfer: Transfer, pass_on: PassOn) -> None:
        """On to the device."""
        self.seen.append(("asked", transfer))
        pass_on(transfer)

    def answered(self, transfer: Transfer, pass_on: PassOn) -> None:
        """On to the host."""
        self.seen.append(("answered", transfer))
        pass_on(transfer)


@contextmanager
def _echo(seam: Through) -> Iterator[UsbIpHost]:
    """A host of a device that says what it is told."""
    said: list[bytes] = []

    def say(report: bytes) -> None:
        said.append(report)
        usb.send(report)

    usb = UsbHid(UsbIdentity(0x1209, 0x0001, 0x0100, "Maker", "echo", "1"), DESCRIPTOR, 5, say)
    with UsbIpServer(port=0, transfers=seam) as server:
        server.plug_in(usb.device)
        host = UsbIpHost(server.address)
        try:
            yield host
        finally:
            host.socket.close()


def _say(host: UsbIpHost, data: bytes) -> tuple[int, bytes]:
    polling = host.submit(IN, 1, 64)
    host.answer(host.submit(OUT, 1, len(data), data))
    return host.answer(polling)


def test_all_transfers_pass_the_seam() -> None:
    """Control transfers with their setup, and both interrupt endpoints with their bytes, asked for and answered."""
    seam = Through()
    with _echo(seam) as host:
        host.descriptor(1)
        assert _say(host, b"hello") == (0, b"hello")
    stages = [(stage, one.endpoint, one.data) for stage, one in seam.seen if one.endpoint & 0x0F]
    assert ("asked", FROM_HOST, b"hello") in stages
    assert ("answered", TO_HOST, b"hello") in stages
    device = next(one for stage, one in seam.seen if stage == "answered" and one.setup[:4] == bytes((0x80, 6, 0, 1)))
    assert (device.data[0], device.status, device.busid) == (18, 0, "1-1")


def test_a_request_that_is_lost_is_never_answered_and_can_be_taken_back() -> None:
    """The device did not hear of it, and the next one is answered."""

    class Loses(Through):
        def asked(self, transfer: Transfer, pass_on: PassOn) -> None:
            if transfer.data != b"lost":
                super().asked(transfer, pass_on)

    with _echo(Loses()) as host:
        number = host.submit(OUT, 1, 4, b"lost")
        assert _say(host, b"kept") == (0, b"kept")
        assert number not in host.answers
        assert host.unlink(number) != 0


def test_an_answer_that_is_late_comes_late() -> None:
    """From another thread, when that likes; passed on twice it is still one answer."""

    class Delays(Through):
        def answered(self, transfer: Transfer, pass_on: PassOn) -> None:
            if transfer.data != b"late":
                super().answered(transfer, pass_on)
                return

            def later() -> None:
                pass_on(transfer)
                pass_on(transfer)

            threading.Timer(0.05, later).start()

    with _echo(Delays()) as host:
        assert _say(host, b"late") == (0, b"late")
        assert _say(host, b"soon") == (0, b"soon")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda one: replace(one, data=one.data[:2]), (0, b"he")),
        (lambda one: replace(one, data=one.data[::-1]), (0, b"olleh")),
        (lambda one: replace(one, data=b"", status=STALL), (STALL, b"")),
        (lambda one: replace(one, data=one.data * 100), (0, (b"hello" * 100)[:64])),
    ],
    ids=["short", "wrong", "stalled", "longer than there is room"],
)
def test_an_answer_is_spoilt(spoil: Callable[[Transfer], Transfer], found: tuple[int, bytes]) -> None:
    """Fewer bytes, others, an error; never more than the host has room for."""

    class Spoils(Through):
        def answered(self, transfer: Transfer, pass_on: PassOn) -> None:
            pass_on(spoil(transfer) if transfer.endpoint == TO_HOST else transfer)

    with _echo(Spoils()) as host:
        assert _say(host, b"hello") == found


def test_a_short_write_is_told() -> None:
    """The host learns that the device took less than all."""

    class Takes(Through):
        def answered(self, transfer: Transfer, pass_on: PassOn) -> None:
            pass_on(replace(transfer, taken=2) if transfer.endpoint == FROM_HOST else transfer)

    with _echo(Takes()) as host:
        number = host.submit(OUT, 1, 5, b"hello")
        assert host.answer(number) == (0, b"")
        assert host.taken[number] == 2


def test_a_request_that_was_taken_back_does_not_reach_the_device_late() -> None:
    """A seam that lets it through afterwards does nothing."""

    class Holds(Through):
        held: list[Callable[[], None]]

        def asked(self, transfer: Transfer, pass_on: PassOn) -> None:
            if transfer.data == b"held":
                self.held = [lambda: pass_on(transfer)]
            else:
                super().asked(transfer, pass_on)

    seam = Holds()
    with _echo(seam) as host:
        number = host.submit(OUT, 1, 4, b"held")
        assert _say(host, b"next") == (0, b"next")
        assert host.unlink(number) != 0
        seam.held[0]()
        assert _say(host, b"last") == (0, b"last")


def test_a_keys_reports_pass_the_seam() -> None:
    """The key itself is as it is."""
    seam = Through()
    hid = CtapHid(Authenticator(Env.real()))
    with UsbIpServer(port=0, transfers=seam) as server, UsbTransport(hid, server):
        host = UsbHidHost(server.address)
        host.write(bytes.fromhex("ffffffff 86 0008 0102030405060708").ljust(64, b"\0"))
        assert host.read()[7:15] == bytes(range(1, 9))
        host.usb.socket.close()
    assert [one.data[:5].hex() for stage, one in seam.seen if (stage, one.endpoint) == ("asked", FROM_HOST)] == [
        "ffffffff86"
    ]
