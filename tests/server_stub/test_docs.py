import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from server_stub.settings_file import load_settings

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def test_the_settings_in_the_page_are_settings(tmp_path: Path) -> None:
    """Names and values."""
    (example,) = re.findall(r"```toml\n(.*?)```", (HOW_TO / "serve.md").read_text(), re.DOTALL)
    assert tomllib.loads(example)
    path = tmp_path / "server.toml"
    path.write_text(example)
    assert load_settings(path, data_dir=tmp_path).iam_lockout.lock_from == 3


def test_the_way_back_in_the_page_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as it stands there."""
    (example,) = re.findall(r"```python\n(.*?)```", (HOW_TO / "postgresql.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(example, {})  # noqa: S102 - the page's own words
    engine = create_engine("sqlite:///iam.sqlite3")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "iam_6"
    engine.dispose()
