import itertools
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid, fragments
from emulators.fido_authenticator.store import dump
from emulators.fido_authenticator.user import Act, AutomaticUser, HandUser, ScriptedUser, User
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_INFO,
    MAKE_CREDENTIAL,
    SELECTION,
    creation,
    register,
    request,
)

PING, MSG, LOCK, INIT, WINK, CBOR, CANCEL, KEEPALIVE, ERROR = 0x01, 0x03, 0x04, 0x06, 0x08, 0x10, 0x11, 0x3B, 0x3F
BROADCAST = 0xFFFFFFFF
UPNEEDED = (KEEPALIVE, b"\x02")
NONCE = b"12345678"


class Key:
    """A key on a simulated clock, and a host that reads message by message."""

    def __init__(self, user: User | None = None, profile: str = profiles.DEFAULT) -> None:
        self.clock = SimulatedClock()
        env = Env(self.clock, Env.simulated(1).random)
        self.winks = 0
        self.hid = CtapHid(Authenticator(env, profiles.load(profile), user=user), on_wink=self._winked)

    def _winked(self) -> None:
        self.winks += 1

    def send(self, channel: int, command: int, data: bytes = b"") -> None:
        """Send one message."""
        for report in fragments(channel, command, data):
            self.hid.receive(report)

    def wait(self, seconds: float) -> None:
        """Let time pass as a transport does: from deadline to deadline."""
        end = self.clock.monotonic() + seconds
        while True:
            self.hid.poll()
            deadline = self.hid.next_deadline()
            if deadline is None or deadline > end:
                break
            self.clock.advance(max(0.0, deadline - self.clock.monotonic()))
        self.clock.advance(end - self.clock.monotonic())
        self.hid.poll()

    def messages(self) -> list[tuple[int, int, bytes]]:
        """What the key has said: channel, command, data."""
        messages = []
        reports = iter(self.hid.take_reports())
        for report in reports:
            length, data = int.from_bytes(report[5:7]), report[7:]
            while len(data) < length:
                data += next(reports)[5:]
            messages.append((int.from_bytes(report[:4]), report[4] & 0x7F, data[:length]))
        return messages

    def said(self, channel: int) -> list[tuple[int, bytes]]:
        """What the key has said, all of it on ``channel``."""
        messages = self.messages()
        assert {number for number, _, _ in messages} <= {channel}
        return [(command, data) for _, command, data in messages]

    def allocate(self, nonce: bytes = NONCE) -> int:
        """A new channel."""
        self.send(BROADCAST, INIT, nonce)
        ((channel, command, data),) = self.messages()
        assert (channel, command, data[:8]) == (BROADCAST, INIT, nonce)
        return int.from_bytes(data[8:12])


def _error(code: int) -> tuple[int, bytes]:
    return ERROR, bytes([code])


def test_init_describes_the_key_and_allocates_channels() -> None:
    """The answer says protocol 2, the profile's version, and wink, CBOR and MSG (CTAP 2.3 §11.2.9.1.3)."""
    key = Key()
    key.send(BROADCAST, INIT, NONCE)
    ((_, _, data),) = key.messages()
    assert data[8:12] not in {bytes(4), b"\xff" * 4}
    assert data[12:] == bytes([2, 0, 1, 0, 0x01 | 0x04])
    assert key.allocate() != int.from_bytes(data[8:12])


def test_init_on_a_channel_starts_it_afresh() -> None:
    """A half-sent message, and a command that waits, are dropped; the channel keeps its number."""
    key = Key(AutomaticUser(None))
    channel = key.allocate()
    key.hid.receive(fragments(channel, PING, bytes(100))[0])
    key.send(channel, INIT, NONCE)
    ((command, data),) = key.said(channel)
    assert (command, data[:8], int.from_bytes(data[8:12])) == (INIT, NONCE, channel)
    key.send(channel, CBOR, bytes([SELECTION]))
    assert key.said(channel) == [UPNEEDED]
    key.send(channel, INIT, NONCE)
    assert [command for command, _ in key.said(channel)] == [INIT]
    key.wait(60)
    key.send(channel, PING, b"free")
    assert key.said(channel) == [(PING, b"free")]


@pytest.mark.parametrize("length", [0, 7, 9, 57])
def test_init_carries_eight_bytes(length: int) -> None:
    """Any other nonce is refused, and allocates nothing."""
    key = Key()
    key.send(BROADCAST, INIT, bytes(length))
    assert key.said(BROADCAST) == [_error(0x03)]


