"""The page about the pages: its example runs as it stands there."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from authrig.playwright_webcam import FakeWebcam
    from authrig.rig import Rig

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.needs("chromium")
@pytest.mark.xdist_group("chromium")
def test_the_example_runs(rig: "Rig", fake_webcam: "FakeWebcam") -> None:
    """A login in a browser."""
    block = re.search(r"```python\n(.*?)```", (DOCS / "how-to/pages.md").read_text("utf-8"), re.DOTALL)
    assert block
    names: dict[str, Any] = {}
    exec(block[1], names)  # noqa: S102 - our own page
    names["test_a_login_in_a_browser"](rig, fake_webcam)


def test_the_files_that_are_explained_are_there() -> None:
    """All modules that stand in the tree."""
    text = (DOCS / "explanation/pages.md").read_text("utf-8")
    web = DOCS.parent / "server_stub/web"
    named = set(re.findall(r"^  (\w+\.py)", text, re.MULTILINE))
    assert named <= {path.name for path in web.glob("*.py")}
    assert named


def test_the_tests_that_are_named_are_there() -> None:
    """Each in its file."""
    text = (DOCS / "explanation/pages.md").read_text("utf-8")
    table = text[text.index("## What goes wrong at a browser") : text.index("## Measured")]
    files = {path.name: path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py")}
    files["tests/vm/test_chromium.py"] = (DOCS.parent / "tests/vm/test_chromium.py").read_text("utf-8")
    all_of_them = "".join(files.values())
    named = re.findall(r"`(test_\w+)`", table)
    assert len(named) > 15
    assert [name for name in named if f"def {name}(" not in all_of_them] == []
    assert [name for name in re.findall(r"`([\w/]+\.py)`", table) if name not in files] == []
