import secrets

import pytest

from server_stub.vault import Vault, VaultError

VAULT = Vault(bytes(32), secrets.token_bytes)


def test_a_sealed_secret_opens_for_its_row_only() -> None:
    """Moving a seed to another row in the file does not make another token of it."""
    sealed = VAULT.seal(b"secret", "tokens/1")
    assert VAULT.open(sealed, "tokens/1") == b"secret"
    with pytest.raises(VaultError, match="tokens/2"):
        VAULT.open(sealed, "tokens/2")


def test_a_secret_opens_with_its_key_only() -> None:
    """Who has the database has nothing without the key file."""
    sealed = VAULT.seal(b"secret", "tokens/1")
    assert b"secret" not in sealed
    with pytest.raises(VaultError):
        Vault(b"\1" * 32, secrets.token_bytes).open(sealed, "tokens/1")


@pytest.mark.parametrize("position", range(0, 34, 3))
def test_each_changed_byte_is_noticed(position: int) -> None:
    """Nonce, text and tag."""
    sealed = bytearray(VAULT.seal(b"secret", "tokens/1"))
    sealed[position] ^= 1
    with pytest.raises(VaultError):
        VAULT.open(bytes(sealed), "tokens/1")


@pytest.mark.parametrize("length", [0, 5, 12, 27])
def test_what_is_too_short_is_refused(length: int) -> None:
    """A cut row is a broken row."""
    with pytest.raises(VaultError):
        VAULT.open(bytes(length), "tokens/1")
