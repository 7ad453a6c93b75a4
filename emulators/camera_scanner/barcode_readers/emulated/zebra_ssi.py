"""A Zebra reader that speaks the Simple Serial Interface, with acknowledgement and retransmission both ways.

Source: Zebra Simple Serial Interface programmer's guide (72E-40451). What confirms the parameters: BAUD, PACKETS, HANDSHAKE,
their defaults, and two seconds for an answer, DS9908 product reference guide page 254. From memory are the numbers and
values of TRIGGER, TIMEOUT, SAME_CODE and CODE_ID, and the code type of a QR code.
"""

from __future__ import annotations

from collections import deque

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.memory import Settings, SettingsMemory
from emulators.camera_scanner.barcode_readers.emulated.reader import SerialReader
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.camera_scanner.barcode_readers.ssi_packets import (
    CONTINUATION,
    LARGEST_DATA,
    PERMANENT,
    RETRANSMIT,
    Cause,
    ChecksumError,
    Opcode,
    Packet,
    Source,
    decode,
    packet_bytes,
)
from emulators.env import Env

ANSWER_SECONDS = 2.0
"""How long the reader waits for the host to acknowledge a packet ("host serial response time-out")."""
MOST_TRIES = 3
_QR_CODE = 0x1C

TRIGGER, TIMEOUT, BAUD, SAME_CODE, PACKETS, CODE_ID, HANDSHAKE = 0x8A, 0x88, 0x9C, 0x89, 0xEE, 0x2D, 0x9F
_FACTORY = {TRIGGER: 0, TIMEOUT: 99, BAUD: 6, SAME_CODE: 6, PACKETS: 0, CODE_ID: 0, HANDSHAKE: 1}
_BAUD_RATES = {3: 1200, 4: 2400, 5: 4800, 6: 9600, 7: 19200, 8: 38400, 10: 57600, 11: 115_200}
_MODES = {0: TriggerMode.MANUAL, 7: TriggerMode.PRESENTATION, 8: TriggerMode.HOST, 4: TriggerMode.CONTINUOUS}
_POSSIBLE = {
    TRIGGER: set(_MODES),
    TIMEOUT: set(range(5, 100)),
    BAUD: set(_BAUD_RATES),
    SAME_CODE: set(range(100)),
    PACKETS: {0, 1},
    CODE_ID: {0, 1},
    HANDSHAKE: {0, 1},
}
_ALL_PARAMETERS = 0xFE
_QUIET = {Opcode.AIM_OFF, Opcode.AIM_ON, Opcode.BEEP, Opcode.LED_ON, Opcode.LED_OFF}
"""Acknowledged, and nothing more: there is no lamp."""


