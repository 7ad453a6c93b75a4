"""What a device on a serial line is to the shells that carry its bytes: a core without I/O."""

from typing import Protocol

from emulators.env import Clock


class SerialDevice(Protocol):
    """Bytes and time in, bytes out. It is called by one shell at a time, which holds a lock meanwhile."""

    @property
    def clock(self) -> Clock:
        """The clock by which its time-outs run."""
        ...

    @property
    def baud_rate(self) -> int:
        """Bits a second at which it listens and speaks now."""
        ...

    def receive(self, data: bytes) -> None:
        """Bytes that the host has sent; any cut between them is possible."""
        ...

    def poll(self) -> None:
        """Do what is due by the clock."""
        ...

    def next_deadline(self) -> float | None:
        """When ``poll`` has something to do although nothing happens, in monotonic seconds; None: never."""
        ...

    def take_output(self) -> bytes:
        """What it has said since it was last asked. A new baud rate begins after these bytes."""
        ...
