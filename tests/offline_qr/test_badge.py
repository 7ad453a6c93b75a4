import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given
from hypothesis import strategies as st

from offline_qr import base45_strict
from offline_qr.badge import BadgeError, InsecureBadge, SecureBadge, open_sealed, parse, seal

BADGE_ID = bytes(range(16))
USER_ID = b"user-id-for-ever"
KEY = bytes(range(32))
SECURE = seal(BADGE_ID, USER_ID, KEY)


def badge_text(content: bytes) -> bytes:
    """``content`` as a badge's QR code would carry it."""
    return b"AQB1:" + base45_strict.encode(content).encode()


def test_an_insecure_badge_is_its_18_bytes() -> None:
    """Version, kind and id, and back."""
    assert InsecureBadge(BADGE_ID).text.encode() == badge_text(b"\1\1" + BADGE_ID)
    assert parse(InsecureBadge(BADGE_ID).text.encode()) == InsecureBadge(BADGE_ID)


def test_a_secure_badge_is_sealed_as_documented() -> None:
    """The seal made by hand: nonce the first 12 bytes of the id, associated data the 18 bytes before it."""
    sealed = AESGCMSIV(KEY).encrypt(BADGE_ID[:12], USER_ID, b"\1\2" + BADGE_ID)
    assert SECURE.text.encode() == badge_text(b"\1\2" + BADGE_ID + sealed)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))
def test_a_secure_badge_gives_its_user_back(badge_id: bytes, user_id: bytes, key: bytes) -> None:
    """Sealed, printed, read and opened."""
    badge = parse(seal(badge_id, user_id, key).text.encode())
    assert isinstance(badge, SecureBadge)
    assert (badge.badge_id, open_sealed(badge, key)) == (badge_id, user_id)


def test_another_key_opens_nothing_and_the_sentence_tells_no_secret() -> None:
    """The key of another user, or the same user's after a change of password."""
    with pytest.raises(BadgeError, match="forged, is another user's, or its password has changed") as refused:
        open_sealed(SECURE, bytes(32))
    for secret in (USER_ID.decode(), KEY.hex(), SECURE.text, SECURE.sealed.hex()):
        assert secret not in str(refused.value)


def test_a_sealed_id_moved_to_another_badge_opens_nothing() -> None:
    """A forger holds a valid secure badge and wants another badge id, even one with the same nonce."""
    moved = SecureBadge(BADGE_ID[:12] + bytes(4), SECURE.sealed)
    with pytest.raises(BadgeError, match="not valid"):
        open_sealed(moved, KEY)


def test_every_flipped_bit_is_refused() -> None:
    """No bit of a secure badge is there for nothing, and none turns it into a valid insecure one."""
    content = base45_strict.decode(SECURE.text.removeprefix("AQB1:").encode())
    for bit in range(len(content) * 8):
        flipped = (int.from_bytes(content) ^ 1 << bit).to_bytes(len(content))
        with pytest.raises(BadgeError):
            open_and_parse(badge_text(flipped))


def test_every_flipped_bit_of_the_text_is_refused() -> None:
    """A reader's mistake in the text, prefix and all, is no other badge."""
    text = SECURE.text.encode()
    for bit in range(len(text) * 8):
        with pytest.raises(BadgeError):
            open_and_parse((int.from_bytes(text) ^ 1 << bit).to_bytes(len(text)))


def test_every_cut_badge_is_refused() -> None:
    """At whatever character the picture ends."""
    for text in (SECURE.text.encode(), InsecureBadge(BADGE_ID).text.encode()):
        for end in range(len(text)):
            with pytest.raises(BadgeError):
                parse(text[:end])


def open_and_parse(text: bytes) -> bytes:
    """What a server does with a badge that should be secure."""
    badge = parse(text)
    assert isinstance(badge, SecureBadge)
    return open_sealed(badge, KEY)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "no badge"),
        (b"https://example.org/", "no badge"),
        (b"aqb1:" + SECURE.text[5:].encode(), "no badge"),
        (b" " + SECURE.text.encode(), "no badge"),
        (b"AQB1:", "unknown badge version: expected 1, found none"),
        (SECURE.text.encode() + b"\n", "damaged"),
        (SECURE.text.encode() + b" ", "damaged"),
        (SECURE.text.encode().lower().replace(b"aqb1", b"AQB1"), "damaged"),
        (SECURE.text.encode() + b"0" * 3000, "damaged"),
        (badge_text(b"\1"), "unknown kind of badge: .* found 0"),
        (badge_text(b"\2\1" + BADGE_ID), "unknown badge version: expected 1, found 02"),
        (badge_text(b"\1\3" + BADGE_ID), "unknown kind of badge: .* found 3"),
        (badge_text(b"\1\1" + BADGE_ID + b"\0"), "18 bytes, found 19"),
        (badge_text(b"\1\1" + BADGE_ID + SECURE.sealed), "18 bytes, found 50"),
        (badge_text(b"\1\2" + BADGE_ID), "50 bytes, found 18"),
    ],
)
def test_what_is_no_badge_is_refused_with_a_reason(text: bytes, sentence: str) -> None:
    """The scanner's screen can say what it saw."""
    with pytest.raises(BadgeError, match=sentence):
        parse(text)


def test_values_of_the_wrong_length_make_no_badge() -> None:
    """Also where a caller has mixed up its arguments."""
    for badge_id, user_id, key in ((b"short", USER_ID, KEY), (BADGE_ID, b"alice", KEY), (BADGE_ID, USER_ID, bytes(16))):
        with pytest.raises(BadgeError, match="found"):
            seal(badge_id, user_id, key)
    with pytest.raises(BadgeError, match="16 bytes, found 3"):
        InsecureBadge(b"abc")
    with pytest.raises(BadgeError, match="32 bytes, found 3"):
        SecureBadge(BADGE_ID, b"abc")
    with pytest.raises(BadgeError, match="32 bytes, found 31"):
        open_sealed(SECURE, KEY[:31])


def test_a_secure_badge_does_not_print_what_it_takes_to_log_in() -> None:
    """A badge in a log line is no copy of the badge."""
    assert repr(SECURE.sealed) not in repr(SECURE)


@given(
    st.one_of(
        st.binary(max_size=120), st.binary(max_size=60).map(badge_text), st.binary(max_size=60).map(b"AQB1:".__add__)
    )
)
def test_any_bytes_are_a_badge_or_refused(data: bytes) -> None:
    """And a badge has one text only."""
    try:
        badge = parse(data)
    except BadgeError:
        return
    assert badge.text.encode() == data
