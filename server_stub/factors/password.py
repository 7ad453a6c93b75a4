"""Passwords: argon2id, in threads of their own, and the same work for users that do not exist."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server_stub.settings import Argon2Cost

R = TypeVar("R")

SALT_LENGTH = 16
HASH_LENGTH = 32
THREADS = 2
"""How many passwords are checked at once; the rest wait. Each takes a core and the memory of ``Argon2Cost``."""


def normalise(text: str) -> bytes:
    """Unicode normal form C, as RFC 8265 §4.2 asks: the same password from every keyboard."""
    return unicodedata.normalize("NFC", text).encode()


class PasswordHasher:
    """Makes and checks password hashes (PHC strings) without holding up the event loop."""

    def __init__(self, cost: Argon2Cost, token_bytes: Callable[[int], bytes]) -> None:
        self._cost = cost
        self._token_bytes = token_bytes
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
        self._dummy = self._argon2().derive_phc_encoded(token_bytes(32))

    def close(self) -> None:
        """Stop the threads."""
        self._threads.shutdown()

    async def hash(self, password: str) -> str:
        """The PHC string to store."""
        return await self._run(self._argon2().derive_phc_encoded, normalise(password))

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether ``password`` is the one that ``stored`` was made of; without ``stored`` (no such user) never, as slowly."""
        return await self._run(_matches, normalise(password), stored or self._dummy) and stored is not None

    async def badge_key(self, password: str) -> bytes:
        """A key for secure badges, 32 bytes: HKDF over Argon2id with a salt that is used once and forgotten.

        The same password gives another key each time, so badges die with every change, even a change back.
        """
        root = await self._run(self._argon2().derive, normalise(password))
        return HKDF(SHA256(), 32, None, b"authrig secure badge").derive(root)

    def _argon2(self) -> Argon2id:
        return Argon2id(
            salt=self._token_bytes(SALT_LENGTH),
            length=HASH_LENGTH,
            iterations=self._cost.iterations,
            lanes=self._cost.lanes,
            memory_cost=self._cost.memory_kib,
        )

    async def _run(self, function: Callable[..., R], *args: bytes | str) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)


def _matches(password: bytes, stored: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password, stored)
    except InvalidKey:
        return False
    return True