@pytest.mark.parametrize("channel", [0, 1, 7, BROADCAST])
def test_a_channel_must_be_allocated_first(channel: int) -> None:
    """Zero, foreign numbers and the broadcast channel carry no messages."""
    key = Key()
    key.send(channel, PING, b"hello")
    assert key.said(channel) == [_error(0x0B)]
    if channel != BROADCAST:
        key.send(channel, INIT, NONCE)
        assert key.said(channel) == [_error(0x0B)]


def test_the_longest_ping_comes_back() -> None:
    """7609 bytes fill 129 reports each way; one byte more is refused at once."""
    key = Key()
    channel = key.allocate()
    data = bytes(range(256)) * 30
    key.send(channel, PING, data[:7609])
    assert key.said(channel) == [(PING, data[:7609])]
    key.hid.receive((channel.to_bytes(4) + bytes([0x80 | PING]) + (7610).to_bytes(2)).ljust(64, b"\0"))
    assert key.said(channel) == [_error(0x03)]
    with pytest.raises(ValueError, match="found 7610"):
        fragments(channel, PING, bytes(7610))


@pytest.mark.parametrize("command", [0x00, 0x02, 0x3A, KEEPALIVE, ERROR, 0x40, 0x7F])
def test_unknown_commands_are_refused(command: int) -> None:
    """A known command of another kind too."""
    key = Key()
    channel = key.allocate()
    key.send(channel, command, b"\x00\x03\x00\x00")
    assert key.said(channel) == [_error(0x01)]


@pytest.mark.parametrize(
    ("versions", "capabilities", "msg", "cbor"),
    [
        (("U2F_V2", "FIDO_2_1"), 0x01 | 0x04, (MSG, b"U2F_V2\x90\x00"), (CBOR, b"\x00")),
        (("FIDO_2_1",), 0x01 | 0x04 | 0x08, _error(0x01), (CBOR, b"\x00")),
        (("U2F_V2",), 0x01, (MSG, b"U2F_V2\x90\x00"), _error(0x01)),
    ],
)
def test_the_capabilities_are_those_of_the_profile(
    versions: tuple[str, ...], capabilities: int, msg: tuple[int, bytes], cbor: tuple[int, bytes]
) -> None:
    """U2F without CTAP2, CTAP2 without U2F, and both: what INIT says is what works, and the rest is INVALID_CMD."""
    profile = msgspec.structs.replace(profiles.load(), versions=versions)
    key = Key()
    key.hid = CtapHid(Authenticator(Env(key.clock, Env.simulated(1).random), profile))
    key.send(BROADCAST, INIT, NONCE)
    ((_, _, data),) = key.messages()
    assert data[16] == capabilities
    channel = key.allocate()
    key.send(channel, MSG, b"\x00\x03\x00\x00")
    assert key.said(channel) == [msg]
    key.send(channel, CBOR, bytes([SELECTION]))
    assert key.said(channel) == [cbor]


def test_fragments_out_of_sequence_end_the_message() -> None:
    """A skipped or repeated fragment is INVALID_SEQ, its successors are ignored, and the channel stays usable."""
    for order in ((0, 2, 3), (0, 1, 1, 2)):
        key = Key()
        channel = key.allocate()
        reports = fragments(channel, PING, bytes(200))
        for number in order:
            key.hid.receive(reports[number])
        assert key.said(channel) == [_error(0x04)]
        key.send(channel, PING, b"free")
        assert key.said(channel) == [(PING, b"free")]


def test_a_new_message_in_the_middle_of_another_ends_both() -> None:
    """The host has lost its thread; it is told, and starts again."""
    key = Key()
    channel = key.allocate()
    key.hid.receive(fragments(channel, PING, bytes(200))[0])
    key.send(channel, PING, b"hello")
    assert key.said(channel) == [_error(0x04)]
    key.send(channel, PING, b"hello")
    assert key.said(channel) == [(PING, b"hello")]


def test_fragments_that_belong_to_nothing_are_ignored() -> None:
    """Spurious continuations get no answer, on any channel."""
    key = Key()
    channel = key.allocate()
    for number in (0, channel, 99, BROADCAST):
        key.hid.receive(fragments(number, PING, bytes(100))[1])
    assert key.messages() == []
    assert key.hid.next_deadline() is None


