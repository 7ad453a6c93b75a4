"""Make credential: who is verified, and by which proof (CTAP 2.3 §6.1.2 steps 1, 2, 7 and 11)."""

import pytest
from fido2.ctap2.base import Info
from fido2.webauthn import AuthenticatorData

from hil_tests.fido.host import CLIENT_DATA_HASH, ERR, MAKE_CREDENTIAL, RP_ID, Host, P, creation, refused

pytestmark = pytest.mark.hil("fido", caps=["CTAP2"])

FLAG = AuthenticatorData.FLAG


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 11")
@pytest.mark.hil("fido", caps=["makeCredUvNotRqd", "PIN"])
def test_without_proof_the_user_was_not_verified(host: Host, info: Info) -> None:
    """With makeCredUvNotRqd a registration without a proof has no flag UV."""
    if info.options.get("alwaysUv"):
        pytest.skip("the key always verifies its user")
    assert not host.register().auth_data.flags & FLAG.UV


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 11")
@pytest.mark.hil("fido", caps=["PIN"])
def test_with_proof_the_user_was_verified(host: Host) -> None:
    """A registration with a pinUvAuthParam has the flag UV."""
    assert host.register(verified=True).auth_data.flags & FLAG.UV


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 5")
def test_discoverable_credential_needs_a_key_that_can(host: Host, info: Info) -> None:
    """The option rk=true is UNSUPPORTED_OPTION where getInfo does not say rk."""
    if info.options.get("rk"):
        pytest.skip("the key keeps discoverable credentials")
    with refused(ERR.UNSUPPORTED_OPTION):
        host.ask(MAKE_CREDENTIAL, creation({0x07: {"rk": True}}))


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 7")
@pytest.mark.hil("fido", caps=["PIN", "rk", "FIDO_2_1"])
def test_discoverable_credential_needs_proof(host: Host) -> None:
    """A key with a PIN makes none without: PUAT_REQUIRED."""
    with refused(ERR.PUAT_REQUIRED):
        host.ask(MAKE_CREDENTIAL, creation({0x07: {"rk": True}}))


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 1")
@pytest.mark.hil("fido", caps=["clientPin"])
def test_empty_proof_asks_for_a_touch(host: Host, info: Info) -> None:
    """A pinUvAuthParam of no bytes lets the user choose a key: after a touch, PIN_INVALID or PIN_NOT_SET."""
    with refused(ERR.PIN_INVALID if info.options["clientPin"] else ERR.PIN_NOT_SET):
        host.ask(MAKE_CREDENTIAL, creation({0x08: b"", 0x09: info.pin_uv_protocols[0]}))


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 2")
@pytest.mark.hil("fido", caps=["PIN"])
def test_unknown_protocol_is_refused(host: Host) -> None:
    """A pinUvAuthProtocol that does not exist is INVALID_PARAMETER (PIN_AUTH_INVALID before CTAP 2.1)."""
    with refused(ERR.INVALID_PARAMETER, ERR.PIN_AUTH_INVALID):
        host.ask(MAKE_CREDENTIAL, creation({0x08: bytes(32), 0x09: 99}))


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 2")
@pytest.mark.hil("fido", caps=["PIN", "FIDO_2_1"])
def test_proof_without_protocol_is_refused(host: Host) -> None:
    """A pinUvAuthParam whose protocol is not named is MISSING_PARAMETER."""
    with refused(ERR.MISSING_PARAMETER):
        host.ask(MAKE_CREDENTIAL, creation({0x08: bytes(32)}))


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 11")
@pytest.mark.hil("fido", caps=["PIN"])
def test_wrong_proof_is_refused(host: Host) -> None:
    """A pinUvAuthParam over something else is PIN_AUTH_INVALID."""
    param, protocol = host.proof(P.MAKE_CREDENTIAL, RP_ID, b"something else")
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(MAKE_CREDENTIAL, creation({0x08: param, 0x09: protocol}))


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 11")
@pytest.mark.hil("fido", caps=["PIN", "pinUvAuthToken"])
def test_token_without_the_permission_is_refused(host: Host) -> None:
    """A token for assertions does not make credentials."""
    param, protocol = host.proof(P.GET_ASSERTION, RP_ID, CLIENT_DATA_HASH)
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(MAKE_CREDENTIAL, creation({0x08: param, 0x09: protocol}))


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 11")
@pytest.mark.hil("fido", caps=["PIN", "pinUvAuthToken"])
def test_token_of_another_relying_party_is_refused(host: Host) -> None:
    """A token is bound to the RP ID that it was got for."""
    param, protocol = host.proof(P.MAKE_CREDENTIAL, "other.example.invalid", CLIENT_DATA_HASH)
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(MAKE_CREDENTIAL, creation({0x08: param, 0x09: protocol}))
