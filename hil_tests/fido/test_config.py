"""Configuration: settings of the key, and who may change them (CTAP 2.3 §6.11). Those that do change one erase it."""

from collections.abc import Iterator

import pytest
from fido2 import cbor
from fido2.ctap1 import ApduError, Ctap1
from fido2.ctap2.config import Config
from fido2.ctap2.pin import ClientPin
from fido2.webauthn import AuthenticatorData

from authrig.ports.key import Key
from hil_tests.fido.host import CONFIG, ERR, MAKE_CREDENTIAL, OTHER_RP_ID, RP_ID, Host, P, creation, refused

pytestmark = pytest.mark.hil("fido", caps=["CTAP2", "authnrCfg", "PIN", "pinUvAuthToken"])
CHANGES = pytest.mark.hil("fido", caps=["power"])

ENABLE_EP, TOGGLE_ALWAYS_UV, SET_MIN_PIN_LENGTH = 1, 2, 3


@pytest.fixture
def fresh(key: Key, fido_reset: object) -> Iterator[Host]:
    """A host in front of a key that was reset and has its PIN again; it is reset once more at the end."""
    key.ensure_pin()
    with key.open() as device:
        yield Host(device, key.pin)


def _config(host: Host) -> Config:
    return Config(host.ctap2, host.protocol(), host.token(P.AUTHENTICATOR_CFG))


@pytest.mark.clause("CTAP 2.3 §6.11")
def test_no_proof_no_change(host: Host) -> None:
    """A key with a PIN changes nothing without: PUAT_REQUIRED."""
    with refused(ERR.PUAT_REQUIRED):
        host.ask(CONFIG, {0x01: SET_MIN_PIN_LENGTH, 0x02: {}})


@pytest.mark.clause("CTAP 2.3 §6.11")
def test_token_without_the_permission_is_refused(host: Host) -> None:
    """A token for credential management does not configure."""
    message = b"\xff" * 32 + bytes((CONFIG, SET_MIN_PIN_LENGTH)) + cbor.encode({})
    param, protocol = host.proof(P.CREDENTIAL_MGMT, None, message)
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(CONFIG, {0x01: SET_MIN_PIN_LENGTH, 0x02: {}, 0x03: protocol, 0x04: param})


@pytest.mark.clause("CTAP 2.3 §6.11")
def test_wrong_proof_is_refused(host: Host) -> None:
    """A pinUvAuthParam over another subcommand is PIN_AUTH_INVALID."""
    param, protocol = host.proof(P.AUTHENTICATOR_CFG, None, b"\xff" * 32 + bytes((CONFIG, ENABLE_EP)))
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(CONFIG, {0x01: SET_MIN_PIN_LENGTH, 0x02: {}, 0x03: protocol, 0x04: param})


@pytest.mark.clause("CTAP 2.3 §6.11")
def test_unknown_subcommand_is_refused(host: Host) -> None:
    """INVALID_PARAMETER, or INVALID_SUBCOMMAND."""
    message = b"\xff" * 32 + bytes((CONFIG, 0x7E))
    param, protocol = host.proof(P.AUTHENTICATOR_CFG, None, message)
    with refused(ERR.INVALID_PARAMETER, ERR.INVALID_SUBCOMMAND):
        host.ask(CONFIG, {0x01: 0x7E, 0x03: protocol, 0x04: param})


@pytest.mark.clause("CTAP 2.3 §6.11.4")
@pytest.mark.hil("fido", caps=["setMinPINLength"])
def test_minimum_does_not_shrink(host: Host) -> None:
    """A minimum below the present one is PIN_POLICY_VIOLATION."""
    with refused(ERR.PIN_POLICY_VIOLATION):
        _config(host).set_min_pin_length(min_pin_length=host.info.min_pin_length - 1)