def test_a_message_whose_rest_does_not_come_times_out() -> None:
    """Half a second after the last fragment the host is told, once."""
    key = Key()
    channel = key.allocate()
    first, second, _ = fragments(channel, PING, bytes(150))
    key.hid.receive(first)
    key.wait(0.4)
    key.hid.receive(second)
    key.wait(0.4)
    assert key.messages() == []
    key.wait(0.2)
    assert key.said(channel) == [_error(0x05)]
    key.wait(5)
    assert key.messages() == []


def test_two_hosts_interleave() -> None:
    """While one sends or waits, the other is told that the key is busy, may still get a channel, and harms nothing."""
    user = HandUser()
    key = Key(user)
    one, other = key.allocate(), key.allocate()
    reports = fragments(one, PING, bytes(200))
    key.hid.receive(reports[0])
    key.send(other, PING, b"me too")
    assert key.said(other) == [_error(0x06)]
    assert key.allocate() not in {one, other}
    for report in reports[1:]:
        key.hid.receive(report)
    assert key.said(one) == [(PING, bytes(200))]

    key.send(one, CBOR, bytes([SELECTION]))
    assert key.said(one) == [UPNEEDED]
    for command in (PING, CBOR, WINK):
        key.send(other, command, bytes([GET_INFO]))
        assert key.said(other) == [_error(0x06)]
    key.send(one, PING, b"hello?")
    assert key.said(one) == [_error(0x06)]
    key.send(other, CANCEL)
    assert key.messages() == []
    assert user.touch()
    key.hid.poll()
    assert key.said(one) == [(CBOR, b"\0")]
    key.send(other, CBOR, bytes([GET_INFO]))
    assert key.said(other)[0][1][:1] == b"\0"


def test_the_key_keeps_a_waiting_host_alive() -> None:
    """UPNEEDED at once and every 100 ms, then the answer as soon as the user has acted."""
    key = Key(ScriptedUser([Act(delay=1.05)]))
    channel = key.allocate()
    key.send(channel, CBOR, bytes([SELECTION]))
    times = []
    started = key.clock.monotonic()
    while (said := key.said(channel)) == [UPNEEDED] or not said:
        if said:
            times.append(key.clock.monotonic() - started)
        deadline = key.hid.next_deadline()
        assert deadline is not None
        key.clock.advance(max(0.0, deadline - key.clock.monotonic()))
        key.hid.poll()
    assert said == [(CBOR, b"\0")]
    assert key.clock.monotonic() - started == pytest.approx(1.05)
    assert times == pytest.approx([0.1 * beat for beat in range(11)])


class _SlowClock(SimulatedClock):
    """On which every look costs 10 ms, as if the machine computed meanwhile."""

    def monotonic(self) -> float:
        self.advance(0.01)
        return super().monotonic()


@pytest.mark.parametrize(("cancel_after", "status"), [(None, b"\x00"), (2, b"\x2d")])
def test_a_long_computation_keeps_the_host_alive_too(cancel_after: int | None, status: bytes) -> None:
    """An RSA key is searched for in slices: PROCESSING every 100 ms or little more, others are BUSY, a cancel ends it."""
    key = Key()
    key.clock = _SlowClock()
    key.hid = CtapHid(Authenticator(Env(key.clock, Env.simulated(1).random)))
    channel, other = key.allocate(), key.allocate()
    key.send(channel, CBOR, request(MAKE_CREDENTIAL, creation({4: [{"alg": -257, "type": "public-key"}]})))
    key.send(other, PING, b"hello")
    assert (other, *_error(0x06)) in key.messages()
    said: list[tuple[float, int, bytes]] = []
    while not said or said[-1][1] != CBOR:
        if len(said) == cancel_after:
            key.send(channel, CANCEL)
        else:
            key.hid.poll()
        said += [(key.clock.monotonic(), command, data) for _, command, data in key.messages()]
    *keepalives, (_, _, answer) = said
    assert {data for _, _, data in keepalives} == {b"\x01"}
    assert len(keepalives) > 1
    assert max(late[0] - early[0] for early, late in itertools.pairwise(said)) < 0.25
    assert answer[:1] == status


