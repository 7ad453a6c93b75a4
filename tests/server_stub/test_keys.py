import secrets
from pathlib import Path

import pytest

from server_stub.errors import ServerError
from server_stub.keys import load_or_create


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The second start finds the first one's."""
    path = tmp_path / "kek.key"
    key = load_or_create(path, 32, secrets.token_bytes)
    assert load_or_create(path, 32, secrets.token_bytes) == key
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """With the command that mends it."""
    path = tmp_path / "kek.key"
    load_or_create(path, 32, secrets.token_bytes)
    path.chmod(0o644)
    with pytest.raises(ServerError, match="chmod 600"):
        load_or_create(path, 32, secrets.token_bytes)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("zz", "hexadecimal"),
        ("\u00fc", "hexadecimal"),
        ("00" * 31, "31 bytes, expected 32"),
        ("", "0 bytes, expected 32"),
    ],
)
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    """It is not overwritten: it may be the only copy of something."""
    path = tmp_path / "kek.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ServerError, match=sentence):
        load_or_create(path, 32, secrets.token_bytes)
    assert path.read_text() == text


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One sentence."""
    with pytest.raises(ServerError, match="cannot use the key file"):
        load_or_create(tmp_path / "none" / "kek.key", 32, secrets.token_bytes)


def test_a_key_from_the_environment_goes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written then; what is no key is a sentence that does not repeat it."""
    monkeypatch.setenv("AUTHRIG_IAM_KEK_KEY", "11" * 32)
    assert load_or_create(tmp_path / "iam-kek.key", 32, secrets.token_bytes) == b"\x11" * 32
    assert not list(tmp_path.iterdir())
    for wrong, sentence in (("11" * 31, "AUTHRIG_IAM_KEK_KEY holds 31 bytes, expected 32"), ("secret", "hexadecimal")):
        monkeypatch.setenv("AUTHRIG_IAM_KEK_KEY", wrong)
        with pytest.raises(ServerError, match=sentence) as refused:
            load_or_create(tmp_path / "iam-kek.key", 32, secrets.token_bytes)
        assert wrong not in str(refused.value)
