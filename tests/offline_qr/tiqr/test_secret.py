from dataclasses import replace

import pytest

from offline_qr.tiqr import AuthenticationChallenge, LockedSecret, TiqrError, lock, unlock

SECRET = bytes.fromhex("8f3a" * 16)
SALT, IV = bytes(range(16)), bytes(range(16, 32))
LOCKED = lock(SECRET, "2580", SALT, IV)


def test_the_right_pin_gives_the_secret() -> None:
    """And salt and IV matter."""
    assert unlock(LOCKED, "2580") == SECRET
    assert lock(SECRET, "2580", IV, IV) != LOCKED
    assert lock(SECRET, "2580", SALT, SALT) != LOCKED


def test_every_other_pin_gives_a_secret_too_and_nothing_tells() -> None:
    """So a code comes out for any PIN, and only the server knows which one is right."""
    challenge = AuthenticationChallenge("tiqr.example.org", "00", "0123456789")
    secrets = {unlock(LOCKED, f"{pin:04d}") for pin in range(2530, 2630)}
    assert len(secrets) == 100
    assert {len(secret) for secret in secrets} == {32}
    assert SECRET in secrets
    codes = {challenge.respond(secret) for secret in secrets}
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(codes) > 90


def test_nothing_is_printed() -> None:
    """Not even what is locked."""
    assert repr(LOCKED) == "LockedSecret()"


def test_wrong_lengths_are_named_and_no_pin_is_quoted() -> None:
    """The sentences hold numbers only."""
    for pin in ("123", "1" * 13, "12a4", "\u0661\u0662\u0663\u0664", ""):
        with pytest.raises(TiqrError, match="4 to 12 digits") as refused:
            unlock(LOCKED, pin)
        assert "12a4" not in str(refused.value)
    with pytest.raises(TiqrError, match="secret has 32 bytes, found 16"):
        lock(bytes(16), "2580", SALT, IV)
    with pytest.raises(TiqrError, match="salt has 16 bytes, found 0"):
        lock(SECRET, "2580", b"", IV)
    with pytest.raises(TiqrError, match="IV has 16 bytes, found 3"):
        replace(LOCKED, iv=b"abc")
    with pytest.raises(TiqrError, match="locked secret has 32 bytes, found 31"):
        LockedSecret(SALT, IV, bytes(31))
