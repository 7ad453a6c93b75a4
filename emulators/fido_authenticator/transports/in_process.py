"""A key in the host's own process: for an unmodified python-fido2, with full CTAPHID framing or with none."""

import threading
from collections import deque
from collections.abc import Callable, Iterator

from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.hid import CAPABILITY, CTAPHID, CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor

from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import REPORT_BYTES, CtapHid
from emulators.fido_authenticator.transports.waiting import Waiting

_BACKLOG = 4096
"""Reports that a connection keeps for a host that does not read; older ones are lost, as with a real hidraw node."""


class InProcessTransport:
    """A cable between ``hid`` and any number of hosts in this process, each with its own connection and thread.

    Like on a real cable every host sees the answers to all of them. A host that waits to read keeps the key going; on
    a simulated clock its wait takes no time, so a user who acts from another thread comes too late: such a user needs
    the machine's clock, or ``HandUser.on_request``.
    """

    def __init__(self, hid: CtapHid) -> None:
        self.hid = hid
        self._waiting = Waiting(hid.clock)
        self._connections: list[InProcessConnection] = []
        hid.authenticator.user.listen(self._waiting.wake)

    def connect(self) -> "InProcessConnection":
        """A new host."""
        connection = InProcessConnection(self)
        with self._waiting:
            self._connections.append(connection)
        return connection

    def open_device(self) -> CtapHidDevice:
        """A new host that is python-fido2's own ``CtapHidDevice``."""
        usb = self.hid.authenticator.profile.usb
        descriptor = HidDescriptor(
            path="in-process",
            vid=usb.vendor_id,
            pid=usb.product_id,
            report_size_in=REPORT_BYTES,
            report_size_out=REPORT_BYTES,
            product_name=usb.product,
            serial_number=usb.serial_number or None,
        )
        return CtapHidDevice(descriptor, self.connect())

    def power_cycle(self) -> None:
        """Unplug the key and plug it in again; connections stay, their channels do not."""
        with self._waiting:
            self.hid.power_cycle()
            for connection in self._connections:
                connection.inbox.clear()

    def close(self) -> None:
        """Take the key away: every host's read ends with OSError."""
        self.hid.authenticator.user.unlisten(self._waiting.wake)
        with self._waiting:
            self._connections.clear()
        self._waiting.wake()

    def write(self, report: bytes) -> None:
        """Carry a report to the key."""
        with self._waiting:
            self.hid.receive(report)
            self._deliver()

    def read(self, connection: "InProcessConnection") -> bytes:
        """The next report for ``connection``; time passes until there is one."""
        with self._waiting:
            while not connection.inbox:
                if connection not in self._connections:
                    raise OSError("the connection to the key is closed")
                self.hid.poll()
                self._deliver()
                if not connection.inbox:
                    self._waiting.until(self.hid.next_deadline())
            return connection.inbox.popleft()

    def disconnect(self, connection: "InProcessConnection") -> None:
        """A host leaves; if it waits to read in another thread, that ends with OSError."""
        with self._waiting:
            if connection in self._connections:
                self._connections.remove(connection)
        self._waiting.wake()

    def _deliver(self) -> None:
        reports = self.hid.take_reports()
        if reports:
            for connection in self._connections:
                connection.inbox.extend(reports)
            self._waiting.wake()


class InProcessConnection(CtapHidConnection):
    """One host's end of the cable."""

    def __init__(self, transport: InProcessTransport) -> None:
        self._transport = transport
        self.inbox: deque[bytes] = deque(maxlen=_BACKLOG)

    def read_packet(self) -> bytes:
        """The next report from the key; waits for it.

        Raises:
            OSError: if the connection is closed.
        """
        return self._transport.read(self)

    def write_packet(self, data: bytes) -> None:
        """Send a report to the key."""
        self._transport.write(data)

    def close(self) -> None:
        """Leave."""
        self._transport.disconnect(self)


class InProcessDevice(CtapDevice):
    """The key without any framing, for speed: python-fido2 calls the authenticator directly."""

    def __init__(self, authenticator: Authenticator) -> None:
        self._authenticator = authenticator
        self._waiting = Waiting(authenticator.env.clock)
        authenticator.user.listen(self._waiting.wake)

    @property
    def capabilities(self) -> int:
        """As on the HID layer."""
        profile = self._authenticator.profile
        return CAPABILITY((profile.has_ctap2 and CAPABILITY.CBOR) | (not profile.has_u2f and CAPABILITY.NMSG))

    def call(
        self,
        cmd: int,
        data: bytes = b"",
        event: threading.Event | None = None,
        on_keepalive: Callable[[STATUS], None] | None = None,
    ) -> bytes:
        """Run one command; ``event`` cancels it within a tenth of a second.

        Raises:
            CtapError: INVALID_COMMAND for all but PING, and CBOR and MSG as far as the profile has them.
        """
        if cmd == CTAPHID.PING:
            return data
        profile = self._authenticator.profile
        if cmd == CTAPHID.MSG and profile.has_u2f:
            with self._waiting:
                return self._authenticator.u2f.answer(data)
        if cmd != CTAPHID.CBOR or not profile.has_ctap2:
            raise CtapError(CtapError.ERR.INVALID_COMMAND)
        clock, beat = self._authenticator.env.clock, self._authenticator.profile.timing.keepalive
        with self._waiting:
            execution = self._authenticator.start(data)
            if execution.answer is None and on_keepalive is not None:
                on_keepalive(STATUS(execution.status))
            while (answer := execution.poll()) is None:
                if event is not None and event.is_set():
                    execution.cancel()
                    continue
                deadline = execution.next_deadline()
                if deadline is not None:
                    self._waiting.until(min(deadline, clock.monotonic() + beat))
            return answer

    def close(self) -> None:
        """Let go of the key."""
        self._authenticator.user.unlisten(self._waiting.wake)

    @classmethod
    def list_devices(cls) -> Iterator[CtapDevice]:
        """None: a key in this process is not found but made."""
        return iter(())
