import re
import subprocess
import sys
from pathlib import Path

import pytest

from authrig.rig_file.reading import load_rig_file

PAGES = Path(__file__).parents[2] / "docs/how-to"
PAGE = PAGES / "test-a-key.md"


def test_the_example_runs(tmp_path: Path) -> None:
    """As it stands on the page, in a project with nothing but pytest."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "test_example.py").write_text("\n".join(blocks), "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert "1 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("page", ["test-a-key.md", "test-a-token.md"])
def test_the_rig_files_are_right(tmp_path: Path, page: str) -> None:
    """Each as a rig file of its own."""
    blocks = re.findall(r"```toml\n(.*?)```", (PAGES / page).read_text("utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        path = tmp_path / "rig.toml"
        path.write_text(block, "utf-8")
        assert load_rig_file(path).devices
