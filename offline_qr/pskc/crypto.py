"""Encryption and MAC of PSKC values (RFC 6030 §6): AES in CBC mode, then HMAC over the ciphertext with its IV."""

import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.padding import PKCS7

from offline_qr.pskc.errors import PskcError, WrongPskcKeyError

BLOCK_BYTES = 16
MAX_ITERATIONS = 10_000_000
"""About ten seconds; more is an attack on the reader."""
_HASHES: dict[str, hashes.HashAlgorithm] = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256()}  # noqa: S303 - RFC 6030


def encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """IV and ciphertext."""
    padder = PKCS7(BLOCK_BYTES * 8).padder()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return iv + encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def decrypt(key: bytes, sealed: bytes) -> bytes:
    """The plaintext of IV and ciphertext, which must have been authenticated before.

    The MAC key itself is the one value that cannot be: it is checked by what it authenticates.

    Raises:
        PskcError: no whole blocks.
        WrongPskcKeyError: the padding is wrong.
    """
    if len(sealed) < 2 * BLOCK_BYTES or len(sealed) % BLOCK_BYTES:
        raise PskcError(f"an encrypted value has 2 blocks of {BLOCK_BYTES} bytes or more, found {len(sealed)} bytes")
    decryptor = Cipher(AES(key), CBC(sealed[:BLOCK_BYTES])).decryptor()
    unpadder = PKCS7(BLOCK_BYTES * 8).unpadder()
    try:
        return unpadder.update(decryptor.update(sealed[BLOCK_BYTES:]) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise WrongPskcKeyError("a value cannot be decrypted: the key or password is another one") from None


def check_mac(hash_name: str, key: bytes, sealed: bytes, mac: bytes) -> None:
    """Raises WrongPskcKeyError where ``mac`` is not the HMAC of ``sealed``."""
    if not hmac.compare_digest(hmac.digest(key, sealed, hash_name), mac):
        raise WrongPskcKeyError("a MAC does not fit: the key or password is another one, or the file was changed")


def derive(password: str, salt: bytes, iterations: int, length: int, hash_name: str) -> bytes:
    """PBKDF2 (RFC 8018) of the password as UTF-8."""
    if not 1 <= iterations <= MAX_ITERATIONS:
        raise PskcError(f"the iteration count is 1 to {MAX_ITERATIONS}, found {iterations}")
    return PBKDF2HMAC(_HASHES[hash_name], length, salt, iterations).derive(password.encode())
