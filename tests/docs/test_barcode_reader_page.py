import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/how-to/barcode-reader.md"


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands on the page; it prints a terminal."""
    block = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    exec(block[1], {})  # noqa: S102 - our own page
    assert capsys.readouterr().out.startswith("/dev/pts/")
