"""Power loss: what a key keeps when it is pulled out, and what it must forget (CTAP 2.3 §6, §6.5)."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fido2.hid import CTAPHID

from authrig.ports.key import Key
from authrig.ports.presence import Presence
from hil_tests.fido import hid as ctaphid
from hil_tests.fido.hid import BROADCAST, host_on
from hil_tests.fido.host import (
    CLIENT_DATA_HASH,
    ERR,
    GET_NEXT_ASSERTION,
    MAKE_CREDENTIAL,
    RP_ID,
    Host,
    P,
    check_signature,
    creation,
    descriptor,
    refused,
    user,
)

pytestmark = pytest.mark.hil("fido", caps=["CTAP2", "power"])
KEEPS = pytest.mark.hil("fido", caps=["rk", "credMgmt", "PIN"])


@contextmanager
def plugged_in(key: Key) -> Iterator[Host]:
    """A host that found the key just now; what it made on it is deleted at the end."""
    with key.open() as device:
        host = Host(device, key.pin)
        yield host
        host.tidy()


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 18")
def test_credential_survives(key: Key) -> None:
    """A credential that was made before the key was pulled out logs in after it."""
    with plugged_in(key) as host:
        registered = host.register()
    key.restart()
    with plugged_in(key) as host:
        check_signature(registered, host.sign({0x03: [descriptor(registered.id)]}))


@KEEPS
@pytest.mark.clause("CTAP 2.3 §6.1.2 step 17")
def test_discoverable_credential_survives(key: Key) -> None:
    """And is found without its id."""
    with key.open() as device:
        maker = Host(device, key.pin)
        registered = maker.register({0x07: {"rk": True}})
    key.restart()
    with plugged_in(key) as host:
        host.keep(registered.id)
        check_signature(registered, host.sign())


@pytest.mark.clause("WebAuthn §6.1.1")
def test_counter_does_not_fall_back(key: Key) -> None:
    """The signature counter goes on where it was, or is always zero."""
    with plugged_in(key) as host:
        registered = host.register()
        allowed = {0x03: [descriptor(registered.id)]}
        before = check_signature(registered, host.sign(allowed)).counter
    key.restart()
    with plugged_in(key) as host:
        after = check_signature(registered, host.sign(allowed)).counter
    assert after > before or (after, before) == (0, 0)


@pytest.mark.hil("fido", caps=["PIN"])
@pytest.mark.clause("CTAP 2.3 §6.5.5.1")
def test_token_does_not_survive(key: Key) -> None:
    """A pinUvAuthToken from before is worth nothing."""
    with plugged_in(key) as host:
        protocol = host.protocol()
        param = protocol.authenticate(host.token(P.MAKE_CREDENTIAL, RP_ID), CLIENT_DATA_HASH)
    key.restart()
    with plugged_in(key) as host, refused(ERR.PIN_AUTH_INVALID):
        host.ask(MAKE_CREDENTIAL, creation({0x08: param, 0x09: protocol.VERSION}))


@pytest.mark.hil("fido", caps=["PIN"])
@pytest.mark.clause("CTAP 2.3 §6.5.5.1")
def test_key_agreement_does_not_survive(key: Key) -> None:
    """The key makes a new key agreement key when it is plugged in."""
    with plugged_in(key) as host:
        number = host.protocol().VERSION
        before = host.key_agreement(number)
    key.restart()
    with plugged_in(key) as host:
        assert host.key_agreement(number) != before


@pytest.mark.hil("fido", caps=["PIN"])
@pytest.mark.clause("CTAP 2.3 §6.5.5.7")
def test_spent_try_stays_spent(key: Key) -> None:
    """Who pulls the key out after a wrong PIN has not won the try back; the right PIN then does."""
    wrong = "0" * len(key.pin) if set(key.pin) != {"0"} else "1" * len(key.pin)
    with plugged_in(key) as host:
        host.token(P.MAKE_CREDENTIAL, RP_ID)
        full = host.pin_retries()
        with refused(ERR.PIN_INVALID):
            Host(host.device, wrong).token(P.MAKE_CREDENTIAL, RP_ID)
    key.restart()
    with plugged_in(key) as host:
        assert host.pin_retries() == full - 1
        host.token(P.MAKE_CREDENTIAL, RP_ID)
        assert host.pin_retries() == full


@KEEPS
@pytest.mark.clause("CTAP 2.3 §6")
def test_list_of_accounts_does_not_survive(key: Key) -> None:
    """A getNextAssertion after the key was pulled out is NOT_ALLOWED."""
    with key.open() as device:
        maker = Host(device, key.pin)
        made = [maker.register({0x03: user(name), 0x07: {"rk": True}}) for name in ("alice", "bob")]
        assert maker.sign(verified=True)[0x05] == 2
    key.restart()
    with plugged_in(key) as host:
        for registered in made:
            host.keep(registered.id)
        with refused(ERR.NOT_ALLOWED):
            host.ask(GET_NEXT_ASSERTION)


@pytest.mark.hil("fido", caps=["CTAPHID", "FIDO_2_1"])
@pytest.mark.clause("CTAP 2.3 §11.2.9.1.3")
def test_command_does_not_survive(key: Key, presence: Presence) -> None:
    """Pulled out while it waited for its touch, the key takes a new command at once."""
    with presence.held_back(), host_on(key.open_connection()) as hid:
        hid.send(hid.allocate(), CTAPHID.CBOR, b"\x0b")
        assert hid.read(keepalives=True).command == CTAPHID.KEEPALIVE
        key.unplug()
    key.plug_in()
    with plugged_in(key) as host:
        host.register()


@pytest.mark.hil("fido", caps=["CTAPHID"])
@pytest.mark.clause("CTAP 2.3 §11.2.4")
def test_channel_does_not_survive(key: Key) -> None:
    """A channel from before is ERR_INVALID_CHANNEL, and half a message is forgotten."""
    with host_on(key.open_connection()) as hid:
        channel = max(hid.allocate() for _ in range(3))
        hid.begin(channel, CTAPHID.PING, bytes(57), length=200)
    key.restart()
    with host_on(key.open_connection()) as hid:
        answer = hid.call(channel, CTAPHID.PING, b"?")
        assert (answer.channel, answer.error) == (channel, ctaphid.INVALID_CHANNEL)
        assert hid.call(BROADCAST, CTAPHID.INIT, bytes(8)).command == CTAPHID.INIT
