"""A board with relays or servos on a serial line, by the protocol of docs/reference/relay-protocol.md."""

from typing import Self

import serial

from authrig.errors import RigError

BAUD_RATE = 115200
PATIENCE = 2.0
"""Seconds for an answer, a pulse's own time not counted."""
PRESS_MILLISECONDS = 150
LONGEST_LINE = 128


class RelayBoard:
    """The board at ``port``: a path below /dev, or a URL of pyserial. Use it in a ``with`` block, or ``close`` it.

    Raises:
        RigError: if the line cannot be opened, or what is there does not answer as a board.
    """

    def __init__(self, port: str) -> None:
        self.port = port
        try:
            self._line = serial.serial_for_url(port, BAUD_RATE, timeout=PATIENCE, write_timeout=PATIENCE)
        except (serial.SerialException, OSError, ValueError) as error:
            raise RigError(f"the relay board {port} cannot be opened: {error}") from error
        try:
            self.channels = self._count_channels()
            """How many there are; the first is 1."""
        except RigError:
            self._line.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the line; relays stay as they are."""
        self._line.close()

    def switch(self, channel: int, *, on: bool) -> None:
        """Close or open a relay.

        Raises:
            RigError: if the board does not answer, or refuses.
        """
        self._order(f"SET {channel} {'ON' if on else 'OFF'}")

    def press(self, channel: int, milliseconds: int = PRESS_MILLISECONDS) -> None:
        """Close a relay for a while; comes back when it is open again.

        Raises:
            RigError: if the board does not answer, or refuses.
        """
        self._line.timeout = PATIENCE + milliseconds / 1000
        try:
            self._order(f"PULSE {channel} {milliseconds}")
        finally:
            self._line.timeout = PATIENCE

    def _count_channels(self) -> int:
        word, _, channels = self._ask("ID").partition(" ")
        if word != "RELAYS" or not channels.isdecimal():
            raise RigError(f"{self.port}: expected a relay board that answers ID with RELAYS n, found {word!r}")
        return int(channels)

    def _order(self, line: str) -> None:
        answer = self._ask(line)
        if answer != "OK":
            raise RigError(f"the relay board {self.port} answered {line!r} with {answer!r}, expected 'OK'")

    def _ask(self, line: str) -> str:
        try:
            # What is left of an answer that came too late would be taken for the next one.
            self._line.reset_input_buffer()
            self._line.write(line.encode("ascii") + b"\n")
            answer = self._line.read_until(b"\n", LONGEST_LINE)
        except (serial.SerialException, OSError) as error:
            raise RigError(f"the relay board {self.port} is gone: {error}") from error
        if not answer.endswith(b"\n"):
            raise RigError(f"the relay board {self.port} does not answer {line!r}: found {answer!r}")
        return answer.decode("ascii", errors="replace").strip()


class RelayChannel:
    """One channel: a finger on a key's button, or what cuts its power (closed: power)."""

    def __init__(self, board: RelayBoard, channel: int) -> None:
        if not 1 <= channel <= board.channels:
            raise RigError(f"the relay board {board.port} has {board.channels} channels, found channel {channel}")
        self._board = board
        self._channel = channel

    def touch(self, milliseconds: int = PRESS_MILLISECONDS) -> None:
        """Press shortly, or for so long.

        Raises:
            RigError: if the board does not answer, or refuses.
        """
        self._board.press(self._channel, milliseconds)

    def power_on(self) -> None:
        """Close the relay.

        Raises:
            RigError: if the board does not answer, or refuses.
        """
        self._board.switch(self._channel, on=True)

    def power_off(self) -> None:
        """Open the relay.

        Raises:
            RigError: if the board does not answer, or refuses.
        """
        self._board.switch(self._channel, on=False)
