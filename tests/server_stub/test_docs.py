import re
import tomllib
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from server_stub.policy_file import DEFAULT_FILE, load
from server_stub.settings_file import load_settings

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def test_the_settings_in_the_page_are_settings(tmp_path: Path) -> None:
    """Names and values."""
    (example,) = re.findall(r"```toml\n(.*?)```", (HOW_TO / "serve.md").read_text(), re.DOTALL)
    assert tomllib.loads(example)
    (tmp_path / "policies.toml").touch()
    path = tmp_path / "server.toml"
    path.write_text(example)
    assert load_settings(path, data_dir=tmp_path).iam_lockout.lock_from == 3


def test_the_provider_in_the_page_is_one_and_the_flow_a_flow(tmp_path: Path) -> None:
    """The settings are taken, and the default policy file takes the flow."""
    settings, flow = re.findall(r"```toml\n(.*?)```", (HOW_TO / "oidc.md").read_text(), re.DOTALL)
    path, policies = tmp_path / "server.toml", tmp_path / "policies.toml"
    path.write_text(settings)
    (tmp_path / "corporate.secret").write_text("a secret of the provider's")
    policies.write_text(DEFAULT_FILE.read_text() + flow)
    assert [each.name for each in load_settings(path, data_dir=tmp_path).oidc_providers] == ["corporate"]
    assert load(policies).flows["corporate-then-token"].ways[0][0] == "OIDC"


def test_the_way_back_in_the_page_goes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as it stands there."""
    (example,) = re.findall(r"```python\n(.*?)```", (HOW_TO / "postgresql.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(example, {})  # noqa: S102 - the page's own words
    engine = create_engine("sqlite:///iam.sqlite3")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "iam_6"
    engine.dispose()
