from typing import Any

import pytest
from fido2.webauthn import AuthenticatorData

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
)
from tests.emulators.fido_authenticator.pin_host import PinHost

RESIDENT = {7: {"rk": True}}


def test_a_client_keeps_a_blob_and_gets_it_back() -> None:
    """Through python-fido2's client and server, also after an update of the names and a power-down."""
    host = PinHost()
    registered, _ = host.register({"credBlob": b"\x01" * 32})
    assert registered.extensions == {"credBlob": True}
    host.authenticator.power_up()
    assert host.log_in(registered, {"getCredBlob": True})[0].extensions == {"credBlob": b"\x01" * 32}
    assert host.log_in(registered)[0].extensions is None


@pytest.mark.parametrize(
    ("size", "resident", "kept"), [(0, True, True), (32, True, True), (33, True, False), (8, False, False)]
)
def test_what_is_too_long_or_not_for_a_discoverable_credential_is_not_kept(
    size: int, *, resident: bool, kept: bool
) -> None:
    """That is said, and is no error; getInfo says how long it may be."""
    authenticator = Authenticator(Env.simulated(1))
    assert call(authenticator, GET_INFO)[1][0x0F] == 32
    request = creation({6: {"credBlob": bytes(size)}, 7: {"rk": resident}})
    made = AuthenticatorData(call(authenticator, MAKE_CREDENTIAL, request)[1][2])
    assert made.extensions == {"credBlob": kept}
    assert made.credential_data is not None
    allowed = [{"id": made.credential_data.credential_id, "type": "public-key"}]
    response = call(authenticator, GET_ASSERTION, assertion({3: allowed, 4: {"credBlob": True}}))[1]
    assert AuthenticatorData(response[2]).extensions == {"credBlob": bytes(size) if kept else b""}


@pytest.mark.parametrize("value", [True, "blob", 1, [b"blob"]])
def test_a_blob_is_bytes(value: Any) -> None:
    """Anything else is refused, and no credential is made."""
    authenticator = Authenticator(Env.simulated(1))
    request = creation({6: {"credBlob": value}, **RESIDENT})
    assert call(authenticator, MAKE_CREDENTIAL, request) == (Status.CBOR_UNEXPECTED_TYPE, {})
    assert authenticator.store.count() == 0


@pytest.mark.parametrize(("value", "expected"), [(False, Status.SUCCESS), (b"", Status.CBOR_UNEXPECTED_TYPE)])
def test_a_login_asks_with_true(value: Any, expected: Status) -> None:
    """False asks for nothing."""
    authenticator = Authenticator(Env.simulated(1))
    call(authenticator, MAKE_CREDENTIAL, creation({6: {"credBlob": b"blob"}, **RESIDENT}))
    status, response = call(authenticator, GET_ASSERTION, assertion({4: {"credBlob": value}}))
    assert status is expected
    if response:
        assert AuthenticatorData(response[2]).extensions is None
