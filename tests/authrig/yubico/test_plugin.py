import json
from pathlib import Path

import pytest

from authrig.yubico.plugin import RESULTS

pytest_plugins = ["pytester"]


def test_how_each_test_ended_is_written_down(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing fixture is a failure, also after the test itself has passed; a skip has its reason."""
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def breaks_after():
            yield
            raise OSError("torn down")

        def test_passes(): pass
        def test_fails(): assert 1 == 2
        def test_skips(): pytest.skip("no sensor")
        def test_breaks_after(breaks_after): pass
        """
    )
    results = Path(pytester.path) / "results.json"
    monkeypatch.setenv(RESULTS, str(results))
    pytester.runpytest_subprocess("-p", "authrig.yubico.plugin")
    outcomes = {
        row["test"].rpartition("::")[2]: (row["outcome"], row["reason"]) for row in json.loads(results.read_text())
    }
    assert outcomes == {
        "test_passes": ("passed", ""),
        "test_fails": ("failed", "assert 1 == 2"),
        "test_skips": ("skipped", "no sensor"),
        "test_breaks_after": ("failed", "OSError: torn down"),
    }
