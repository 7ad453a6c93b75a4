import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.otq1 import LABELS, Damaged, Field, NotEncodable, Otq1Error, Tag, Unsupported
from offline_qr.otq1.body import check_for_sending, pack_fields, parse_body


def test_the_published_bodies_in_both_directions(vector: dict[str, Any]) -> None:
    """Parsed and packed again."""
    body = bytes.fromhex(vector["body"])
    fields = parse_body(body)
    assert [[field.tag, field.label, field.value] for field in fields] == vector["fields"]
    assert pack_fields(fields) == body


def test_every_well_known_tag_has_a_label() -> None:
    """A device never has to invent one."""
    assert set(LABELS) == set(Tag) - {Tag.CUSTOM}
    assert Field(Tag.AMOUNT, "CHF 1").display_label == "Amount"
    assert Field(Tag.CUSTOM, "CHF 1", "Betrag").display_label == "Betrag"


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "cut: expected 1 bytes more, found 0"),
        (b"\1", "cut: expected 1 bytes more, found 0"),
        (b"\1\1", "cut: expected 1 bytes more, found 0"),
        (b"\1\1\5abc", "cut: expected 5 bytes more, found 3"),
        (b"\1\0\5abc", "cut: expected 5 bytes more, found 3"),
        (b"\1\0\1a", "cut: expected 1 bytes more, found 0"),
        (b"\0\0", "ends here: expected no bytes more, found 1"),
        (b"\1\1\1a\2\1b", "ends here: expected no bytes more, found 3"),
        (b"\1\1\0", "a value has 1 to 120 bytes of UTF-8, found 0"),
        (b"\1\0\0\1a", "a label has 1 to 40 bytes of UTF-8, found 0"),
        (b"\1\1\x79" + b"a" * 121, "a value has 1 to 120 bytes of UTF-8, found 121"),
        (b"\1\0\x29" + b"a" * 41 + b"\1a", "a label has 1 to 40 bytes of UTF-8, found 41"),
        (b"\2\1\1a\1\1b", r"a well-known tag stands once in a body, found the tags \[1, 1\]"),
        (b"\x09" + b"\0\1a\1b" * 9, "up to 8 fields, found 9"),
        (b"\3" + (b"\0\1a\x53" + b"b" * 83) * 3, "up to 260 bytes, found 262"),
        (b"\1\1\1\xff", "not UTF-8"),
        (b"\1\1\2\xc0\x80", "not UTF-8"),
        (b"\1\1\3\xed\xa0\x80", "not UTF-8"),
    ],
)
def test_a_body_that_breaks_a_rule_is_damaged(body: bytes, sentence: str) -> None:
    """The sentence names the rule."""
    with pytest.raises(Damaged, match=sentence):
        parse_body(body)


@pytest.mark.parametrize("tag", [8, 9, 14, 255])
def test_an_unknown_tag_is_unsupported_not_skipped(tag: int) -> None:
    """What cannot be labelled cannot be shown, and so cannot be signed."""
    with pytest.raises(Unsupported, match=f"unknown field tag: .* found {tag}"):
        parse_body(bytes([1, tag, 1]) + b"a")
    with pytest.raises(Unsupported, match=f"unknown field tag: .* found {tag}"):
        Field(tag, "a")


@pytest.mark.parametrize("behind", [b"", b"\5ab", b"\1\xff", b"\0"])
def test_what_stands_behind_an_unknown_tag_is_not_judged(behind: bytes) -> None:
    """How such a field goes on is not known, so it can be neither cut nor damaged."""
    with pytest.raises(Unsupported, match=r"unknown field tag: .* found 9"):
        parse_body(b"\1\x09" + behind)


def test_the_first_fault_of_a_body_is_the_one_that_is_told() -> None:
    """As a parser that goes through it once finds them."""
    with pytest.raises(Damaged, match="a value has 1 to 120 bytes"):
        parse_body(b"\2\1\0\x09\1a")
    with pytest.raises(Unsupported):
        parse_body(b"\3\1\1a\1\1a\x09\1a")


