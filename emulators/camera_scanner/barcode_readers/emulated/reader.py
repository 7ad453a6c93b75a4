"""What all emulated readers on a serial line have in common: settings that outlive a power cut, sleep, a bad cable."""

from __future__ import annotations

from abc import abstractmethod
from enum import Enum

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.looking import LookingReader
from emulators.camera_scanner.barcode_readers.emulated.memory import Settings, SettingsMemory, VolatileMemory
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace, Trigger
from emulators.env import Env

WAKE_SECONDS = 0.05
"""A reader that was woken by a byte hears nothing for as long."""

_LONGEST_COMMAND = 4096
"""So many bytes without the end of a command are noise, and dropped."""


class Damage(Enum):
    """What a bad cable does to one message of the reader."""

    CUT = "cut"
    """Its second half is lost."""
    GARBLED = "garbled"
    """A byte in its middle arrives as another one."""
    LOST = "lost"
    """None of it arrives."""


class SerialReader(LookingReader):
    """A barcode reader on a serial line; a ``SerialDevice`` without I/O.

    Args:
        env: its clock; it draws no random numbers.
        memory: where its settings are kept without power; by default only for the life of this object.
    """

    silence = 0.5
    """Seconds after which the beginning of a command is given up when its rest does not come."""

    def __init__(self, env: Env, memory: SettingsMemory | None = None) -> None:
        super().__init__(env, Pace())
        self._memory = memory or VolatileMemory()
        self._inbox = b""
        self._inbox_since = 0.0
        self._outbox = b""
        self._damages: list[Damage] = []
        self._asleep = False
        self._deaf_until = 0.0
        self._next_baud_rate: int | None = None
        self._restore(self._memory.load())
        self.baud_rate = self._wanted_baud_rate()
        self._trigger.pace = self._pace()

    # What a family says about itself.

    @abstractmethod
    def _restore(self, saved: Settings | None) -> None:
        """Begin with ``saved`` settings; None: those of the factory."""

    @abstractmethod
    def _saved(self) -> Settings:
        """The settings as they are kept without power."""

    @abstractmethod
    def _wanted_baud_rate(self) -> int:
        """What the settings say."""

    @abstractmethod
    def _pace(self) -> Pace:
        """What the settings say."""

    @abstractmethod
    def _message(self, code: Code) -> bytes:
        """What is sent for a read."""

    @abstractmethod
    def _take_command(self, inbox: bytes) -> int:
        """Obey the command with which ``inbox`` begins; how many bytes that used up, 0 if its end has not come yet."""

    # What its user does.

    def press(self) -> None:
        """Press the reader's button; it wakes a sleeping reader."""
        self._asleep = False
        super().press()

    def power_cycle(self) -> None:
        """Take its power away and give it back: what was not saved is forgotten."""
        self._inbox = self._outbox = b""
        self._asleep = False
        self._deaf_until = 0.0
        self._next_baud_rate = None
        self._trigger = Trigger(self.clock, Pace())
        self._restore(self._memory.load())
        self.baud_rate = self._wanted_baud_rate()
        self._trigger.pace = self._pace()

    def damage_next(self, *damages: Damage) -> None:
        """Let the cable do this to the next messages of the reader, one each."""
        self._damages.extend(damages)

    @property
    def asleep(self) -> bool:
        """Whether the next byte only wakes it."""
        return self._asleep

    # What a shell needs.

    def receive(self, data: bytes) -> None:
        """Bytes that the host has sent."""
        now = self.clock.monotonic()
        if self._asleep:
            self._asleep = False
            self._deaf_until = now + WAKE_SECONDS
            return
        if now < self._deaf_until:
            return
        if now - self._inbox_since > self.silence:
            self._inbox = b""
        self._inbox_since = now
        self._inbox += data
        while self._inbox and (used := self._take_command(self._inbox)):
            self._inbox = self._inbox[used:]
        if len(self._inbox) > _LONGEST_COMMAND:
            self._inbox = b""
        self.poll()

    def poll(self) -> None:
        """Do what is due by the clock."""
        if not self._asleep:
            super().poll()

    def next_deadline(self) -> float | None:
        """When ``poll`` has something to do although nothing happens, in monotonic seconds."""
        return None if self._asleep else super().next_deadline()

    def take_output(self) -> bytes:
        """What it has said since it was last asked. A new baud rate begins after these bytes."""
        said, self._outbox = self._outbox, b""
        if self._next_baud_rate is not None:
            self.baud_rate, self._next_baud_rate = self._next_baud_rate, None
        return said

    # What families share.

    def _report(self, code: Code) -> None:
        self._say(self._message(code))

    def _say(self, message: bytes) -> None:
        """Send ``message`` over the cable as it is."""
        damage = self._damages.pop(0) if self._damages else None
        if damage is Damage.CUT:
            message = message[: len(message) // 2]
        elif damage is Damage.GARBLED:
            middle = len(message) // 2
            message = message[:middle] + bytes((message[middle] ^ 0x55,)) + message[middle + 1 :]
        elif damage is Damage.LOST:
            message = b""
        self._outbox += message

    def _settings_changed(self, *, permanently: bool) -> None:
        """Let the settings work; a new baud rate begins when the answer is out."""
        self._trigger.pace = self._pace()
        wanted = self._wanted_baud_rate()
        self._next_baud_rate = None if wanted == self.baud_rate else wanted
        if permanently:
            self._memory.save(self._saved())

    def _fall_asleep(self) -> None:
        self._trigger.stop()
        self._asleep = True
