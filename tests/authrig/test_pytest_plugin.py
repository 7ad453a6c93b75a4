import pytest

pytest_plugins = ["pytester"]


def test_the_seed_is_printed_and_can_be_given(pytester: pytest.Pytester) -> None:
    """A failed run can be repeated: the header names the seed, and --hil-seed sets it."""
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess("--hil-seed", "7")
    result.stdout.fnmatch_lines(["authrig: --hil-seed 7"])
    assert result.ret == 0


def test_the_plugin_costs_nothing_until_a_rig_is_asked_for(pytester: pytest.Pytester) -> None:
    """Nobody pays for cv2 and servers because authrig happens to be installed."""
    pytester.makepyfile(
        """
        import sys
        def test_nothing(): assert not {"cv2", "numpy", "starlette", "fido2", "sqlalchemy"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "no:hypothesispytest").assert_outcomes(passed=1)
