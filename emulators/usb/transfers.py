"""The seam between a USB device and its host: each transfer passes here twice, as it is asked for and as it is answered.

Hand a ``Transfers`` to ``UsbIpServer`` and it stands in between: what it does not pass on is lost, what it passes on later
is late, and what it passes on changed has another status, fewer bytes or wrong ones.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a URB says: ``data`` goes to the device when it is asked for, to the host when it is answered.

    ``endpoint`` is the address, with bit 0x80 for those to the host; ``setup`` has eight bytes for a control transfer,
    ``length`` is what the host has room for, or sends. ``status`` is 0 or a negative error of Linux (-32: stalled), and
    ``taken`` how many bytes of the host the device took.
    """

    busid: str
    number: int
    endpoint: int
    setup: bytes
    length: int
    data: bytes
    status: int = 0
    taken: int = 0


class Transfers(Protocol):
    """Stands between devices and hosts. ``pass_on`` may be called from any thread; only the first time counts."""

    def asked(self, transfer: Transfer, pass_on: Callable[[Transfer], None]) -> None:
        """A host asks for a transfer; the device does not know yet."""
        ...

    def answered(self, transfer: Transfer, pass_on: Callable[[Transfer], None]) -> None:
        """A device has answered; the host does not know yet."""
        ...
