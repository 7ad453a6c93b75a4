import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.iso7816 import AID, Iso7816
from emulators.fido_authenticator.transports import smart_card
from emulators.fido_authenticator.transports.smart_card import SmartCardTransport
from emulators.fido_authenticator.user import AutomaticUser, HandUser, User
from emulators.usb.errors import PlugError
from tests.leaks import nothing_left_open

OFF, ON, RESET, ATR = (bytes([action]) for action in (0, 1, 2, 4))
SELECT = b"\x00\xa4\x04\x00\x08" + AID + b"\x00"
SELECTED = b"U2F_V2\x90\x00"
BLINK = b"\x80\x10\x80\x00\x01\x0b"
BLINKING, ANSWER, CANCEL = b"\x02\x91\x00", b"\x80\x11\x00\x00", b"\x80\x11\x11\x00"


class _Reader:
    """The Virtual PCD's side of the wire, written for the tests: it waits for a card and looks whether it is there."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self.port = self._listener.getsockname()[1]
        self._card: socket.socket | None = None

    def insert(self) -> None:
        """Take a card that is out when the reader looks first: so it knows that the one before has gone."""
        self.take_card()
        assert self.hear() == b""
        self.lose_card()
        self.take_card()

    def take_card(self) -> None:
        """Wait for a card, and look at it once, so that it knows."""
        self._listener.settimeout(10)
        self._card, _ = self._listener.accept()
        self._card.settimeout(10)
        self.say(ATR)

    def say(self, content: bytes) -> None:
        """One message to the card."""
        assert self._card is not None
        self._card.sendall(len(content).to_bytes(2) + content)

    def hear(self) -> bytes:
        """The card's next message; nothing once it is gone."""
        length = self._read(2)
        return self._read(int.from_bytes(length)) if length else b""

    def ask(self, content: bytes) -> bytes:
        """A message and its answer."""
        self.say(content)
        return self.hear()

    def _read(self, count: int) -> bytes:
        assert self._card is not None
        data = b""
        # A card that leaves without reading what it was told leaves a reset behind.
        with contextlib.suppress(ConnectionResetError):
            while len(data) < count and (more := self._card.recv(count - len(data))):
                data += more
        return data

    def lose_card(self) -> None:
        """As when pcscd ends."""
        assert self._card is not None
        self._card.close()

    def close(self) -> None:
        """Unplug the reader."""
        if self._card is not None:
            self._card.close()
        self._listener.close()


@contextmanager
def _reader() -> Iterator[_Reader]:
    reader = _Reader()
    try:
        yield reader
    finally:
        reader.close()


def _card(user: User | None = None, profile: profiles.Profile | None = None) -> Iso7816:
    return Iso7816(Authenticator(Env.real(), profile, user=user))


@contextmanager
def _inserted(card: Iso7816) -> Iterator[_Reader]:
    """A reader with ``card`` in it that has power, and whose ATR has been read."""
    with _reader() as reader:
        taking = threading.Thread(target=reader.insert)
        taking.start()
        with SmartCardTransport(card, port=reader.port):
            taking.join()
            assert reader.hear() == card.authenticator.profile.smart_card.atr_bytes
            reader.say(ON)
            yield reader


