import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr import base45_strict, gcm_siv
from offline_qr.otq1 import (
    Challenge,
    Damaged,
    Field,
    Flags,
    Header,
    Keys,
    MessageType,
    NotEncodable,
    NotForThisToken,
    NotOurs,
    Otq1Error,
    Tag,
    Unsupported,
    decode,
    derive_keys,
    encode,
    key_id,
    read_header,
)

SERIAL = "QT1-00000042"
KEYS = derive_keys(SERIAL, bytes(range(32)))
HEADER = Header(MessageType.LOGIN, key_id(SERIAL), bytes(12), issued_at=1_767_225_600, ttl=180)
CHALLENGE = Challenge(HEADER, (Field(Tag.SERVICE, "e-Banking"),))


def as_text(message: bytes) -> bytes:
    """``message`` as its QR code would carry it."""
    return b"OTQ1:" + base45_strict.encode(message).encode()


def sealed(body: bytes, header: bytes = HEADER.pack()) -> bytes:
    """A text that a server with the right key, and without any checks, would make."""
    return as_text(header + gcm_siv.seal(KEYS.qr_seal, header[8:20], body, header))


def test_the_published_texts_in_both_directions(vector: dict[str, Any], keys: Keys, serial: str) -> None:
    """Each worked example, character by character."""
    header = Header(
        MessageType(vector["type"]),
        key_id(serial),
        bytes.fromhex(vector["challenge_id"]),
        issued_at=1_767_225_600,
        ttl=180 if vector["type"] == 1 else 300,
    )
    challenge = Challenge(header, tuple(Field(tag, value, label) for tag, label, value in vector["fields"]))
    assert encode(challenge, keys) == vector["text"]
    assert as_text(bytes.fromhex(vector["message"])).decode() == vector["text"]
    assert decode(vector["text"], keys, serial) == challenge
    assert decode(vector["text"].encode(), keys, key_id(serial)) == challenge


def test_every_flipped_bit_of_every_published_message_is_refused(
    vector: dict[str, Any], keys: Keys, serial: str
) -> None:
    """Header, body or tag: no bit is free."""
    message = bytes.fromhex(vector["message"])
    for bit in range(len(message) * 8):
        flipped = (int.from_bytes(message) ^ 1 << bit).to_bytes(len(message))
        with pytest.raises(Otq1Error):
            decode(as_text(flipped), keys, serial)


def test_every_flipped_bit_of_every_published_text_is_refused(vector: dict[str, Any], keys: Keys, serial: str) -> None:
    """Also where the result is another base45 character, or none."""
    text = vector["text"].encode()
    for bit in range(len(text) * 8):
        with pytest.raises(Otq1Error):
            decode((int.from_bytes(text) ^ 1 << bit).to_bytes(len(text)), keys, serial)


def test_every_cut_message_is_refused(vector: dict[str, Any], keys: Keys, serial: str) -> None:
    """At whatever byte or character it ends."""
    message = bytes.fromhex(vector["message"])
    for end in range(len(message)):
        with pytest.raises(Damaged):
            decode(as_text(message[:end]), keys, serial)
    for end in range(len(vector["text"])):
        with pytest.raises((Damaged, NotOurs)):
            decode(vector["text"][:end], keys, serial)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OTQ1",
        "otq1:",
        "OTQ2:ABC",
        " OTQ1:",
        "AQB1:BB8",
        "https://example.org/",
        "otpauth://totp/a?secret=B",
        "\ud800",
    ],
    ids=repr,
)
def test_another_code_is_not_ours(text: str) -> None:
    """The token says so and does not call it damaged."""
    with pytest.raises(NotOurs, match="another code"):
        decode(text, KEYS, SERIAL)


@pytest.mark.parametrize(
    "change",
    [
        str.lower,
        lambda text: text + "\n",
        lambda text: text + " ",
        lambda text: text + "Ä",
        lambda text: text + "\ud800",
    ],
    ids=["lower case", "line end", "space", "umlaut", "surrogate"],
)
def test_a_text_that_was_touched_on_the_way_is_damaged(change: Any) -> None:
    """Scanners that trim, fold or add are found out."""
    with pytest.raises(Damaged, match="not base45"):
        decode("OTQ1:" + change(encode(CHALLENGE, KEYS)[5:]), KEYS, SERIAL)


