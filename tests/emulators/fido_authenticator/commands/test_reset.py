from fido2.webauthn import AuthenticatorData

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from emulators.fido_authenticator.user import AutomaticUser, Decision
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    RESET,
    assertion,
    call,
    descriptor,
    register,
)


def test_a_reset_leaves_no_credential_alive() -> None:
    """Neither the stored nor the sealed ones; but the signature counter does not go back."""
    authenticator = Authenticator(Env.simulated(1))
    register(authenticator, {7: {"rk": True}})
    sealed = register(authenticator)
    assert call(authenticator, RESET) == (Status.SUCCESS, {})
    for changes in ({}, {3: [descriptor(sealed)]}):
        assert call(authenticator, GET_ASSERTION, assertion(changes))[0] is Status.NO_CREDENTIALS
    authenticator.power_up()
    assert call(authenticator, GET_ASSERTION, assertion({3: [descriptor(sealed)]}))[0] is Status.NO_CREDENTIALS
    register(authenticator, {7: {"rk": True}})
    assert AuthenticatorData(call(authenticator, GET_ASSERTION, assertion())[1][2]).counter == 4


def test_a_reset_is_possible_for_ten_seconds_after_power_up() -> None:
    """Later the key must be plugged in again, so that no host resets it behind its user's back."""
    clock = SimulatedClock()
    authenticator = Authenticator(Env(clock, Env.simulated(1).random))
    clock.advance(10.1)
    register(authenticator, {7: {"rk": True}})
    before = dump(authenticator.store)
    assert call(authenticator, RESET)[0] is Status.NOT_ALLOWED
    assert dump(authenticator.store) == before
    authenticator.power_up()
    clock.advance(9.9)
    assert call(authenticator, RESET)[0] is Status.SUCCESS


def test_a_reset_needs_a_touch() -> None:
    """A refusal, or nobody there, keeps everything."""
    store = Authenticator(Env.simulated(1)).store
    register(Authenticator(Env.simulated(1), store=store), {7: {"rk": True}})
    before = dump(store)
    refusing = Authenticator(Env.simulated(1), store=store, user=AutomaticUser(Decision.DENIED))
    assert call(refusing, RESET)[0] is Status.OPERATION_DENIED
    alone = Authenticator(Env.simulated(1), store=store, user=AutomaticUser(None)).start(bytes([RESET]))
    assert alone.poll() is None
    alone.cancel()
    assert alone.answer == bytes([Status.KEEPALIVE_CANCEL])
    assert dump(store) == before
