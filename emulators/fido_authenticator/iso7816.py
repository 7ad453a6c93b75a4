"""The key as a smart card or NFC tag (CTAP 2.3 §11.3): the same commands as APDUs, as a sans-I/O core.

A shell hands over each command APDU and sends the answer back. Where ``receive`` has no answer yet, the key waits for
its user: the shell calls ``poll`` no later than ``next_deadline`` until there is one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from emulators.fido_authenticator.apdu import Apdu, ApduError, StatusWord, parse
from emulators.fido_authenticator.authenticator import Authenticator, Execution
from emulators.fido_authenticator.profile import MAX_MESSAGE_BYTES, U2F_V2

AID = bytes.fromhex("A0000006472F0001")
"""The application identifier of FIDO."""

_ISO, _CTAP, _CHAINING = 0x00, 0x80, 0x10
_SELECT, _GET_RESPONSE = 0xA4, 0xC0
_MSG, _CTAP_GET_RESPONSE, _CONTROL = 0x10, 0x11, 0x12
_HOST_TAKES_KEEPALIVES = 0x80
_CANCEL = 0x11
_END = 0x01
_OK = StatusWord.NO_ERROR.bytes
_SHORT_MAX, _EXTENDED_MAX = 1 << 8, 1 << 16

Direction = Literal["to_key", "to_host"]
ApduTap = Callable[[Direction, bytes], None]
"""Sees each APDU, in the order in which the key does."""


@dataclass(slots=True)
class _Chain:
    """A command of which parts are still to come."""

    header: tuple[int, int, int, int]
    data: bytearray


class Iso7816:
    """The contact or contactless interface of ``authenticator``; ``on_apdu`` sees every command and every answer."""

    def __init__(self, authenticator: Authenticator, on_apdu: ApduTap | None = None) -> None:
        self.authenticator = authenticator
        self._on_apdu = on_apdu
        self.clock = authenticator.env.clock
        self._forget()
        self._commands: dict[tuple[int, int], Callable[[Apdu], bytes | None]] = {(_ISO, _SELECT): self._select}
        if authenticator.profile.has_u2f:
            for ins in (0x01, 0x02, 0x03):
                self._commands[_ISO, ins] = self._u2f
        if authenticator.profile.has_ctap2:
            self._commands[_CTAP, _MSG] = self._msg
            self._commands[_CTAP, _CTAP_GET_RESPONSE] = self._ctap_get_response
            self._commands[_CTAP, _CONTROL] = self._control

    def _forget(self) -> None:
        self._selected = False
        self._chain: _Chain | None = None
        self._execution: Execution | None = None
        self._waiting: Apdu | None = None
        self._unread = b""

    def power_cycle(self) -> None:
        """Take the card out and put it back."""
        self.power_off()
        self.authenticator.power_up()

    def power_off(self) -> None:
        """Take the power away: nobody waits for the user any more, and all that is not in the store is forgotten."""
        self._abandon()
        self._forget()
        self.authenticator.u2f.stop()

    def receive(self, command: bytes) -> bytes | None:
        """The answer to one command APDU: data and status word; None while the key waits for its user.

        A command that comes while another one waits takes its place.
        """
        self._tap("to_key", command)
        answer = self._receive(command)
        self._tap("to_host", answer)
        return answer

    def _receive(self, command: bytes) -> bytes | None:
        self.authenticator.u2f.poll()
        try:
            apdu = parse(command)
            if (apdu.cla, apdu.ins) == (_ISO, _GET_RESPONSE):
                return self._portion(apdu)
            self._unread = b""
            whole = self._chained(apdu)
            if whole is None:
                return _OK
            return self._run(whole)
        except ApduError as error:
            self._chain = None
            return error.status_word.bytes

    def poll(self) -> bytes | None:
        """The answer that ``receive`` did not have yet, once it is there."""
        self.authenticator.u2f.poll()
        if self._execution is None:
            return None
        # Also for a host that comes back to ask: the key works on, and time passes, between its questions.
        answer = self._execution.poll()
        if answer is None or self._waiting is None:
            return None
        apdu, self._waiting, self._execution = self._waiting, None, None
        self._unread = answer + _OK
        portion = self._portion(apdu)
        self._tap("to_host", portion)
        return portion

    def _tap(self, direction: Direction, apdu: bytes | None) -> None:
        if self._on_apdu is not None and apdu is not None:
            self._on_apdu(direction, apdu)

    def next_deadline(self) -> float | None:
        """When ``poll`` has something to do unless the user acts first, in monotonic seconds of the env's clock."""
        execution = None if self._execution is None else self._execution.next_deadline()
        deadlines = [due for due in (execution, self.authenticator.u2f.next_deadline()) if due is not None]
        return min(deadlines, default=None)

    def _chained(self, apdu: Apdu) -> Apdu | None:
        """The whole command, put together from its parts (ISO 7816-4 §5.3.3); None while parts are missing."""
        header = (apdu.cla & ~_CHAINING, apdu.ins, apdu.p1, apdu.p2)
        if apdu.cla & _CHAINING and apdu.ins == _SELECT:
            # Its data fits into one; and what a host has left unfinished must not be in the way of the next one's SELECT.
            raise ApduError(StatusWord.CHAINING_NOT_SUPPORTED)
        if self._chain is None or self._chain.header != header:
            self._chain = _Chain(header, bytearray())
        self._chain.data += apdu.data
        if len(self._chain.data) > MAX_MESSAGE_BYTES:
            raise ApduError(StatusWord.WRONG_LENGTH)
        if apdu.cla & _CHAINING:
            return None
        data, self._chain = bytes(self._chain.data), None
        return Apdu(*header, data, apdu.expected, apdu.extended)

    def _run(self, apdu: Apdu) -> bytes | None:
        if (apdu.cla, apdu.ins) != (_CTAP, _CTAP_GET_RESPONSE):
            self._abandon()
        command = self._commands.get((apdu.cla, apdu.ins))
        if command is None:
            known = any(cla == apdu.cla for cla, _ in self._commands)
            raise ApduError(StatusWord.INS_NOT_SUPPORTED if known else StatusWord.CLA_NOT_SUPPORTED)
        if not self._selected and apdu.ins != _SELECT:
            raise ApduError(StatusWord.INS_NOT_SUPPORTED)
        answer = command(apdu)
        if answer is None:
            return None
        self._unread = answer
        return self._portion(apdu)

    def _portion(self, apdu: Apdu) -> bytes:
        """As much of the answer as the host takes at once, and how much is left for GET RESPONSE."""
        if not self._unread:
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
        most = apdu.expected or (_EXTENDED_MAX if apdu.extended else _SHORT_MAX)
        left = len(self._unread) - 2 - most
        if left <= 0:
            answer, self._unread = self._unread, b""
            return answer
        answer, self._unread = self._unread[:most], self._unread[most:]
        # 0x6100 stands for 256 bytes or more.
        return answer + (StatusWord.BYTES_REMAINING + (left if left < _SHORT_MAX else 0)).to_bytes(2)

    def _abandon(self) -> None:
        if self._execution is not None:
            self._execution.cancel()
        self._execution = self._waiting = None

    def _select(self, apdu: Apdu) -> bytes:
        """§11.3.3: the answer is U2F's version where there is U2F."""
        if (apdu.p1, apdu.p2 & 0xF3) != (0x04, 0x00):
            raise ApduError(StatusWord.WRONG_P1_P2)
        if apdu.data != AID:
            raise ApduError(StatusWord.FILE_NOT_FOUND)
        self._selected = True
        return (U2F_V2 if self.authenticator.profile.has_u2f else "FIDO_2_0").encode() + _OK

    def _u2f(self, apdu: Apdu) -> bytes:
        """§11.3.4: U2F's commands as they are."""
        return self.authenticator.u2f.run(apdu) + _OK

    def _msg(self, apdu: Apdu) -> bytes | None:
        """§11.3.5.1 NFCCTAP_MSG: a CTAP2 request."""
        self._execution = self.authenticator.start(apdu.data)
        if self._execution.answer is None and not apdu.p1 & _HOST_TAKES_KEEPALIVES:
            self._waiting = apdu
            return None
        return self._progress()

    def _ctap_get_response(self, apdu: Apdu) -> bytes:
        """§11.3.5.2 NFCCTAP_GETRESPONSE: how far the request is; P1 0x11 cancels it."""
        if self._execution is None or self._waiting is not None:
            raise ApduError(StatusWord.CONDITIONS_NOT_SATISFIED)
        if apdu.p1 == _CANCEL:
            self._execution.cancel()
        return self._progress()

    def _progress(self) -> bytes:
        """The answer if it is there, else what the key does meanwhile."""
        assert self._execution is not None
        answer = self._execution.poll()
        if answer is None:
            return bytes((self._execution.status,)) + StatusWord.KEEPALIVE.bytes
        self._execution = None
        return answer + _OK

    def _control(self, apdu: Apdu) -> bytes:
        """§11.3.5.3 NFCCTAP_CONTROL: the host is done with the applet."""
        if apdu.p1 != _END:
            raise ApduError(StatusWord.WRONG_P1_P2)
        self._selected = False
        return _OK
