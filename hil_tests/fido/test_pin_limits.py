"""PIN limits: a first PIN, its rules, and the tries of whoever guesses (CTAP 2.3 §6.5). These cases erase the key."""

from collections.abc import Callable

import pytest
from fido2.ctap2.pin import ClientPin

from authrig.ports.key import Key
from hil_tests.fido.host import CLIENT_PIN, EACH_PROTOCOL, ERR, RP_ID, Host, P, refused

pytestmark = [
    pytest.mark.hil_destructive,
    pytest.mark.usefixtures("fido_reset"),
    pytest.mark.hil("fido", caps=["CTAP2", "power", "clientPin"]),
]


def _set(host: Host, pin: str, number: int | None = None) -> None:
    ClientPin(host.ctap2, host.protocol(number)).set_pin(pin)


def _guess(host: Host, pin: str) -> None:
    Host(host.device, pin).token(P.MAKE_CREDENTIAL, RP_ID)


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.5")
def test_first_pin_is_set(host: Host, number: int) -> None:
    """From then on clientPin is true, and the PIN gets tokens."""
    _set(host, host.pin, number)
    assert host.info.options["clientPin"] is True
    assert host.token(P.MAKE_CREDENTIAL, RP_ID, number)


@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_no_token_without_a_pin(host: Host) -> None:
    """Before a PIN is set a token is PIN_NOT_SET."""
    with refused(ERR.PIN_NOT_SET):
        _guess(host, host.pin)


@pytest.mark.clause("CTAP 2.3 §6.5.1")
def test_pin_counts_in_code_points(host: Host) -> None:
    """Four characters of two bytes each are a PIN; three, though six bytes, are not."""
    if (host.info.min_pin_length or 4) > 4:
        pytest.skip("the key wants longer ones")
    protocol = host.protocol()
    with refused(ERR.PIN_POLICY_VIOLATION):
        self_made = "äöü".encode().ljust(64, b"\0")
        public_key, secret = protocol.encapsulate(host.key_agreement(protocol.VERSION))
        encrypted = protocol.encrypt(secret, self_made)
        param = protocol.authenticate(secret, encrypted)
        host.ask(CLIENT_PIN, {1: protocol.VERSION, 2: 3, 3: public_key, 4: param, 5: encrypted})
    _set(host, "äöüé")
    _guess(host, "äöüé")


@pytest.mark.clause("CTAP 2.3 §6.5.1")
def test_longest_pin(host: Host) -> None:
    """A PIN of 63 bytes is taken."""
    pin = "1357924680" * 6 + "975"
    _set(host, pin)
    _guess(host, pin)


@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_three_wrong_pins_want_a_power_cycle(key: Key, host: Host) -> None:
    """The third in a row is PIN_AUTH_BLOCKED; then even the right one is, until the key was pulled out."""
    _set(host, host.pin)
    for expected in (ERR.PIN_INVALID, ERR.PIN_INVALID, ERR.PIN_AUTH_BLOCKED):
        with refused(expected):
            _guess(host, "97531")
    with refused(ERR.PIN_AUTH_BLOCKED):
        _guess(host, host.pin)
    key.restart()
    with key.open() as device:
        _guess(Host(device, key.pin), key.pin)


@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_last_wrong_pin_blocks(key: Key, host: Host) -> None:
    """When all tries are spent it is PIN_BLOCKED, for the right PIN and after a power cycle too."""
    _set(host, host.pin)
    tries = host.pin_retries()
    assert tries <= 8
    spent = 0
    while spent < tries:
        key.restart()
        with key.open() as device:
            guesser = Host(device, "97531")
            for _ in range(min(3, tries - spent)):
                spent += 1
                with refused(ERR.PIN_INVALID, ERR.PIN_BLOCKED if spent == tries else ERR.PIN_AUTH_BLOCKED):
                    _guess(guesser, "97531")
            assert guesser.pin_retries() == tries - spent
    key.restart()
    with key.open() as device, refused(ERR.PIN_BLOCKED):
        _guess(Host(device, key.pin), key.pin)


@pytest.mark.clause("CTAP 2.3 §6.6")
def test_blocked_key_works_after_a_reset(key: Key, host: Host, fido_reset: Callable[[], None]) -> None:
    """A reset gives a new PIN all its tries."""
    _set(host, host.pin)
    full = host.pin_retries()
    with refused(ERR.PIN_INVALID):
        _guess(host, "97531")
    fido_reset()
    key.ensure_pin()
    with key.open() as device:
        assert Host(device, key.pin).pin_retries() == full
