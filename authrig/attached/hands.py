"""What stands in for a hand, by the words of the rig file: something that touches, and something that plugs in and out."""

from contextlib import ExitStack
from typing import Literal, Protocol, Self

from authrig.attached.controller import ControlledPort
from authrig.attached.hub import HubSocket
from authrig.attached.person import Person
from authrig.attached.relay import RelayBoard, RelayChannel
from authrig.errors import RigError
from authrig.rig_file.entries import Controller, Hub, Power, Relay, Touch


class Finger(Protocol):
    """Touches a key."""

    def touch(self) -> object:
        """Touch it shortly.

        Raises:
            RigError: if that cannot be done.
        """
        ...


class Switch(Protocol):
    """Gives a device power and takes it away."""

    def power_on(self) -> None:
        """Plug it in.

        Raises:
            RigError: if that cannot be done.
        """
        ...

    def power_off(self) -> None:
        """Unplug it.

        Raises:
            RigError: if that cannot be done.
        """
        ...


class NoFinger:
    """Nobody has to touch the device: it does what it is asked by itself."""

    def touch(self) -> None:
        """Do nothing."""


class NoSwitch:
    """Nobody can unplug the device."""

    def __init__(self, name: str) -> None:
        self._name = name

    def power_on(self) -> None:
        """Do nothing: it has power."""

    def power_off(self) -> None:
        """Refuse.

        Raises:
            RigError: always.
        """
        raise RigError(f"{self._name}: nothing can unplug it; say in the rig file who does, with power")


class AskedPerson:
    """A person, for one device."""

    def __init__(self, person: Person, name: str) -> None:
        self._person = person
        self._name = name

    def touch(self) -> None:
        """Have it touched; the device says itself when it was."""
        self._person.tell(f"touch {self._name} now")

    def power_on(self) -> None:
        """Have it plugged in."""
        self._person.have_done(f"plug {self._name} in")

    def power_off(self) -> None:
        """Have it unplugged."""
        self._person.have_done(f"unplug {self._name}")


class Hands:
    """Makes fingers and switches; boards that several channels share are opened once. Use it in a ``with`` block."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._boards: dict[str, RelayBoard] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def finger(self, entry: Touch, name: str) -> Finger:
        """Who touches the device ``name``.

        Raises:
            RigError: if a relay board cannot be opened.
        """
        return NoFinger() if entry == "automatic" else self._does_both(entry, name)

    def switch(self, entry: Power, name: str) -> Switch:
        """Who plugs the device ``name`` in and out.

        Raises:
            RigError: if a relay board cannot be opened.
        """
        if isinstance(entry, Hub):
            return HubSocket(entry.location, entry.port)
        return NoSwitch(name) if entry == "none" else self._does_both(entry, name)

    def _does_both(
        self, entry: Controller | Relay | Literal["person"], name: str
    ) -> ControlledPort | RelayChannel | AskedPerson:
        """What can touch a device as well as plug it in and out."""
        match entry:
            case Controller():
                return ControlledPort(entry.url, entry.port)
            case Relay():
                return self.channel(entry.serial_port, entry.channel)
            case _:
                return AskedPerson(self._person, name)

    def channel(self, port: str, channel: int) -> RelayChannel:
        """One channel of the board on the serial line ``port``.

        Raises:
            RigError: if the board cannot be opened, or has no such channel.
        """
        board = self._boards.get(port)
        if board is None:
            board = self._boards[port] = self._open.enter_context(RelayBoard(port))
        return RelayChannel(board, channel)
