"""The keys of one token, all from one seed, and the short name that a message calls the token by."""

import hashlib
import re
from dataclasses import dataclass, field, fields

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEED_BYTES = 32
KEY_ID_BYTES = 4
_KEY_BYTES = 32
SALT_PREFIX = b"OTQ1/"
ACTIVATION_SEED_LABEL = b"OTQ1 activation-seed"
_SERIAL = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class Keys:
    """What a token's seed is used for: one 32-byte key for each purpose, so that no code serves for another's."""

    qr_seal: bytes = field(repr=False)
    """Seals the text of messages to this token."""
    ocra_login: bytes = field(repr=False)
    """Makes login codes."""
    ocra_txn: bytes = field(repr=False)
    """Makes transaction codes: a login code that was phished signs no payment."""
    ocra_admin: bytes = field(repr=False)
    """Confirms activation and administration."""
    ocra_duress: bytes = field(repr=False)
    """Makes codes that look right and raise a silent alarm."""
    decline: bytes = field(repr=False)
    """Makes codes that report a challenge as fraud."""


LABELS = tuple(key.name.replace("_", "-") for key in fields(Keys))
"""What the keys are called in the derivation, in the order of the fields of ``Keys``: ``qr-seal``, ``ocra-login``, ..."""


def derive_keys(serial: str, seed: bytes) -> Keys:
    """The keys of the token ``serial`` whose seed is ``seed`` (32 bytes): HKDF-SHA-256, RFC 5869.

    Raises:
        ValueError: where the serial is not 1 to 64 visible ASCII characters or the seed not 32 bytes.
    """
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a token's seed has {SEED_BYTES} bytes, found {len(seed)}")
    salt = SALT_PREFIX + _serial_bytes(serial)
    return Keys(*(HKDF(SHA256(), _KEY_BYTES, salt, b"OTQ1 " + label.encode()).derive(seed) for label in LABELS))


def derive_seed(serial: str, stretched: bytes) -> bytes:
    """The seed of the token ``serial`` from an activation code that Argon2id has stretched to 32 bytes.

    Raises:
        ValueError: where the serial is not 1 to 64 visible ASCII characters.
    """
    return HKDF(SHA256(), SEED_BYTES, SALT_PREFIX + _serial_bytes(serial), ACTIVATION_SEED_LABEL).derive(stretched)


def key_id(serial: str) -> bytes:
    """The 4 bytes that messages call the token ``serial`` by. They only speed up refusal and prove nothing.

    Raises:
        ValueError: where the serial is not 1 to 64 visible ASCII characters.
    """
    return hashlib.sha256(_serial_bytes(serial)).digest()[:KEY_ID_BYTES]


def _serial_bytes(serial: str) -> bytes:
    if not _SERIAL.fullmatch(serial):
        raise ValueError(f"a serial has 1 to 64 visible ASCII characters, found {serial!r}")
    return serial.encode("ascii")
