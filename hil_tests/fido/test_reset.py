"""Reset: back to the factory, and nothing by accident (CTAP 2.3 §6.6). These cases erase the key."""

from collections.abc import Callable

import pytest
from fido2.ctap2.base import Ctap2

from authrig.ports.key import Key
from authrig.ports.presence import Presence
from hil_tests.fido.host import ERR, LARGE_BLOBS, Host, check_signature, descriptor, refused

pytestmark = [pytest.mark.hil_destructive, pytest.mark.hil("fido", caps=["CTAP2", "power"])]

RESET = 0x07
WINDOW = 10.5
"""Seconds after power-up from which on a reset is refused."""


@pytest.mark.clause("CTAP 2.3 §6.6")
def test_credential_is_gone(key: Key, fido_reset: Callable[[], None]) -> None:
    """A credential that lives in its own id is worthless after a reset: the key has new secrets."""
    with key.open() as device:
        registered = Host(device, key.pin).register()
    fido_reset()
    with key.open() as device, refused(ERR.NO_CREDENTIALS):
        Host(device, key.pin).sign({0x03: [descriptor(registered.id)]})


@pytest.mark.clause("CTAP 2.3 §6.6")
@pytest.mark.hil("fido", caps=["rk"])
def test_discoverable_credential_is_gone(key: Key, fido_reset: Callable[[], None]) -> None:
    """A key without a PIN makes one without asking; after a reset nothing is found."""
    with key.open() as device:
        host = Host(device, key.pin)
        if host.info.options.get("uv"):
            pytest.skip("the key verifies its user itself, and wants to do so first")
        registered = host.register({0x07: {"rk": True}})
        check_signature(registered, host.sign())
    fido_reset()
    with key.open() as device, refused(ERR.NO_CREDENTIALS):
        Host(device, key.pin).sign()


@pytest.mark.clause("CTAP 2.3 §6.6")
@pytest.mark.hil("fido", caps=["clientPin"])
def test_pin_is_gone(key: Key, fido_reset: Callable[[], None]) -> None:
    """The option clientPin is false, until a PIN is set."""
    key.ensure_pin()
    with key.open() as device:
        assert Ctap2(device).info.options["clientPin"] is True
    fido_reset()
    with key.open() as device:
        assert Ctap2(device).info.options["clientPin"] is False


@pytest.mark.clause("CTAP 2.3 §6.6, §6.10.1")
@pytest.mark.hil("fido", caps=["largeBlobs"])
def test_large_blobs_are_gone(key: Key, fido_reset: Callable[[], None]) -> None:
    """The array is the empty one of a new key."""
    with key.open() as device:
        array = Host(device, key.pin).ask(LARGE_BLOBS, {0x01: 100, 0x03: 0})[0x01]
    assert array.hex() == "8076be8b528d0075f7aae98d6fa57a6d3c"


@pytest.mark.clause("CTAP 2.3 §6.6 step 1")
def test_reset_comes_too_late(key: Key, let_pass: Callable[[float], None]) -> None:
    """More than ten seconds after power-up it is NOT_ALLOWED."""
    key.restart()
    let_pass(WINDOW)
    with key.open() as device, refused(ERR.NOT_ALLOWED):
        Host(device, key.pin).ask(RESET)


@pytest.mark.clause("CTAP 2.3 §6.6 step 2")
def test_nothing_is_erased_without_a_touch(key: Key, presence: Presence) -> None:
    """Cancelled while it waits for its touch, the reset has erased nothing."""
    with key.open() as device:
        registered = Host(device, key.pin).register()
    key.restart()
    with key.open() as device:
        host = Host(device, key.pin)
        with presence.held_back(), refused(ERR.KEEPALIVE_CANCEL):
            host.ask_untouched(RESET)
        check_signature(registered, host.sign({0x03: [descriptor(registered.id)]}))
