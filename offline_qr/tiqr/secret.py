"""The secret under its PIN, so that only the server can tell a wrong PIN (tiqr-server-libphp, SECURITY.md, "PIN").

Every PIN decrypts the stored bytes to some secret: AES-256 in CBC mode without padding and without any check value, under
PBKDF2-HMAC-SHA-256 of the PIN. Whoever steals the token's memory cannot test a PIN; the server counts wrong responses and
blocks the account after a few.
"""

import re
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from offline_qr.tiqr.errors import TiqrError

SECRET_BYTES = 32
SALT_BYTES = 16
ITERATIONS = 1500
"""As tiqr's app for Android has it. Four digits are soon tried anyway: the server's count is what protects."""
_IV_BYTES = 16
_PIN = re.compile(r"[0-9]{4,12}")


@dataclass(frozen=True, slots=True)
class LockedSecret:
    """What a token stores: of no use without the PIN, and no help in guessing it."""

    salt: bytes = field(repr=False)
    iv: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def __post_init__(self) -> None:
        for name, value, size in (
            ("salt", self.salt, SALT_BYTES),
            ("IV", self.iv, _IV_BYTES),
            ("locked secret", self.ciphertext, SECRET_BYTES),
        ):
            if len(value) != size:
                raise TiqrError(f"the {name} has {size} bytes, found {len(value)}")


def lock(secret: bytes, pin: str, salt: bytes, iv: bytes) -> LockedSecret:
    """``secret`` (32 random bytes) under ``pin``; salt and IV are 16 random bytes each.

    The secret must be random: in a text or a number with structure, the right PIN would show.

    Raises:
        TiqrError: a length is wrong, or the PIN is not 4 to 12 digits.
    """
    if len(secret) != SECRET_BYTES:
        raise TiqrError(f"a secret has {SECRET_BYTES} bytes, found {len(secret)}")
    LockedSecret(salt, iv, bytes(SECRET_BYTES))  # the lengths, before they are used
    return LockedSecret(salt, iv, _run(Cipher(AES(_key(pin, salt)), CBC(iv)).encryptor(), secret))


def unlock(locked: LockedSecret, pin: str) -> bytes:
    """The secret, if ``pin`` is the one that it was locked with; otherwise other bytes, and nothing tells.

    Raises:
        TiqrError: the PIN is not 4 to 12 digits.
    """
    return _run(Cipher(AES(_key(pin, locked.salt)), CBC(locked.iv)).decryptor(), locked.ciphertext)


def _key(pin: str, salt: bytes) -> bytes:
    if not _PIN.fullmatch(pin):
        raise TiqrError(f"a PIN has 4 to 12 digits, found {len(pin)} characters")
    return PBKDF2HMAC(SHA256(), 32, salt, ITERATIONS).derive(pin.encode("ascii"))


def _run(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()
