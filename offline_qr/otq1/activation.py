"""Activation of a token (type 3), in three profiles, and the code that proves that token and server have one seed.

``content = profile (1) | ...``, where an account is ``length (1: 0 or 32) | server's Ed25519 public key | length (1) |
label``:

=======  ======================  =================================================================
profile  the seed                after the profile byte
=======  ======================  =================================================================
1 (A)    came with the token     sealed account
2 (B)    is sent under HPKE      encapsulated key (32) | HPKE ciphertext of seed (32) | account
3 (C)    is made from a letter   salt (16) | sealed account
=======  ======================  =================================================================

Seals of A and C are those of every OTQ1 body, with the content before them added to the associated data. HPKE is
RFC 9180 in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; info is ``"OTQ1 activation" | 0x00 | header |
profile``, associated data empty. Base mode does not say who sent a seed: a token takes one only while it has none, after
its user agreed, and the server counts it as activated only after the confirmation code.

The account's public key, where there is one, is that of the server: from then on the token takes signed messages only.
"""

import hashlib
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from offline_qr import gcm_siv
from offline_qr.otq1 import envelope, seal
from offline_qr.otq1.activation_code import SALT_BYTES, seed_from_code
from offline_qr.otq1.body import MAX_LABEL_BYTES, check_text
from offline_qr.otq1.challenge import DOMAINS
from offline_qr.otq1.errors import Damaged, NotEncodable, Unsupported, WrongActivationCode
from offline_qr.otq1.header import Header, MessageType
from offline_qr.otq1.keys import SEED_BYTES, Keys, derive_keys
from offline_qr.reader import Reader

_Secret = TypeVar("_Secret", bytes, str)

HPKE_DOMAIN = b"OTQ1 activation\0"
HPKE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
"""RFC 9180 suite 0x0020, 0x0001, 0x0002."""
_LEAST = 1 + 3 + gcm_siv.TAG_BYTES


class Profile(IntEnum):
    """Where the seed comes from."""

    PRESEEDED = 1
    """A: both have it: the server imported it from the maker's file."""
    HPKE = 2
    """B: the server makes it and encrypts it to the token's factory key."""
    CODE = 3
    """C: both make it from a code that a letter brought."""


_PROFILES = frozenset(Profile)


@dataclass(frozen=True, slots=True)
class Account:
    """What a token keeps beside a seed.

    Raises:
        NotEncodable: the label is empty, too long or has hidden characters, or the key has not 32 bytes.
    """

    label: str
    """The server's name for the account, to show: 1 to 40 bytes of UTF-8."""
    verify_key: bytes | None = None
    """The server's Ed25519 public key, 32 bytes: then only signed messages count. Or None."""

    def __post_init__(self) -> None:
        check_text("label", self.label, MAX_LABEL_BYTES)
        if self.verify_key is not None and len(self.verify_key) != envelope.VERIFY_KEY_BYTES:
            raise NotEncodable(f"a server's key has {envelope.VERIFY_KEY_BYTES} bytes, found {len(self.verify_key)}")

    def pack(self) -> bytes:
        """The bytes that are sealed."""
        key, label = self.verify_key or b"", self.label.encode()
        return bytes([len(key)]) + key + bytes([len(label)]) + label


