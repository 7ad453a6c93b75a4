import hashlib
import hmac
from dataclasses import fields
from typing import Any

import pytest

from offline_qr.otq1 import Keys, derive_keys, key_id

SEED = bytes(range(32))


def test_the_published_keys(published: dict[str, Any], keys: Keys) -> None:
    """Seal and code keys of the worked example."""
    for label, key in published["keys"].items():
        assert getattr(keys, label.replace("-", "_")).hex() == key


def test_the_published_key_id(published: dict[str, Any], serial: str) -> None:
    """The first bytes of the serial's hash."""
    assert key_id(serial).hex() == published["key_id"]


def test_every_key_is_hkdf_of_its_label(serial: str, keys: Keys) -> None:
    """RFC 5869 by hand, also for the keys that are not published."""
    extracted = hmac.new(b"OTQ1/" + serial.encode(), SEED, hashlib.sha256).digest()
    labels = ["qr-seal", "ocra-login", "ocra-txn", "ocra-admin", "ocra-duress", "decline"]
    assert [field.name for field in fields(Keys)] == [label.replace("-", "_") for label in labels]
    for label in labels:
        expanded = hmac.new(extracted, f"OTQ1 {label}\1".encode(), hashlib.sha256).digest()
        assert getattr(keys, label.replace("-", "_")) == expanded


def test_no_two_keys_are_equal_and_none_is_another_tokens(keys: Keys) -> None:
    """One purpose, one token, one key."""
    other = derive_keys("QT1-00000043", SEED)
    assert len({getattr(each, field.name) for each in (keys, other) for field in fields(Keys)}) == 12


def test_keys_print_nothing(keys: Keys) -> None:
    """A log line with the keys in it gives none away."""
    assert repr(keys) == "Keys()"


@pytest.mark.parametrize("serial", ["", "QT1 42", "QT1-42\n", "QT1-Ä", "x" * 65])
def test_a_serial_that_two_sides_might_spell_differently_is_refused(serial: str) -> None:
    """Spaces, line ends and letters with several encodings."""
    for use in (key_id, lambda text: derive_keys(text, SEED)):
        with pytest.raises(ValueError, match="visible ASCII"):
            use(serial)


def test_a_seed_of_another_length_is_refused_and_not_shown() -> None:
    """The sentence holds a length only."""
    with pytest.raises(ValueError, match="32 bytes, found 11") as refused:
        derive_keys("QT1-00000042", b"secret-seed")
    assert "secret" not in str(refused.value)
