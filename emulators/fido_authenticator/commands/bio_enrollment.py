"""authenticatorBioEnrollment, CTAP 2.3 §6.7, and its preview with the same subcommands: one function for each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.built_in_uv import BuiltInUv, Template
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.messages import BioEnrollmentRequest, Members, optional, required
from emulators.fido_authenticator.pin_uv_auth import Permission
from emulators.fido_authenticator.state import Response, State, Steps, Walk
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.user import Answer, Decision, Finger, FingerSample, SampleQuality

BIO_ENROLLMENT: Final = 0x09
BIO_ENROLLMENT_PREVIEW: Final = 0x40

_FINGERPRINT: Final = 0x01
_TEMPLATE_ID_BYTES: Final = 16
_CANCEL: Final = 0x03
_SENSOR_INFO: Final = 0x07
_LONGEST_TIMEOUT: Final = 600_000
_SENSORS: Final = {"touch": 1, "swipe": 2}


@dataclass(slots=True)
class Enrollment(Walk):
    """A finger of which samples are still to come; ``finger`` is known from the first good one."""

    template_id: bytes
    remaining: int
    finger: str | None = None


def bio_enrollment(state: State, request: BioEnrollmentRequest) -> Steps:
    """Manage the enrolled fingers."""
    return (yield from _run(state, request, BIO_ENROLLMENT))


def bio_enrollment_preview(state: State, request: BioEnrollmentRequest) -> Steps:
    """The same under the command byte that FIDO_2_1_PRE used."""
    return (yield from _run(state, request, BIO_ENROLLMENT_PREVIEW))


def _run(state: State, request: BioEnrollmentRequest, command: int) -> Steps:
    option = "bioEnroll" if command == BIO_ENROLLMENT else "userVerificationMgmtPreview"
    sensor = state.built_in_uv
    if sensor is None or sensor.sensor.kind != "fingerprint" or option not in state.profile.options:
        raise CtapError(Status.INVALID_COMMAND)
    # §6.7.2: what can be enrolled.
    if request.get_modality:
        return {0x01: _FINGERPRINT}
    if request.modality is None or request.subcommand is None:
        raise CtapError(Status.MISSING_PARAMETER)
    if request.modality != _FINGERPRINT:
        raise CtapError(Status.INVALID_PARAMETER)
    subcommand = _SUBCOMMANDS.get(request.subcommand)
    if subcommand is None:
        raise CtapError(Status.INVALID_SUBCOMMAND)
    if request.subcommand not in (_CANCEL, _SENSOR_INFO):
        parameters = b"" if request.parameters is None else cbor.encode(request.parameters)
        signed = bytes((request.modality, request.subcommand)) + parameters
        state.pin_uv.verify_token(request.pin_uv_auth, signed, Permission.BE)
    return (yield from subcommand(Work(state, sensor, command, request.parameters or {})))


@dataclass(frozen=True, slots=True)
class Work:
    """What a subcommand works with; ``command`` is the command byte under which it came."""

    state: State
    sensor: BuiltInUv
    command: int
    parameters: Members


def _enroll_begin(work: Work) -> Steps:
    """§6.7.4: a new template, and its first sample."""
    sensor = work.sensor
    work.state.walk = None
    timeout = _timeout(work.parameters)
    if len(sensor.templates) >= sensor.sensor.max_templates:
        raise CtapError(Status.FP_DATABASE_FULL)
    state = work.state
    template_id = state.env.random.token_bytes(_TEMPLATE_ID_BYTES)
    enrollment = Enrollment(work.command, state.channel, state.stateful_deadline(), template_id, sensor.sensor.samples)
    sample = yield from _sample(work, enrollment, timeout)
    return {0x04: template_id, **sample}


def _enroll_capture_next_sample(work: Work) -> Steps:
    """§6.7.4: one more sample."""
    template_id = required(work.parameters, 0x01, bytes)
    timeout = _timeout(work.parameters)
    enrollment = work.state.walk
    if not isinstance(enrollment, Enrollment) or enrollment.template_id != template_id:
        raise CtapError(Status.INVALID_PARAMETER)
    return (yield from _sample(work, enrollment, timeout))


def _sample(work: Work, enrollment: Enrollment, timeout: float | None) -> Steps:
    """Take one sample. Staying away is no error of the command: the host may ask again."""
    state, sensor = work.state, work.sensor
    # An enrollment that the host cancels while the finger is awaited is over, so it is kept only afterwards.
    state.walk = None
    try:
        answer: Answer | None = yield FingerSample(enrollment.remaining, timeout)
    except CtapError as error:
        if error.status is not Status.USER_ACTION_TIMEOUT:
            raise
        answer = None
    if answer is Decision.DENIED:
        raise CtapError(Status.OPERATION_DENIED)
    quality = _judge(sensor, enrollment, answer)
    if quality is SampleQuality.GOOD:
        enrollment.remaining -= 1
    if enrollment.remaining:
        enrollment.expires = state.stateful_deadline()
        state.walk = enrollment
    else:
        sensor.keep((*sensor.templates, Template(enrollment.template_id, enrollment.finger or "")))
    return {0x05: int(quality), 0x06: enrollment.remaining}


def _judge(sensor: BuiltInUv, enrollment: Enrollment, answer: Answer | None) -> SampleQuality:
    """What the sensor makes of the sample. "The right thing" is always a good sample, of the owner's next finger."""
    if answer is None:
        return SampleQuality.NO_USER_ACTIVITY
    if answer is Decision.MISMATCH:
        return SampleQuality.POOR_QUALITY
    if not isinstance(answer, Finger):
        return SampleQuality.GOOD
    if answer.quality is not SampleQuality.GOOD:
        return answer.quality
    if any(template.finger == answer.name for template in sensor.templates):
        return SampleQuality.EXISTS
    if enrollment.finger is None:
        enrollment.finger = answer.name
    return SampleQuality.GOOD if enrollment.finger == answer.name else SampleQuality.MERGE_FAILURE


