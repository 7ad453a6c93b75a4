import mmap

import pytest

from authrig.vm.clock import tsc_khz


def test_the_counter_is_measured_the_same_each_time() -> None:
    """Within a thousandth, also on a busy machine: a guest's seconds are as long as ours."""
    first, second = tsc_khz(), tsc_khz()
    assert first is not None
    assert second is not None
    assert first == pytest.approx(second, rel=1e-3)
    assert 100_000 < first < 20_000_000


def test_a_machine_that_lets_nobody_make_functions_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guest then measures for itself, as Linux does by default."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(mmap, "mmap", refuse)
    assert tsc_khz() is None
