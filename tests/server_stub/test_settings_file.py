import dataclasses
from pathlib import Path

import pytest

from server_stub.errors import ServerError
from server_stub.limits import Schedule
from server_stub.settings import Argon2Cost, Settings
from server_stub.settings_file import NOT_IN_A_FILE, load_settings

EVERYTHING = """
data_dir = "data"
host = "::1"
public_port = 8443
internal_port = 0
cloud_port = 0
allow_non_loopback = false
parts = ["iam"]
cloud_url = "http://127.0.0.1:9"
policies_file = "policies.toml"
behind_https = true
trusted_proxies = ["10.0.0.0/8"]
address_failure_limit = 10
share_tokens = true
sweep_interval = 5
timezone = "Europe/Zurich"
service_name = "Bank"
rp_id = "bank.example"
origins = ["https://bank.example"]
fido_user_verification = "required"
fido_attestation = "trusted"
fido_attestation_roots = ["roots.pem"]
fido_aaguids = ["00112233-4455-6677-8899-aabbccddeeff"]
fido_counter_regression = "alarm"
fido_challenge_ttl = 60
sso_audience = "bank"
remembered_device_lifetime = 86400
push_ttl = 30
login_challenge_ttl = 90
transaction_challenge_ttl = 120
login_lifetime = 300
session_lifetime = 900
body_limit = 4096
cloud_timeout = 1.5
request_timeout = 3
database_url = "postgresql://authrig@localhost/authrig"
workers = 2
survive_power_cuts = true

[iam_lockout]
lock_from = 3
first_lock = 10.0
hard_lock_at = 6
[cloud_lockout]
hard_lock_at = 20
[argon2]
memory_kib = 64
iterations = 1
[sso_issuers]
portal = "portal.pem"
[oidc_providers.corporate]
issuer = "https://login.example.org"
client_id = "bank"
client_secret_file = "secret"
[fido_metadata]
"mds.jwt" = "root.pem"
"""

FILES = ("policies.toml", "roots.pem", "portal.pem", "secret", "mds.jwt", "root.pem")
"""What it names, beside it."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A settings file that says everything."""
    path = tmp_path / "server.toml"
    path.write_text(EVERYTHING)
    for name in FILES:
        (tmp_path / name).touch()
    return path


def test_every_setting_can_stand_in_the_file(path: Path) -> None:
    """And has an effect; paths are relative to the file."""
    settings, folder = load_settings(path), path.parent
    for field in dataclasses.fields(Settings):
        if field.name not in NOT_IN_A_FILE | {"internal_port", "cloud_port", "allow_non_loopback"}:
            assert getattr(settings, field.name) != field.default, field.name
    assert (settings.data_dir, settings.policies_file) == (folder / "data", folder / "policies.toml")
    assert settings.sso_issuers == (("portal", folder / "portal.pem"),)
    [provider] = settings.oidc_providers
    assert (provider.name, provider.client_secret_file) == ("corporate", folder / "secret")
    assert settings.fido_metadata == ((folder / "mds.jwt", folder / "root.pem"),)
    assert (settings.iam_lockout, settings.cloud_lockout) == (Schedule(3, 10.0, 6), Schedule(hard_lock_at=20))
    assert settings.argon2 == Argon2Cost(64, 1)