def test_a_message_for_another_token_is_named_as_such_before_it_is_opened() -> None:
    """Its seal is not even looked at."""
    text = as_text(HEADER.pack() + bytes(17))
    for token in ("QT1-00000043", b"\0\0\0\0", b""):
        with pytest.raises(NotForThisToken, match="another token"):
            decode(text, KEYS, token)
    with pytest.raises(Damaged, match="seal is broken"):
        decode(text, KEYS, SERIAL)


def test_a_message_under_another_seed_is_damaged() -> None:
    """The serial is public; who knows only that makes nothing that a token shows."""
    forger = derive_keys(SERIAL, bytes(32))
    with pytest.raises(Damaged, match="seal is broken"):
        decode(encode(CHALLENGE, forger), KEYS, SERIAL)


def test_a_header_moved_to_another_body_is_damaged() -> None:
    """A login is not made a transaction, nor given more time, under the same seal."""
    message = base45_strict.decode(encode(CHALLENGE, KEYS)[5:].encode())
    for header in (replace(HEADER, type=MessageType.TRANSACTION), replace(HEADER, ttl=3600)):
        with pytest.raises(Damaged, match="seal is broken"):
            decode(as_text(header.pack() + message[26:]), KEYS, SERIAL)


@pytest.mark.parametrize(
    ("body", "error", "sentence"),
    [
        (b"\0\0", Damaged, "expected no bytes more, found 1"),
        (b"\1\x0a\1\n", Damaged, "hidden characters"),
        (b"\1\x63\1a", Unsupported, "unknown field tag"),
        (b"\2\1\1a\1\1b", Damaged, "stands once"),
        (b"\3" + (b"\0\1a\x78" + b"b" * 120) * 3, Damaged, "400 bytes"),
        (b"\3" + (b"\0\1a\x64" + b"b" * 100) * 3, Damaged, "up to 260 bytes"),
    ],
)
def test_a_seal_excuses_no_bad_body(body: bytes, error: type[Otq1Error], sentence: str) -> None:
    """A token does not trust its server to know the rules."""
    with pytest.raises(error, match=sentence):
        decode(sealed(body), KEYS, SERIAL)


def test_a_seal_excuses_no_unknown_header() -> None:
    """A genuine message that asks for more than this token can do is unsupported, not damaged."""
    for offset, value in ((0, 2), (1, 3), (1, 4), (1, 5), (1, 6), (2, 3), (2, 5), (2, 7), (3, 0x80)):
        header = bytearray(HEADER.pack())
        header[offset] = value
        with pytest.raises(Unsupported):
            decode(sealed(b"\0", bytes(header)), KEYS, SERIAL)


def test_a_token_takes_the_suites_that_it_can_answer() -> None:
    """Without a counter, a PIN pad or a clock those are 1, 2 and 6."""
    for suite in range(1, 7):
        challenge = replace(CHALLENGE, header=replace(HEADER, suite=suite))
        text = encode(challenge, KEYS)
        assert decode(text, KEYS, SERIAL, suites={suite}) == challenge
        if suite in {1, 2, 6}:
            assert decode(text, KEYS, SERIAL) == challenge
        else:
            with pytest.raises(Unsupported, match=rf"cannot compute suite {suite}: expected one of \[1, 2, 6\]"):
                decode(text, KEYS, SERIAL)


def test_a_token_says_what_its_flags_are_before_it_opens_the_seal() -> None:
    """As it does for suites: who sealed it does not change that it cannot be done."""
    asked = replace(HEADER, flags=Flags.PIN_REQUIRED | Flags.NUMERIC_DISPLAY)
    text = encode(replace(CHALLENGE, header=asked), KEYS)
    assert decode(text, KEYS, SERIAL).header == asked
    able = Flags.PIN_REQUIRED | Flags.CONFIRM_EACH_FIELD
    for keys in (KEYS, derive_keys(SERIAL, bytes(32))):
        with pytest.raises(Unsupported, match="cannot do what the flags 1000 ask for: expected 0110 at most"):
            decode(text, keys, SERIAL, flags=able)


