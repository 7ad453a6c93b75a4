"""CTAPHID, the device side (CTAP 2.3 §11.2): channels, fragments, keepalive, cancel and lock, as a sans-I/O core.

A transport gives ``receive`` each 64-byte report of a host, calls ``poll`` no later than ``next_deadline``, and sends
what ``take_reports`` returns to every host that listens. Nothing here waits, and nothing a host sends raises.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Literal

from emulators.fido_authenticator.authenticator import Authenticator, Execution
from emulators.fido_authenticator.quirks import Quirk

REPORT_BYTES = 64
INITIAL_DATA_BYTES = REPORT_BYTES - 7
CONTINUATION_DATA_BYTES = REPORT_BYTES - 5
MAX_MESSAGE_BYTES = INITIAL_DATA_BYTES + 128 * CONTINUATION_DATA_BYTES
BROADCAST = 0xFFFF_FFFF

_PROTOCOL_VERSION = 2
_INITIAL = 0x80
_LONGEST_LOCK = 10
# Channel, command or sequence number, for an initial one the length of the message, data: cut or filled up with zeros.
_INITIAL_REPORT = struct.Struct(f">IBH{INITIAL_DATA_BYTES}s")
_CONTINUATION_REPORT = struct.Struct(f">IB{CONTINUATION_DATA_BYTES}s")

Direction = Literal["to_key", "to_host"]
ReportTap = Callable[[Direction, bytes], None]
"""Sees each report, in the order in which the key does."""


class Command(IntEnum):
    """CTAPHID commands."""

    PING = 0x01
    MSG = 0x03
    LOCK = 0x04
    INIT = 0x06
    WINK = 0x08
    CBOR = 0x10
    CANCEL = 0x11
    KEEPALIVE = 0x3B
    ERROR = 0x3F


# Each report is compared with these. To look a member up in its class takes longer than to compare.
_INIT, _CANCEL = Command.INIT.value, Command.CANCEL.value


class Capability(IntFlag):
    """What the answer to INIT says about the key."""

    WINK = 0x01
    CBOR = 0x04
    NMSG = 0x08


class HidError(IntEnum):
    """The byte of a CTAPHID_ERROR message."""

    INVALID_CMD = 0x01
    INVALID_PAR = 0x02
    INVALID_LEN = 0x03
    INVALID_SEQ = 0x04
    MSG_TIMEOUT = 0x05
    CHANNEL_BUSY = 0x06
    LOCK_REQUIRED = 0x0A
    INVALID_CHANNEL = 0x0B
    OTHER = 0x7F


@dataclass(slots=True)
class _Assembly:
    """A message of which fragments are still to come; the next must come before ``deadline``."""

    channel: int
    command: int
    length: int
    data: bytearray
    deadline: float
    sequence: int = 0


@dataclass(slots=True)
class _Work:
    """A CTAP command that waits for its user."""

    channel: int
    execution: Execution
    next_keepalive: float


@dataclass(slots=True)
class _Lock:
    channel: int
    until: float


@dataclass(slots=True)
class _Volatile:
    """What is forgotten when the key is unplugged. Channels are numbered from 1, so the last says which exist."""

    last_channel: int = 0
    assembly: _Assembly | None = None
    work: _Work | None = None
    lock: _Lock | None = None
    outbox: list[bytes] = field(default_factory=list)


class CtapHid:
    """The HID interface of ``authenticator``; ``on_report`` sees every report, ``on_wink`` is called when it winks."""

    def __init__(
        self,
        authenticator: Authenticator,
        on_report: ReportTap | None = None,
        on_wink: Callable[[], None] | None = None,
    ) -> None:
        self.authenticator = authenticator
        self.clock = authenticator.env.clock
        self._profile = authenticator.profile
        self._on_report = on_report
        self._on_wink = on_wink
        self._volatile = _Volatile()
        self._handlers: dict[int, Callable[[int, bytes], None]] = {
            Command.PING: self._ping,
            Command.LOCK: self._lock,
        }
        self._capabilities = Capability(0)
        if self._profile.has_ctap2:
            self._handlers[Command.CBOR] = self._cbor
            self._capabilities |= Capability.CBOR
        if self._profile.has_u2f:
            self._handlers[Command.MSG] = self._msg
        else:
            self._capabilities |= Capability.NMSG
        if self._profile.ctaphid.wink:
            self._handlers[Command.WINK] = self._wink
            self._capabilities |= Capability.WINK

    def power_cycle(self) -> None:
        """Unplug the key and plug it in again: channels, messages under way and the user's wait are gone."""
        if self._volatile.work is not None:
            self._volatile.work.execution.cancel()
        self._volatile = _Volatile()
        self.authenticator.power_up()

    def host_left(self) -> None:
        """The only host has gone: nobody waits for what is under way. Channels stay allocated."""
        if self._volatile.work is not None:
            self._volatile.work.execution.cancel()
        self.authenticator.u2f.stop()
        self._volatile = _Volatile(last_channel=self._volatile.last_channel)

    def receive(self, report: bytes) -> None:
        """Take one report from a host. What is not 64 bytes long is no report, and ignored."""
        if len(report) != REPORT_BYTES:
            return
        if self._on_report is not None:
            self._on_report("to_key", report)
        self.poll()
        channel, kind, length, data = _INITIAL_REPORT.unpack(report)
        if not kind & _INITIAL:
            self._continuation(channel, kind, report[5:])
            return
        command = kind - _INITIAL
        if command == _INIT:
            self._init(channel, length, data)
        elif not 0 < channel <= self._volatile.last_channel:
            self._error(channel, HidError.INVALID_CHANNEL)
        elif command == _CANCEL:
            self._cancel(channel)
        else:
            self._initial(channel, command, length, data)

    def poll(self) -> None:
        """Do what is due by now: answers, keepalives, time-outs."""
        self.authenticator.u2f.poll()
        assembly, work = self._volatile.assembly, self._volatile.work
        if assembly is None and work is None:
            return
        now = self.clock.monotonic()
        if assembly is not None and now >= assembly.deadline:
            self._volatile.assembly = None
            self._error(assembly.channel, HidError.MSG_TIMEOUT)
        if work is None:
            return
        answer = work.execution.poll()
        if answer is not None:
            self._volatile.work = None
            self._send(work.channel, Command.CBOR, answer)
        elif now >= work.next_keepalive:
            self._send(work.channel, Command.KEEPALIVE, bytes((work.execution.status,)))
            # Late by less than a beat: keep the beat. Later: begin a new one instead of a burst.
            due = work.next_keepalive + self._profile.timing.keepalive
            work.next_keepalive = due if due > now else now + self._profile.timing.keepalive

    def next_deadline(self) -> float | None:
        """When ``poll`` must be called, in seconds of the env's monotonic clock; None: nothing is under way."""
        blinking, assembly, work = self.authenticator.u2f.next_deadline(), self._volatile.assembly, self._volatile.work
        if blinking is None and assembly is None and work is None:
            return None
        deadlines = [blinking]
        if assembly is not None:
            deadlines.append(assembly.deadline)
        if work is not None:
            deadlines += work.next_keepalive, work.execution.next_deadline()
        return min(deadline for deadline in deadlines if deadline is not None)

    def take_reports(self) -> list[bytes]:
        """The reports for the hosts since the last call, in order."""
        reports, self._volatile.outbox = self._volatile.outbox, []
        return reports

    def _initial(self, channel: int, command: int, length: int, data: bytes) -> None:
        """The first fragment of a message on an allocated channel, INIT and CANCEL apart."""
        assembly, lock = self._volatile.assembly, self._volatile.lock
        handler = self._handlers.get(command)
        if lock is not None and lock.channel != channel and self.clock.monotonic() < lock.until:
            self._error(channel, HidError.CHANNEL_BUSY)
        elif assembly is not None and assembly.channel == channel:
            # §11.2.5.3: a new message in the middle of another one ends both.
            self._volatile.assembly = None
            self._error(channel, HidError.INVALID_SEQ)
        elif assembly is not None or self._volatile.work is not None:
            self._error(channel, HidError.CHANNEL_BUSY)
        elif handler is None:
            self._error(channel, HidError.INVALID_CMD)
        elif length > MAX_MESSAGE_BYTES:
            self._error(channel, HidError.INVALID_LEN)
        elif length <= INITIAL_DATA_BYTES:
            handler(channel, data[:length])
        else:
            self._volatile.assembly = _Assembly(channel, command, length, bytearray(data), self._fragment_deadline())

    def _continuation(self, channel: int, sequence: int, data: bytes) -> None:
        assembly = self._volatile.assembly
        if assembly is None or assembly.channel != channel:
            return  # §11.2.5.3: spurious fragments are ignored
        if sequence != assembly.sequence:
            self._volatile.assembly = None
            self._error(channel, HidError.INVALID_SEQ)
            return
        assembly.data += data
        assembly.sequence += 1
        assembly.deadline = self._fragment_deadline()
        if len(assembly.data) >= assembly.length:
            self._volatile.assembly = None
            self._handlers[assembly.command](channel, bytes(assembly.data[: assembly.length]))

    def _fragment_deadline(self) -> float:
        return self.clock.monotonic() + self._profile.timing.fragment

    def _init(self, channel: int, length: int, data: bytes) -> None:
        """§11.2.9.1.3: allocate a channel on broadcast, or begin anew on an allocated one.

        A broadcast is answered also while another host is being served: it disturbs nobody.
        """
        if channel != BROADCAST and not 0 < channel <= self._volatile.last_channel:
            self._error(channel, HidError.INVALID_CHANNEL)
            return
        if length != 8:
            self._error(channel, HidError.INVALID_LEN)
            return
        allocated = channel
        if channel == BROADCAST:
            if self._volatile.last_channel + 1 == BROADCAST:
                self._error(channel, HidError.CHANNEL_BUSY)
                return
            self._volatile.last_channel += 1
            allocated = self._volatile.last_channel
        else:
            self._abandon(channel)
        description = bytes((_PROTOCOL_VERSION, *self._profile.ctaphid.device_version, self._capabilities))
        self._send(channel, Command.INIT, data[:8] + allocated.to_bytes(4) + description)

    def _abandon(self, channel: int) -> None:
        """Drop the message or the command under way on ``channel``, without an answer."""
        if self._volatile.assembly is not None and self._volatile.assembly.channel == channel:
            self._volatile.assembly = None
        if self._volatile.work is not None and self._volatile.work.channel == channel:
            self._volatile.work.execution.cancel()
            self._volatile.work = None

    def _cancel(self, channel: int) -> None:
        """§11.2.9.1.5: the command is answered, the cancel never is; one that comes too late is ignored."""
        work = self._volatile.work
        if work is not None and work.channel == channel:
            work.execution.cancel()
            if Quirk.CANCEL_AS_HID_ERROR in self._profile.quirks:
                self._volatile.work = None
                self._error(channel, HidError.OTHER)
            else:
                self.poll()
        elif self._volatile.assembly is not None and self._volatile.assembly.channel == channel:
            self._volatile.assembly = None

    def _cbor(self, channel: int, data: bytes) -> None:
        if not data:
            self._error(channel, HidError.INVALID_LEN)
            return
        execution = self.authenticator.start(data, channel)
        if execution.answer is not None:
            self._send(channel, Command.CBOR, execution.answer)
            return
        # By default the first keepalive goes out at once: hosts show "touch your key" when it comes, and some give up.
        first = self.clock.monotonic() + self._profile.timing.first_keepalive
        self._volatile.work = _Work(channel, execution, next_keepalive=first)
        self.poll()

    def _msg(self, channel: int, data: bytes) -> None:
        self._send(channel, Command.MSG, self.authenticator.u2f.answer(data))

    def _ping(self, channel: int, data: bytes) -> None:
        self._send(channel, Command.PING, data)

    def _wink(self, channel: int, data: bytes) -> None:
        if data:
            self._error(channel, HidError.INVALID_LEN)
            return
        if self._on_wink is not None:
            self._on_wink()
        self._send(channel, Command.WINK, b"")

    def _lock(self, channel: int, data: bytes) -> None:
        """§11.2.9.2.2: for up to ten seconds nobody else may send; zero seconds gives the lock back."""
        if len(data) != 1:
            self._error(channel, HidError.INVALID_LEN)
        elif data[0] > _LONGEST_LOCK:
            self._error(channel, HidError.INVALID_PAR)
        else:
            self._volatile.lock = _Lock(channel, self.clock.monotonic() + data[0]) if data[0] else None
            self._send(channel, Command.LOCK, b"")

    def _error(self, channel: int, error: HidError) -> None:
        self._send(channel, Command.ERROR, bytes((error,)))

    def _send(self, channel: int, command: int, data: bytes) -> None:
        for report in fragments(channel, command, data):
            self._volatile.outbox.append(report)
            if self._on_report is not None:
                self._on_report("to_host", report)


def fragments(channel: int, command: int, data: bytes) -> list[bytes]:
    """The reports that carry one message of at most ``MAX_MESSAGE_BYTES``.

    Raises:
        ValueError: if ``data`` is longer.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise ValueError(f"CTAPHID message: expected at most {MAX_MESSAGE_BYTES} bytes, found {len(data)}")
    reports = [_INITIAL_REPORT.pack(channel, _INITIAL | command, len(data), data)]
    if len(data) <= INITIAL_DATA_BYTES:
        return reports
    for sequence, at in enumerate(range(INITIAL_DATA_BYTES, len(data), CONTINUATION_DATA_BYTES)):
        reports.append(_CONTINUATION_REPORT.pack(channel, sequence, data[at : at + CONTINUATION_DATA_BYTES]))
    return reports
