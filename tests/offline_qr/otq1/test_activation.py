from dataclasses import replace

import oath  # type: ignore[import-untyped] # oath ships no types
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_qr import base45_strict
from offline_qr.otq1 import (
    Account,
    Activation,
    BadSignature,
    Damaged,
    Flags,
    Header,
    MessageType,
    NotEncodable,
    NotForThisToken,
    Otq1Error,
    Profile,
    Secrets,
    Unsupported,
    WrongActivationCode,
    activate_by_code,
    activate_by_hpke,
    activate_preseeded,
    decode_activation,
    derive_keys,
    encode_activation,
    key_id,
    make_activation_code,
    read_profile,
)

SERIAL = "QT1-00000042"
SEED = bytes(range(32))
FACTORY_KEY = bytes(range(64, 96))
FACTORY_PUBLIC_KEY = X25519PrivateKey.from_private_bytes(FACTORY_KEY).public_key().public_bytes_raw()
SIGNING_KEY = bytes(range(96, 128))
VERIFY_KEY = Ed25519PrivateKey.from_private_bytes(SIGNING_KEY).public_key().public_bytes_raw()
CODE = make_activation_code("1234567890123456")
HEADER = Header(MessageType.ACTIVATION, key_id(SERIAL), bytes(12), 1_767_225_600, 600)
ACCOUNT = Account("e-Banking Zürich", VERIFY_KEY)
SECRETS = Secrets(seed=SEED, factory_key=FACTORY_KEY, typed_code=CODE)


def activate(profile: Profile, header: Header = HEADER) -> Activation:
    """An activation by each profile's own way."""
    if profile is Profile.PRESEEDED:
        return activate_preseeded(header, SERIAL, SEED, ACCOUNT)
    if profile is Profile.HPKE:
        return activate_by_hpke(header, SERIAL, SEED, ACCOUNT, FACTORY_PUBLIC_KEY)
    return activate_by_code(header, SERIAL, CODE, bytes(range(16)), ACCOUNT)


def message_of(text: str) -> bytes:
    """The bytes that ``text`` carries."""
    return base45_strict.decode(text.removeprefix("OTQ1:").encode())


def as_text(message: bytes) -> str:
    """``message`` as its QR code would carry it."""
    return "OTQ1:" + base45_strict.encode(message)


@pytest.mark.parametrize("profile", Profile)
def test_both_sides_end_with_one_seed_and_one_code(profile: Profile) -> None:
    """The code, by the PyPI package ``oath``, is what the token shows and the server expects."""
    sent = activate(profile)
    text = encode_activation(sent)
    assert read_profile(text, SERIAL) is profile
    read = decode_activation(text, SERIAL, SECRETS)
    assert read == sent
    assert read.account == ACCOUNT
    assert (read.seed is None) == (profile is Profile.PRESEEDED)
    assert derive_keys(SERIAL, read.seed or SEED) == sent.keys
    plain = oath.str2ocrasuite("OCRA-1:HOTP-SHA256-8:QH64")(sent.keys.ocra_admin, Q=sent.question)
    assert read.compute_code() == plain


@pytest.mark.parametrize("profile", [Profile.PRESEEDED, Profile.HPKE])
def test_every_flipped_bit_is_refused(profile: Profile) -> None:
    """Header, profile, key or seal."""
    data = message_of(encode_activation(activate(profile)))
    for bit in range(len(data) * 8):
        flipped = (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))
        with pytest.raises(Otq1Error):
            decode_activation(as_text(flipped), SERIAL, replace(SECRETS, typed_code=None))


def test_a_flipped_bit_of_an_activation_by_code_is_refused() -> None:
    """One bit in each part, as each try takes a tenth of a second: time of issue, salt, seal, tag."""
    data = message_of(encode_activation(activate(Profile.CODE)))
    for at in (21, 27, 45, len(data) - 1):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(WrongActivationCode):
            decode_activation(as_text(flipped), SERIAL, SECRETS)


@pytest.mark.parametrize("profile", Profile)
def test_every_cut_is_refused(profile: Profile) -> None:
    """At whatever byte the message ends."""
    data = message_of(encode_activation(activate(profile)))
    secrets = replace(SECRETS, typed_code="no code: a message that is cut too far must not even get so far")
    for end in range(len(data)):
        with pytest.raises((Damaged, WrongActivationCode)):
            decode_activation(as_text(data[:end]), SERIAL, secrets)


