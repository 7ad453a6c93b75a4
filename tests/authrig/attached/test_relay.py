from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from authrig.attached import relay
from authrig.attached.relay import RelayBoard, RelayChannel
from authrig.errors import RigError

if TYPE_CHECKING:
    from tests.authrig.attached.conftest import BoardOnAPty


@pytest.fixture
def relays(board: "BoardOnAPty") -> Iterator[RelayBoard]:
    """The rig's side of it."""
    with RelayBoard(board.path) as relays:
        yield relays


def test_presses_and_switches(board: "BoardOnAPty", relays: RelayBoard) -> None:
    """What is ordered is what the board does, in that order."""
    finger, socket = RelayChannel(relays, 1), RelayChannel(relays, 4)
    finger.touch()
    socket.power_off()
    socket.power_on()
    assert board.done == [("PULSE", 1), ("OFF", 4), ("ON", 4)]


def test_a_channel_that_is_not_there_is_refused(relays: RelayBoard) -> None:
    """By the rig, and by the board."""
    with pytest.raises(RigError, match="has 4 channels, found channel 5"):
        RelayChannel(relays, 5)
    with pytest.raises(RigError, match="answered 'SET 5 ON' with 'ERR what', expected 'OK'"):
        relays.switch(5, on=True)


def test_a_board_that_falls_silent_is_a_sentence(
    board: "BoardOnAPty", relays: RelayBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And does not hold the rig up for long."""
    relays._line.timeout = 0.05
    board.mute = True
    with pytest.raises(RigError, match="does not answer 'SET 1 ON'"):
        relays.switch(1, on=True)


def test_something_else_on_the_line_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An echo is no board."""
    monkeypatch.setattr(relay, "PATIENCE", 0.05)
    with pytest.raises(RigError, match="expected a relay board that answers ID with RELAYS n, found 'ID'"):
        RelayBoard("loop://")
    with pytest.raises(RigError, match="cannot be opened"):
        RelayBoard("/dev/there-is-no-such-line")
