"""A HID-POS reader: codes arrive as bytes with their AIM identifier, whatever the keyboard layout.

Where each number comes from:

- usage page 0x8C and its usages: HID Point of Sale Usage Tables 1.02 §3, by the constants of Apple's CoreHID and
  IOHIDUsageTables.h, which repeat them;
- input report 2, output reports 4 (trigger, beeps) and 253 (Honeywell's serial commands): the layouts of bytes and bits in
  the Access-IS LSR118 product manual, appendix B, with the example of a code in two reports;
- the "further symbology identifier" ``s`` of a QR code: the same example;
- feature report 254, by which hosts make Honeywell's readers report here: npm's @point-of-sale/webhid-barcode-scanner, which
  sends it; it is kept, and changes nothing;
- feature report 3 (attributes): the usages are of the tables, the report's number and order are ours.
"""

from __future__ import annotations

from enum import Enum, IntFlag
from typing import TYPE_CHECKING

from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.hid.reader import HidReader
from emulators.camera_scanner.barcode_readers.modes import TriggerMode

if TYPE_CHECKING:
    from emulators.camera_scanner.barcode_readers.emulated.code import Code
    from emulators.env import Env

SCANNED_DATA, ATTRIBUTES, TRIGGER, SERIAL_COMMAND, REDIRECTION = 2, 3, 4, 253, 254
"""The ids of the reports."""
DATA_BYTES = 56
"""Bytes of a code in one report."""
REPORT_BYTES = 64
_COMMAND_BYTES = 62
_REDIRECTION_BYTES = 2

REPORT_DESCRIPTOR = bytes.fromhex(
    "058c 0902 a101"  # bar code scanner page, bar code scanner
    " 0912 a102 8502"  # scanned data report
    " 1500 26ff00 7508"
    " 9501 0501 093b 8102"  # generic desktop: byte count
    " 058c 9503 09fb 09fc 09fd 8102"  # symbology identifier 1, 2, 3
    " 9538 09fe 820201"  # decoded data, a buffer of 56 bytes
    " 0600ff 9502 0901 0902 8102"  # the vendor's: further symbology identifier, reserved
    " 058c 2501 7501 9501 09ff 8102 9507 8101"  # decoded data continued, and seven bits of nothing
    " c0"
    " 0910 a102 8503"  # attribute report
    " 9503 093a 093b 0942 b102 9505 b101"  # good decode indication, hands free scanning, triggerless
    " c0"
    " 0914 a102 8504"  # trigger report
    " 9501 9101 9502 095f 0960 9102"  # prevent read of bar codes, initiate bar code read
    " 9502 9101 9502 0985 0986 9102 9501 9101"  # sound error beep, sound good read beep
    " c0"
    " 0600ff 0903 a102 85fd"  # the vendor's: a serial command
    " 26ff00 7508 9501 0904 9102 953e 0905 920201"  # its length, its bytes
    " c0"
    " 0906 a102 85fe 9501 0907 b102 c0"  # the vendor's: where codes are reported to
    " c0"
)


class TriggerBit(IntFlag):
    """The byte of the trigger report."""

    PREVENT_READ = 0x02
    INITIATE_READ = 0x04
    ERROR_BEEP = 0x20
    GOOD_READ_BEEP = 0x40


class Beep(Enum):
    """What a host has made it sound."""

    ERROR = "error"
    GOOD_READ = "good read"


_FURTHER_IDENTIFIERS = {"]Q": 0x73}
_TRIGGER_ON, _TRIGGER_OFF = b"\x16T\r", b"\x16U\r"


class HidPosReader(HidReader):
    """Reports codes of any length and any bytes; its host may trigger it, forbid it to read, and make it beep."""

    report_descriptor = REPORT_DESCRIPTOR
    resting_report = bytes((SCANNED_DATA,)) + bytes(REPORT_BYTES - 1)

    def __init__(
        self,
        env: Env,
        pace: Pace = Pace(TriggerMode.PRESENTATION),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(env, pace)
        self._beeps: list[Beep] = []
        self._redirection = 0

    def take_beeps(self) -> tuple[Beep, ...]:
        """What the host has made it sound since this was last asked."""
        beeps, self._beeps = tuple(self._beeps), []
        return beeps

    def receive(self, report: bytes) -> None:
        """The trigger report, or a serial command."""
        if report[:1] == bytes((TRIGGER,)) and len(report) > 1:
            self._heed(TriggerBit(report[1] & 0x66))
        elif report[:1] == bytes((SERIAL_COMMAND,)) and len(report) > 1:
            self._obey(report[2 : 2 + min(report[1], _COMMAND_BYTES)])

    def host_left(self) -> None:
        """Another host has forbidden nothing."""
        super().host_left()
        self._trigger.enabled = True
        self._trigger.stop()

    def feature(self, report_id: int) -> bytes | None:
        """The attributes: it has a good-read indication, and it may need no trigger. Or what the host has set."""
        if report_id == REDIRECTION:
            return bytes((REDIRECTION, self._redirection))
        if report_id != ATTRIBUTES:
            return None
        hands_free = self._trigger.pace.mode in (TriggerMode.PRESENTATION, TriggerMode.CONTINUOUS)
        return bytes((ATTRIBUTES, 0b111 if hands_free else 0b001))

    def set_feature(self, report: bytes) -> bool:
        """The redirection."""
        if len(report) != _REDIRECTION_BYTES or report[0] != REDIRECTION:
            return False
        self._redirection = report[1]
        return True

    def _heed(self, bits: TriggerBit) -> None:
        self._trigger.enabled = not bits & TriggerBit.PREVENT_READ
        if bits & TriggerBit.INITIATE_READ:
            self._trigger.start(by_host=True)
        if bits & TriggerBit.ERROR_BEEP:
            self._beeps.append(Beep.ERROR)
        if bits & TriggerBit.GOOD_READ_BEEP:
            self._beeps.append(Beep.GOOD_READ)
        self.poll()

    def _obey(self, command: bytes) -> None:
        if command == _TRIGGER_ON:
            self._trigger.start(by_host=True)
        elif command == _TRIGGER_OFF:
            self._trigger.stop()
        self.poll()

    def _report(self, code: Code) -> None:
        self._queue(reports_of(code))


def reports_of(code: Code) -> list[bytes]:
    """The scanned data reports for ``code``; all but the last say that another one follows."""
    parts = [code.data[at : at + DATA_BYTES] for at in range(0, len(code.data), DATA_BYTES)] or [b""]
    aim = code.symbology.encode("ascii", errors="replace")[:3].ljust(3, b"\0")
    further = _FURTHER_IDENTIFIERS.get(code.symbology[:2], 0)
    return [
        bytes((SCANNED_DATA, len(part)))
        + aim
        + part.ljust(DATA_BYTES, b"\0")
        + bytes((further, 0, int(number < len(parts) - 1)))
        for number, part in enumerate(parts)
    ]
