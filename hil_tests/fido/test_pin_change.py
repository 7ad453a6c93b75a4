"""PIN and UV: setting and changing the PIN (CTAP 2.3 §6.5.5.5, §6.5.5.6)."""

import hashlib

import pytest
from fido2.ctap2.base import Info
from fido2.ctap2.pin import ClientPin

from authrig.ports.host_random import random_bytes
from hil_tests.fido.host import (
    CLIENT_PIN,
    EACH_PROTOCOL,
    ERR,
    RP_ID,
    Host,
    P,
    refused,
)

pytestmark = pytest.mark.hil("fido", caps=["CTAP2", "PIN"])

SET_PIN, CHANGE_PIN = 3, 4


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.5")
def test_pin_that_is_set_is_not_set_again(host: Host, number: int) -> None:
    """The subcommand setPIN on a key with a PIN is PIN_AUTH_INVALID (NOT_ALLOWED on some)."""
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(host.key_agreement(number))
    new = protocol.encrypt(secret, b"86420".ljust(64, b"\0"))
    request = {0x01: number, 0x02: SET_PIN, 0x03: platform_key, 0x04: protocol.authenticate(secret, new), 0x05: new}
    with refused(ERR.PIN_AUTH_INVALID, ERR.NOT_ALLOWED):
        host.ask(CLIENT_PIN, request)
    host.token(P.MAKE_CREDENTIAL, RP_ID, number)


@EACH_PROTOCOL
@pytest.mark.hil_destructive  # nothing is erased, but who interrupts it leaves the key with another PIN
@pytest.mark.clause("CTAP 2.3 §6.5.5.6")
def test_pin_is_changed_and_changed_back(host: Host, info: Info, number: int) -> None:
    """After a change only the new PIN is right; the test changes it back."""
    if info.pin_complexity_policy:
        pytest.skip("the key has rules for PINs that this host does not know")
    client = ClientPin(host.ctap2, host.protocol(number))
    new = "2580147" if host.pin != "2580147" else "7410852"
    client.change_pin(host.pin, new)
    try:
        with refused(ERR.PIN_INVALID):
            client.get_pin_token(host.pin, P.MAKE_CREDENTIAL, RP_ID)
        assert client.get_pin_token(new, P.MAKE_CREDENTIAL, RP_ID)
    finally:
        client.change_pin(new, host.pin)
    assert client.get_pin_token(host.pin, P.MAKE_CREDENTIAL, RP_ID)


@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §6.5.5.6 step 5")
def test_change_with_a_wrong_proof_costs_no_try(host: Host, number: int) -> None:
    """A changePIN whose pinUvAuthParam is wrong is PIN_AUTH_INVALID before the PIN is looked at."""
    full = host.pin_retries()
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(host.key_agreement(number))
    new = protocol.encrypt(secret, b"86420".ljust(64, b"\0"))
    old = protocol.encrypt(secret, hashlib.sha256(host.pin.encode()).digest()[:16])
    wrong = random_bytes(len(protocol.authenticate(secret, new + old)))
    request = {0x01: number, 0x02: CHANGE_PIN, 0x03: platform_key, 0x04: wrong, 0x05: new, 0x06: old}
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(CLIENT_PIN, request)
    assert host.pin_retries() == full


NEW_PINS = {
    "too short": (b"123".ljust(64, b"\0"), ERR.PIN_POLICY_VIOLATION),
    "no end": (b"1" * 64, ERR.PIN_POLICY_VIOLATION),
    "48 bytes": (b"1234567".ljust(48, b"\0"), ERR.INVALID_PARAMETER),
}


@pytest.mark.parametrize("case", NEW_PINS)
@pytest.mark.clause("CTAP 2.3 §6.5.5.6 steps 9 to 12")
def test_new_pin_that_breaks_the_rules_is_refused(host: Host, case: str) -> None:
    """Shorter than the minimum, longer than 63 bytes, or not padded to 64: refused, and the old PIN stays."""
    padded, expected = NEW_PINS[case]
    protocol = host.protocol()
    platform_key, secret = protocol.encapsulate(host.key_agreement(protocol.VERSION))
    new = protocol.encrypt(secret, padded)
    old = protocol.encrypt(secret, hashlib.sha256(host.pin.encode()).digest()[:16])
    param = protocol.authenticate(secret, new + old)
    members = {0x01: protocol.VERSION, 0x02: CHANGE_PIN, 0x03: platform_key, 0x04: param, 0x05: new, 0x06: old}
    # Keys of CTAP 2.0 had one code for all of them.
    with refused(expected, ERR.PIN_POLICY_VIOLATION):
        host.ask(CLIENT_PIN, members)
    host.token(P.MAKE_CREDENTIAL, RP_ID)