def test_other_types_have_other_decoders() -> None:
    """And the sentence names the type."""
    for kind in (MessageType.ACTIVATION, MessageType.ADMIN, MessageType.DEMO):
        text = sealed(b"\0", replace(HEADER, type=kind).pack())
        assert read_header(text).type is kind
        with pytest.raises(Unsupported, match=f"found {kind.value} \\({kind.name.lower()}"):
            decode(text, KEYS, SERIAL)


def test_a_message_too_long_is_refused_before_it_is_opened() -> None:
    """400 bytes is the most that a token has to hold."""
    with pytest.raises(Damaged, match="43 to 400 bytes, found 401"):
        decode(as_text(HEADER.pack() + bytes(375)), KEYS, SERIAL)
    with pytest.raises(Damaged, match="longer than any QR code"):
        decode(b"OTQ1:" + b"0" * 100_000, KEYS, SERIAL)


def test_a_sender_is_told_when_the_text_is_not_normalised() -> None:
    """Nothing is normalised in silence: what the server recorded is what it sends."""
    with pytest.raises(NotEncodable, match="normal form C"):
        encode(replace(CHALLENGE, fields=(Field(Tag.PLACE, unicodedata.normalize("NFD", "Zürich")),)), KEYS)


def test_a_repeated_challenge_id_gives_away_nothing_but_equality() -> None:
    """A server restored from a snapshot repeats itself; the sealed texts must not be comparable part by part."""
    one, other = (
        encode(replace(CHALLENGE, fields=(Field(Tag.SERVICE, value),)), KEYS)
        for value in ("e-Banking A", "e-Banking B")
    )
    first, second = (base45_strict.decode(text[5:].encode())[26:] for text in (one, other))
    assert sum(a == b for a, b in zip(first, second, strict=True)) < len(first) // 4


SHOWN = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")), min_size=1, max_size=8
).map(lambda text: unicodedata.normalize("NFC", text)[:8])


@st.composite
def challenges(draw: st.DrawFn) -> Challenge:
    """Any challenge that may be sent."""
    header = Header(
        draw(st.sampled_from([MessageType.LOGIN, MessageType.TRANSACTION])),
        key_id(SERIAL),
        draw(st.binary(min_size=12, max_size=12)),
        issued_at=draw(st.integers(0, 2**32 - 1)),
        ttl=draw(st.integers(30, 3600)),
        flags=Flags(2 * draw(st.integers(0, 7))),
    )
    tags = draw(st.lists(st.sampled_from([tag for tag in Tag if tag != Tag.CUSTOM]), unique=True, max_size=4))
    fields = [Field(tag, draw(SHOWN)) for tag in sorted(tags)]
    fields += [Field(Tag.CUSTOM, draw(SHOWN), draw(SHOWN)) for _ in range(draw(st.integers(0, 1)))]
    return Challenge(header, tuple(fields))


@given(challenges())
def test_what_is_sent_is_what_arrives(challenge: Challenge) -> None:
    """Any challenge, and as characters of the alphanumeric mode only."""
    text = encode(challenge, KEYS)
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert decode(text, KEYS, SERIAL) == challenge


@given(
    st.one_of(
        st.text(),
        st.binary(),
        st.binary(max_size=500).map(as_text),
        st.binary(max_size=400).map(lambda rest: as_text(HEADER.pack() + rest)),
        st.text("0AZ $%*+-./:", max_size=99).map("OTQ1:".__add__),
    )
)
def test_no_text_made_without_the_key_is_ever_accepted(text: str | bytes) -> None:
    """Random texts end in one of the protocol's own errors."""
    with pytest.raises(Otq1Error):
        decode(text, KEYS, SERIAL)


@given(st.binary(max_size=280))
def test_no_sealed_body_does_more_than_decode_or_be_refused(body: bytes) -> None:
    """Not even a server with the right key makes a token stumble."""
    try:
        challenge = decode(sealed(body), KEYS, SERIAL)
    except Otq1Error:
        return
    assert challenge.body == body
