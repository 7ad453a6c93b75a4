"""HID channel: how reports become messages, and messages find their channel (CTAP 2.3 §11.2)."""

from collections.abc import Mapping

import pytest
from fido2 import cbor
from fido2.hid import CTAPHID

from authrig.ports.host_random import random_bytes
from authrig.ports.key import Key
from hil_tests.fido import hid as ctaphid
from hil_tests.fido.hid import BROADCAST, HidHost, host_on

pytestmark = pytest.mark.hil("fido", caps=["CTAPHID"])


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
def test_init_answers_with_the_nonce(hid: HidHost) -> None:
    """INIT on the broadcast channel is answered there, with the host's nonce and 17 bytes in all."""
    nonce = random_bytes(8)
    answer = hid.call(BROADCAST, CTAPHID.INIT, nonce)
    assert (answer.channel, answer.command, len(answer.data)) == (BROADCAST, CTAPHID.INIT, 17)
    assert answer.data[:8] == nonce


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
def test_protocol_version_is_two(hid: HidHost) -> None:
    """INIT says CTAPHID protocol version 2."""
    assert hid.call(BROADCAST, CTAPHID.INIT, bytes(8)).data[12] == 2


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
def test_allocated_channel_is_neither_zero_nor_broadcast(hid: HidHost) -> None:
    """A channel that is handed out is none of the reserved ones."""
    assert hid.allocate() not in (0, BROADCAST)


@pytest.mark.clause("CTAP 2.3 §11.2.4")
def test_each_host_gets_a_channel_of_its_own(hid: HidHost) -> None:
    """Eight INITs hand out eight channels."""
    assert len({hid.allocate() for _ in range(8)}) == 8


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
def test_capabilities_agree_with_the_commands(hid: HidHost, channel: int) -> None:
    """MSG is refused exactly where the capabilities say NMSG, CBOR where they do not say CBOR."""
    capabilities = hid.call(BROADCAST, CTAPHID.INIT, bytes(8)).data[16]
    message = hid.call(channel, CTAPHID.MSG, bytes.fromhex("00030000000000"))
    assert (message.error is not None) == bool(capabilities & 0x08)
    cbor = hid.call(channel, CTAPHID.CBOR, b"\x04")
    assert (cbor.error is None) == bool(capabilities & 0x04)


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
def test_init_on_a_channel_keeps_it(hid: HidHost, channel: int) -> None:
    """INIT on an allocated channel synchronizes it and answers with the same channel."""
    answer = hid.call(channel, CTAPHID.INIT, b"12345678")
    assert (answer.channel, answer.data[:12]) == (channel, b"12345678" + channel.to_bytes(4))


@pytest.mark.clause("CTAP 2.3 §11.2.5.3")
def test_init_ends_a_message_that_is_not_complete(hid: HidHost, channel: int) -> None:
    """After INIT in the middle of a message the channel takes a new one."""
    hid.begin(channel, CTAPHID.PING, bytes(57), length=200)
    assert hid.call(channel, CTAPHID.INIT, bytes(8)).command == CTAPHID.INIT
    assert hid.call(channel, CTAPHID.PING, b"again").data == b"again"


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
@pytest.mark.hil("fido", caps=["shared"])
def test_init_of_another_host_leaves_a_message_alone(hid: HidHost, channel: int) -> None:
    """A broadcast INIT between two fragments is answered, and the message still arrives."""
    data = random_bytes(100)
    rest = hid.begin(channel, CTAPHID.PING, data)
    assert hid.allocate() != channel
    hid.write(channel, b"\0", rest)
    assert hid.read().data == data


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
def test_init_without_a_whole_nonce_is_refused(hid: HidHost) -> None:
    """A nonce of seven bytes is ERR_INVALID_LEN."""
    assert hid.call(BROADCAST, CTAPHID.INIT, bytes(7)).error == ctaphid.INVALID_LEN


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.2")
@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 116, 117, 1024], ids=lambda size: f"{size} bytes")
def test_ping_comes_back(hid: HidHost, channel: int, size: int) -> None:
    """PING returns what was sent, at each border between fragments."""
    data = random_bytes(size)
    answer = hid.call(channel, CTAPHID.PING, data)
    assert (answer.channel, answer.command, answer.data) == (channel, CTAPHID.PING, data)


