"""Extensions: what hosts and relying parties may ask for besides (CTAP 2.3 §12)."""

from typing import Any

import pytest
from fido2.ctap2.base import Info
from fido2.ctap2.pin import PinProtocol
from fido2.webauthn import AuthenticatorData

from authrig.ports.host_random import random_bytes
from hil_tests.fido.host import EACH_PROTOCOL, ERR, Host, Registered, descriptor, refused

pytestmark = pytest.mark.hil("fido", caps=["CTAP2"])
KEEPS = pytest.mark.hil("fido", caps=["rk", "credMgmt", "PIN"])
HMAC_SECRET = pytest.mark.hil("fido", caps=["hmac-secret"])
CRED_PROTECT = pytest.mark.hil("fido", caps=["credProtect"])
CRED_BLOB = pytest.mark.hil("fido", caps=["credBlob"])

RK = {0x07: {"rk": True}}


def _outputs(response: dict[int, Any]) -> dict[str, Any]:
    return dict(AuthenticatorData(response[0x02]).extensions or {})


def _told(registered: Registered) -> dict[str, Any]:
    return _outputs(registered.response)


def _salts(host: Host, number: int, salts: bytes) -> tuple[PinProtocol, bytes, dict[int, Any]]:
    """The hmac-secret input for ``salts``, with the protocol and the secret that read the output."""
    protocol = host.protocol(number)
    platform_key, secret = protocol.encapsulate(host.key_agreement(number))
    encrypted = protocol.encrypt(secret, salts)
    members = {1: platform_key, 2: encrypted, 3: protocol.authenticate(secret, encrypted)}
    return protocol, secret, members | ({4: number} if number > 1 else {})


def _secrets(host: Host, registered: Registered, number: int, salts: bytes, *, verified: bool = False) -> bytes:
    protocol, secret, asked = _salts(host, number, salts)
    response = host.sign({0x03: [descriptor(registered.id)], 0x04: {"hmac-secret": asked}}, verified=verified)
    return protocol.decrypt(secret, _outputs(response)["hmac-secret"])


@pytest.fixture
def able(host: Host) -> Registered:
    """A credential with hmac-secret."""
    return host.register({0x06: {"hmac-secret": True}})


@HMAC_SECRET
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_hmac_secret_is_confirmed(able: Registered) -> None:
    """A registration that asks for it gets true."""
    assert _told(able)["hmac-secret"] is True


@HMAC_SECRET
@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_same_salt_same_secret(host: Host, able: Registered, number: int) -> None:
    """One salt gives 32 bytes, each time the same, and another salt others."""
    salt, other = random_bytes(32), random_bytes(32)
    secret = _secrets(host, able, number, salt)
    assert len(secret) == 32
    assert secret == _secrets(host, able, number, salt)
    assert secret != _secrets(host, able, number, other)


@HMAC_SECRET
@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_two_salts_two_secrets(host: Host, able: Registered, number: int) -> None:
    """Two salts give two secrets at once, each as it comes alone."""
    one, two = random_bytes(32), random_bytes(32)
    assert _secrets(host, able, number, one + two) == _secrets(host, able, number, one) + _secrets(
        host, able, number, two
    )


@HMAC_SECRET
@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_salts_with_a_wrong_proof_are_refused(host: Host, able: Registered, number: int) -> None:
    """A saltAuth that does not fit is PIN_AUTH_INVALID."""
    _, _, asked = _salts(host, number, bytes(32))
    asked[3] = bytes(len(asked[3]))
    with refused(ERR.PIN_AUTH_INVALID):
        host.sign({0x03: [descriptor(able.id)], 0x04: {"hmac-secret": asked}})


@HMAC_SECRET
@EACH_PROTOCOL
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_salts_of_another_length_are_refused(host: Host, able: Registered, number: int) -> None:
    """48 bytes are neither one salt nor two."""
    _, _, asked = _salts(host, number, bytes(48))
    with refused(ERR.INVALID_LENGTH, ERR.INVALID_PARAMETER):
        host.sign({0x03: [descriptor(able.id)], 0x04: {"hmac-secret": asked}})


