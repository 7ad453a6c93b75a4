from collections.abc import Generator

import pytest

from emulators.fido_authenticator.built_in_uv import BuiltInUv, Template
from emulators.fido_authenticator.profile import BuiltInUv as Sensor
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Change, MemoryStore, Put, StoreError
from emulators.fido_authenticator.user import Answer, Decision, Finger, Prompt, SampleQuality, UserRequest

INDEX = Template(b"1", "index")


def _built_in(store: MemoryStore | None = None, retries: int = 5) -> BuiltInUv:
    return BuiltInUv(store or MemoryStore(), Sensor("fingerprint", retries, 3), lambda: False)


def _answer(steps: Generator[UserRequest, Answer, bool], *answers: Answer) -> bool:
    """Give ``answers``, one for each request; more requests than answers fail."""
    next(steps)
    try:
        for answer in answers:
            steps.send(answer)
    except StopIteration as done:
        return bool(done.value)
    raise AssertionError("the key asks for more")


def test_who_is_verified() -> None:
    """A finger with a template, well laid; within one command the key asks three times."""
    built_in = _built_in()
    built_in.keep((INDEX,))
    strange = Finger("thumb")
    assert _answer(built_in.perform(Prompt.LOG_IN, internal_retry=False), Finger("index"))
    assert not _answer(built_in.perform(Prompt.LOG_IN, internal_retry=False), strange)
    assert built_in.retries == 4
    blurred = Finger("index", SampleQuality.TOO_FAST)
    assert _answer(built_in.perform(Prompt.LOG_IN, internal_retry=True), strange, blurred, Finger("index"))
    assert (built_in.retries, built_in.count_since_pin) == (5, 2)
    with pytest.raises(CtapError) as refused:
        _answer(built_in.perform(Prompt.LOG_IN, internal_retry=True), strange, Decision.DENIED)
    assert (refused.value.status, built_in.retries) == (Status.OPERATION_DENIED, 4)


def test_a_blocked_sensor_asks_nobody() -> None:
    """Until the PIN is entered."""
    built_in = _built_in(retries=1)
    built_in.keep((INDEX,))
    assert not _answer(built_in.perform(Prompt.LOG_IN, internal_retry=True), Decision.MISMATCH)
    with pytest.raises(StopIteration) as done:
        next(built_in.perform(Prompt.LOG_IN, internal_retry=True))
    assert done.value.value is False


def test_a_try_is_on_record_before_the_finger_is_compared() -> None:
    """A key that loses power at the match has lost the try."""

    class PowerCut(MemoryStore):
        commits = 0

        def commit(self, *changes: Change) -> None:
            self.commits += 1
            if self.commits == 3:
                raise KeyboardInterrupt
            super().commit(*changes)

    store = PowerCut()
    built_in = _built_in(store)
    built_in.keep((INDEX,))
    with pytest.raises(KeyboardInterrupt):
        _answer(built_in.perform(Prompt.LOG_IN, internal_retry=False), Finger("index"))
    assert _built_in(store).retries == 4


def test_damaged_templates_are_refused_by_name() -> None:
    """Rather than verifying nobody, or anybody."""
    store = MemoryStore()
    store.commit(Put("fingerprints", b"\xc1"))
    with pytest.raises(StoreError, match="record fingerprints of the key's memory is damaged"):
        _ = _built_in(store).configured