@pytest.mark.clause("CTAP 2.3 §11.2.4")
def test_longest_message_comes_back(hid: HidHost, channel: int) -> None:
    """A PING as long as the longest request that the key takes (maxMsgSize, 1024 of keys without) is whole."""
    answer = hid.call(channel, CTAPHID.CBOR, b"\x04")
    told = {} if answer.error is not None else cbor.decode(answer.data[1:])
    assert isinstance(told, Mapping)
    size = told.get(0x05, 1024)
    data = random_bytes(size)
    assert hid.call(channel, CTAPHID.PING, data).data == data


@pytest.mark.clause("CTAP 2.3 §11.2.4")
def test_message_longer_than_possible_is_refused(hid: HidHost, channel: int) -> None:
    """A length of 7610 is ERR_INVALID_LEN at once."""
    hid.begin(channel, CTAPHID.PING, bytes(57), length=7610)
    assert hid.read().error == ctaphid.INVALID_LEN


@pytest.mark.clause("CTAP 2.3 §11.2.5.3")
@pytest.mark.parametrize("sequence", [1, 0x7F], ids=["skipped", "far off"])
def test_wrong_sequence_number_ends_the_message(hid: HidHost, channel: int, sequence: int) -> None:
    """A continuation that is not the next one is ERR_INVALID_SEQ."""
    hid.begin(channel, CTAPHID.PING, bytes(57), length=200)
    hid.write(channel, bytes((sequence,)), bytes(59))
    assert hid.read().error == ctaphid.INVALID_SEQ
    assert hid.call(channel, CTAPHID.PING, b"next").data == b"next"


@pytest.mark.clause("CTAP 2.3 §11.2.5.3")
def test_repeated_fragment_ends_the_message(hid: HidHost, channel: int) -> None:
    """The same continuation twice is ERR_INVALID_SEQ."""
    hid.begin(channel, CTAPHID.PING, bytes(57), length=200)
    hid.write(channel, b"\0", bytes(59))
    hid.write(channel, b"\0", bytes(59))
    assert hid.read().error == ctaphid.INVALID_SEQ


@pytest.mark.clause("CTAP 2.3 §11.2.5.3")
def test_new_message_inside_a_message_is_refused(hid: HidHost, channel: int) -> None:
    """An initial report where a continuation is due is ERR_INVALID_SEQ."""
    hid.begin(channel, CTAPHID.PING, bytes(57), length=200)
    hid.begin(channel, CTAPHID.PING, b"new")
    assert hid.read().error == ctaphid.INVALID_SEQ


@pytest.mark.clause("CTAP 2.3 §11.2.5.3")
def test_spurious_continuation_is_ignored(hid: HidHost, channel: int) -> None:
    """A continuation of no message gets no answer, and disturbs nothing."""
    hid.write(channel, b"\0", bytes(59))
    assert hid.call(channel, CTAPHID.PING, b"here").data == b"here"


@pytest.mark.clause("CTAP 2.3 §11.2.5.2")
def test_second_host_is_told_that_the_key_is_busy(hid: HidHost, channel: int) -> None:
    """While a message of one channel arrives, a message on another one is ERR_CHANNEL_BUSY; the first one goes on."""
    other = hid.allocate()
    data = random_bytes(100)
    rest = hid.begin(channel, CTAPHID.PING, data)
    answer = hid.call(other, CTAPHID.PING, b"me too")
    assert (answer.channel, answer.error) == (other, ctaphid.CHANNEL_BUSY)
    hid.write(channel, b"\0", rest)
    assert hid.read().data == data


