"""Secrets at rest: AES-256-GCM under a key that is not in the database."""

from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_LENGTH = 12
KEY_LENGTH = 32


class VaultError(Exception):
    """A sealed secret was changed, moved to another row, or sealed under another key."""


class Vault:
    """Seals and opens secrets for one database.

    Args:
        key: the key encryption key, 32 bytes, from a file or the environment.
        token_bytes: the random source for nonces.
    """

    def __init__(self, key: bytes, token_bytes: Callable[[int], bytes]) -> None:
        self._cipher = AESGCM(key)
        self._token_bytes = token_bytes

    def seal(self, secret: bytes, row: str) -> bytes:
        """``secret`` in a form that can be stored; it opens only for the same ``row`` (table and row id)."""
        nonce = self._token_bytes(NONCE_LENGTH)
        return nonce + self._cipher.encrypt(nonce, secret, row.encode())

    def open(self, sealed: bytes, row: str) -> bytes:
        """The secret again.

        Raises:
            VaultError: if it was changed or does not belong to ``row``.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], row.encode())
        except (InvalidTag, ValueError) as error:  # ValueError: cut too short to hold a nonce
            raise VaultError(f"the secret of {row} cannot be opened with this key") from error
