"""U2F: registration and login by CTAP1 (CTAP 2.3 §10, FIDO U2F Raw Message Formats)."""

import hashlib
from collections.abc import Iterator

import pytest
from cryptography import x509
from fido2.cose import CoseKey
from fido2.ctap import CtapDevice
from fido2.ctap1 import ApduError, Ctap1, RegistrationData, SignatureData
from fido2.hid import CTAPHID

from authrig.ports.host_random import random_bytes
from authrig.ports.key import Key
from authrig.ports.presence import Presence
from hil_tests.fido.host import CLIENT_DATA_HASH, Host, descriptor

pytestmark = pytest.mark.hil("fido", caps=["U2F_V2", "CTAPHID"])

APPLICATION = hashlib.sha256(b"login.example.invalid").digest()
CHALLENGE = bytes(range(32))
WRONG_DATA, CONDITIONS_NOT_SATISFIED, WRONG_LENGTH = 0x6A80, 0x6985, 0x6700
INS_NOT_SUPPORTED, CLA_NOT_SUPPORTED = 0x6D00, 0x6E00
CHECK_ONLY, ENFORCE, DO_NOT_ENFORCE = 0x07, 0x03, 0x08
ASKS = 300
"""How often a host asks again for the touch before it gives up."""


class U2fHost:
    """A host that asks again while the key waits for its touch, as U2F hosts do (§3.3: there are no keepalives)."""

    def __init__(self, device: CtapDevice, presence: Presence) -> None:
        self.ctap1 = Ctap1(device)
        self.device = device
        self._presence = presence

    def raw(self, apdu: str) -> bytes:
        """The answer to the bytes as they are."""
        return self.device.call(CTAPHID.MSG, bytes.fromhex(apdu))

    def register(self, application: bytes = APPLICATION) -> RegistrationData:
        """Register, touching the key."""
        return RegistrationData(self._touched(0x01, 0, CHALLENGE + application))

    def authenticate(self, handle: bytes, application: bytes = APPLICATION, control: int = ENFORCE) -> SignatureData:
        """Log in, touching the key."""
        data = CHALLENGE + application + bytes((len(handle),)) + handle
        return SignatureData(self._touched(0x02, control, data))

    def _touched(self, ins: int, p1: int, data: bytes) -> bytes:
        for _ in range(ASKS):
            try:
                return self.ctap1.send_apdu(ins=ins, p1=p1, data=data)
            except ApduError as error:
                if error.code != CONDITIONS_NOT_SATISFIED or p1 == CHECK_ONLY:
                    raise
                self._presence.blinks()
        pytest.fail(f"the key was asked {ASKS} times and took no touch", pytrace=False)


@pytest.fixture
def u2f(key: Key, presence: Presence) -> Iterator[U2fHost]:
    """A host of the years before CTAP2."""
    with key.open() as device:
        yield U2fHost(device, presence)


@pytest.mark.clause("U2F Raw Message Formats §6.1")
def test_version(u2f: U2fHost) -> None:
    """The version is U2F_V2."""
    assert u2f.ctap1.get_version() == "U2F_V2"


@pytest.mark.clause("U2F Raw Message Formats §6.1")
def test_version_with_data_is_refused(u2f: U2fHost) -> None:
    """GetVersion takes no data: WRONG_LENGTH."""
    assert u2f.raw("00030000000001aa0000") == WRONG_LENGTH.to_bytes(2)


@pytest.mark.clause("U2F Raw Message Formats §4.3")
def test_registration_has_its_parts(u2f: U2fHost) -> None:
    """A point on P-256, a key handle, a certificate and a signature."""
    made = u2f.register()
    assert made.public_key[0] == 0x04
    assert len(made.public_key) == 65
    assert 1 <= len(made.key_handle) <= 255
    assert x509.load_der_x509_certificate(made.certificate).public_key() is not None


@pytest.mark.clause("U2F Raw Message Formats §4.3")
def test_registration_is_attested(u2f: U2fHost) -> None:
    """The certificate's key has signed application, challenge, handle and public key."""
    u2f.register().verify(APPLICATION, CHALLENGE)


@pytest.mark.clause("U2F Raw Message Formats §4.3")
def test_each_registration_is_new(u2f: U2fHost) -> None:
    """Two registrations have two handles and two keys."""
    first, second = u2f.register(), u2f.register()
    assert first.key_handle != second.key_handle
    assert first.public_key != second.public_key


@pytest.mark.clause("U2F Raw Message Formats §4.1")
def test_registration_waits_for_the_touch(u2f: U2fHost, presence: Presence) -> None:
    """Untouched it is CONDITIONS_NOT_SATISFIED."""
    with presence.held_back(), pytest.raises(ApduError) as refused:
        u2f.ctap1.register(CHALLENGE, APPLICATION)
    assert refused.value.code == CONDITIONS_NOT_SATISFIED


