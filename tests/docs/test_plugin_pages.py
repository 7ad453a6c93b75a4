import re
from pathlib import Path

import pytest

from authrig import playwright_webcam, pytest_plugin
from authrig.rig_file.reading import load_rig_file

pytest_plugins = ["pytester"]
DOCS = Path(__file__).parents[2] / "docs"
TUTORIAL, REFERENCE = DOCS / "tutorial/a-test-of-your-own.md", DOCS / "reference/pytest-plugin.md"


def test_the_tutorials_test_passes(pytester: pytest.Pytester) -> None:
    """As it stands on the page, in a project with nothing else."""
    (source,) = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    pytester.makepyfile(test_key=source)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_tutorials_rig_file_is_right(tmp_path: Path) -> None:
    """With the line that every file begins with."""
    (entry,) = re.findall(r"```toml\n(.*?)```", TUTORIAL.read_text("utf-8"), re.DOTALL)
    path = tmp_path / "rig.toml"
    path.write_text("version = 1\n" + entry, "utf-8")
    assert set(load_rig_file(path).devices) == {"fido-1"}


def test_every_option_fixture_and_marker_is_on_the_page() -> None:
    """The plugin's source and the page name the same."""
    page, source = REFERENCE.read_text("utf-8"), Path(pytest_plugin.__file__).read_text("utf-8")
    options = set(re.findall(r'"(--[a-z-]+)"', source))
    source += Path(playwright_webcam.__file__).read_text("utf-8")
    fixtures = set(re.findall(r"@pytest\.fixture\ndef ([a-z_]+)\(", source))
    assert options == set(re.findall(r"`(--[a-z-]+)", page.split("## Options")[1].split("With pytest-xdist")[0]))
    assert fixtures == set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    assert all(f"`@pytest.mark.{marker.split('(')[0].split(':')[0]}" in page for marker in pytest_plugin.MARKERS)