def test_the_limits_themselves_are_good() -> None:
    """8 fields, 40 and 120 bytes, 260 in all."""
    eight = tuple(Field(Tag.CUSTOM, "v", "l") for _ in range(8))
    assert parse_body(pack_fields(eight)) == eight
    full = (Field(Tag.CUSTOM, "v" * 120, "l" * 40), Field(Tag.AMOUNT, "v" * 94))
    assert len(pack_fields(full)) == 260
    assert parse_body(pack_fields(full)) == full


def test_bytes_count_not_characters() -> None:
    """40 Chinese characters fill a value."""
    assert Field(Tag.REFERENCE, "丸" * 40).pack()[1] == 120
    with pytest.raises(NotEncodable, match="found 123"):
        Field(Tag.REFERENCE, "丸" * 41)


HIDDEN = {
    "tab": "\t",
    "line feed": "\n",
    "next line": "\x85",
    "null": "\0",
    "soft hyphen": "\u00ad",
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "byte order mark": "\ufeff",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "private use": "\ue000",
    "unassigned": "\u0378",
    "noncharacter": "\uffff",
    "tag": "\U000e0041",
}


@pytest.mark.parametrize("character", HIDDEN.values(), ids=HIDDEN)
def test_characters_that_deceive_the_eye_are_refused(character: str) -> None:
    """In values and labels, by the sender and by the token."""
    text = f"a{character}b"
    named = f"no hidden characters, found U\\+{ord(character):04X} .* at 1"
    with pytest.raises(NotEncodable, match=named):
        Field(Tag.AMOUNT, text)
    with pytest.raises(NotEncodable, match=named):
        Field(Tag.CUSTOM, "a", text)
    encoded = text.encode()
    with pytest.raises(Damaged, match=named):
        parse_body(bytes([1, 1, len(encoded)]) + encoded)


def test_a_lone_surrogate_is_refused_with_the_protocols_own_error() -> None:
    """Python texts can hold one; UTF-8 cannot."""
    with pytest.raises(NotEncodable, match=r"U\+D800 \(Cs\)"):
        Field(Tag.AMOUNT, "\ud800")


def test_only_tag_0_brings_its_own_label() -> None:
    """Nobody renames an amount."""
    with pytest.raises(NotEncodable, match="only tag 0"):
        Field(Tag.AMOUNT, "CHF 1", "Gift")


def test_a_sender_normalises_and_a_token_does_not() -> None:
    """The token shows and hashes what it received."""
    decomposed = unicodedata.normalize("NFD", "Zürich")
    for field in (Field(Tag.PLACE, decomposed), Field(Tag.CUSTOM, "a", decomposed)):
        assert parse_body(pack_fields([field])) == (field,)
        with pytest.raises(NotEncodable, match="normal form C"):
            check_for_sending([field])


def test_a_sender_puts_what_matters_first() -> None:
    """No long reference pushes the payee off the first page."""
    amount, payee, reference = Field(Tag.AMOUNT, "1"), Field(Tag.BENEFICIARY, "Bo"), Field(Tag.REFERENCE, "x" * 99)
    check_for_sending([payee, amount, reference])
    check_for_sending([reference])
    with pytest.raises(NotEncodable, match="come first"):
        check_for_sending([amount, reference, payee])


@given(st.binary(max_size=300) | st.binary(max_size=40).map(b"\1\1\5".__add__))
def test_any_bytes_are_a_body_or_refused(body: bytes) -> None:
    """What is a body packs to the same bytes: the question is computed over what was received."""
    try:
        fields = parse_body(body)
    except Otq1Error:
        return
    assert pack_fields(fields) == body


@given(st.text(min_size=1, max_size=40))
def test_any_text_is_kept_as_it_is_or_refused(text: str) -> None:
    """Nothing is trimmed, folded or replaced."""
    try:
        field = Field(Tag.REFERENCE, text)
    except NotEncodable:
        return
    assert parse_body(pack_fields([field]))[0].value == text
