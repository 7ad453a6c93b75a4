"""The fields that a token shows: a strict tag-length-value list with one encoding per content.

``count(1)``, then per field ``tag(1)``, for tag 0 ``length(1) label``, and ``length(1) value``; texts are UTF-8.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from offline_qr.otq1.errors import Damaged, NotEncodable, Unsupported
from offline_qr.reader import Reader
from offline_qr.shown import find_hidden

MAX_FIELDS = 8
MAX_LABEL_BYTES = 40
MAX_VALUE_BYTES = 120
MAX_BODY_BYTES = 260


class Tag(IntEnum):
    """What a field is. A device shows its own label for each but ``CUSTOM``, so that no server text can pose as one."""

    CUSTOM = 0
    AMOUNT = 1
    TO_ACCOUNT = 2
    BENEFICIARY = 3
    REFERENCE = 4
    FROM_ACCOUNT = 5
    EXECUTION_DATE = 6
    CURRENCY = 7
    SERVICE = 10
    USER = 11
    PLACE = 12
    DEVICE = 13


_TAGS = frozenset(Tag)

LABELS = {
    Tag.AMOUNT: "Amount",
    Tag.TO_ACCOUNT: "To account",
    Tag.BENEFICIARY: "Beneficiary",
    Tag.REFERENCE: "Reference",
    Tag.FROM_ACCOUNT: "From account",
    Tag.EXECUTION_DATE: "Execution date",
    Tag.CURRENCY: "Currency",
    Tag.SERVICE: "Service",
    Tag.USER: "User",
    Tag.PLACE: "Place",
    Tag.DEVICE: "Device",
}
"""English labels of the well-known tags."""

CRITICAL = frozenset({Tag.AMOUNT, Tag.TO_ACCOUNT, Tag.BENEFICIARY})
"""What a payment is about. A server sends these first, so that no long text pushes them off the first page."""


@dataclass(frozen=True, slots=True)
class Field:
    """One line for the user to check. None that a token would have to refuse can be made.

    Raises:
        NotEncodable: a label or value is empty, too long, or has a character that does not show.
        Unsupported: an unknown tag.
    """

    tag: int
    value: str
    """1 to 120 bytes of UTF-8."""
    label: str = ""
    """For ``Tag.CUSTOM`` 1 to 40 bytes of UTF-8, for the others empty."""

    def __post_init__(self) -> None:
        _check_tag(self.tag)
        if self.tag == Tag.CUSTOM:
            check_text("label", self.label, MAX_LABEL_BYTES)
        elif self.label:
            raise NotEncodable(f"only tag 0 has a label of its own, found one at tag {self.tag}")
        check_text("value", self.value, MAX_VALUE_BYTES)

    @property
    def display_label(self) -> str:
        """The label to show in English."""
        return self.label if self.tag == Tag.CUSTOM else LABELS[Tag(self.tag)]

    def pack(self) -> bytes:
        """The bytes of this field."""
        texts = (self.label, self.value) if self.tag == Tag.CUSTOM else (self.value,)
        return bytes([self.tag]) + b"".join(bytes([len(text)]) + text for text in map(str.encode, texts))


def pack_fields(fields: Iterable[Field]) -> bytes:
    """The body: the bytes that are sealed, and that the question is computed over.

    Raises:
        NotEncodable: more than 8 fields, more than 260 bytes, or a well-known tag twice.
    """
    fields = tuple(fields)
    if len(fields) > MAX_FIELDS:
        raise NotEncodable(f"a body has up to {MAX_FIELDS} fields, found {len(fields)}")
    well_known = [field.tag for field in fields if field.tag != Tag.CUSTOM]
    if len(set(well_known)) != len(well_known):
        raise NotEncodable(f"a well-known tag stands once in a body, found the tags {well_known}")
    body = bytes([len(fields)]) + b"".join(field.pack() for field in fields)
    if len(body) > MAX_BODY_BYTES:
        raise NotEncodable(f"a body has up to {MAX_BODY_BYTES} bytes, found {len(body)}")
    return body


def parse_body(body: bytes) -> tuple[Field, ...]:
    """The fields of ``body``, exactly as sent: nothing is normalised or trimmed.

    Raises:
        Damaged: cut, too long, bytes left over, or a rule for fields is broken.
        Unsupported: an unknown tag.
    """
    reader = Reader("body", body, Damaged)
    try:
        fields = tuple(_parse_field(reader) for _ in range(reader.number()))
        reader.end()
        pack_fields(fields)  # the rules that concern all fields together
    except NotEncodable as error:
        raise Damaged(str(error)) from None
    return fields


def check_for_sending(fields: Iterable[Field]) -> None:
    """The rules that bind the sender only: a token shows the bytes that it received, whatever their form.

    Raises:
        NotEncodable: a text is not in Unicode normal form C, or a critical field comes after another.
    """
    fields = tuple(fields)
    for field in fields:
        if not unicodedata.is_normalized("NFC", field.label + "\n" + field.value):
            raise NotEncodable(
                f"texts are sent in Unicode normal form C, found another in the field {field.display_label!a}"
            )
    critical = [field.tag in CRITICAL for field in fields]
    if critical != sorted(critical, reverse=True):
        raise NotEncodable("amount, account and beneficiary come first, found another field before one of them")


def _parse_field(reader: Reader) -> Field:
    tag = reader.number()
    # How a field goes on after an unknown tag is not known either, so the tag is judged before anything behind it.
    _check_tag(tag)
    label = reader.text_after_length() if tag == Tag.CUSTOM else ""
    return Field(tag, reader.text_after_length(), label)


def _check_tag(tag: int) -> None:
    if tag not in _TAGS:
        raise Unsupported(f"unknown field tag: expected one of {[int(each) for each in Tag]}, found {tag}")


def check_text(name: str, text: str, most: int) -> None:
    """A text to show: 1 to ``most`` bytes of UTF-8, no character that hides or breaks a line. Raises NotEncodable."""
    if hidden := find_hidden(text):
        raise NotEncodable(f"a {name} has no hidden characters, found {hidden}")
    size = len(text.encode())
    if not 1 <= size <= most:
        raise NotEncodable(f"a {name} has 1 to {most} bytes of UTF-8, found {size}")