def test_a_late_poll_sends_one_keepalive_not_a_burst() -> None:
    """A shell that slept too long catches up with a single report."""
    key = Key(AutomaticUser(None))
    channel = key.allocate()
    key.send(channel, CBOR, bytes([SELECTION]))
    key.messages()
    key.clock.advance(5)
    key.hid.poll()
    assert key.said(channel) == [UPNEEDED]
    assert key.hid.next_deadline() == pytest.approx(key.clock.monotonic() + 0.1)


def test_the_wait_for_the_user_ends_after_half_a_minute() -> None:
    """USER_ACTION_TIMEOUT, and the key is free again."""
    key = Key(AutomaticUser(None))
    channel = key.allocate()
    key.send(channel, CBOR, bytes([SELECTION]))
    key.wait(29.95)
    assert set(key.said(channel)) == {UPNEEDED}
    key.wait(0.1)
    assert key.said(channel)[-1] == (CBOR, b"\x2f")
    key.wait(10)
    assert key.messages() == []


def test_a_cancel_is_answered_with_cbor_and_the_second_with_silence() -> None:
    """The waiting command ends with KEEPALIVE_CANCEL as a CBOR message; nothing was changed; cancels come for free."""
    key = Key(AutomaticUser(None))
    channel = key.allocate()
    before = dump(key.hid.authenticator.store)
    key.send(channel, CANCEL)
    key.send(channel, CBOR, request(MAKE_CREDENTIAL, creation({7: {"rk": True}})))
    assert key.said(channel) == [UPNEEDED]
    key.send(channel, CANCEL)
    assert key.said(channel) == [(CBOR, b"\x2d")]
    key.send(channel, CANCEL)
    key.wait(60)
    assert key.messages() == []
    assert dump(key.hid.authenticator.store) == before
    key.send(channel, PING, b"free")
    assert key.said(channel) == [(PING, b"free")]


def test_a_cancel_is_answered_at_once() -> None:
    """In the same instant of the key's clock, whenever it comes between two keepalives: hosts allow 50 ms, we 10."""
    for pause in (0.0, 0.001, 0.05, 0.0999, 0.1, 7.77):
        key = Key(AutomaticUser(None))
        channel = key.allocate()
        key.send(channel, CBOR, bytes([SELECTION]))
        key.wait(pause)
        key.messages()
        before = key.clock.monotonic()
        key.send(channel, CANCEL)
        assert key.said(channel)[-1] == (CBOR, b"\x2d")
        assert key.clock.monotonic() - before < 0.01


def test_a_u2f_host_is_answered_between_two_others() -> None:
    """MSG never waits, so that it neither blocks a host nor needs keepalives; while another waits it is told BUSY."""
    key = Key(AutomaticUser(None))
    one, other = key.allocate(), key.allocate()
    register_command = b"\x00\x01\x00\x00\x00\x00\x40" + bytes(64) + b"\x00\x00"
    key.send(one, MSG, register_command)
    assert key.said(one) == [(MSG, b"\x69\x85")]
    key.send(other, PING, b"hello")
    assert key.said(other) == [(PING, b"hello")]
    key.send(other, CBOR, bytes([SELECTION]))
    assert key.said(other) == [UPNEEDED]
    key.send(one, MSG, register_command)
    assert key.said(one) == [_error(0x06)]
    key.send(other, CANCEL)
    assert key.said(other) == [(CBOR, b"\x2d")]


def test_a_cancel_drops_a_half_sent_message() -> None:
    """Silently: there was no command yet that could be answered."""
    key = Key()
    channel = key.allocate()
    key.hid.receive(fragments(channel, CBOR, bytes(100))[0])
    key.send(channel, CANCEL)
    key.wait(1)
    assert key.messages() == []


def test_wink_winks() -> None:
    """The light blinks; a wink with data is malformed."""
    key = Key()
    channel = key.allocate()
    key.send(channel, WINK)
    assert (key.said(channel), key.winks) == ([(WINK, b"")], 1)
    key.send(channel, WINK, b"x")
    assert (key.said(channel), key.winks) == ([_error(0x03)], 1)