@HMAC_SECRET
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_no_secret_without_a_touch(host: Host, able: Registered, info: Info) -> None:
    """With up=false it is UNSUPPORTED_OPTION."""
    _, _, asked = _salts(host, info.pin_uv_protocols[0], bytes(32))
    with refused(ERR.UNSUPPORTED_OPTION, ERR.INVALID_OPTION):
        host.sign({0x03: [descriptor(able.id)], 0x04: {"hmac-secret": asked}, 0x05: {"up": False}})


@HMAC_SECRET
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_credential_without_the_extension_has_no_secret(host: Host, info: Info) -> None:
    """A credential that was made without hmac-secret gives none."""
    plain = host.register()
    _, _, asked = _salts(host, info.pin_uv_protocols[0], bytes(32))
    assert "hmac-secret" not in _outputs(host.sign({0x03: [descriptor(plain.id)], 0x04: {"hmac-secret": asked}}))


@HMAC_SECRET
@pytest.mark.hil("fido", caps=["PIN", "FIDO_2_1"])
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_verified_user_has_another_secret(host: Host, able: Registered, info: Info) -> None:
    """The same salt gives a verified user another secret than one who only touched."""
    if info.options.get("alwaysUv"):
        pytest.skip("the key always verifies its user")
    number, salt = info.pin_uv_protocols[0], random_bytes(32)
    assert _secrets(host, able, number, salt) != _secrets(host, able, number, salt, verified=True)


@HMAC_SECRET
@pytest.mark.clause("CTAP 2.3 §12.7")
def test_secret_belongs_to_the_credential(host: Host, able: Registered, info: Info) -> None:
    """Another credential gives another secret for the same salt."""
    number, salt = info.pin_uv_protocols[0], random_bytes(32)
    other = host.register({0x06: {"hmac-secret": True}})
    assert _secrets(host, able, number, salt) != _secrets(host, other, number, salt)


@EACH_PROTOCOL
@pytest.mark.hil("fido", caps=["hmac-secret-mc"])
@pytest.mark.clause("CTAP 2.3 §12.8")
def test_secret_at_registration(host: Host, number: int) -> None:
    """The output of hmac-secret-mc is the secret that a login with the same salt gives."""
    salt = random_bytes(32)
    protocol, secret, asked = _salts(host, number, salt)
    registered = host.register({0x06: {"hmac-secret": True, "hmac-secret-mc": asked}})
    output = protocol.decrypt(secret, _outputs(registered.response)["hmac-secret-mc"])
    verified = registered.auth_data.is_user_verified()
    assert output == _secrets(host, registered, number, salt, verified=verified)


@CRED_PROTECT
@pytest.mark.clause("CTAP 2.3 §12.1")
@pytest.mark.parametrize("level", [1, 2, 3], ids=["optional", "optional with list", "required"])
def test_protection_is_confirmed(host: Host, level: int) -> None:
    """The output names the level that was asked for."""
    assert _told(host.register({0x06: {"credProtect": level}}))["credProtect"] == level


@CRED_PROTECT
@pytest.mark.clause("CTAP 2.3 §12.1")
@pytest.mark.hil("fido", caps=["PIN"])
def test_level_three_needs_verification(host: Host, info: Info) -> None:
    """A credential of level 3 is not found without verification, not even by its id."""
    if info.options.get("alwaysUv"):
        pytest.skip("the key always verifies its user")
    registered = host.register({0x06: {"credProtect": 3}})
    with refused(ERR.NO_CREDENTIALS):
        host.sign({0x03: [descriptor(registered.id)]})
    host.sign({0x03: [descriptor(registered.id)]}, verified=True)


@CRED_PROTECT
@KEEPS
@pytest.mark.clause("CTAP 2.3 §12.1")
def test_level_two_needs_verification_or_the_id(host: Host, info: Info) -> None:
    """A credential of level 2 is found by its id, or by a verified user."""
    if info.options.get("alwaysUv"):
        pytest.skip("the key always verifies its user")
    registered = host.register({0x06: {"credProtect": 2}, **RK})
    with refused(ERR.NO_CREDENTIALS):
        host.sign()
    host.sign({0x03: [descriptor(registered.id)]})
    host.sign(verified=True)