@pytest.mark.clause("U2F Raw Message Formats §5.4")
def test_login_is_signed(u2f: U2fHost) -> None:
    """The credential's key has signed; the user was present."""
    made = u2f.register()
    signed = u2f.authenticate(made.key_handle)
    assert signed.user_presence & 1
    signed.verify(APPLICATION, CHALLENGE, made.public_key)


@pytest.mark.clause("U2F Raw Message Formats §5.4")
def test_counter_grows(u2f: U2fHost) -> None:
    """Each login counts further."""
    handle = u2f.register().key_handle
    counts = [u2f.authenticate(handle).counter for _ in range(3)]
    assert counts == sorted(set(counts))


@pytest.mark.clause("U2F Raw Message Formats §5.1")
def test_check_only_knows_its_own_handle(u2f: U2fHost) -> None:
    """A handle of the key is CONDITIONS_NOT_SATISFIED, and no signature, touched or not."""
    handle = u2f.register().key_handle
    with pytest.raises(ApduError) as refused:
        u2f.authenticate(handle, control=CHECK_ONLY)
    assert refused.value.code == CONDITIONS_NOT_SATISFIED


@pytest.mark.clause("U2F Raw Message Formats §5.1")
@pytest.mark.parametrize("control", [CHECK_ONLY, ENFORCE], ids=["check only", "enforce presence"])
def test_unknown_handle_is_refused(u2f: U2fHost, control: int) -> None:
    """A handle that the key has not made is WRONG_DATA, without a touch."""
    with pytest.raises(ApduError) as refused:
        u2f.authenticate(random_bytes(64), control=control)
    assert refused.value.code == WRONG_DATA


@pytest.mark.clause("U2F Raw Message Formats §5.1")
def test_handle_of_another_application_is_refused(u2f: U2fHost) -> None:
    """A handle answers only for the application that it was made for."""
    handle = u2f.register().key_handle
    with pytest.raises(ApduError) as refused:
        u2f.authenticate(handle, hashlib.sha256(b"other.example.invalid").digest())
    assert refused.value.code == WRONG_DATA


@pytest.mark.clause("U2F Raw Message Formats §5.1")
def test_silent_login(u2f: U2fHost, presence: Presence) -> None:
    """With dont-enforce-user-presence nobody touches, and the answer says so; a key may not know it."""
    made = u2f.register()
    with presence.held_back():
        try:
            signed = SignatureData(
                u2f.ctap1.send_apdu(
                    ins=0x02,
                    p1=DO_NOT_ENFORCE,
                    data=CHALLENGE + APPLICATION + bytes((len(made.key_handle),)) + made.key_handle,
                )
            )
        except ApduError:
            pytest.skip("the key does not know dont-enforce-user-presence")
    assert not signed.user_presence & 1
    signed.verify(APPLICATION, CHALLENGE, made.public_key)


@pytest.mark.clause("U2F Raw Message Formats §3.2")
@pytest.mark.parametrize(
    ("apdu", "expected"),
    [
        ("00400000000000", INS_NOT_SUPPORTED),
        ("b0030000000000", CLA_NOT_SUPPORTED),
        ("00010000000010" + "00" * 16 + "0000", WRONG_LENGTH),
        ("00020300000041" + "00" * 64 + "050000", WRONG_LENGTH),
    ],
    ids=["unknown instruction", "unknown class", "registration too short", "handle shorter than it says"],
)
def test_command_that_is_none_is_refused(u2f: U2fHost, apdu: str, expected: int) -> None:
    """Each with the status word of its kind."""
    assert u2f.raw(apdu) == expected.to_bytes(2)


@pytest.mark.clause("CTAP 2.3 §10.3")
@pytest.mark.hil("fido", caps=["CTAP2"])
def test_u2f_registration_logs_in_by_ctap2(u2f: U2fHost, key: Key) -> None:
    """A credential of U2F answers a getAssertion whose RP ID hashes to its application."""
    made = u2f.register()
    response = Host(u2f.device, key.pin).sign({0x03: [descriptor(made.key_handle)]})
    assert response[0x02][:32] == APPLICATION
    point = {1: 2, 3: -7, -1: 1, -2: made.public_key[1:33], -3: made.public_key[33:]}
    CoseKey.parse(point).verify(response[0x02] + CLIENT_DATA_HASH, response[0x03])


@pytest.mark.clause("CTAP 2.3 §10.3")
@pytest.mark.hil("fido", caps=["CTAP2"])
def test_ctap2_registration_logs_in_by_u2f(u2f: U2fHost, key: Key) -> None:
    """A credential on P-256 that CTAP2 made answers an U2F login for the hash of its RP ID."""
    registered = Host(u2f.device, key.pin).register()
    if len(registered.id) > 255:
        pytest.skip("the key's ids are too long for U2F")
    u2f.authenticate(registered.id).verify(
        APPLICATION, CHALLENGE, b"\x04" + registered.public_key[-2] + registered.public_key[-3]
    )