def _await(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "waited for ten seconds"
        time.sleep(0.005)


@pytest.mark.parametrize("name", profiles.names())
def test_an_atr_is_one(name: str) -> None:
    """ISO 7816-3 §8.2: as many historical bytes as its second byte says, and an exclusive-or of zero at the end."""
    atr = profiles.load(name).smart_card.atr_bytes
    levels, at, more = 0, 1, atr[1] >> 4
    while more:
        at += more.bit_count()
        levels += 1
        more = atr[at] >> 4 if more & 8 else 0
    assert len(atr) == at + 1 + (atr[1] & 0x0F) + 1
    total = 0
    for byte in atr[1:]:
        total ^= byte
    assert total == 0


@pytest.mark.parametrize("atr", ["", "3B", "zz", "4B00", "3B" * 34])
def test_a_profile_with_another_atr_is_refused_by_name(atr: str) -> None:
    """The sentence has the field, what was expected and what was found."""
    with pytest.raises(ValueError, match=rf"^atr: expected .*found {atr}"):
        profiles.SmartCard(atr)


def test_power_off_and_reset_forget_the_selection() -> None:
    """A card that lost its power must be selected anew."""
    with _inserted(_card()) as reader:
        assert reader.ask(SELECT) == SELECTED
        assert reader.ask(b"\x80\x10\x00\x00\x01\x04")[:1] == b"\0"
        for actions in ((RESET,), (OFF, ON)):
            for action in actions:
                reader.say(action)
            assert reader.ask(b"\x80\x10\x00\x00\x01\x04") == b"\x6d\x00"
            assert reader.ask(SELECT) == SELECTED


def test_looking_for_the_card_disturbs_nothing() -> None:
    """Readers read the ATR several times a second, also while the key waits for its user."""
    user = HandUser()
    with _inserted(_card(user)) as reader:
        reader.ask(SELECT)
        assert reader.ask(BLINK) == BLINKING
        for _ in range(5):
            assert reader.ask(ATR)[:1] == b"\x3b"
        assert reader.ask(ANSWER) == BLINKING
        user.touch()
        assert reader.ask(ANSWER) == b"\x00\x90\x00"


def test_a_host_without_keepalives_gets_its_answer_when_the_touch_comes() -> None:
    """The card is silent until then; the touch wakes it from another thread."""
    user = HandUser()
    with _inserted(_card(user)) as reader:
        reader.ask(SELECT)
        reader.say(b"\x80\x10\x00\x00\x01\x0b")
        _await(user.touch)
        assert reader.hear() == b"\x00\x90\x00"


def test_a_host_can_cancel() -> None:
    """The request is answered with KEEPALIVE_CANCEL."""
    with _inserted(_card(AutomaticUser(None))) as reader:
        reader.ask(SELECT)
        assert reader.ask(BLINK) == BLINKING
        assert reader.ask(CANCEL) == b"\x2d\x90\x00"


def test_the_users_time_runs_out_by_itself() -> None:
    """A silent host, a user who never comes, and a key that says so in time."""
    loaded = profiles.load()
    hasty = msgspec.structs.replace(loaded.timing, user_action=0.05)
    card = _card(AutomaticUser(None), msgspec.structs.replace(loaded, timing=hasty))
    with _inserted(card) as reader:
        reader.ask(SELECT)
        assert reader.ask(b"\x80\x10\x00\x00\x01\x0b") == b"\x2f\x90\x00"


def test_without_power_nobody_waits_for_the_user() -> None:
    """Taken away in the middle of a wait, the key stops blinking."""
    user = HandUser()
    with _inserted(_card(user)) as reader:
        reader.ask(SELECT)
        reader.ask(BLINK)
        assert user.pending is not None
        reader.say(OFF)
        _await(lambda: user.pending is None)


def test_the_longest_message_goes_through() -> None:
    """An extended command of 7,609 bytes, in one piece."""
    with _inserted(_card()) as reader:
        reader.ask(SELECT)
        request = b"\x0c" + os.urandom(7608)
        assert reader.ask(b"\x80\x10\x00\x00\x00" + len(request).to_bytes(2) + request)[-2:] == b"\x90\x00"


def test_a_restarted_reader_gets_its_card_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The card loses its power, and is back in the reader without anybody's help."""
    monkeypatch.setattr(smart_card, "_AGAIN", 0.02)
    user = HandUser()
    with _inserted(_card(user)) as reader:
        reader.ask(SELECT)
        reader.ask(BLINK)
        reader.lose_card()
        _await(lambda: user.pending is None)
        reader.take_card()
        assert reader.hear()[:1] == b"\x3b"
        reader.say(ON)
        assert reader.ask(SELECT) == SELECTED


def test_taking_the_card_out_ends_the_wait_and_leaks_nothing() -> None:
    """The reader sees it go; no file, no thread and no listener is left."""
    user = HandUser()
    with _inserted(_card(user)) as reader:
        reader.ask(SELECT)
    with nothing_left_open():
        for _ in range(5):
            with _inserted(_card(user)) as reader:
                reader.ask(SELECT)
                reader.ask(BLINK)
            assert user.pending is None


@settings(max_examples=30)
@given(
    st.lists(
        st.binary(min_size=4, max_size=40).filter(lambda apdu: apdu[:2] != b"\x80\x10")
        | st.sampled_from([b"", OFF, ON, RESET, b"\x03", b"\xff"]),
        max_size=8,
    )
)
def test_garbage_is_answered_or_passed_over(messages: list[bytes]) -> None:
    """Every APDU has a status word, in order; what is none has no answer; and the card still works afterwards."""
    with _inserted(_card()) as reader:
        for message in messages:
            reader.say(message)
        for message in messages:
            if len(message) > 1:
                assert len(reader.hear()) >= 2
        assert reader.ask(SELECT) == SELECTED


def test_no_reader_is_told_with_what_mends_it() -> None:
    """Nobody listens there: how to install it and how to start it."""
    with _reader() as gone:
        port = gone.port
    with pytest.raises(PlugError, match=rf"no card reader waits at 127\.0\.0\.1:{port}: `apt-get install pcscd"):
        SmartCardTransport(_card(), port=port)


def test_a_taken_reader_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """It lets the call wait and never looks at this card."""
    monkeypatch.setattr(smart_card, "_PATIENCE", 0.1)
    with nothing_left_open(), _reader() as reader, pytest.raises(PlugError, match="another one is in it"):
        SmartCardTransport(_card(), port=reader.port)


@pytest.mark.parametrize(("host", "port"), [("no-such-host.invalid", 35963), ("127.0.0.1", 70000)])
def test_an_address_that_is_none_is_named(host: str, port: int) -> None:
    """One sentence."""
    with pytest.raises(PlugError, match=f"no card reader at {host}:{port}"):
        SmartCardTransport(_card(), host, port)


def test_a_call_that_reaches_itself_reaches_no_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens, a system may choose the very port that is called as the caller's own."""
    with socket.socket() as itself:
        itself.bind(("127.0.0.1", 0))
        itself.connect(itself.getsockname())
        monkeypatch.setattr(socket, "create_connection", lambda *_: itself)
        with pytest.raises(PlugError, match="no card reader waits"):
            SmartCardTransport(_card(), port=itself.getsockname()[1])
