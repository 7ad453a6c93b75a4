"""One capture file for any number of keys: taps that a key's interfaces take, and words for the packets' comments.

A capture holds what the wire holds, and that is enough to be careful with it: large blobs and U2F messages, and PINs
as the client encrypted them.
"""

import os
import struct
import threading
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from authrig.captures.comments import ApduComments, ReportComments
from authrig.captures.pcapng import MAGIC, PcapngWriter
from authrig.captures.usb import LINK_TYPE as USB_LINK_TYPE
from authrig.captures.usb import UsbKey
from authrig.errors import RigError
from emulators.env import Clock
from emulators.fido_authenticator.ctaphid import Direction
from emulators.fido_authenticator.profile import Profile

_BUS = 1
_ADDRESSES = 127
_UPPER_PDU_LINK_TYPE = 252
_TAG_DISSECTOR, _TAG_DIRECTION, _TAG_END = 12, 35, 0
_SENT, _RECEIVED = 0, 1


class Capture:
    """The file ``path``, written as things happen.

    ``on_failure`` is told, once, in a sentence, if it cannot be written on (a full disk); the keys work on without it.

    A capture that is there already is overwritten; another file is not.

    Raises:
        RigError: if the file cannot be made.
    """

    def __init__(self, path: Path, on_failure: Callable[[str], object] = lambda _: None) -> None:
        self._path = path
        self._on_failure = on_failure
        self._lock = threading.Lock()
        self._address = 0
        self._note: str | None = None
        self._noted: str | None = None
        _check_overwriting(path)
        try:
            self._writer: PcapngWriter | None = PcapngWriter(path, f"authrig {version('authrig')}")
        except OSError as error:
            raise RigError(f"capture {path}: cannot be written: {error.strerror}") from error

    def annotate(self, note: str | None) -> None:
        """Say what happens from now on: the next packet has ``note`` in its comments.

        Inside of pytest the name of the test that runs is noted by itself.
        """
        with self._lock:
            self._note, self._noted = note, None

    def hid_tap(self, profile: Profile, clock: Clock, name: str = "usb") -> "HidTap":
        """A tap for ``CtapHid``, for a key of ``profile``."""
        return HidTap(self, profile, clock, self._add_interface(USB_LINK_TYPE, name, profile))

    def card_tap(self, profile: Profile, clock: Clock, name: str = "card") -> "CardTap":
        """A tap for ``Iso7816``, for a key of ``profile``."""
        return CardTap(self, profile, clock, self._add_interface(_UPPER_PDU_LINK_TYPE, name, profile))

    def next_address(self) -> int:
        """Where on the bus the device is that is plugged in now."""
        with self._lock:
            self._address = self._address % _ADDRESSES + 1
            return self._address

    def write(self, interface: int, timestamp: float, packet: bytes, comment: str | None = None) -> None:
        """Add a packet."""
        with self._lock:
            if self._writer is None:
                return
            comments = [*self._news(), *([comment] if comment else [])]
            try:
                self._writer.write_packet(interface, timestamp, packet, comments)
            except OSError as error:
                self._fail(error)

    def _news(self) -> list[str]:
        """What happens, if it is not what happened at the last packet."""
        happening = self._note or _current_test()
        if happening == self._noted:
            return []
        self._noted = happening
        return [happening] if happening else []

    def _add_interface(self, link_type: int, name: str, profile: Profile) -> int:
        with self._lock:
            if self._writer is None:
                return 0
            try:
                return self._writer.add_interface(link_type, name, f"{profile.usb.product} ({profile.name})")
            except OSError as error:
                self._fail(error)
                return 0

    def _fail(self, error: OSError) -> None:
        assert self._writer is not None
        self._writer.close()
        self._writer = None
        self._on_failure(f"capture {self._path}: ends here: {error.strerror}")

    def close(self) -> None:
        """Let go of the file. Twice is allowed."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None


class HidTap:
    """Takes down the reports of one key; ``plugged_in`` comes before the first."""

    def __init__(self, capture: Capture, profile: Profile, clock: Clock, interface: int) -> None:
        self._capture = capture
        self._profile = profile
        self._clock = clock
        self._interface = interface
        self._comments = ReportComments()
        self._usb: UsbKey | None = None

    def plugged_in(self) -> None:
        """The key is a new device to its host, at a new address of the bus."""
        self._comments = ReportComments()
        self._usb = UsbKey(self._profile, _BUS, self._capture.next_address())
        now = self._clock.time()
        for packet in self._usb.enumeration(now):
            self._capture.write(self._interface, now, packet)

    def __call__(self, direction: Direction, report: bytes) -> None:
        """Take down a report."""
        if self._usb is None:
            self.plugged_in()
        assert self._usb is not None
        now = self._clock.time()
        comment = self._comments.comment(direction, report)
        for packet in self._usb.report(now, direction, report):
            self._capture.write(self._interface, now, packet, comment if packet.endswith(report) else None)


class CardTap:
    """Takes down the APDUs of one card, as what Wireshark calls upper PDUs: nobody saw the bits below them."""

    def __init__(self, capture: Capture, profile: Profile, clock: Clock, interface: int) -> None:
        self._capture = capture
        self._atr = profile.smart_card.atr_bytes
        self._clock = clock
        self._interface = interface
        self._comments = ApduComments()

    def plugged_in(self) -> None:
        """The card is put into the reader, which reads its answer to reset."""
        self._comments = ApduComments()
        self._write("iso7816.atr", _RECEIVED, self._atr, "ATR")

    def __call__(self, direction: Direction, apdu: bytes) -> None:
        """Take down an APDU."""
        comment = self._comments.comment(direction, apdu)
        self._write("iso7816", _SENT if direction == "to_key" else _RECEIVED, apdu, comment)

    def _write(self, dissector: str, direction: int, pdu: bytes, comment: str | None) -> None:
        tags = _tag(_TAG_DISSECTOR, dissector.encode()) + _tag(_TAG_DIRECTION, direction.to_bytes(4))
        self._capture.write(self._interface, self._clock.time(), tags + _tag(_TAG_END, b"") + pdu, comment)


def _check_overwriting(path: Path) -> None:
    """A slip of the hand must not cost somebody a key file.

    Raises:
        RigError: if there is a file at ``path`` that is no capture.
    """
    if not path.is_file() or not path.stat().st_size:
        return
    try:
        with path.open("rb") as file:
            begins = file.read(len(MAGIC))
    except OSError as error:
        raise RigError(f"capture {path}: cannot be written: {error.strerror}") from error
    if begins != MAGIC:
        raise RigError(f"capture {path}: there is a file already that is no capture, and it is not overwritten")


def _tag(kind: int, value: bytes) -> bytes:
    padded = value + b"\0" * (-len(value) % 4)
    return struct.pack(">HH", kind, len(padded)) + padded


def _current_test() -> str | None:
    """The name of the test that runs, as pytest tells its process and all that it starts."""
    name, _, _ = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")
    return name or None
