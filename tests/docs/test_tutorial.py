import doctest
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial" / "demo-by-hand.md"


def test_the_tutorial_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line that the tutorial has a newcomer type does what the tutorial says."""
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testfile(str(TUTORIAL), module_relative=False)
    assert tried > 30
    assert failed == 0
    assert (tmp_path / "screen.png").stat().st_size > 0
