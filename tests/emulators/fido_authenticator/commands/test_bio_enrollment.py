from typing import Any

import msgspec
import pytest
from fido2 import cbor
from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2, Info
from fido2.ctap2.bio import CaptureError, FPBioEnrollment
from fido2.ctap2.pin import ClientPin
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import dump
from emulators.fido_authenticator.transports.in_process import InProcessDevice
from emulators.fido_authenticator.user import (
    Act,
    AutomaticUser,
    Decision,
    Finger,
    FingerSample,
    HandUser,
    SampleQuality,
    ScriptedUser,
    User,
    UserRequest,
)
from tests.emulators.fido_authenticator.ctap_requests import GET_INFO, call
from tests.emulators.fido_authenticator.pin_keys import PIN, client_pin, ctap2, key

BIO, PREVIEW = 0x09, 0x40
BE = ClientPin.PERMISSION.BIO_ENROLL
INDEX, THUMB = Finger("index"), Finger("thumb")
GOOD = SampleQuality.GOOD


def _key(user: User | None = None, clock: SimulatedClock | None = None, **sensor: int) -> Authenticator:
    profile = profiles.load("authrig-bio")
    assert profile.built_in_uv is not None
    if sensor:
        profile = msgspec.structs.replace(profile, built_in_uv=msgspec.structs.replace(profile.built_in_uv, **sensor))
    return key(PIN, profile, user=user, clock=clock)


def _bio(authenticator: Authenticator, protocol: int = 2) -> FPBioEnrollment:
    """python-fido2's own client, with a fresh token."""
    pin = client_pin(authenticator, protocol)
    return FPBioEnrollment(ctap2(authenticator), pin.protocol, pin.get_pin_token(PIN, BE))


def _enroll(bio: FPBioEnrollment) -> tuple[bytes, list[SampleQuality]]:
    """Enroll a finger as a platform does: on until no sample remains; the template and all feedback."""
    context, feedback = bio.enroll(), []
    while True:
        try:
            template_id = context.capture()
        except CaptureError as error:
            feedback.append(SampleQuality(error.code))
            continue
        feedback.append(GOOD)
        if template_id is not None:
            return template_id, feedback


def _info(authenticator: Authenticator) -> Info:
    return Info.from_dict(call(authenticator, GET_INFO)[1])


def _refusal(action: Any, *arguments: Any) -> Status:
    with pytest.raises(CtapError) as refused:
        action(*arguments)
    return Status(refused.value.code)


@pytest.mark.parametrize("protocol", [1, 2])
def test_python_fido2_manages_fingers(protocol: int) -> None:
    """Enrolled, listed, named, removed; getInfo follows."""
    authenticator = _key()
    bio = _bio(authenticator, protocol)
    assert (_info(authenticator).options["uv"], _info(authenticator).options["bioEnroll"]) == (False, False)
    first, feedback = _enroll(bio)
    assert feedback == [GOOD] * 4
    assert (_info(authenticator).options["uv"], _info(authenticator).options["bioEnroll"]) == (True, True)
    second, _ = _enroll(bio)
    bio.set_name(first, "Zeigefinger")
    assert bio.enumerate_enrollments() == {first: "Zeigefinger", second: ""}
    bio.remove_enrollment(first)
    assert bio.enumerate_enrollments() == {second: ""}
    bio.remove_enrollment(second)
    assert bio.enumerate_enrollments() == {}
    assert _info(authenticator).options["uv"] is False


def test_the_sensor_tells_what_it_is_without_a_pin() -> None:
    """A touch sensor for fingerprints, four samples, names of 64 bytes."""
    authenticator = _key()
    bio = FPBioEnrollment(ctap2(authenticator), client_pin(authenticator).protocol, b"")
    assert bio.get_fingerprint_sensor_info() == {1: 1, 2: 1, 3: 4, 8: 64}
    assert call(authenticator, BIO, {6: True}) == (Status.SUCCESS, {1: 1})
    assert (_info(authenticator).uv_modality, _info(authenticator).preferred_platform_uv_attempts) == (2, 3)


def test_bad_samples_are_told_and_do_not_count() -> None:
    """Too fast, somebody else's finger, nobody there: the platform says so and goes on."""
    user = ScriptedUser(
        [
            Act(Finger("index", SampleQuality.TOO_FAST)),
            Act(INDEX),
            Act(THUMB),
            Act(INDEX),
            Act(Decision.MISMATCH),
            Act(None),
            Act(INDEX),
            Act(INDEX),
        ]
    )
    authenticator = _key(user)
    _, feedback = _enroll(_bio(authenticator))
    quality = SampleQuality
    assert feedback == [
        quality.TOO_FAST, GOOD, quality.MERGE_FAILURE, GOOD, quality.POOR_QUALITY, quality.NO_USER_ACTIVITY, GOOD, GOOD
    ]  # fmt: skip
    asked = [request.remaining for request in user.requests if isinstance(request, FingerSample)]
    assert asked == [4, 4, 3, 3, 2, 2, 2, 1]


