"""What a report or an APDU is about, in a few words: the name of its command, or how that went."""

from enum import IntEnum

from authrig.evidence.ctap_lines import COMMAND_NAMES
from emulators.fido_authenticator.apdu import ApduError, parse
from emulators.fido_authenticator.authenticator import KeepaliveStatus
from emulators.fido_authenticator.ctaphid import Command, Direction, HidError
from emulators.fido_authenticator.status import Status

_INITIAL = 0x80
_DATA = 7  # where the data of a message begins in its first report
_CHAINING = 0x10
_U2F_COMMANDS = {0x01: "U2F_REGISTER", 0x02: "U2F_AUTHENTICATE", 0x03: "U2F_VERSION"}
_CARD_COMMANDS = {
    (0x00, 0xA4): "SELECT",
    (0x00, 0xC0): "GET RESPONSE",
    (0x80, 0x10): "NFCCTAP_MSG",
    (0x80, 0x11): "NFCCTAP_GETRESPONSE",
    (0x80, 0x12): "NFCCTAP_CONTROL",
    **{(0x00, ins): name for ins, name in _U2F_COMMANDS.items()},
}
_CANCEL = 0x11
_KEEPALIVE_SW = b"\x91\x00"
_OK_SW = b"\x90\x00"
_MORE = 0x61


class ReportComments:
    """Reads along with one key's reports; only the first report of a message has a comment."""

    def __init__(self) -> None:
        self._asked: dict[bytes, str] = {}

    def comment(self, direction: Direction, report: bytes) -> str | None:
        """What this report begins; None: it continues a message."""
        channel, kind = report[:4], report[4]
        if not kind & _INITIAL:
            return None
        command = kind & ~_INITIAL
        data = report[_DATA:][: int.from_bytes(report[5:_DATA])]
        if command == Command.CBOR and data:
            if direction == "to_key":
                self._asked[channel] = _ctap(data[0])
                return self._asked[channel]
            return f"{self._asked.get(channel, 'CBOR')}: {_name(Status, data[0])}"
        if command == Command.MSG and direction == "to_key" and len(data) > 1:
            return _U2F_COMMANDS.get(data[1], f"U2F 0x{data[1]:02x}")
        if command == Command.KEEPALIVE and data:
            return f"KEEPALIVE {_name(KeepaliveStatus, data[0])}"
        if command == Command.ERROR and data:
            return f"ERROR {_name(HidError, data[0])}"
        return _name(Command, command)


class ApduComments:
    """Reads along with one card's APDUs."""

    def __init__(self) -> None:
        self._command = ""
        self._ctap = ""
        self._chained = False

    def comment(self, direction: Direction, apdu: bytes) -> str | None:
        """What this APDU asks for or says; None: there is nothing to add to its status word."""
        return self._question(apdu) if direction == "to_key" else self._answer(apdu)

    def _question(self, command: bytes) -> str | None:
        try:
            apdu = parse(command)
        except ApduError:
            return None
        self._command = _CARD_COMMANDS.get((apdu.cla & ~_CHAINING, apdu.ins), "")
        if self._command == "NFCCTAP_MSG":
            if not self._chained and apdu.data:
                self._ctap = _ctap(apdu.data[0])
            self._chained = bool(apdu.cla & _CHAINING)
            return f"{self._command} {self._ctap}"
        if self._command == "NFCCTAP_GETRESPONSE" and apdu.p1 == _CANCEL:
            return f"{self._command}: cancel"
        return self._command or None

    def _answer(self, answer: bytes) -> str | None:
        data, status_word = answer[:-2], answer[-2:]
        if status_word == _KEEPALIVE_SW and data:
            return f"KEEPALIVE {_name(KeepaliveStatus, data[0])}"
        speaks_ctap = self._command in ("NFCCTAP_MSG", "NFCCTAP_GETRESPONSE")
        if data and speaks_ctap and (status_word == _OK_SW or status_word[:1] == bytes((_MORE,))):
            return f"{self._ctap}: {_name(Status, data[0])}"
        return None


def _ctap(code: int) -> str:
    return COMMAND_NAMES.get(code, f"CTAP command 0x{code:02x}")


def _name(kind: type[IntEnum], code: int) -> str:
    """What ``kind`` calls ``code``, or the number where it has no name."""
    return kind(code).name if code in kind.__members__.values() else f"0x{code:02x}"