class ZebraSsi(SerialReader):
    """A reader in the factory set to 9600 baud, the button, and raw data; PACKETS = 1 makes it send DECODE_DATA."""

    def __init__(self, env: Env, memory: SettingsMemory | None = None) -> None:
        self._values = dict(_FACTORY)
        self._kept = dict(_FACTORY)
        self._queue: deque[Packet] = deque()
        self._tries = 0
        self._answer_by = 0.0
        self.failed_transmissions = 0
        """How many packets the host never acknowledged: where a real reader beeps four times."""
        super().__init__(env, memory)

    def _restore(self, saved: Settings | None) -> None:
        self._values = dict(_FACTORY)
        for number, value in (saved or {}).items():
            if int(value) in _POSSIBLE.get(int(number, 16), set()):
                self._values[int(number, 16)] = int(value)
        self._kept = dict(self._values)
        self._queue.clear()
        self._tries = 0

    def _saved(self) -> Settings:
        return {f"{number:02X}": str(value) for number, value in self._kept.items()}

    def _wanted_baud_rate(self) -> int:
        return _BAUD_RATES[self._values[BAUD]]

    def _pace(self) -> Pace:
        return Pace(
            mode=_MODES[self._values[TRIGGER]],
            read_timeout=self._values[TIMEOUT] / 10,
            same_code_delay=self._values[SAME_CODE] / 10,
        )

    def _message(self, code: Code) -> bytes:
        aim = code.symbology.encode("ascii") if self._values[CODE_ID] else b""
        return aim + code.data

    # The reader speaks.

    def _report(self, code: Code) -> None:
        message = self._message(code)
        if not self._values[PACKETS]:
            self._say(message)
            return
        room = LARGEST_DATA - 1
        parts = [message[at : at + room] for at in range(0, len(message), room)] or [b""]
        for number, part in enumerate(parts):
            status = CONTINUATION if number < len(parts) - 1 else 0
            self._queue.append(Packet(Opcode.DECODE_DATA, Source.DECODER, bytes((_QR_CODE,)) + part, status))
        self._transmit_first()

    def _transmit_first(self) -> None:
        """Send what waits, unless something sent waits for its answer."""
        while self._queue and not self._tries:
            self._say(self._queue[0].encode())
            if not self._values[HANDSHAKE]:
                self._queue.popleft()
                continue
            self._tries = 1
            self._answer_by = self.clock.monotonic() + ANSWER_SECONDS

    def _retransmit(self) -> None:
        if self._tries >= MOST_TRIES:
            # The parts of a message are of no use without each other.
            while self._queue.popleft().status & CONTINUATION:
                pass
            self.failed_transmissions += 1
            self._tries = 0
            self._transmit_first()
            return
        first = self._queue[0]
        self._say(Packet(first.opcode, first.source, first.data, first.status | RETRANSMIT).encode())
        self._tries += 1
        self._answer_by = self.clock.monotonic() + ANSWER_SECONDS

    def poll(self) -> None:
        """Do what is due by the clock."""
        super().poll()
        if self._tries and self.clock.monotonic() >= self._answer_by:
            self._retransmit()

    def next_deadline(self) -> float | None:
        """When ``poll`` has something to do although nothing happens, in monotonic seconds."""
        due = [super().next_deadline(), self._answer_by if self._tries else None]
        return min((moment for moment in due if moment is not None), default=None)

    # The host speaks.

    def _take_command(self, inbox: bytes) -> int:
        size = packet_bytes(inbox)
        if size == 0:  # a wake-up byte, or noise
            return 1
        if size is None:
            return 0
        try:
            packet = decode(inbox[:size])
        except ChecksumError:
            # The length itself may be wrong, so nothing after it can be trusted either.
            self._refuse(Cause.RESEND)
            return len(inbox)
        if packet.opcode == Opcode.CMD_ACK:
            self._acknowledged()
        elif packet.opcode == Opcode.CMD_NAK:
            if self._tries and packet.data[:1] == bytes((Cause.RESEND,)):
                self._retransmit()
        else:
            self._obey(packet)
        return size

    def _acknowledged(self) -> None:
        if self._tries:
            self._tries = 0
            self._queue.popleft()
            self._transmit_first()

    def _obey(self, packet: Packet) -> None:
        opcode = packet.opcode
        if opcode == Opcode.START_SESSION:
            if self._trigger.enabled:
                self._accept()
                self._trigger.start(by_host=True)
            else:
                self._refuse(Cause.DENIED)
        elif opcode in {Opcode.STOP_SESSION, Opcode.SCAN_ENABLE, Opcode.SCAN_DISABLE, Opcode.FLUSH_QUEUE, Opcode.SLEEP}:
            self._accept()
            self._switch(opcode)
        elif opcode in _QUIET:
            self._accept()
        elif opcode == Opcode.PARAM_SEND:
            self._set(packet)
        elif opcode == Opcode.PARAM_REQUEST and packet.data:
            self._tell(packet.data)
        elif opcode == Opcode.PARAM_DEFAULTS:
            self._accept()
            self._restore(None)
            self._settings_changed(permanently=True)
        elif opcode == Opcode.REQUEST_REVISION:
            self._reply(Opcode.REPLY_REVISION, b"AUTHRIG-EMULATED 1")
        elif opcode == Opcode.CAPABILITIES_REQUEST:
            self._reply(Opcode.CAPABILITIES_REPLY, _capabilities())
        else:
            self._refuse(Cause.BAD_CONTEXT)

    def _switch(self, opcode: int) -> None:
        if opcode == Opcode.FLUSH_QUEUE:
            self._queue.clear()
            self._tries = 0
        elif opcode == Opcode.SLEEP:
            self._fall_asleep()
        else:
            self._trigger.enabled = opcode == Opcode.SCAN_ENABLE or (
                opcode == Opcode.STOP_SESSION and self._trigger.enabled
            )
            self._trigger.stop()

    def _set(self, packet: Packet) -> None:
        """PARAM_SEND: a beep code, then pairs of a parameter's number and its value; all are possible or none is set."""
        pairs = packet.data[1:]
        wanted = dict(zip(pairs[::2], pairs[1::2], strict=False))
        if len(pairs) % 2 or not pairs or any(value not in _POSSIBLE.get(key, set()) for key, value in wanted.items()):
            self._refuse(Cause.BAD_CONTEXT)
            return
        self._accept()
        self._values |= wanted
        if packet.status & PERMANENT:
            self._kept |= wanted
        self._settings_changed(permanently=bool(packet.status & PERMANENT))

    def _tell(self, numbers: bytes) -> None:
        """PARAM_REQUEST: the values of the parameters asked for; those that do not exist are left out."""
        wanted = list(self._values) if numbers[0] == _ALL_PARAMETERS else [n for n in numbers if n in self._values]
        pairs = b"".join(bytes((number, self._values[number])) for number in wanted)
        self._reply(Opcode.PARAM_SEND, b"\xff" + pairs)

    def _reply(self, opcode: Opcode, data: bytes) -> None:
        self._queue.append(Packet(opcode, Source.DECODER, data))
        self._transmit_first()

    def _accept(self) -> None:
        self._say(Packet(Opcode.CMD_ACK, Source.DECODER).encode())

    def _refuse(self, cause: Cause) -> None:
        self._say(Packet(Opcode.CMD_NAK, Source.DECODER, bytes((cause,))).encode())


def _capabilities() -> bytes:
    """Baud rates as a bit field, serial features, and the opcodes that a host may send."""
    opcodes = bytes(sorted(set(Opcode) - {Opcode.REPLY_REVISION, Opcode.CAPABILITIES_REPLY, Opcode.DECODE_DATA}))
    return b"\x07\xf8\x07\x00" + opcodes
