"""Bio enrollment: fingers that the key knows (CTAP 2.3 §6.7)."""

from collections.abc import Iterator

import pytest
from fido2.ctap import CtapError
from fido2.ctap2.bio import CaptureError, FPBioEnrollment

from hil_tests.fido.host import BIO_ENROLLMENT, ERR, RP_ID, Host, P, refused

pytestmark = pytest.mark.hil("fido", caps=["CTAP2", "bioEnroll", "PIN", "pinUvAuthToken"])

FINGERPRINT, ENUMERATE, REMOVE, SENSOR_INFO = 1, 4, 6, 7
SAMPLES = 30
"""More samples than any sensor takes for one finger."""


def _fingers(host: Host) -> FPBioEnrollment:
    return FPBioEnrollment(host.ctap2, host.protocol(), host.token(P.BIO_ENROLL))


def _enroll(host: Host) -> bytes:
    context = _fingers(host).enroll()
    for _ in range(SAMPLES):
        try:
            template_id = context.capture()
        except CaptureError:
            continue  # a bad sample: the sensor wants another one
        if template_id is not None:
            return bytes(template_id)
    pytest.fail(f"{SAMPLES} samples, and the finger is not enrolled", pytrace=False)


@pytest.fixture
def finger(host: Host) -> Iterator[bytes]:
    """An enrolled finger, which is removed again."""
    template_id = _enroll(host)
    yield template_id
    try:
        _fingers(host).remove_enrollment(template_id)
    except CtapError as error:
        if error.code != ERR.INVALID_OPTION:  # the test has removed it
            raise


@pytest.mark.clause("CTAP 2.3 §6.7.2")
def test_modality_is_fingerprint(host: Host) -> None:
    """The key can enroll fingers."""
    assert host.ask(BIO_ENROLLMENT, {0x06: True}) == {0x01: FINGERPRINT}


@pytest.mark.clause("CTAP 2.3 §6.7.3")
def test_sensor_is_described(host: Host) -> None:
    """Its kind is touch or swipe, and it wants at least one sample."""
    info = host.ask(BIO_ENROLLMENT, {0x01: FINGERPRINT, 0x02: SENSOR_INFO})
    assert info[0x02] in (1, 2)
    assert info[0x03] >= 1


@pytest.mark.clause("CTAP 2.3 §6.7.6")
def test_no_proof_no_list(host: Host) -> None:
    """Listing fingers without a pinUvAuthParam is PUAT_REQUIRED."""
    with refused(ERR.PUAT_REQUIRED):
        host.ask(BIO_ENROLLMENT, {0x01: FINGERPRINT, 0x02: ENUMERATE})


@pytest.mark.clause("CTAP 2.3 §6.7.6")
def test_token_without_the_permission_is_refused(host: Host) -> None:
    """A token for registrations does not list fingers."""
    param, protocol = host.proof(P.MAKE_CREDENTIAL, RP_ID, bytes((FINGERPRINT, ENUMERATE)))
    with refused(ERR.PIN_AUTH_INVALID):
        host.ask(BIO_ENROLLMENT, {0x01: FINGERPRINT, 0x02: ENUMERATE, 0x04: protocol, 0x05: param})


@pytest.mark.clause("CTAP 2.3 §6.7.8")
def test_unknown_finger_is_not_removed(host: Host) -> None:
    """A template that the key does not have is INVALID_OPTION."""
    with refused(ERR.INVALID_OPTION):
        _fingers(host).remove_enrollment(b"nobody's finger!")


@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §6.7.4")
def test_finger_is_enrolled_and_listed(host: Host, finger: bytes) -> None:
    """After its samples the finger is in the list, and the option uv is true."""
    assert finger in _fingers(host).enumerate_enrollments()
    assert host.info.options["bioEnroll"] is True
    assert host.info.options.get("uv") is True


@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §6.7.7")
def test_finger_gets_a_name(host: Host, finger: bytes) -> None:
    """The list shows it."""
    _fingers(host).set_name(finger, "left thumb")
    assert _fingers(host).enumerate_enrollments()[finger] == "left thumb"


@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §6.7.8, §6.7.6")
def test_removed_finger_is_gone(host: Host, finger: bytes) -> None:
    """The option bioEnroll is false again, and the list is INVALID_OPTION, as without any finger."""
    _fingers(host).remove_enrollment(finger)
    assert host.info.options["bioEnroll"] is False
    param, protocol = host.proof(P.BIO_ENROLL, None, bytes((FINGERPRINT, ENUMERATE)))
    with refused(ERR.INVALID_OPTION):
        host.ask(BIO_ENROLLMENT, {0x01: FINGERPRINT, 0x02: ENUMERATE, 0x04: protocol, 0x05: param})


@pytest.mark.hil_destructive
@pytest.mark.clause("CTAP 2.3 §6.1.2 step 5, §6.5.5.7.3")
def test_finger_verifies_its_user(host: Host, finger: bytes) -> None:
    """A registration with the option uv has the flag UV, without any PIN."""
    assert host.register({0x07: {"uv": True}, 0x08: None}).auth_data.is_user_verified()
