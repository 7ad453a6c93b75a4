import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _cases(suite: str) -> int:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", f"hil_tests/{suite}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    found = re.search(r"^(\d+) tests collected", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return int(found[1])


def _sums(table: str) -> set[int]:
    """What the rows that count cases add up to."""
    rows = [
        [cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    counts = [[int(cell) for cell in row if cell.isdecimal()] for row in rows]
    return {sum(each) for each in counts if len(each) > 1}


@pytest.mark.parametrize(
    ("suite", "words", "outcomes"),
    [
        ("fido", ("docs/how-to/test-a-key.md", "[{} cases]"), "docs/reference/fido-suite.md"),
        ("qr_token", ("docs/how-to/test-a-token.md", "What the {} cases say"), "docs/how-to/test-a-token.md"),
    ],
)
def test_pages_count_the_cases_that_there_are(suite: str, words: tuple[str, str], outcomes: str) -> None:
    """In words, and in the table of what the suite said: whoever adds a case runs it again and writes down what came out."""
    cases = _cases(suite)
    page, sentence = words
    assert sentence.format(cases) in (ROOT / page).read_text("utf-8")
    assert _sums((ROOT / outcomes).read_text("utf-8")) == {cases}