@pytest.mark.clause("CTAP 2.3 §11.2.5.3")
def test_continuation_of_another_channel_is_ignored(hid: HidHost, channel: int) -> None:
    """It belongs to no message, and the one under way still arrives."""
    other = hid.allocate()
    data = random_bytes(100)
    rest = hid.begin(channel, CTAPHID.PING, data)
    hid.write(other, b"\0", bytes(59))
    hid.write(channel, b"\0", rest)
    answer = hid.read()
    assert (answer.channel, answer.data) == (channel, data)


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.6")
def test_unknown_command_is_refused(hid: HidHost, channel: int) -> None:
    """A command that nobody has defined is ERR_INVALID_CMD."""
    assert hid.call(channel, 0x2A).error == ctaphid.INVALID_CMD


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.6")
def test_channel_that_was_not_allocated_is_refused(hid: HidHost, channel: int) -> None:
    """A message on a channel that nobody has is ERR_INVALID_CHANNEL."""
    assert hid.call(channel ^ 0x55AA_0000, CTAPHID.PING, b"?").error == ctaphid.INVALID_CHANNEL


@pytest.mark.clause("CTAP 2.3 §11.2.4")
def test_channel_zero_is_refused(hid: HidHost) -> None:
    """Channel 0 is reserved."""
    assert hid.call(0, CTAPHID.PING, b"?").error == ctaphid.INVALID_CHANNEL


@pytest.mark.clause("CTAP 2.3 §11.2.4")
def test_broadcast_is_for_init_only(hid: HidHost) -> None:
    """PING on the broadcast channel is ERR_INVALID_CHANNEL."""
    assert hid.call(BROADCAST, CTAPHID.PING, b"?").error == ctaphid.INVALID_CHANNEL


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.5")
def test_cancel_of_nothing_is_ignored(hid: HidHost, channel: int) -> None:
    """CANCEL while nothing is under way gets no answer."""
    hid.send(channel, CTAPHID.CANCEL)
    assert hid.call(channel, CTAPHID.PING, b"still").data == b"still"


@pytest.mark.clause("CTAP 2.3 §11.2.9.1.4")
@pytest.mark.hil("fido", caps=["CTAP2"])
def test_cbor_without_a_command_is_refused(hid: HidHost, channel: int) -> None:
    """A CBOR message without a command byte is an error, of the channel or of CTAP."""
    answer = hid.call(channel, CTAPHID.CBOR)
    assert answer.error == ctaphid.INVALID_LEN or (answer.command == CTAPHID.CBOR and answer.data[0] != 0)


@pytest.mark.clause("CTAP 2.3 §11.2.9.2.1")
@pytest.mark.hil("fido", caps=["WINK"])
def test_wink(hid: HidHost, channel: int) -> None:
    """A key that says it can wink does so, and answers with nothing."""
    answer = hid.call(channel, CTAPHID.WINK)
    assert (answer.command, answer.data) == (CTAPHID.WINK, b"")


@pytest.mark.clause("CTAP 2.3 §11.2.9.2.2")
def test_lock_keeps_others_out(hid: HidHost, channel: int) -> None:
    """A key with LOCK answers others ERR_CHANNEL_BUSY until the lock is given back; others refuse LOCK."""
    other = hid.allocate()
    locked = hid.call(channel, CTAPHID.LOCK, b"\x05")
    if locked.error == ctaphid.INVALID_CMD:
        pytest.skip("LOCK is optional, and the key has it not")
    assert locked.command == CTAPHID.LOCK
    assert hid.call(other, CTAPHID.PING, b"?").error == ctaphid.CHANNEL_BUSY
    assert hid.call(channel, CTAPHID.PING, b"mine").data == b"mine"
    assert hid.call(channel, CTAPHID.LOCK, b"\0").command == CTAPHID.LOCK
    assert hid.call(other, CTAPHID.PING, b"free").data == b"free"


@pytest.mark.clause("CTAP 2.3 §11.2.4")
@pytest.mark.hil("fido", caps=["shared"])
def test_two_hosts_take_turns(key: Key) -> None:
    """Two processes with the key open at once, each on a channel of its own, get their own answers."""
    with host_on(key.open_connection()) as first, host_on(key.open_connection()) as second:
        one = first.allocate()
        second_sees = second.read()  # each host sees the reports for the others too
        assert int.from_bytes(second_sees.data[8:12]) == one
        two = second.allocate()
        assert first.read().channel == BROADCAST
        for number in range(3):
            assert first.call(one, CTAPHID.PING, bytes((number,))).data == bytes((number,))
            assert second.read().channel == one
            assert second.call(two, CTAPHID.PING, bytes((number + 9,))).data == bytes((number + 9,))
            assert first.read().channel == two