def test_another_tokens_secrets_open_nothing() -> None:
    """And the sentence fits the profile."""
    others = Secrets(bytes(32), bytes(32), make_activation_code("6543210987654321"))
    for profile, error in (
        (Profile.PRESEEDED, Damaged),
        (Profile.HPKE, Damaged),
        (Profile.CODE, WrongActivationCode),
    ):
        with pytest.raises(error):
            decode_activation(encode_activation(activate(profile)), SERIAL, others)


def test_a_token_without_the_secret_cannot_do_it() -> None:
    """The sentence names what it lacks."""
    for profile, name in ((1, "seed"), (2, "factory key"), (3, "activation code")):
        with pytest.raises(Unsupported, match=f"needs a token with a {name}"):
            decode_activation(encode_activation(activate(Profile(profile))), SERIAL, Secrets())


def test_a_mistyped_code_is_told_before_the_long_computation() -> None:
    """By its check digit."""
    text = encode_activation(activate(Profile.CODE))
    with pytest.raises(WrongActivationCode, match="mistyped"):
        decode_activation(text, SERIAL, Secrets(typed_code="1" * 17))


def test_another_token_or_profile_is_refused() -> None:
    """An unknown profile is one of tomorrow."""
    text = encode_activation(activate(Profile.HPKE))
    with pytest.raises(NotForThisToken):
        decode_activation(text, "QT1-00000043", SECRETS)
    data = bytearray(message_of(text))
    for profile in (0, 4):
        data[26] = profile
        with pytest.raises(Unsupported, match=f"unknown activation profile: expected 1 to 3, found {profile}"):
            read_profile(as_text(bytes(data)), SERIAL)


def test_an_activation_can_be_signed_where_the_maker_put_a_key_in() -> None:
    """Then nobody else activates the token."""
    header = replace(HEADER, flags=Flags.SIGNED)
    sent = activate(Profile.HPKE, header)
    text = encode_activation(sent, SIGNING_KEY)
    assert read_profile(text, SERIAL) is Profile.HPKE
    assert decode_activation(text, SERIAL, SECRETS, verify_key=VERIFY_KEY) == sent
    with pytest.raises(BadSignature):
        decode_activation(encode_activation(activate(Profile.HPKE)), SERIAL, SECRETS, verify_key=VERIFY_KEY)


def test_what_an_account_holds() -> None:
    """A label to show, and perhaps the server's key."""
    assert Account("A").pack() == b"\0\1A"
    assert ACCOUNT.pack() == b"\x20" + VERIFY_KEY + b"\x11e-Banking Z\xc3\xbcrich"
    for wrong in ({"label": ""}, {"label": "a\u202eb"}, {"label": "x" * 41}, {"verify_key": b"short"}):
        with pytest.raises(NotEncodable, match="found"):
            replace(ACCOUNT, **wrong)


@pytest.mark.parametrize(
    ("plain", "sentence"),
    [
        (b"\1k\1A", "0 or 32 bytes, found 1"),
        (b"\0\1A!", "expected no bytes more, found 1"),
        (b"\0\1\n", "hidden"),
        (b"\0\0", "1 to 40 bytes"),
        (b"\x20" + bytes(31) + b"\1A", "is cut"),
    ],
)
def test_a_seal_excuses_no_bad_account(plain: bytes, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token does not trust its server to know the rules."""
    monkeypatch.setattr(Account, "pack", lambda _account: plain)
    with pytest.raises(Damaged, match=sentence):
        decode_activation(encode_activation(activate(Profile.HPKE)), SERIAL, SECRETS)


def test_nothing_of_a_seed_is_printed() -> None:
    """Not even by an activation that is logged."""
    assert "seed" not in repr(activate(Profile.HPKE))
    assert repr(SECRETS) == "Secrets()"


def test_only_an_activation_header_activates() -> None:
    """The sender hears of it."""
    with pytest.raises(NotEncodable, match="found 1"):
        activate(Profile.PRESEEDED, replace(HEADER, type=MessageType.LOGIN))


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_no_bytes_pass_for_an_activation(data: bytes) -> None:
    """Behind a good header."""
    with pytest.raises(Otq1Error):
        decode_activation(as_text(HEADER.pack() + data), SERIAL, replace(SECRETS, typed_code="1"))
