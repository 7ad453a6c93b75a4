"""Activation codes (profile C): 16 random digits on a letter, and a check digit against slips of the hand.

The check digit is that of ISO/IEC 7064 MOD 11,10. It finds every single wrong digit and most that changed places, and
guards nothing: the key comes from the 16 digits.
"""

import re

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from offline_qr.otq1.errors import WrongActivationCode
from offline_qr.otq1.keys import SEED_BYTES, derive_seed

SALT_BYTES = 16
CODE_DIGITS = 16
MEMORY_KIB = 64 * 1024
ITERATIONS = 3
LANES = 1
_TYPED = re.compile(r"[0-9]{17}")


def make_activation_code(random_digits: str) -> str:
    """The code for the letter: 16 random decimal digits, and their check digit. It stands in for the seed: a secret.

    Raises:
        ValueError: not 16 digits.
    """
    if not re.fullmatch(r"[0-9]{16}", random_digits):
        raise ValueError(f"an activation code is made of {CODE_DIGITS} digits, found {len(random_digits)} characters")
    return random_digits + _check_digit(random_digits)


def group_activation_code(code: str) -> str:
    """``code`` as it stands on the letter: four groups of four, a hyphen and the check digit."""
    return " ".join(code[at : at + 4] for at in range(0, CODE_DIGITS, 4)) + "-" + code[CODE_DIGITS:]


def check_activation_code(typed: str) -> str:
    """The 16 digits that ``typed`` stands for; spaces and hyphens between them do not count.

    Raises:
        WrongActivationCode: not 17 digits, or the check digit is another.
    """
    digits = typed.replace(" ", "").replace("-", "")
    if not _TYPED.fullmatch(digits):
        raise WrongActivationCode(f"an activation code has {CODE_DIGITS + 1} digits, found {len(digits)} characters")
    if _check_digit(digits[:CODE_DIGITS]) != digits[CODE_DIGITS:]:
        raise WrongActivationCode("the activation code was mistyped: its check digit does not fit")
    return digits[:CODE_DIGITS]


def seed_from_code(serial: str, typed: str, salt: bytes) -> bytes:
    """The seed of the token ``serial``: Argon2id (RFC 9106; 64 MiB, 3 passes, 1 lane) of the 16 digits, then HKDF.

    Raises:
        WrongActivationCode: as ``check_activation_code``.
        ValueError: the serial or the length of the salt is wrong.
    """
    digits = check_activation_code(typed)
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, found {len(salt)}")
    stretched = Argon2id(
        salt=salt, length=SEED_BYTES, iterations=ITERATIONS, lanes=LANES, memory_cost=MEMORY_KIB
    ).derive(digits.encode("ascii"))
    return derive_seed(serial, stretched)


def _check_digit(digits: str) -> str:
    """ISO/IEC 7064 MOD 11,10."""
    product = 10
    for digit in digits:
        total = (product + int(digit)) % 10 or 10
        product = total * 2 % 11
    return str((11 - product) % 10)