def test_a_lock_keeps_others_out_for_its_time() -> None:
    """Up to ten seconds; zero gives it back; the others may still get channels."""
    key = Key()
    one, other = key.allocate(), key.allocate()
    for wrong, code in ((b"", 0x03), (b"ab", 0x03), (b"\x0b", 0x02)):
        key.send(one, LOCK, wrong)
        assert key.said(one) == [_error(code)]
    key.send(one, LOCK, b"\x0a")
    assert key.said(one) == [(LOCK, b"")]
    key.send(one, PING, b"mine")
    assert key.said(one) == [(PING, b"mine")]
    key.allocate()
    key.wait(9.9)
    key.send(other, PING, b"mine?")
    assert key.said(other) == [_error(0x06)]
    key.wait(0.2)
    key.send(other, PING, b"mine?")
    assert key.said(other) == [(PING, b"mine?")]
    key.send(one, LOCK, b"\x0a")
    key.send(one, LOCK, b"\x00")
    key.messages()
    key.send(other, PING, b"mine?")
    assert key.said(other) == [(PING, b"mine?")]


def test_an_empty_cbor_message_is_malformed() -> None:
    """There is not even a command byte."""
    key = Key()
    channel = key.allocate()
    key.send(channel, CBOR)
    assert key.said(channel) == [_error(0x03)]


def test_what_is_not_a_report_is_ignored() -> None:
    """A transport that cuts wrongly does no harm."""
    key = Key()
    for length in (0, 1, 4, 63, 65, 1000):
        key.hid.receive(b"\xff" * length)
    assert key.messages() == []


def test_unplugging_forgets_everything_under_way() -> None:
    """Channels, half messages, waits and unread answers are gone; the user is no longer asked."""
    user = HandUser()
    key = Key(user)
    channel = key.allocate()
    key.send(channel, CBOR, bytes([SELECTION]))
    key.hid.power_cycle()
    assert not user.touch()
    assert key.messages() == []
    key.send(channel, PING, b"hello")
    assert key.said(channel) == [_error(0x0B)]


_CHANNELS = st.sampled_from([0, 1, 2, 3, BROADCAST])
_REPORTS = st.one_of(
    st.binary(min_size=64, max_size=64),
    st.binary(max_size=70),
    st.builds(
        lambda channel, kind, length, data: (channel.to_bytes(4) + bytes([kind]) + length.to_bytes(2) + data)[
            :64
        ].ljust(64, b"\0"),
        _CHANNELS,
        st.sampled_from([0, 1, 2, *(0x80 | command for command in (PING, MSG, LOCK, INIT, WINK, CBOR, CANCEL, 0x50))]),
        st.sampled_from([0, 1, 8, 57, 58, 120, 7609, 7610, 0xFFFF]),
        st.binary(max_size=57),
    ),
)


def _busy(key: Key) -> int:
    """Two allocated channels, one of which may be in the middle of something."""
    key.allocate()
    return key.allocate()


@settings(max_examples=150, deadline=None)
@given(st.lists(_REPORTS | st.floats(0, 40), max_size=25), st.booleans())
def test_no_sequence_of_reports_breaks_the_key(events: list[bytes | float], away: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever comes in, reports of 64 bytes go out, credentials stay as they are, and the key serves the next host.

    (A random report cannot be a valid creation, which needs more bytes than are drawn, nor a reset with its window
    closed.)
    """
    key = Key(AutomaticUser(None) if away else None)
    if not away:
        register(key.hid.authenticator, {7: {"rk": True}})
    key.clock.advance(11)
    _busy(key)
    before = dump(key.hid.authenticator.store)
    for event in events:
        if isinstance(event, float):
            key.wait(event)
        else:
            key.hid.receive(event)
        assert all(len(report) == 64 for report in key.hid.take_reports())
    assert dump(key.hid.authenticator.store) == before
    key.wait(40)
    key.messages()
    channel = key.allocate()
    key.send(channel, PING, b"still here")
    assert key.said(channel) == [(PING, b"still here")]


def test_a_seeded_key_says_the_same_bytes_twice() -> None:
    """Two runs of one conversation under one seed are identical, signatures and all."""

    def conversation() -> list[bytes]:
        seen: list[bytes] = []
        tap: Callable[[str, bytes], None] = lambda _direction, report: seen.append(report)  # noqa: E731 - one line
        hid = CtapHid(Authenticator(Env.simulated("twice")), tap)
        for channel, command, data in (
            (BROADCAST, INIT, NONCE),
            (1, CBOR, request(MAKE_CREDENTIAL, creation({7: {"rk": True}}))),
            (1, CBOR, request(MAKE_CREDENTIAL, creation(user=b"bob"))),
            (1, CBOR, request(0x02, {1: "example.com", 2: bytes(32)})),
        ):
            for report in fragments(channel, command, data):
                hid.receive(report)
        return seen

    assert conversation() == conversation()