def test_an_enrolled_finger_verifies_and_a_strange_one_does_not() -> None:
    """A blurred one neither; five mismatches block the sensor until the PIN is entered."""
    strange, blurred = Act(THUMB), Act(Finger("index", SampleQuality.TOO_SKEWED))
    user = ScriptedUser([Act(INDEX)] * 4 + [strange, blurred, Act(INDEX)] + [strange] * 5)
    authenticator = _key(user)
    _enroll(_bio(authenticator))
    pin = client_pin(authenticator)
    for expected in (Status.UV_INVALID, Status.UV_INVALID):
        assert _refusal(pin.get_uv_token, ClientPin.PERMISSION.GET_ASSERTION) is expected
    assert pin.get_uv_retries() == 3
    assert len(pin.get_uv_token(ClientPin.PERMISSION.GET_ASSERTION)) == 32
    assert _info(authenticator).uv_count_since_pin == 1
    for left in range(4, -1, -1):
        expected = Status.UV_INVALID if left else Status.UV_BLOCKED
        assert _refusal(pin.get_uv_token, ClientPin.PERMISSION.GET_ASSERTION) is expected
    assert pin.get_uv_retries() == 0


def test_a_finger_is_enrolled_once() -> None:
    """The second time the sensor knows it."""
    user = ScriptedUser([Act(INDEX)] * 5 + [Act(THUMB)] * 4)
    authenticator = _key(user)
    bio = _bio(authenticator)
    _enroll(bio)
    _, feedback = _enroll(bio)
    assert feedback == [SampleQuality.EXISTS, *[GOOD] * 4]


def test_without_enrolled_fingers_there_is_nothing_to_verify_with() -> None:
    """NOT_ALLOWED, and nobody is asked."""
    user = ScriptedUser([])
    assert _refusal(client_pin(_key(user)).get_uv_token, ClientPin.PERMISSION.GET_ASSERTION) is Status.NOT_ALLOWED
    assert user.requests == []


def test_the_memory_for_fingers_can_be_full() -> None:
    """FP_DATABASE_FULL before the user is asked for anything."""
    authenticator = _key(max_templates=1)
    bio = _bio(authenticator)
    _enroll(bio)
    before = dump(authenticator.store)
    assert _refusal(bio.enroll_begin) is Status.FP_DATABASE_FULL
    assert dump(authenticator.store) == before


def test_names_and_templates_that_cannot_be() -> None:
    """A name of 64 bytes fits; one that is longer, or of a template that is not there, is refused."""
    authenticator = _key()
    bio = _bio(authenticator)
    template_id, _ = _enroll(bio)
    bio.set_name(template_id, "ü" * 32)
    assert _refusal(bio.set_name, template_id, "ü" * 32 + "x") is Status.INVALID_LENGTH
    assert _refusal(bio.set_name, b"nobody's", "x") is Status.INVALID_OPTION
    assert _refusal(bio.remove_enrollment, b"nobody's") is Status.INVALID_OPTION
    assert bio.enumerate_enrollments() == {template_id: "ü" * 32}


def test_the_host_sets_the_time_for_a_sample() -> None:
    """Half a second is over before the profile's thirty; and that is feedback, not an error."""
    clock = SimulatedClock()
    authenticator = _key(AutomaticUser(None), clock)
    bio = _bio(authenticator)
    began = clock.monotonic()
    template_id, status, remaining = bio.enroll_begin(timeout=500)
    assert (SampleQuality(status), remaining) == (SampleQuality.NO_USER_ACTIVITY, 4)
    assert clock.monotonic() - began == pytest.approx(0.5)
    status, remaining = bio.enroll_capture_next(template_id, timeout=0)
    assert (SampleQuality(status), remaining) == (SampleQuality.NO_USER_ACTIVITY, 4)


