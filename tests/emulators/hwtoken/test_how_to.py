import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs/how-to/token-on-a-serial-line.md"


def test_the_page_on_serial_lines_is_true() -> None:
    """Each example gives what stands below it."""
    results = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert results.attempted > 15
    assert results.failed == 0
