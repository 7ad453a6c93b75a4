"""Timing: signs of life, cancelling, giving up (CTAP 2.3 §11.2.9). Limits are those at which hosts lose patience."""

import itertools
import statistics
import time

import pytest
from fido2.hid import CTAPHID

from authrig.bench.clock import RigClock
from authrig.ports.presence import Presence
from hil_tests.fido.hid import MSG_TIMEOUT, UPNEEDED, HidHost, Message

pytestmark = pytest.mark.hil("fido", caps=["CTAP2", "CTAPHID"])
SELECTS = pytest.mark.hil("fido", caps=["FIDO_2_1"])

SELECTION, GET_INFO = b"\x0b", b"\x04"
HOST_GIVES_UP = 0.5
"""Seconds without a keepalive after which Windows takes a key for gone; the specification wants one every 0.1 s."""
KEEPALIVE_CANCEL, USER_ACTION_TIMEOUT, OPERATION_DENIED = 0x2D, 0x2F, 0x27
TYPICAL_TIMEOUT = 31.0


@pytest.fixture
def other(hid: HidHost, channel: int) -> int:
    """Another host's channel."""
    return hid.allocate()


@pytest.fixture
def selecting(hid: HidHost, channel: int, other: int, presence: Presence) -> HidHost:
    """A host that waits for authenticatorSelection: the key blinks, and nobody touches it."""
    with presence.held_back():
        hid.send(channel, CTAPHID.CBOR, SELECTION)
        assert hid.read(keepalives=True).command == CTAPHID.KEEPALIVE
        # The finger stays away: an attached key is touched by hosts that heed keepalives only, and this one does not,
        # and an emulated one was asked already.
        return hid


@SELECTS
@pytest.mark.clause("CTAP 2.3 §11.2.9.1.7")
def test_waiting_key_says_that_it_wants_a_touch(selecting: HidHost, channel: int) -> None:
    """A keepalive with the status UPNEEDED comes on the channel of the command."""
    for _ in range(20):
        message = selecting.read(keepalives=True)
        assert (message.channel, message.command) == (channel, CTAPHID.KEEPALIVE)
        if message.data == UPNEEDED:
            break
    else:
        pytest.fail("20 keepalives, and none says UPNEEDED", pytrace=False)
    _cancel(selecting, channel)


def _cancel(hid: HidHost, channel: int) -> Message:
    hid.send(channel, CTAPHID.CANCEL)
    return hid.read()


@SELECTS
@pytest.mark.clause("CTAP 2.3 §11.2.9.1.7")
def test_keepalives_keep_coming(selecting: HidHost, channel: int) -> None:
    """Between two there is less time, in the median, than a host's patience."""
    moments = []
    for _ in range(6):
        selecting.read(keepalives=True)
        moments.append(time.monotonic())
    _cancel(selecting, channel)
    pauses = [after - before for before, after in itertools.pairwise(moments)]
    assert statistics.median(pauses) < HOST_GIVES_UP


@SELECTS
@pytest.mark.clause("CTAP 2.3 §11.2.9.1.5")
def test_cancelled_command_is_answered(selecting: HidHost, channel: int) -> None:
    """The command that was cancelled ends with a CBOR message, KEEPALIVE_CANCEL."""
    answer = _cancel(selecting, channel)
    assert (answer.channel, answer.command, answer.data) == (channel, CTAPHID.CBOR, bytes((KEEPALIVE_CANCEL,)))


@SELECTS
@pytest.mark.clause("CTAP 2.3 §11.2.9.1.5")
def test_cancel_itself_is_not_answered(selecting: HidHost, channel: int) -> None:
    """After the one answer to the command there is nothing more, to a second cancel either."""
    _cancel(selecting, channel)
    selecting.send(channel, CTAPHID.CANCEL)
    assert selecting.call(channel, CTAPHID.PING, b"next").data == b"next"


@SELECTS
@pytest.mark.clause("CTAP 2.3 §11.2.9.1.5")
def test_cancel_of_another_host_does_not_count(selecting: HidHost, channel: int, other: int) -> None:
    """A CANCEL on another channel leaves the command waiting."""
    selecting.send(other, CTAPHID.CANCEL)
    assert selecting.read(keepalives=True).command == CTAPHID.KEEPALIVE
    assert _cancel(selecting, channel).data == bytes((KEEPALIVE_CANCEL,))


@SELECTS
@pytest.mark.clause("CTAP 2.3 §11.2.5.2")
def test_other_hosts_are_told_that_the_key_is_busy(selecting: HidHost, channel: int, other: int) -> None:
    """While one host's command waits for its touch, another host's is ERR_CHANNEL_BUSY."""
    answer = selecting.call(other, CTAPHID.CBOR, GET_INFO)
    while answer.channel != other:
        answer = selecting.read()
    assert answer.error == 6
    assert _cancel(selecting, channel).data == bytes((KEEPALIVE_CANCEL,))


@SELECTS
@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
def test_init_ends_a_command(selecting: HidHost, channel: int) -> None:
    """INIT on the channel of a waiting command aborts it; the channel takes a new one."""
    answer = selecting.call(channel, CTAPHID.INIT, b"abandon!")
    if answer.command == CTAPHID.CBOR:  # some keys say first that the old command was cancelled
        answer = selecting.read()
    assert answer.data[:8] == b"abandon!"
    assert selecting.call(channel, CTAPHID.CBOR, GET_INFO).data[0] == 0


@SELECTS
@pytest.mark.clause("CTAP 2.3 §6.9")
def test_touch_ends_the_wait(selecting: HidHost, channel: int, presence: Presence) -> None:
    """Selected by a touch, the key answers with success."""
    presence.touch()
    answer = selecting.read()
    assert (answer.channel, answer.data) == (channel, b"\0")


@SELECTS
@pytest.mark.clause("CTAP 2.3 §6.9, §8.2")
def test_nobody_waits_for_ever(selecting: HidHost, clock: RigClock) -> None:
    """Untouched, the key gives up with USER_ACTION_TIMEOUT within a minute."""
    clock.advance(TYPICAL_TIMEOUT)
    until = time.monotonic() + 60
    while (message := selecting.read(keepalives=True)).command == CTAPHID.KEEPALIVE:
        assert time.monotonic() < until, "a minute without a touch, and the key still waits"
    assert message.data[:1] in (bytes((USER_ACTION_TIMEOUT,)), bytes((OPERATION_DENIED,)))


@pytest.mark.clause("CTAP 2.3 §11.2.5.2")
def test_message_that_does_not_go_on_times_out(hid: HidHost, channel: int, clock: RigClock) -> None:
    """A message whose next fragment stays out is ERR_MSG_TIMEOUT, and the key is free again."""
    hid.begin(channel, CTAPHID.PING, bytes(57), length=200)
    clock.advance(3.0)
    answer = hid.read()
    assert (answer.channel, answer.error) == (channel, MSG_TIMEOUT)
    assert hid.call(channel, CTAPHID.PING, b"next").data == b"next"


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.4")
def test_quick_commands_are_quick(hid: HidHost, channel: int) -> None:
    """A getInfo takes, in the median of five, less time than a host's patience."""
    taken = []
    for _ in range(5):
        begun = time.monotonic()
        assert hid.call(channel, CTAPHID.CBOR, GET_INFO).data[0] == 0
        taken.append(time.monotonic() - begun)
    assert statistics.median(taken) < HOST_GIVES_UP
