"""Operation data: what the code is for (Wultra enrollment-server, Operation-Data.md).

``A1*A100CZK*ICZ2730300000001165254011*D20180425``: a version letter and a template number, then up to five fields divided
by asterisks. A field's first letter is its type. An unknown type is shown as text, and an unknown template as the generic
one, as the format's own rules for forward compatibility want it; a version other than A is refused.
"""

import re
from dataclasses import dataclass

from offline_qr.powerauth.errors import Damaged
from offline_qr.shown import find_hidden

MAX_FIELDS = 5
MAX_BYTES = 1024
_HEAD = re.compile(r"A([0-9]|[1-9][0-9])")
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?)([A-Z]{3})")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{1,30}(?:,[0-9A-Z]{8}(?:[0-9A-Z]{3})?)?")
_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_ESCAPE = re.compile(r"\\(.?)", re.DOTALL)
_ESCAPED = {"n": "\n", "\\": "\\", "*": "*"}
_TITLES = {"A": "Amount", "I": "Account", "Q": "Account", "D": "Date", "R": "Reference", "N": "Note"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it travels; empty where an optional one is left out."""

    type: str
    """One letter, or empty."""
    text: str
    """What follows it, without escapes."""

    @property
    def shown(self) -> str:
        """The text for a display: an amount with its currency first, a date with hyphens."""
        amount, date = _AMOUNT.fullmatch(self.text), _DATE.fullmatch(self.text)
        if self.type == "A" and amount:
            return f"{amount[2]} {amount[1]}"
        if self.type == "D" and date:
            return "-".join(date.groups())
        if self.type in _TITLES or self.type == "T":
            return self.text
        return self.type + self.text


@dataclass(frozen=True, slots=True)
class OperationData:
    """What an operation asks for."""

    text: str
    """As it travels: this is what the code covers."""
    template: int
    """0 generic, 1 payment, 2 login; others as 0."""
    fields: tuple[Field, ...]

    @property
    def entries(self) -> list[tuple[str, str]]:
        """Titles and texts for a display, in order, without the empty fields."""
        entries, number = [], 0
        for each in self.fields:
            if not each.type:
                continue
            if each.type in _TITLES:
                title = _TITLES[each.type]
            else:
                number += 1
                title = f"Attribute {number}"
            entries.append((title, each.shown))
        return entries


def parse_operation_data(text: str) -> OperationData:
    """The operation data in ``text``.

    Raises:
        Damaged: another version, too many fields, or a field that is not of its type.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Damaged(f"operation data have up to {MAX_BYTES} bytes, found more")
    if hidden := find_hidden(text):
        raise Damaged(f"operation data have no hidden characters, found {hidden}")
    head, *rest = _split(text)
    match = _HEAD.fullmatch(head)
    if not match:
        raise Damaged(f"operation data start with the version A and a template from 0 to 99, found {head[:20]!r}")
    if len(rest) > MAX_FIELDS:
        raise Damaged(f"operation data have up to {MAX_FIELDS} fields, found {len(rest)}")
    fields = tuple(_parse_field(each) for each in rest)
    if int(match[1]) == 1 and [field.type for field in fields[:2]] not in (["A", "I"], ["A", "Q"]):
        raise Damaged("a payment starts with an amount and an account, found others")
    return OperationData(text, int(match[1]), fields)


def _split(text: str) -> list[str]:
    """The parts between asterisks that are not escaped; escapes stay for ``_unescape``."""
    parts, start, at = [], 0, 0
    while at < len(text):
        if text[at] == "*":
            parts.append(text[start:at])
            start = at + 1
        at += 2 if text[at] == "\\" else 1
    return [*parts, text[start:]]


def unescape(text: str) -> str:
    """``text`` without its backslashes. Raises Damaged where one stands before another letter, or last."""

    def plain(match: re.Match[str]) -> str:
        if match[1] not in _ESCAPED:
            raise Damaged(f"a backslash stands before n, a backslash or an asterisk, found {match[1]!r}")
        return _ESCAPED[match[1]]

    return _ESCAPE.sub(plain, text)


def _parse_field(text: str) -> Field:
    if not text:
        return Field("", "")
    field = Field(text[0], unescape(text[1:]))
    if field.type == "A" and not _AMOUNT.fullmatch(field.text):
        raise Damaged(f"an amount is a number and a currency, found {field.text[:40]!r}")
    if field.type == "I" and not _IBAN.fullmatch(field.text):
        raise Damaged(f"an account is an IBAN, perhaps with a BIC, found {field.text[:40]!r}")
    if field.type == "D":
        match = _DATE.fullmatch(field.text)
        if not match or not (1 <= int(match[2]) <= 12 and 1 <= int(match[3]) <= 31):
            raise Damaged(f"a date is YYYYMMDD, found {field.text[:40]!r}")
    if field.type.isspace():
        raise Damaged("a field starts with a letter, found a space")
    return field