def test_an_enrollment_ends_when_it_is_cancelled_or_left_alone() -> None:
    """By its own subcommand, after thirty seconds, and when another one begins."""
    clock = SimulatedClock()
    user = HandUser()

    def touch(request: UserRequest) -> None:
        del request
        user.touch()

    user.on_request = touch
    authenticator = _key(user, clock)
    bio = _bio(authenticator)

    def begun() -> bytes:
        template_id: bytes = bio.enroll_begin()[0]
        return template_id

    template_id = begun()
    bio.enroll_cancel()
    assert _refusal(bio.enroll_capture_next, template_id) is Status.INVALID_PARAMETER
    template_id = begun()
    begun()
    assert _refusal(bio.enroll_capture_next, template_id) is Status.INVALID_PARAMETER
    template_id = begun()
    clock.advance(30.1)
    assert _refusal(bio.enroll_capture_next, template_id) is Status.INVALID_PARAMETER
    begun()
    assert _refusal(bio.enroll_capture_next, b"another") is Status.INVALID_PARAMETER
    assert _info(authenticator).options["uv"] is False


def test_a_refusal_ends_the_enrollment() -> None:
    """OPERATION_DENIED, and nothing is kept."""
    authenticator = _key(ScriptedUser([Act(), Act(Decision.DENIED)]))
    bio = _bio(authenticator)
    template_id, _, remaining = bio.enroll_begin()
    assert remaining == 3
    assert _refusal(bio.enroll_capture_next, template_id) is Status.OPERATION_DENIED
    assert _refusal(bio.enroll_capture_next, template_id) is Status.INVALID_PARAMETER


def test_fingers_survive_a_power_cycle_and_end_with_a_reset() -> None:
    """As does the PIN."""
    authenticator = _key()
    template_id, _ = _enroll(_bio(authenticator))
    authenticator.power_up()
    assert list(_bio(authenticator).enumerate_enrollments()) == [template_id]
    assert call(authenticator, 0x07)[0] is Status.SUCCESS
    assert (_info(authenticator).options["uv"], _info(authenticator).options["clientPin"]) == (False, False)


def test_the_preview_is_the_same_under_its_own_byte() -> None:
    """libfido2 up to 1.12 speaks it; an enrollment begun there goes on there."""
    authenticator = _key()

    class PreviewCtap2(Ctap2):
        def send_cbor(self, cmd: int, *arguments: Any, **named: Any) -> Any:
            return super().send_cbor(PREVIEW if cmd == BIO else cmd, *arguments, **named)

    pin = client_pin(authenticator)
    bio = FPBioEnrollment(PreviewCtap2(InProcessDevice(authenticator)), pin.protocol, pin.get_pin_token(PIN, BE))
    assert _enroll(bio)[1] == [GOOD] * 4


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, Status.MISSING_PARAMETER),
        ({1: 1}, Status.MISSING_PARAMETER),
        ({1: 2, 2: 7}, Status.INVALID_PARAMETER),
        ({1: 1, 2: 8}, Status.INVALID_SUBCOMMAND),
        ({1: 1, 2: 4}, Status.PUAT_REQUIRED),
        ({1: 1, 2: 4, 5: bytes(32)}, Status.MISSING_PARAMETER),
        ({1: 1, 2: 4, 4: 9, 5: bytes(32)}, Status.INVALID_PARAMETER),
        ({1: 1, 2: 4, 4: 2, 5: bytes(32)}, Status.PIN_AUTH_INVALID),
        ({1: "1", 2: 4}, Status.CBOR_UNEXPECTED_TYPE),
        ({1: 1, 2: 1, 3: []}, Status.CBOR_UNEXPECTED_TYPE),
    ],
)
def test_what_is_refused(request_: dict[int, Any], expected: Status) -> None:
    """Each with its own status."""
    assert call(_key(), BIO, request_)[0] is expected


def test_a_key_without_a_sensor_does_not_know_the_command() -> None:
    """Neither the command nor its preview."""
    for command in (BIO, PREVIEW):
        assert call(key(None), command, {6: True})[0] is Status.INVALID_COMMAND


_VALUES = st.integers(-3, 300) | st.binary(max_size=20) | st.text(max_size=5) | st.booleans()


@settings(max_examples=100, deadline=None)
@given(parameters=st.dictionaries(st.integers(0, 4), _VALUES), subcommand=st.integers(0, 8))
def test_no_parameters_break_the_sensor(parameters: dict[int, Any], subcommand: int) -> None:
    """With a good proof over any parameters, an unwilling user, and no finger ever enrolled by it."""
    authenticator = _key(AutomaticUser(Decision.DENIED))
    pin = client_pin(authenticator)
    token = pin.get_pin_token(PIN, BE)
    proof = pin.protocol.authenticate(token, bytes((1, subcommand)) + cbor.encode(parameters))
    status, _ = call(authenticator, BIO, {1: 1, 2: subcommand, 3: parameters, 4: 2, 5: proof})
    assert status not in {Status.OTHER, Status.PIN_AUTH_INVALID}
    assert _info(authenticator).options["bioEnroll"] is False
