from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.pskc import PskcError, PskcKey, WrongPskcKeyError, read, write

KEYS = [
    PskcKey("1", b"secret one secret one", "urn:ietf:params:xml:ns:keyprov:pskc:hotp", "S1", "Acme", "Bank & Söhne"),
    PskcKey("2", bytes(32), "urn:ietf:params:xml:ns:keyprov:pskc:totp", suite="HMAC-SHA256", digits=8, counter=0),
    PskcKey("3", b"\xff", "tag:x", time_interval=30, counter=2**63),
]


class Drawing:
    """Different bytes at each draw, the same in each run."""

    def __init__(self) -> None:
        self._number = count()

    def __call__(self, size: int) -> bytes:
        """``size`` bytes."""
        return next(self._number).to_bytes(size)


def test_what_is_written_is_read() -> None:
    """In plain text, and with a key of each length."""
    assert read(write(KEYS)) == KEYS
    for size in (16, 24, 32):
        file = write(KEYS, key=bytes(size), draw=Drawing())
        assert read(file, key=bytes(size)) == KEYS
        assert b"c2VjcmV0" not in file
        with pytest.raises(WrongPskcKeyError):
            read(file, key=b"x" * size)


def test_no_iv_is_used_twice() -> None:
    """Equal secrets look different."""
    file = write([KEYS[0]] * 5, key=bytes(16), draw=Drawing()).decode()
    values = [part.split("<")[0] for part in file.split("CipherValue>")[1::2]]
    assert len(set(values)) == len(values) == 6


def test_a_file_under_a_password() -> None:
    """Another password reads nothing, and what is written says how it was derived."""
    file = write(KEYS, password="corréct horse", draw=Drawing())
    assert read(file, password="corréct horse") == KEYS
    assert b"600000" in file
    assert b"c2VjcmV0" not in file
    with pytest.raises(WrongPskcKeyError):
        read(file, password="correct horse")
    with pytest.raises(PskcError, match="under a password: expected one"):
        read(file, key=bytes(32))


def test_what_encryption_needs_is_asked_for() -> None:
    """A key of a length that AES has, and randomness."""
    with pytest.raises(PskcError, match=r"\[16, 24, 32\] bytes, found 5"):
        write(KEYS, key=b"short", draw=Drawing())
    with pytest.raises(PskcError, match="source of random bytes"):
        write(KEYS, key=bytes(16))
    with pytest.raises(PskcError, match="source of random bytes"):
        write(KEYS, password="x")
    with pytest.raises(PskcError, match="found both"):
        write(KEYS, key=bytes(16), password="x", draw=Drawing())


@given(st.binary(min_size=1, max_size=64), st.text("abcXYZ012-äß<>&'\"", max_size=20).map(str.strip))
def test_any_secret_and_any_name(secret: bytes, name: str) -> None:
    """Also where XML has to escape it."""
    key = PskcKey(name, secret, "tag:x", serial=name, issuer=name)
    assert read(write([key])) == [key]
