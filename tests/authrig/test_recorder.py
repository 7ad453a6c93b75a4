import pytest

from authrig.errors import Deviation
from authrig.evidence.recorder import Picture, Recorder, Step


def test_exhibits_belong_to_the_next_step() -> None:
    """A picture that was taken before a step stands with that step and no other."""
    recorder = Recorder()
    picture = Picture("a screen", b"png")
    recorder.exhibit(picture)
    recorder.expect("looks", "code", "code")
    recorder.expect("looks again", "code", "code")
    assert [step.exhibits for step in recorder.steps] == [(picture,), ()]


def test_a_deviation_is_on_record_before_it_is_raised() -> None:
    """What went wrong can be shown, and what was expected and found is in the sentence."""
    told: list[Step] = []
    recorder = Recorder(on_step=told.append)
    with pytest.raises(Deviation, match="types a code: expected OTP_WRONG, found DONE"):
        recorder.expect("types a code", "OTP_WRONG", "DONE", evil=True)
    assert [(step.passed, step.evil) for step in told] == [(False, True)]


def test_time_is_counted_from_the_step_before() -> None:
    """Each step has its own time and not the time since the beginning."""
    moments = iter((10.0, 10.5, 13.0))
    recorder = Recorder(monotonic=lambda: next(moments))
    recorder.expect("one", "a", "a")
    recorder.expect("two", "a", "a")
    assert [step.seconds for step in recorder.steps] == [0.5, 2.5]


@pytest.mark.parametrize(
    ("expected", "found", "on_record"),
    [
        (frozenset({"rk"}), frozenset({"uv"}), ("frozenset({'rk'})", "frozenset({'uv'})")),
        (1, "1", ("1", "'1'")),
        (b"\x00", b"\x01", ("b'\\x00'", "b'\\x01'")),
        (float("nan"), float("nan"), ("nan", "nan, which is not equal")),
    ],
)
def test_anything_can_be_expected(expected: object, found: object, on_record: tuple[str, str]) -> None:
    """A step has it as Python shows it, so that it can be kept."""
    recorder = Recorder()
    with pytest.raises(Deviation):
        recorder.expect("differs", expected, found)
    recorder.expect("is equal", {1, 2}, {2, 1})
    assert (recorder.steps[0].expected, recorder.steps[0].found) == on_record
    assert [step.passed for step in recorder.steps] == [False, True]
