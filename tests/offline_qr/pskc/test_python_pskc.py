"""The PyPI package python-pskc as a second judge: it reads what we write, and we read what it writes."""

from collections.abc import Callable
from io import BytesIO
from itertools import count

import pskc
import pskc.exceptions
import pytest

from offline_qr import otq1
from offline_qr.otq1 import seeds
from offline_qr.pskc import PskcKey, read, write

HOTP, TOTP = "urn:ietf:params:xml:ns:keyprov:pskc:hotp", "urn:ietf:params:xml:ns:keyprov:pskc:totp"
KEYS = [
    PskcKey("1", b"secret one secret one", HOTP, "S1", "Acme", "Bank & Söhne", digits=6, counter=7),
    PskcKey("2", bytes(range(32)), TOTP, "S2", "Acme", digits=8, time_interval=30),
]
PASSWORD = "correct horse battery staple"


NUMBERS = count(1)


def draw(size: int) -> bytes:
    """Different bytes at each draw."""
    return next(NUMBERS).to_bytes(size)


def _open(data: bytes, *, key: bytes | None = None, password: str | None = None) -> list[PskcKey]:
    """What python-pskc reads in ``data``."""
    file = pskc.PSKC(BytesIO(data))
    if key is not None:
        file.encryption.key = key
    if password is not None:
        file.encryption.derive_key(password)
    return [
        PskcKey(
            each.id or "",
            each.secret or b"",
            each.algorithm or "",
            each.serial or "",
            each.manufacturer or "",
            each.issuer or "",
            each.algorithm_suite or "",
            each.response_length,
            each.counter,
            each.time_interval,
        )
        for each in file.keys
    ]


def _write(setup: Callable[[pskc.PSKC], object]) -> bytes:
    """The file that python-pskc writes of ``KEYS``, made secret by ``setup``."""
    file = pskc.PSKC()
    for each in KEYS:
        file.add_key(
            id=each.id,
            secret=each.secret,
            algorithm=each.algorithm,
            serial=each.serial,
            manufacturer=each.manufacturer,
            issuer=each.issuer or None,
            response_length=each.digits,
            response_encoding="DECIMAL",
            counter=each.counter,
            time_interval=each.time_interval,
        )
    setup(file)
    written = BytesIO()
    file.write(written)
    return written.getvalue()


def test_it_reads_what_we_write() -> None:
    """In plain text, under a key and under a password."""
    assert _open(write(KEYS)) == KEYS
    for size in (16, 24, 32):
        key = bytes(range(size))
        assert _open(write(KEYS, key=key, draw=draw), key=key) == KEYS
    assert _open(write(KEYS, password=PASSWORD, draw=draw), password=PASSWORD) == KEYS


def test_it_finds_what_was_changed_in_what_we_write() -> None:
    """It checks the MAC that we put over each secret."""
    file = write(KEYS, key=bytes(16), draw=draw)
    mac = file.split(b"ValueMAC>")[1].split(b"<")[0]
    changed = file.replace(mac, (b"A" if mac[:1] != b"A" else b"B") + mac[1:])
    with pytest.raises(pskc.exceptions.DecryptionError, match="MAC"):
        _open(changed, key=bytes(16))


@pytest.mark.parametrize("algorithm", ["AES128-CBC", "AES192-CBC", "AES256-CBC"])
def test_we_read_what_it_writes(algorithm: str) -> None:
    """In plain text, under a key and under a password."""
    assert read(_write(lambda _: None)) == KEYS
    key = bytes(range(int(algorithm[3:6]) // 8))
    keyed = _write(lambda file: file.encryption.setup_preshared_key(key=key, key_name="PSK", algorithm=algorithm))
    assert read(keyed, key=key) == KEYS
    derived = _write(lambda file: file.encryption.setup_pbkdf2(PASSWORD, iterations=1000, algorithm=algorithm))
    assert read(derived, password=PASSWORD) == KEYS


def test_it_reads_the_seeds_of_our_tokens() -> None:
    """Serial and seed of each, under a password, with the algorithm that says they are OTQ1's."""
    made = [seeds.Seed(f"QT1-{number:08}", bytes([number]) * 32) for number in range(3)]
    found = _open(seeds.write_pskc(made, password=PASSWORD, draw=draw), password=PASSWORD)
    assert [(each.serial, each.secret) for each in found] == [(each.serial, each.seed) for each in made]
    assert {each.algorithm for each in found} == {seeds.ALGORITHM}
    assert otq1.derive_keys(found[0].serial, found[0].secret) == otq1.derive_keys(made[0].serial, made[0].seed)
