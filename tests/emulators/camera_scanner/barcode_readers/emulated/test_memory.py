from pathlib import Path

import pytest

from emulators.camera_scanner.barcode_readers.emulated.memory import FileMemory, SettingsMemory, VolatileMemory


@pytest.mark.parametrize("kind", ["file", "volatile"])
def test_settings_come_back_as_they_were_saved(kind: str, tmp_path: Path) -> None:
    """Nothing before the first save, then the last."""
    memory: SettingsMemory = FileMemory(tmp_path / "settings.json") if kind == "file" else VolatileMemory()
    assert memory.load() is None
    memory.save({"a": "1"})
    memory.save({"b": "2"})
    assert memory.load() == {"b": "2"}


def test_a_save_cut_short_leaves_the_old_settings(tmp_path: Path) -> None:
    """The new ones are written beside the old ones first."""
    memory = FileMemory(tmp_path / "settings.json")
    memory.save({"a": "1"})
    (tmp_path / "settings.json.new").write_text('{"a": ')
    assert memory.load() == {"a": "1"}


@pytest.mark.parametrize("content", ["", "[1]", '{"a": 1}', "\0\0"])
def test_a_file_that_holds_something_else_is_named(content: str, tmp_path: Path) -> None:
    """The sentence says which file."""
    path = tmp_path / "settings.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"settings\.json holds no settings"):
        FileMemory(path).load()
