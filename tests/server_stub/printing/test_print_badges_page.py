"""The page about printing: its example runs as it stands there."""

import re
from pathlib import Path

import pytest

from server_stub.printing.cards import CODE, HEIGHT, ON_A_SHEET, WIDTH
from tests.server_stub.printing.paper import rasterize, read_all, words_of

PAGE = (Path(__file__).parents[3] / "docs/how-to/print-badges.md").read_text("utf-8")


def test_the_example_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PDF that reads, and an SVG."""
    block = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert block
    monkeypatch.chdir(tmp_path)
    exec(block[1], {})  # noqa: S102 - our own page
    printed = (tmp_path / "badges.pdf").read_bytes()
    assert "Žofia Größer" in words_of(printed)
    assert read_all(rasterize(printed)[0]) == [b"AQB1:WHAT-THE-REST-ANSWERED"]
    assert {"Žofia", "Größer"} <= set(re.findall(r">(\w+)</text>", (tmp_path / "badges.svg").read_text("utf-8")))


def test_the_sizes_in_the_page_are_those_of_the_cards() -> None:
    """Millimetres, and how many are on a sheet."""
    assert (CODE, WIDTH, HEIGHT, ON_A_SHEET) == (35, 85.6, 54, 10)
    assert "ten cards of 85.6 \u00d7 54 mm" in PAGE
    assert "35 mm" in PAGE