@KEEPS
@pytest.mark.clause("CTAP 2.3 §12.1")
def test_nothing_is_protected_unasked(host: Host) -> None:
    """A discoverable credential made without credProtect is found without verification and without its id."""
    registered = host.register(RK)
    assert host.sign()[0x01]["id"] == registered.id


@CRED_PROTECT
@KEEPS
@pytest.mark.clause("CTAP 2.3 §12.1, §6.1.2 step 12")
def test_level_three_excludes_only_for_the_verified(host: Host, info: Info) -> None:
    """A hidden credential in an exclude list is excluded for a verified user, and does not exist for others."""
    if info.options.get("alwaysUv") or not info.options.get("makeCredUvNotRqd"):
        pytest.skip("the key always verifies its user to register")
    known = [descriptor(host.register({0x06: {"credProtect": 3}}, verified=True).id)]
    host.create({0x05: known})
    with refused(ERR.CREDENTIAL_EXCLUDED):
        host.create({0x05: known}, verified=True)


@CRED_BLOB
@KEEPS
@pytest.mark.clause("CTAP 2.3 §12.2")
def test_blob_is_kept_and_given(host: Host) -> None:
    """A registration confirms the blob, a login gives it."""
    blob = random_bytes(32)
    assert _told(host.register({0x06: {"credBlob": blob}, **RK}))["credBlob"] is True
    assert _outputs(host.sign({0x04: {"credBlob": True}}))["credBlob"] == blob


@CRED_BLOB
@KEEPS
@pytest.mark.clause("CTAP 2.3 §12.2")
def test_credential_without_a_blob_gives_an_empty_one(host: Host) -> None:
    """A login that asks for a blob that there is not gets no bytes."""
    host.register(RK)
    assert _outputs(host.sign({0x04: {"credBlob": True}}))["credBlob"] == b""


@CRED_BLOB
@KEEPS
@pytest.mark.clause("CTAP 2.3 §12.2")
def test_blob_that_is_too_long_is_not_kept(host: Host, info: Info) -> None:
    """More than maxCredBlobLength: the credential is made, the output is false."""
    blob = bytes((info.max_cred_blob_length or 32) + 1)
    assert _told(host.register({0x06: {"credBlob": blob}, **RK}))["credBlob"] is False


@pytest.mark.hil("fido", caps=["minPinLength"])
@pytest.mark.clause("CTAP 2.3 §12.4")
def test_minimum_pin_length_is_not_told_to_everybody(host: Host) -> None:
    """A relying party that is not on the key's list learns nothing."""
    assert "minPinLength" not in _outputs(host.create({0x06: {"minPinLength": True}}))


@pytest.mark.hil("fido", caps=["largeBlobKey"])
@pytest.mark.clause("CTAP 2.3 §12.3")
def test_large_blob_key_is_for_discoverable_credentials(host: Host) -> None:
    """A registration that asks for one without rk is INVALID_OPTION."""
    with refused(ERR.INVALID_OPTION):
        host.create({0x06: {"largeBlobKey": True}})


@pytest.mark.hil("fido", caps=["largeBlobKey"])
@pytest.mark.clause("CTAP 2.3 §12.3")
def test_large_blob_key_false_is_refused(host: Host) -> None:
    """The input can only be true."""
    with refused(ERR.INVALID_OPTION):
        host.create({0x06: {"largeBlobKey": False}})


@KEEPS
@pytest.mark.hil("fido", caps=["largeBlobKey"])
@pytest.mark.clause("CTAP 2.3 §12.3")
def test_large_blob_key_is_not_told_unasked(host: Host) -> None:
    """A login that does not ask gets none."""
    host.create({0x06: {"largeBlobKey": True}, **RK})
    assert 0x07 not in host.sign()


@pytest.mark.hil("fido", caps=["thirdPartyPayment"])
@pytest.mark.clause("CTAP 2.3 §12.10")
def test_third_party_payment_is_told_at_login(host: Host) -> None:
    """A credential that was made for payments says so, another one says that it was not."""
    for asked in (True, False):
        registered = host.register({0x06: {"thirdPartyPayment": True} if asked else {}})
        response = host.sign({0x03: [descriptor(registered.id)], 0x04: {"thirdPartyPayment": True}})
        assert _outputs(response)["thirdPartyPayment"] is asked