@CHANGES
@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §6.11.4")
@pytest.mark.hil("fido", caps=["setMinPINLength"])
def test_minimum_grows(fresh: Host) -> None:
    """The minimum is told by getInfo, and a PIN that is now too short must be changed before it gets a token."""
    _config(fresh).set_min_pin_length(min_pin_length=max(8, len(fresh.pin) + 1))
    info = fresh.info
    assert info.min_pin_length == max(8, len(fresh.pin) + 1)
    assert info.force_pin_change is True
    with refused(ERR.PIN_POLICY_VIOLATION, ERR.PIN_INVALID):
        fresh.token(P.MAKE_CREDENTIAL, RP_ID)


@CHANGES
@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §6.11.4")
@pytest.mark.hil("fido", caps=["setMinPINLength"])
def test_change_of_the_pin_is_demanded(fresh: Host) -> None:
    """With forceChangePin no token comes until the PIN was changed."""
    _config(fresh).set_min_pin_length(force_change_pin=True)
    demanded = fresh.info
    assert demanded.force_pin_change is True
    with refused(ERR.PIN_POLICY_VIOLATION, ERR.PIN_INVALID):
        fresh.token(P.MAKE_CREDENTIAL, RP_ID)
    ClientPin(fresh.ctap2, fresh.protocol()).change_pin(fresh.pin, "2580147")
    assert not fresh.info.force_pin_change
    assert Host(fresh.device, "2580147").token(P.MAKE_CREDENTIAL, RP_ID)


@CHANGES
@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §12.4")
@pytest.mark.hil("fido", caps=["setMinPINLength", "minPinLength"])
def test_minimum_is_told_to_whom_it_may_concern(fresh: Host) -> None:
    """The relying party on the list learns the minimum at registration, another one does not."""
    _config(fresh).set_min_pin_length(rp_ids=[RP_ID])
    asked = {0x06: {"minPinLength": True}}
    told = fresh.register(asked).auth_data.extensions
    assert told == {"minPinLength": fresh.info.min_pin_length}
    assert not AuthenticatorData(fresh.create({0x02: {"id": OTHER_RP_ID}, **asked})[0x02]).extensions


@CHANGES
@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §6.11.2, §7.2")
@pytest.mark.hil("fido", caps=["alwaysUv"])
def test_always_uv_is_switched_on(fresh: Host) -> None:
    """The options change, and nothing is made without verification; switched off again it is."""
    before = fresh.info.options["alwaysUv"]
    if not before:
        _config(fresh).toggle_always_uv()
    options = fresh.info.options
    assert options["alwaysUv"] is True
    assert not options.get("makeCredUvNotRqd")
    with refused(ERR.PUAT_REQUIRED):
        fresh.ask(MAKE_CREDENTIAL, creation())
    assert fresh.register(verified=True).auth_data.is_user_verified()
    _config(fresh).toggle_always_uv()
    assert fresh.info.options["alwaysUv"] is False


@CHANGES
@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §7.2.4")
@pytest.mark.hil("fido", caps=["alwaysUv", "U2F_V2", "CTAPHID"])
def test_always_uv_switches_u2f_off(fresh: Host) -> None:
    """U2F cannot verify anybody: it is no version any more, and does not register."""
    if not fresh.info.options["alwaysUv"]:
        _config(fresh).toggle_always_uv()
    assert "U2F_V2" not in fresh.info.versions
    with pytest.raises(ApduError):
        Ctap1(fresh.device).register(bytes(32), bytes(32))


@CHANGES
@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §6.11.1, §7.1")
@pytest.mark.hil("fido", caps=["ep"])
def test_enterprise_attestation_is_enabled(fresh: Host) -> None:
    """The option ep becomes true; then a relying party that the host vouches for gets epAtt, another one does not."""
    _config(fresh).enable_enterprise_attestation()
    assert fresh.info.options["ep"] is True
    assert fresh.create({0x0A: 2}).get(0x04) is True
    assert not fresh.create().get(0x04, False)
