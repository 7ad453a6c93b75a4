import pytest
from cryptography.exceptions import UnsupportedAlgorithm

from offline_qr import gcm_siv

KEY, NONCE = bytes([1]) + bytes(31), bytes([3]) + bytes(11)


def test_the_example_of_the_rfc() -> None:
    """RFC 8452 Appendix C.2: 8 bytes of plaintext and 1 of associated data."""
    sealed = gcm_siv.seal(KEY, NONCE, bytes.fromhex("0200000000000000"), b"\1")
    assert sealed.hex() == "1de22967237a813291213f267e3b452f02d01ae33e4ec854"
    assert gcm_siv.open_sealed(KEY, NONCE, sealed, b"\1").hex() == "0200000000000000"


def test_anything_changed_breaks_the_seal() -> None:
    """Key, nonce, sealed bytes and associated data all count."""
    sealed = gcm_siv.seal(KEY, NONCE, b"text", b"header")
    for key, nonce, changed, associated in (
        (bytes(32), NONCE, sealed, b"header"),
        (KEY, bytes(12), sealed, b"header"),
        (KEY, NONCE, sealed[:-1], b"header"),
        (KEY, NONCE, b"", b"header"),
        (KEY, NONCE, sealed, b"Header"),
    ):
        with pytest.raises(gcm_siv.SealBrokenError, match="does not hold"):
            gcm_siv.open_sealed(key, nonce, changed, associated)


def test_an_aes_128_key_is_not_taken_for_one_of_256_bits() -> None:
    """The library would take 16 bytes and quietly use the weaker cipher."""
    with pytest.raises(ValueError, match="32 bytes, found 16"):
        gcm_siv.seal(bytes(16), NONCE, b"text", b"")


def test_a_machine_without_the_cipher_is_told_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A distribution's cryptography on an old OpenSSL imports well and fails at first use."""

    def refuse(key: bytes) -> None:
        raise UnsupportedAlgorithm("AES-GCM-SIV is not supported by this version of OpenSSL")

    monkeypatch.setattr(gcm_siv, "AESGCMSIV", refuse)
    with pytest.raises(gcm_siv.SealUnavailableError, match=r"OpenSSL 3\.2"):
        gcm_siv.seal(KEY, NONCE, b"text", b"")