@dataclass(frozen=True, slots=True)
class Activation:
    """One activation, as both sides know it once it is made or read."""

    header: Header
    profile: Profile
    account: Account
    keys: Keys = field(repr=False)
    seed: bytes | None = field(repr=False)
    """The new seed, 32 bytes; None under profile A, where the token has it."""
    content: bytes = field(repr=False)
    """What followed the header, without the signature; the confirmation code is over it."""

    @property
    def question(self) -> str:
        """The OCRA question, 64 hex digits: SHA-256 over domain, header and content as sent."""
        return hashlib.sha256(DOMAINS[MessageType.ACTIVATION] + self.header.pack() + self.content).hexdigest()

    def compute_code(self) -> str:
        """The 8 digits that prove to the server that the token has the seed."""
        return self.header.ocra_suite.compute(self.keys.ocra_admin, self.question)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a token has to read an activation with. What it lacks is None, and messages that need it are unsupported."""

    seed: bytes | None = field(default=None, repr=False)
    """Profile A: the seed that it has."""
    factory_key: bytes | None = field(default=None, repr=False)
    """Profile B: its X25519 private key, 32 bytes."""
    typed_code: str | None = field(default=None, repr=False)
    """Profile C: the activation code, as the user typed it."""


def activate_preseeded(header: Header, serial: str, seed: bytes, account: Account) -> Activation:
    """Profile A, the server's side: tell a token whose seed was imported that it is in use now.

    Raises:
        NotEncodable: the header is of another type.
    """
    keys = derive_keys(serial, seed)
    before = _before(header, Profile.PRESEEDED)
    content = before + seal.seal(header, account.pack(), keys, before)
    return Activation(header, Profile.PRESEEDED, account, keys, None, content)


def activate_by_hpke(header: Header, serial: str, seed: bytes, account: Account, factory_key: bytes) -> Activation:
    """Profile B, the server's side: send ``seed`` (32 random bytes) to the token whose public key is ``factory_key``.

    The encapsulated key is drawn from the system's random source, so no two results are alike.

    Raises:
        NotEncodable: the header is of another type.
        ValueError: the seed or the key has not 32 bytes.
    """
    keys = derive_keys(serial, seed)
    before = _before(header, Profile.HPKE)
    public_key = X25519PublicKey.from_public_bytes(factory_key)
    content = before + HPKE.encrypt(seed + account.pack(), public_key, _hpke_info(header))
    return Activation(header, Profile.HPKE, account, keys, seed, content)


def activate_by_code(header: Header, serial: str, code: str, salt: bytes, account: Account) -> Activation:
    """Profile C, the server's side: agree on a seed through ``code``, which a letter brings, and ``salt`` (16 bytes).

    Takes 64 MiB and about a tenth of a second.

    Raises:
        NotEncodable: the header is of another type.
        WrongActivationCode: ``code`` is none.
        ValueError: the salt has another length.
    """
    seed = seed_from_code(serial, code, salt)
    keys = derive_keys(serial, seed)
    before = _before(header, Profile.CODE) + salt
    content = before + seal.seal(header, account.pack(), keys, before)
    return Activation(header, Profile.CODE, account, keys, seed, content)


def encode_activation(activation: Activation, signing_key: bytes | None = None) -> str:
    """The text of the QR code.

    Raises:
        NotEncodable: flag and signing key do not go together, or the message has more than 400 bytes.
    """
    return envelope.wrap(activation.header, activation.content, signing_key)


def read_profile(text: str | bytes, token: str | bytes) -> Profile:
    """The profile of the activation in ``text``, so that a token knows whether to ask for a code. It proves nothing.

    Raises:
        NotOurs, Unsupported, NotForThisToken, Damaged: as ``decode_activation``.
    """
    return _profile(envelope.peek(text, token, (MessageType.ACTIVATION,), _LEAST)[1][0])


def decode_activation(
    text: str | bytes, serial: str, secrets: Secrets, *, verify_key: bytes | None = None
) -> Activation:
    """The activation that ``text`` carries, opened with what the token has.

    Args:
        text: what the QR decoder read, untouched.
        serial: the token's.
        secrets: what it has to open it with.
        verify_key: the server's Ed25519 public key where the maker put one in; then unsigned messages are refused.

    Raises:
        NotOurs, NotForThisToken: as ``decode``.
        Unsupported: as ``decode``; an unknown profile; or a profile for which the token lacks the secret.
        WrongActivationCode: under profile C, the code or the message is another one.
        Damaged: anything else that is wrong with it.
    """
    header, content = envelope.unwrap(text, serial, (MessageType.ACTIVATION,), _LEAST, verify_key)
    profile = _profile(content[0])
    if profile is Profile.PRESEEDED:
        keys = derive_keys(serial, _have(secrets.seed, "seed"))
        plain = seal.open_sealed(header, content[1:], keys, content[:1])
        return Activation(header, profile, _parse_account(Reader("account", plain, Damaged)), keys, None, content)
    if profile is Profile.HPKE:
        plain = _open_hpke(header, content[1:], _have(secrets.factory_key, "factory key"))
        reader = Reader("activation", plain, Damaged)
        seed = reader.take(SEED_BYTES)
        account = _parse_account(reader)
        return Activation(header, profile, account, derive_keys(serial, seed), seed, content)
    if len(content) < _LEAST + SALT_BYTES:
        raise Damaged(f"an activation by code has {_LEAST + SALT_BYTES} bytes of content or more, found {len(content)}")
    salt = content[1 : 1 + SALT_BYTES]
    seed = seed_from_code(serial, _have(secrets.typed_code, "activation code"), salt)
    keys = derive_keys(serial, seed)
    try:
        plain = seal.open_sealed(header, content[1 + SALT_BYTES :], keys, content[: 1 + SALT_BYTES])
    except Damaged:
        raise WrongActivationCode("the activation code does not belong to this message, or it was changed") from None
    return Activation(header, profile, _parse_account(Reader("account", plain, Damaged)), keys, seed, content)


def _before(header: Header, profile: Profile) -> bytes:
    if header.type is not MessageType.ACTIVATION:
        raise NotEncodable(f"an activation has type {MessageType.ACTIVATION}, found {header.type}")
    return bytes([profile])


def _profile(number: int) -> Profile:
    if number not in _PROFILES:
        raise Unsupported(f"unknown activation profile: expected 1 to {len(_PROFILES)}, found {number}")
    return Profile(number)


def _have(secret: _Secret | None, name: str) -> _Secret:
    if secret is None:
        raise Unsupported(f"this activation needs a token with a {name}: expected one, found none")
    return secret


def _hpke_info(header: Header) -> bytes:
    return HPKE_DOMAIN + header.pack() + bytes([Profile.HPKE])


def _open_hpke(header: Header, sealed: bytes, factory_key: bytes) -> bytes:
    try:
        return HPKE.decrypt(sealed, X25519PrivateKey.from_private_bytes(factory_key), _hpke_info(header))
    except (InvalidTag, ValueError):
        raise Damaged("the seed cannot be read: it was changed, or encrypted to another token's key") from None


def _parse_account(reader: Reader) -> Account:
    size = reader.number()
    if size not in {0, envelope.VERIFY_KEY_BYTES}:
        raise Damaged(f"a server's key has 0 or {envelope.VERIFY_KEY_BYTES} bytes, found {size}")
    key = reader.take(size) or None
    try:
        account = Account(reader.text_after_length(), key)
    except NotEncodable as error:
        raise Damaged(str(error)) from None
    reader.end()
    return account