def _cancel_current_enrollment(work: Work) -> Steps:
    """§6.7.5."""
    yield from ()
    work.state.walk = None
    return {}


def _enumerate_enrollments(work: Work) -> Steps:
    """§6.7.6."""
    yield from ()
    infos: list[CborValue] = [{0x01: template.id, 0x02: template.name} for template in work.sensor.templates]
    if not infos:
        raise CtapError(Status.INVALID_OPTION)
    return {0x07: infos}


def _set_friendly_name(work: Work) -> Steps:
    """§6.7.7."""
    yield from ()
    template_id, name = required(work.parameters, 0x01, bytes), required(work.parameters, 0x02, str)
    if len(name.encode()) > work.sensor.sensor.max_name_bytes:
        raise CtapError(Status.INVALID_LENGTH)
    _check_known(work.sensor, template_id)
    work.sensor.keep(
        tuple(
            replace(template, name=name) if template.id == template_id else template
            for template in work.sensor.templates
        )
    )
    return {}


def _remove_enrollment(work: Work) -> Steps:
    """§6.7.8."""
    yield from ()
    template_id = required(work.parameters, 0x01, bytes)
    _check_known(work.sensor, template_id)
    work.sensor.keep(tuple(template for template in work.sensor.templates if template.id != template_id))
    return {}


def _get_fingerprint_sensor_info(work: Work) -> Steps:
    """§6.7.3."""
    yield from ()
    sensor = work.sensor.sensor
    response: Response = {
        0x01: _FINGERPRINT,
        0x02: _SENSORS[sensor.sensor],
        0x03: sensor.samples,
        0x08: sensor.max_name_bytes,
    }
    return response


_SUBCOMMANDS: Final[dict[int, Callable[[Work], Steps]]] = {
    0x01: _enroll_begin,
    0x02: _enroll_capture_next_sample,
    _CANCEL: _cancel_current_enrollment,
    0x04: _enumerate_enrollments,
    0x05: _set_friendly_name,
    0x06: _remove_enrollment,
    _SENSOR_INFO: _get_fingerprint_sensor_info,
}


def _timeout(parameters: Members) -> float | None:
    """Seconds from timeoutMilliseconds; None: as long as the key waits for anything."""
    milliseconds = optional(parameters, 0x03, int)
    if milliseconds is None:
        return None
    if milliseconds < 0:
        raise CtapError(Status.INVALID_PARAMETER)
    return min(milliseconds, _LONGEST_TIMEOUT) / 1000


def _check_known(sensor: BuiltInUv, template_id: bytes) -> None:
    if all(template.id != template_id for template in sensor.templates):
        raise CtapError(Status.INVALID_OPTION)
