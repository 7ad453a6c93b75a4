import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
README = Path(__file__).parents[2] / "README.md"


def test_the_example_prints_what_its_comment_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The README's Python example runs, and its last comment is its output."""
    _, example = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example, str(README), "exec"), {})  # noqa: S102 - the example is our own text
    promised = example.strip().rpartition("# ")[2]
    assert capsys.readouterr().out.strip() == promised


def test_the_first_test_passes(pytester: pytest.Pytester) -> None:
    """With nothing attached."""
    example, _ = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    pytester.makepyfile(test_key=example)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_every_local_link_leads_somewhere() -> None:
    """No page of the docs points at a page that is not there."""
    root = README.parent
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md")]
    broken = [
        f"{page.relative_to(root)}: {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
