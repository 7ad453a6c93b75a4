"""The code: one number for each factor (PowerAuth 3.1, Computing and Validating Signatures).

For the factor at index i: ``derived = HMAC(key i, counter)``, then for each key from 1 to i ``derived = HMAC(HMAC(key,
counter), derived)``; the number is the last 4 bytes of ``HMAC(derived, data)``, without the top bit, modulo 10^digits. All
HMACs are with SHA-256. The document starts every chain with key 0 instead; the test vectors that PowerAuth publishes, and
this module, start it with key i, so the second number does not depend on the possession key.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from offline_qr.powerauth.errors import PowerAuthError

KEY_BYTES = 16
COUNTER_BYTES = 16
DIGITS = range(4, 9)
DEFAULT_DIGITS = 8
LOOK_AHEAD = 20
"""Counters that a server tries from the one that it expects."""
_TYPED = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class CodeKeys:
    """A token's keys, 16 bytes each.

    Raises:
        PowerAuthError: one has another length.
    """

    possession: bytes = field(repr=False)
    knowledge: bytes | None = field(default=None, repr=False)
    """None for a code with possession alone."""

    def __post_init__(self) -> None:
        for key in self.chain:
            if len(key) != KEY_BYTES:
                raise PowerAuthError(f"a factor's key has {KEY_BYTES} bytes, found {len(key)}")

    @property
    def chain(self) -> list[bytes]:
        """The keys in their order."""
        return [self.possession] if self.knowledge is None else [self.possession, self.knowledge]


def compute_code(data: bytes, keys: CodeKeys, counter: bytes, digits: int = DEFAULT_DIGITS) -> str:
    """The code for ``Operation.signed_data``: numbers of ``digits`` digits, divided by hyphens.

    Raises:
        PowerAuthError: the counter has not 16 bytes, or the digits are not 4 to 8.
    """
    if len(counter) != COUNTER_BYTES:
        raise PowerAuthError(f"a counter has {COUNTER_BYTES} bytes, found {len(counter)}")
    if digits not in DIGITS:
        raise PowerAuthError(f"a number has 4 to 8 digits, found {digits}")
    chain = keys.chain
    numbers = []
    for index in range(len(chain)):
        derived = _hmac(chain[index], counter)
        for key in chain[1 : index + 1]:
            derived = _hmac(_hmac(key, counter), derived)
        value = int.from_bytes(_hmac(derived, data)[-4:]) & 0x7FFFFFFF
        numbers.append(f"{value % 10**digits:0{digits}d}")
    return "-".join(numbers)


def group_code(code: str) -> str:
    """``code`` as a token shows it: groups of four digits where that comes out even."""
    plain = code.replace("-", "")
    return "-".join(plain[at : at + 4] for at in range(0, len(plain), 4)) if len(plain) % 4 == 0 else code


def normalise_code(typed: str, factors: int) -> str:
    """``typed``, with or without hyphens and spaces, as ``compute_code`` writes it; empty where it cannot be a code."""
    plain = typed.replace("-", "").replace(" ", "")
    size, rest = divmod(len(plain), factors)
    if rest or size not in DIGITS or not _TYPED.fullmatch(plain):
        return ""
    return "-".join(plain[at : at + size] for at in range(0, len(plain), size))


def next_counter(counter: bytes) -> bytes:
    """The counter after ``counter``: the halves of its SHA-256, one over the other."""
    digest = hashlib.sha256(counter).digest()
    return bytes(a ^ b for a, b in zip(digest[:16], digest[16:], strict=True))


def verify_code(  # noqa: PLR0913 - all that goes into a code, and how far to look
    typed: str,
    data: bytes,
    keys: CodeKeys,
    counter: bytes,
    *,
    digits: int = DEFAULT_DIGITS,
    look_ahead: int = LOOK_AHEAD,
) -> bytes | None:
    """The server's side: the counter to expect next, or None where the code is wrong.

    Args:
        typed: what the user typed.
        data: ``Operation.signed_data`` of the server's own record.
        keys: the token's keys.
        counter: the one that the server expects.
        digits: of each number.
        look_ahead: how many counters to try.
    """
    code = normalise_code(typed, len(keys.chain)).encode()
    found = None
    for _ in range(look_ahead):
        after = next_counter(counter)
        if hmac.compare_digest(compute_code(data, keys, counter, digits).encode(), code) and found is None:
            found = after
        counter = after
    return found


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
