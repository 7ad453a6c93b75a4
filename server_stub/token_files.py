"""Files in which makers of tokens send the tokens' secrets: PSKC (RFC 6030) and CSV, for offline QR, HOTP and TOTP tokens.

CSV: a header line, then ``serial,kind,seed_hex`` and perhaps ``display_name,digits,algorithm,period,counter``. In PSKC the
algorithm says the kind: HOTP, TOTP, or this project's ``urn:authrig:otq1``.
"""

import csv
import io
from collections.abc import Iterable

import msgspec

from offline_qr import pskc
from server_stub.cloud.messages import ImportToken

HOTP = "urn:ietf:params:xml:ns:keyprov:pskc:hotp"
TOTP = "urn:ietf:params:xml:ns:keyprov:pskc:totp"
OTQ1 = "urn:authrig:otq1"
KINDS = {HOTP: "hotp", TOTP: "totp", OTQ1: "qr"}
NUMBERS = ("digits", "period", "counter")
COLUMNS = {"serial", "kind", "seed_hex", "display_name", "algorithm", *NUMBERS}
MAX_TOKENS = 10_000


class TokenFileError(ValueError):
    """The file cannot be imported; the sentence names the line or the token."""


def read_csv(text: str) -> list[ImportToken]:
    """The tokens of a CSV file.

    Raises:
        TokenFileError: if anything in it is not as it should be. Seeds are never part of the sentence.
    """
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        unknown = sorted(set(reader.fieldnames or ()) - COLUMNS)
        if unknown:
            raise TokenFileError(f"line 1: there is no column {unknown[0]!r}")
        if len(set(reader.fieldnames or ())) < len(reader.fieldnames or ()):
            raise TokenFileError("line 1: a column stands there twice")
        return _checked((f"line {reader.line_num}", dict(row)) for row in reader)
    except csv.Error as error:
        raise TokenFileError(f"line {max(1, reader.line_num)}: {error}") from error


def read_pskc(data: bytes, *, key: bytes | None = None, password: str | None = None) -> list[ImportToken]:
    """The tokens of a PSKC file, perhaps encrypted under ``key`` or ``password``.

    Raises:
        TokenFileError: if it cannot be read, or holds something that this server has no use for.
    """
    try:
        keys = pskc.read(data, key=key, password=password)
    except pskc.PskcError as error:
        raise TokenFileError(str(error)) from error
    return _checked((f"key {each.id!r}", _row(each)) for each in keys)


def _row(key: pskc.PskcKey) -> dict[str, str]:
    row = {
        "serial": key.serial or key.id,
        "kind": KINDS.get(key.algorithm, key.algorithm),
        "seed_hex": key.secret.hex(),
    }
    if key.suite:
        row["algorithm"] = key.suite.lower().removeprefix("hmac-").replace("-", "")
    for name, value in (("digits", key.digits), ("period", key.time_interval), ("counter", key.counter)):
        if value is not None:
            row[name] = str(value)
    return row


def _checked(rows: Iterable[tuple[str, dict[str, str]]]) -> list[ImportToken]:
    tokens: list[ImportToken] = []
    seen: set[str] = set()
    for where, row in rows:
        token = _token(where, row)
        if token.serial in seen:
            raise TokenFileError(f"{where}: the serial {token.serial} stands in the file twice")
        if len(tokens) == MAX_TOKENS:
            raise TokenFileError(f"a file holds up to {MAX_TOKENS} tokens")
        seen.add(token.serial)
        tokens.append(token)
    if not tokens:
        raise TokenFileError("the file holds no token")
    return tokens


def _token(where: str, row: dict[str, str]) -> ImportToken:
    if None in row or None in row.values():
        raise TokenFileError(f"{where}: it has another number of columns than the first line")
    values: dict[str, object] = {name: value.strip() for name, value in row.items() if value.strip()}
    values.setdefault("display_name", values.get("serial", ""))
    if values.get("kind") in {"qr", "app"}:
        values["digits"] = "8"
    elif values.get("kind") in {"hotp", "totp"}:
        values.setdefault("digits", "6")
    _refuse_unknown_words(where, values)
    try:
        for name in NUMBERS:
            if name in values:
                values[name] = int(str(values[name]))
        token = msgspec.convert(values, ImportToken)
    except msgspec.ValidationError as error:
        raise TokenFileError(f"{where}: {error}") from error
    except ValueError as error:
        raise TokenFileError(f"{where}: digits, period and counter are whole numbers") from error
    if token.kind in {"qr", "app"} and len(token.seed_hex) != 64:
        raise TokenFileError(f"{where}: a seed for offline QR has 32 bytes")
    return token


def _refuse_unknown_words(where: str, values: dict[str, object]) -> None:
    """What stands in the wrong column may be a seed, so these sentences do not repeat it, as a decoder's would."""
    if values.get("kind") not in {"qr", "hotp", "totp", "app"}:
        raise TokenFileError(f"{where}: the kind is none of qr, hotp, totp and app")
    if values.get("algorithm", "sha1") not in {"sha1", "sha256", "sha512"}:
        raise TokenFileError(f"{where}: the algorithm is none of sha1, sha256 and sha512")
