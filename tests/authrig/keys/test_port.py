import threading
from collections.abc import Iterator

import pytest

from authrig.keys.port import Port
from authrig.keys.wires import Cabling
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.user import Decision, HandUser, Prompt, Touch, UserPresence

SECONDS = 0.05


@pytest.fixture
def user() -> HandUser:
    """The person at the port."""
    return HandUser()


@pytest.fixture
def port(user: HandUser) -> Iterator[Port]:
    """A port whose key has power."""
    port = Port(CtapHid(Authenticator(Env.real(), user=user)), Cabling("pty").plug(1))
    port.power_on()
    yield port
    port.power_off()


def test_a_touch_counts_at_once_unless_it_must_last(port: Port, user: HandUser) -> None:
    """A key that wants a short touch takes the finger as it comes down."""
    user.begin(UserPresence(Prompt.SELECT), 0)
    assert port.touch_on()
    assert user.decision(0) is Decision.GRANTED


def test_a_long_touch_counts_when_it_has_lasted(port: Port, user: HandUser) -> None:
    """The key learns that it was held for as long as it asked for."""
    answered = threading.Event()
    user.listen(answered.set)
    user.begin(UserPresence(Prompt.RESET, seconds=SECONDS), 0)
    assert port.touch_on()
    assert user.decision(0) is None
    assert answered.wait(10)
    answer = user.decision(0)
    assert isinstance(answer, Touch)
    assert answer.seconds >= SECONDS


def test_a_long_touch_that_ends_early_is_told_as_short(port: Port, user: HandUser) -> None:
    """The key decides what a short touch is worth."""
    user.begin(UserPresence(Prompt.RESET, seconds=60), 0)
    port.touch_on()
    port.touch_off()
    answer = user.decision(0)
    assert isinstance(answer, Touch)
    assert answer.seconds < 60


def test_a_lifted_finger_does_not_touch_the_next_request(port: Port, user: HandUser) -> None:
    """What was meant for one request never answers another."""
    user.begin(UserPresence(Prompt.RESET, seconds=60), 0)
    port.touch_on()
    user.end()
    user.begin(UserPresence(Prompt.REGISTER), 0)
    port.touch_off()
    assert user.decision(0) is None


def test_a_tap_is_a_touch_that_ends(port: Port, user: HandUser) -> None:
    """After it the finger is up, so the next one counts again."""
    for _ in range(2):
        user.begin(UserPresence(Prompt.SELECT), 0)
        assert port.tap()
        assert not port.status.touch
        user.end()
    assert not port.tap()
