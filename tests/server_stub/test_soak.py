import pytest

from benchmarks.soak import soak


@pytest.mark.timeout(240)
def test_ten_seconds_at_full_load_leave_nothing_behind() -> None:
    """`python -m benchmarks.soak --minutes 10` is the long form. Sessions are swept, and no descriptor is left open."""
    soaked = soak(10 / 60)
    assert soaked.failures == ()
    assert soaked.logins > 20
    assert soaked.live_rows["sessions"] == 0
    assert max(soaked.descriptors) - min(soaked.descriptors) <= 4
    assert max(soaked.memory_mib) - min(soaked.memory_mib) < 16
