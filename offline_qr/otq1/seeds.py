"""Seeds from the maker's file to the server (activation profile A): PSKC, or CSV with the columns ``serial,seed``."""

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from offline_qr import pskc
from offline_qr.otq1.keys import SEED_BYTES, key_id

ALGORITHM = "tag:authrig,2026:otq1-seed"
"""The Algorithm of an OTQ1 seed in PSKC. It is no OCRA key: the keys are derived from it."""
COLUMNS = ["serial", "seed"]
MAX_CSV_BYTES = 16 * 2**20
_SEED = re.compile(r"[0-9A-Fa-f]{64}")


class SeedFileError(ValueError):
    """A file of seeds is refused; the sentence names the line or key, and quotes no seed."""


@dataclass(frozen=True, slots=True)
class Seed:
    """One token's seed.

    Raises:
        SeedFileError: the serial is not 1 to 64 visible ASCII characters, or the seed not 32 bytes.
    """

    serial: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        try:
            key_id(self.serial)
        except ValueError as error:
            raise SeedFileError(str(error)) from None
        if len(self.seed) != SEED_BYTES:
            raise SeedFileError(f"the seed of {self.serial} has {SEED_BYTES} bytes, found {len(self.seed)}")


def read_csv(data: bytes, *, columns_named: bool = True) -> list[Seed]:
    """The seeds of a CSV file in UTF-8 (RFC 4180): a line ``serial,seed``, then one line a token, seeds in hex.

    Args:
        data: the file.
        columns_named: whether it has that first line.

    Raises:
        SeedFileError: another header, another number of columns, a bad serial or seed, or a serial twice.
    """
    if len(data) > MAX_CSV_BYTES:
        raise SeedFileError(f"the file is too long: expected up to {MAX_CSV_BYTES} bytes, found {len(data)}")
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise SeedFileError("the file is no CSV in UTF-8") from None
    if columns_named and (not rows or rows.pop(0) != COLUMNS):
        raise SeedFileError(f"line 1: expected the columns {','.join(COLUMNS)}, found others")
    seeds = []
    for number, row in enumerate(rows, start=2 if columns_named else 1):
        if len(row) != len(COLUMNS):
            raise SeedFileError(f"line {number}: expected {len(COLUMNS)} columns, found {len(row)}")
        if not _SEED.fullmatch(row[1]):
            raise SeedFileError(f"line {number}: expected a seed of 64 hex digits, found {len(row[1])} characters")
        seeds.append(Seed(row[0], bytes.fromhex(row[1])))
    return _distinct(seeds)


def write_csv(seeds: Iterable[Seed]) -> bytes:
    """A CSV file that ``read_csv`` reads."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows((each.serial, each.seed.hex()) for each in seeds)
    return text.getvalue().encode()


def read_pskc(data: bytes, *, key: bytes | None = None, password: str | None = None) -> list[Seed]:
    """The seeds of a PSKC file; ``key`` or ``password`` where it is encrypted.

    Raises:
        SeedFileError: a key of another algorithm, a bad serial or seed, or a serial twice.
        pskc.PskcError: the file is refused as such.
    """
    keys = pskc.read(data, key=key, password=password)
    for each in keys:
        if each.algorithm != ALGORITHM:
            raise SeedFileError(f"the key {each.id!r} is no OTQ1 seed: expected {ALGORITHM}, found {each.algorithm!r}")
    return _distinct([Seed(each.serial, each.secret) for each in keys])


def write_pskc(
    seeds: Iterable[Seed],
    *,
    key: bytes | None = None,
    password: str | None = None,
    draw: Callable[[int], bytes] | None = None,
) -> bytes:
    """A PSKC file that ``read_pskc`` reads; encrypted where there is a key or a password, as for ``pskc.write``.

    Raises:
        pskc.PskcError: the key has another length, there is a password too, or no source of random bytes.
    """
    keys = (pskc.PskcKey(each.serial, each.seed, ALGORITHM, serial=each.serial) for each in seeds)
    return pskc.write(keys, key=key, password=password, draw=draw)


def _distinct(seeds: list[Seed]) -> list[Seed]:
    seen: set[str] = set()
    for each in seeds:
        if each.serial in seen:
            raise SeedFileError(f"the serial {each.serial} stands twice in the file")
        seen.add(each.serial)
    return seeds