def test_what_the_file_leaves_out_is_as_the_caller_says(tmp_path: Path) -> None:
    """The file wins where both say something."""
    path = tmp_path / "server.toml"
    path.write_text("public_port = 1234\n")
    settings = load_settings(path, data_dir=tmp_path, public_port=1, internal_port=2)
    assert (settings.public_port, settings.internal_port, settings.data_dir) == (1234, 2, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('data_dir = "data"\n', "", "data_dir is missing"),
        ("host", "hots", "there is no setting 'hots'"),
        ("push_ttl = 30", "token_bytes = 30", "there is no setting 'token_bytes'"),
        ("8443", '"8443"', "public_port: Expected `int`"),
        ("8443", "65536", "public_port is 65536, expected a number from 0 to 65535"),
        ("push_ttl = 30", "push_ttl = 1", "push_ttl is 1, expected a number from 5 to 600 ("),
        ('"required"', '"always"', "fido_user_verification: Invalid enum value 'always'"),
        ('host = "::1"', 'host = "::1', "line 3"),
        ('["roots.pem"]', '"roots.pem"', "fido_attestation_roots: Expected `array`"),
        ('client_id = "bank"\n', "", "oidc_providers: Object missing required field `client_id`"),
        ("client_id", "client", "oidc_providers"),
        ('"bank"\nclient_secret_file', '"bank"\ntitel', "oidc_providers: there is no 'titel'"),
        ("lock_from", "lock_form", "iam_lockout: there is no 'lock_form'"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_it(path: Path, old: str, new: str, sentence: str) -> None:
    """With the file's name."""
    path.write_text(EVERYTHING.replace(old, new, 1))
    with pytest.raises(ServerError, match=r"server\.toml") as caught:
        load_settings(path)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_is_told_with_its_line(path: Path, name: str) -> None:
    """Before anything is begun: later nobody knows where it was named."""
    (path.parent / name).unlink()
    line = next(number for number, text in enumerate(EVERYTHING.splitlines(), 1) if f'"{name}"' in text)
    with pytest.raises(ServerError, match=r"server\.toml") as caught:
        load_settings(path)
    assert f"cannot read {path.parent / name}: No such file or directory (line {line})" in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(ServerError, match=r"cannot read the settings .*none\.toml"):
        load_settings(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("login_challenge_ttl = 10", "login_challenge_ttl is 10, expected a number from 30 to 3600 (line 3)"),
        ("transaction_challenge_ttl = 4000", "expected a number from 30 to 3600 (line 3)"),
        ("session_lifetime = 1000000000000", "expected a number greater than 0, up to 315360000 (line 3)"),
        ("cloud_timeout = nan", "cloud_timeout is nan, expected a number greater than 0"),
        ("sweep_interval = inf", "sweep_interval is inf, expected a number greater than 0"),
        ("workers = 0", "workers is 0, expected a number from 1 to 256"),
        ("body_limit = 1", "body_limit is 1, expected a number from 1024"),
        ("[iam_lockout]\nlock_from = 0", "iam_lockout.lock_from is 0, expected a number from 1"),
        ("[iam_lockout]\nhard_lock_at = 3", "iam_lockout.hard_lock_at is 3, expected a number from 5"),
        ("[cloud_lockout]\nfirst_lock = nan", "cloud_lockout.first_lock is nan, expected a number greater than 0"),
        ("[argon2]\nmemory_kib = 1", "argon2.memory_kib is 1, expected a number from 8 to 4194304 (line 4)"),
        ("[argon2]\niterations = 0", "argon2.iterations is 0, expected a number from 1"),
        ("parts = []", "expected iam, cloud, or both"),
        ('parts = ["iam", "iam"]', "expected iam, cloud, or both"),
        ('cloud_url = "nonsense"', "expected an address such as http://127.0.0.1:8482"),
        ('cloud_url = "http://127.0.0.1:99999"', "expected an address such as http://127.0.0.1:8482"),
        ('rp_id = "https://bank.example"', "expected a domain in small letters such as bank.example"),
        ('origins = ["https://bank.example/"]', "expected origins such as https://bank.example, without a path"),
        ('origins = ["bank.example"]', "expected origins such as https://bank.example, without a path"),
        ('fido_aaguids = ["YubiKey"]', "expected AAGUIDs such as"),
        ('service_name = ""', "expected a name of 1 to 64 characters"),
        ('[oidc_providers.UP]\nissuer = "https://x.example"\nclient_id = "a"', "an OIDC provider is called 'UP'"),
        ('[oidc_providers.x]\nissuer = "http://x.example"\nclient_id = "a"', "is no https address"),
    ],
)
def test_what_the_server_could_not_run_with_is_refused_with_its_line(
    tmp_path: Path, setting: str, sentence: str
) -> None:
    """At the start, and not at the first login, with a trace or never."""
    path = tmp_path / "server.toml"
    path.write_text(f"# Our server\n\n{setting}\n")
    with pytest.raises(ServerError, match=r"server\.toml are wrong: .* \(line [34]\)$") as caught:
        load_settings(path, data_dir=tmp_path)
    assert sentence in str(caught.value)
