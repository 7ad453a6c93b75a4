import re
from pathlib import Path

from authrig.rig_file.entries import KINDS
from authrig.rig_file.reading import load_rig_file

PAGE = Path(__file__).parents[2] / "docs/reference/rig-file.md"


def test_the_example_is_a_right_rig_file(tmp_path: Path) -> None:
    """What the page shows can be copied."""
    page = PAGE.read_text("utf-8")
    path = tmp_path / "rig.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", page, re.DOTALL)[0], "utf-8")
    assert set(load_rig_file(path).devices) == {"key-a", "key-b", "token-1", "cam", "server"}


def test_every_kind_is_on_the_page() -> None:
    """A new kind is no secret."""
    page = PAGE.read_text("utf-8")
    assert all(f"`{kind}`" in page for kind in KINDS)
