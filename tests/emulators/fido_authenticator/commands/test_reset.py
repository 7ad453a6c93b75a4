import pytest
from fido2.ctap import CtapError
from fido2.ctap2.bio import FPBioEnrollment
from fido2.ctap2.config import Config
from fido2.ctap2.pin import ClientPin
from fido2.webauthn import AuthenticatorData

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.certificates import ATTESTATION_KEYS
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import MemoryStore, dump
from emulators.fido_authenticator.user import (
    Act,
    Answer,
    AutomaticUser,
    Decision,
    Prompt,
    ScriptedUser,
    Touch,
    UserPresence,
)
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    GET_INFO,
    RESET,
    assertion,
    call,
    descriptor,
    register,
)
from tests.emulators.fido_authenticator.pin_keys import PIN, client_pin, ctap2, key


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


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Decision.GRANTED, Status.SUCCESS),
        (Touch(5.0), Status.SUCCESS),
        (Touch(4.9), Status.OPERATION_DENIED),
        (Decision.DENIED, Status.OPERATION_DENIED),
    ],
)
def test_where_it_is_set_only_a_long_touch_resets(answer: Answer, expected: Status) -> None:
    """Five seconds, and the user is asked for just that; afterwards the setting is as in the factory."""
    store = MemoryStore()
    setting = key(None, store=store)
    assert call(setting, 0x0D, {1: 4})[0] is Status.SUCCESS
    user = ScriptedUser([Act(answer)])
    authenticator = key(None, store=store, user=user)
    assert call(authenticator, GET_INFO)[1][0x18] is True
    assert call(authenticator, RESET)[0] is expected
    assert user.requests == [UserPresence(Prompt.RESET, seconds=5.0)]
    assert call(authenticator, GET_INFO)[1][0x18] is (expected is not Status.SUCCESS)


def test_a_reset_forgets_everything_but_the_counter() -> None:
    """PIN, tries, settings, fingers, tokens: getInfo is as on a new key, save for noise and the number of rooms."""
    authenticator = key(PIN, profiles.load("authrig-bio"))
    new = call(key(None, profiles.load("authrig-bio")), GET_INFO)[1]
    pin = client_pin(authenticator)
    token = pin.get_pin_token(PIN, ClientPin.PERMISSION.AUTHENTICATOR_CFG | ClientPin.PERMISSION.BIO_ENROLL)
    bio = FPBioEnrollment(ctap2(authenticator), pin.protocol, token)
    context = bio.enroll()
    while context.capture() is None:
        pass
    config = Config(ctap2(authenticator), pin.protocol, token)
    config.enable_enterprise_attestation()
    config.toggle_always_uv()
    config.set_min_pin_length(8, ["a.example"])
    with pytest.raises(CtapError):
        pin.get_pin_token("wrong")
    assert call(authenticator, RESET)[0] is Status.SUCCESS
    noise = {0x19, 0x1E}
    info = call(authenticator, GET_INFO)[1]
    assert {k: v for k, v in info.items() if k not in noise} == {k: v for k, v in new.items() if k not in noise}
    with pytest.raises(CtapError, match="PIN_AUTH_INVALID"):
        bio.remove_enrollment(b"any")
    assert set(authenticator.store.names()) <= {"device_key", "signature_counter", "persistent_token", ATTESTATION_KEYS}
