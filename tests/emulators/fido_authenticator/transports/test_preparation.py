import time

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.transports.preparation import Preparation
from emulators.fido_authenticator.transports.pty import PtyTransport
from tests.emulators.fido_authenticator.ctap_requests import register

RS256 = {4: [{"alg": -257, "type": "public-key"}]}


def test_an_idle_key_prepares_and_then_rests() -> None:
    """After half a second of silence step by step; when all is ready, until something happens, not at all."""
    authenticator = Authenticator(Env.simulated(1))
    preparation = Preparation(authenticator)
    assert preparation.shorten(None) == 500
    assert preparation.shorten(90.0) == 90
    preparation.waited(idle=True)
    assert preparation.shorten(None) == 20
    preparation.waited(idle=False)
    assert preparation.shorten(None) == 500
    steps = 0
    while preparation.shorten(None) is not None:
        preparation.waited(idle=True)
        steps += 1
        assert steps < 1000
    assert not authenticator.prepare()
    preparation.waited(idle=True)
    assert preparation.shorten(None) is None
    register(authenticator, RS256)
    preparation.waited(idle=False)
    assert preparation.shorten(None) == 500
    assert authenticator.prepare()


def test_preparing_changes_no_key() -> None:
    """With one seed the prepared key makes the same credential as the one that was never idle."""
    prepared, hasty = (Authenticator(Env.simulated(3)) for _ in range(2))
    while prepared.prepare():
        pass
    assert register(prepared, RS256) == register(hasty, RS256)
    assert register(prepared) == register(hasty)


def test_a_key_on_a_wire_prepares_by_itself() -> None:
    """Soon after it was plugged in, nothing is left to do."""
    authenticator = Authenticator(Env.real())
    search = authenticator._state._rsa
    assert search is not None
    with PtyTransport(CtapHid(authenticator)):
        deadline = time.monotonic() + 60
        while not search.found and time.monotonic() < deadline:
            time.sleep(0.05)
    assert search.found
