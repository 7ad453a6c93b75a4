from typing import Any

import pytest
from fido2.utils import websafe_encode

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    GET_INFO,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
    register,
)
from tests.emulators.fido_authenticator.pin_host import PinHost

ASKED = {6: {"largeBlobKey": True}, 7: {"rk": True}}


def test_a_client_writes_and_reads_the_blob_of_a_credential() -> None:
    """python-fido2's largeBlob extension: supported, written, read; and not for a credential without a key."""
    host = PinHost()
    registered, results = host.register({"largeBlob": {"support": "required"}})
    assert results["largeBlob"] == {"supported": True}
    text = b"what the relying party wants to find again" * 20
    write = {"largeBlob": {"write": websafe_encode(text)}}
    assert host.log_in(registered, write)[1]["largeBlob"] == {"written": True}
    assert host.log_in(registered, {"largeBlob": {"read": True}})[1]["largeBlob"]["blob"] == websafe_encode(text)
    other, results = host.register(user=b"bob")
    assert results == {}
    assert "largeBlob" not in host.log_in(other, {"largeBlob": {"read": True}})[1]


def test_every_credential_has_its_own_key_and_shows_it_when_asked() -> None:
    """The same at registration and at each login; never in what is signed."""
    authenticator = Authenticator(Env.simulated(1))
    keys = []
    for user in (b"ada", b"bob"):
        made = call(authenticator, MAKE_CREDENTIAL, creation(ASKED, user=user))[1]
        shown = call(authenticator, GET_ASSERTION, assertion({4: {"largeBlobKey": True}}))[1]
        assert made[0x05] == shown[0x07]
        assert (len(made[0x05]), made[0x05] in made[2], shown[0x07] in shown[2]) == (32, False, False)
        assert 0x07 not in call(authenticator, GET_ASSERTION, assertion())[1]
        keys.append(made[0x05])
    assert keys[0] != keys[1]
    assert call(authenticator, GET_INFO)[1][0x0B] == 4096


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({6: {"largeBlobKey": False}}, Status.INVALID_OPTION),
        ({6: {"largeBlobKey": 1}}, Status.CBOR_UNEXPECTED_TYPE),
        ({7: {"rk": False}}, Status.INVALID_OPTION),
        ({7: None}, Status.INVALID_OPTION),
    ],
)
def test_only_a_discoverable_credential_gets_a_key(changes: dict[int, Any], expected: Status) -> None:
    """Asking otherwise is refused, and no credential is made."""
    authenticator = Authenticator(Env.simulated(1))
    assert call(authenticator, MAKE_CREDENTIAL, creation(ASKED | changes)) == (expected, {})
    assert authenticator.store.count() == 0


@pytest.mark.parametrize(
    ("value", "expected"), [(False, Status.INVALID_OPTION), (b"", Status.CBOR_UNEXPECTED_TYPE), (True, Status.SUCCESS)]
)
def test_a_login_asks_with_true_only(value: Any, expected: Status) -> None:
    """False is no choice; a credential without a key answers without one."""
    authenticator = Authenticator(Env.simulated(1))
    register(authenticator, {7: {"rk": True}})
    status, response = call(authenticator, GET_ASSERTION, assertion({4: {"largeBlobKey": value}}))
    assert (status, 0x07 in response) == (expected, False)
