from pathlib import Path

import pytest

from server_stub.errors import ServerError
from server_stub.policy_file import load
from server_stub.settings_file import load_settings
from server_stub.toml_lines import line_of

TEXT = """# a comment
host = "x"
many = [
  1,
  2,
]

[table.inner]
first = 1
"quoted name" = '''
second = 2
'''
[[rows]]
name = "a"
[[rows]]
name = "b"
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("host",), 2),
        (("many",), 3),
        (("table", "inner"), 8),
        (("table", "inner", "first"), 9),
        (("table", "inner", "quoted name"), 10),
        (("table", "inner", "missing"), 8),
        (("rows", 0), 13),
        (("rows", 1, "name"), 16),
        (("missing",), None),
        ((), None),
    ],
)
def test_the_line_is_where_it_begins_or_what_it_is_missing_in(path: tuple[str | int, ...], line: int | None) -> None:
    """Values and comments of several lines are no places."""
    assert line_of(TEXT, path) == line


SETTINGS = """# how we run it
host = "127.0.0.1"

[iam_lockout]
lock_from = 3

[oidc_providers.corporate]
issuer = "https://login.example.org"
client_id = "bank"
"""


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("host", "hots", 2),
        ('"127.0.0.1"', "5", 2),
        ("lock_from = 3", "lock_form = 3", 5),
        ("lock_from = 3", 'lock_from = "three"', 5),
        ("client_id", "client", 9),
        ('client_id = "bank"', "", 7),
        ("# how we run it", "workers = 0", 1),
        ("# how we run it", 'trusted_proxies = ["10.0.0.0/33"]', 1),
        ("# how we run it", 'timezone = "Mars/Olympus"', 1),
        ('"127.0.0.1"', '"127.0.0.1', 2),
    ],
)
def test_a_mistake_in_the_settings_names_its_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    """Whether the text, a name, a type or a value is wrong."""
    path = tmp_path / "server.toml"
    path.write_text(SETTINGS)
    load_settings(path, data_dir=tmp_path)
    path.write_text(SETTINGS.replace(old, new))
    with pytest.raises(ServerError, match=rf"\b(at )?line {line}\b"):
        load_settings(path, data_dir=tmp_path)


POLICIES = """[applications.bank]
title = "Bank"
target = "/bank/"

[[policies]]
name = "one"
priority = 1
applications = ["bank"]
flow = "password"

[[policies]]
name = "two"
priority = 2
applications = ["bank"]
flow = "password"

[flows.password]
ways = [["PASSWORD"]]

[approvals.payment]
fields = [{ template = "{amount}", tag = "AMOUNT" }]
"""


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"/bank/"', '"//evil.example/"', 3),
        ('title = "Bank"', "title = 1", 2),
        ('title = "Bank"\n', "", 1),
        ("priority = 2", "priority = 2\ninsecure_scans = true", 11),
        ('name = "two"', 'nama = "two"', 12),
        ('[["PASSWORD"]]', '[["PASSWORT"]]', 18),
        ('[["PASSWORD"]]', '[["OFFLINE_QR"]]', 18),
        ("[flows.password]", "[flows.passwort]", 5),
        ('"AMOUNT"', '"MONEY"', 20),
        ("[approvals", "[approval", 20),
    ],
)
def test_a_mistake_in_the_policies_names_its_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    """That of the row, where only all of a row together is wrong."""
    path = tmp_path / "policies.toml"
    path.write_text(POLICIES)
    load(path)
    path.write_text(POLICIES.replace(old, new))
    with pytest.raises(ServerError, match=rf"\(line {line}\)"):
        load(path)
