"""Challenges: what a server asks, sealed to one token, and the signature and TAN that answer it.

``lseqr://chal/`` + base64url of ``version 1 | token id (4) | ephemeral public key (32) | AES-128-EAX of (content type |
flags | transaction id (8) | [server's signature (32)] | data)``, little-endian. ``data`` is ``message | 0 | [URL | 0] |
[SMS number | 0]``, compressed with zlib where the flag says so.
"""

import hmac
import zlib
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from offline_qr import eax
from offline_qr.hotp import truncate
from offline_qr.lseqr import wire
from offline_qr.lseqr.errors import Damaged, NotEncodable, NotForThisToken, NotOurs, Unsupported
from offline_qr.reader import Reader

CHALLENGE_PREFIX = "lseqr://chal/"
MAX_MESSAGE_BYTES = 511
MAX_PAIR_MESSAGE_BYTES = 63
MAX_URL_BYTES = 511
MAX_SMS_BYTES = 31
SIGNATURE_BYTES = 32
DEFAULT_DIGITS = 8
_VERSION = 1
_MAX_DATA_BYTES = MAX_MESSAGE_BYTES + MAX_URL_BYTES + MAX_SMS_BYTES + 3


class ContentType(IntEnum):
    """What the message is."""

    FREE = 0
    """Any text, such as a payment."""
    PAIR = 1
    """The serial that the token is to be known by: the last step of pairing."""
    AUTH = 2
    """``login@server``."""


_CONTENT_TYPES = frozenset(ContentType)


class _Flags(IntFlag):
    COMPRESSED = 1
    URL = 2
    SMS = 4
    SIGNED = 8
    RESET_URL = 16


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks.

    Raises:
        NotEncodable: a value is out of range.
        Unsupported: an unknown content type.
    """

    content_type: ContentType
    transaction_id: int
    """The server's number, 0 to 2^64-1."""
    message: str
    """Up to 511 bytes of UTF-8, for PAIR up to 63. Shown as it is, after the token's own checks of characters."""
    url: str | None = None
    """Where to send the signature to."""
    sms: str | None = None
    reset_url: bool = False
    """``url`` replaces the one that the token keeps."""
    signed: bool = False
    """Whether the server signs it. LinOTP does so for PAIR and ``reset_url`` only."""
    compressed: bool = False

    def __post_init__(self) -> None:
        if self.content_type not in _CONTENT_TYPES:
            raise Unsupported(f"unknown content type: expected 0 to 2, found {self.content_type}")
        if not 0 <= self.transaction_id < 2**64:
            raise NotEncodable(f"the transaction id is 0 to 2^64-1, found {self.transaction_id}")
        if (self.content_type is ContentType.PAIR or self.reset_url) and not self.signed:
            raise NotEncodable("pairing, and another URL, are signed by the server: expected a signature, found none")
        self.pack_data()

    def pack_head(self) -> bytes:
        """Content type, flags and transaction id."""
        flags = _Flags(0)
        for flag, here in (
            (_Flags.COMPRESSED, self.compressed),
            (_Flags.URL, self.url is not None),
            (_Flags.SMS, self.sms is not None),
            (_Flags.SIGNED, self.signed),
            (_Flags.RESET_URL, self.reset_url),
        ):
            flags |= flag if here else _Flags(0)
        return bytes([self.content_type, flags]) + self.transaction_id.to_bytes(8, "little")

    def pack_data(self) -> bytes:
        """The texts, uncompressed."""
        most = MAX_PAIR_MESSAGE_BYTES if self.content_type is ContentType.PAIR else MAX_MESSAGE_BYTES
        data = wire.pack_text("message", self.message, most)
        if self.url is not None:
            data += wire.pack_text("URL", self.url, MAX_URL_BYTES)
        if self.sms is not None:
            data += wire.pack_text("SMS number", self.sms, MAX_SMS_BYTES)
        return data


@dataclass(frozen=True, slots=True)
class Exchange:
    """A challenge with its answer: what ``issue`` gives the server and ``read`` gives the token."""

    challenge: Challenge
    user_signature: bytes = field(repr=False)
    """32 bytes; the answer, from which the TAN is made."""

    @property
    def signed(self) -> bool:
        """Whether the challenge proves to come from the server. If not, a strict token warns its user."""
        return self.challenge.signed

    @property
    def signature_text(self) -> str:
        """The answer for a token that is online, in base64url."""
        return wire.encode(self.user_signature)

    def tan(self, digits: int = DEFAULT_DIGITS) -> str:
        """The answer to type: HOTP's truncation (RFC 4226 §5.3) of the signature. Compare in constant time."""
        return truncate(self.user_signature, digits)


def issue(
    challenge: Challenge, *, user_token_id: int, user_public_key: bytes, server_key: bytes, ephemeral_key: bytes
) -> tuple[str, Exchange]:
    """The server's side: the text of the QR code, and the exchange to keep until the answer comes.

    Args:
        challenge: what to ask.
        user_token_id: from the pairing response.
        user_public_key: from the pairing response.
        server_key: the server's X25519 private key, which signs where the challenge is signed.
        ephemeral_key: an X25519 private key, 32 random bytes, for this challenge only.

    Raises:
        NotEncodable: the token id is out of range.
        Damaged: the user's public key is no good one.
    """
    if not 0 <= user_token_id < 2**32:
        raise NotEncodable(f"the token id is 0 to 2^32-1, found {user_token_id}")
    keys = wire.MessageKeys(wire.agree(ephemeral_key, user_public_key))
    data = challenge.pack_data()
    sent = zlib.compress(data, 9) if challenge.compressed else data
    signed = keys.challenge_nonce + challenge.pack_head()
    signature = _mac(wire.agree(server_key, user_public_key), signed + sent) if challenge.signed else b""
    head = bytes([_VERSION]) + user_token_id.to_bytes(4, "little")
    sealed = eax.seal(keys.seal_key, keys.challenge_nonce, challenge.pack_head() + signature + sent, head)
    text = CHALLENGE_PREFIX + wire.encode(head + wire.public_key(ephemeral_key) + sealed)
    return text, Exchange(challenge, _mac(keys.sign_key, signed + signature + data))


def read(text: str | bytes, *, user_token_id: int, user_key: bytes, server_public_key: bytes) -> Exchange:
    """The token's side: the challenge in ``text`` and its answer.

    Args:
        text: what the QR decoder read, untouched.
        user_token_id: the token's number for this pairing.
        user_key: its X25519 private key for it, 32 bytes.
        server_public_key: the server's, from the pairing code.

    Raises:
        NotOurs: another code.
        Unsupported: a version, content type or flag that this implementation does not know.
        NotForThisToken: it names another pairing; nothing was decrypted.
        Damaged: anything else that is wrong with it, such as a signature that is not the server's.
    """
    text = wire.as_text(text)
    if not text.startswith(CHALLENGE_PREFIX):
        raise NotOurs(f"this is another code: expected a text that starts with {CHALLENGE_PREFIX}")
    reader = Reader("challenge", wire.decode(text.removeprefix(CHALLENGE_PREFIX)), Damaged)
    head = reader.take(1)
    if head[0] != _VERSION:
        raise Unsupported(f"unknown version: expected {_VERSION}, found {head[0]}")
    head += reader.take(4)
    if int.from_bytes(head[1:], "little") != user_token_id:
        raise NotForThisToken("this challenge is for another pairing")
    keys = wire.MessageKeys(wire.agree(user_key, reader.take(wire.KEY_BYTES)))
    try:
        plain = eax.open_sealed(keys.seal_key, keys.challenge_nonce, reader.rest(), head)
    except eax.EaxBrokenError:
        raise Damaged("the seal is broken: the challenge was changed, or is for another key") from None
    content = Reader("challenge", plain, Damaged)
    pt_head = content.take(10)
    flags = _check_flags(pt_head)
    signature = content.take(SIGNATURE_BYTES) if flags & _Flags.SIGNED else b""
    sent = content.rest()
    signed = keys.challenge_nonce + pt_head
    if signature and not hmac.compare_digest(signature, _mac(wire.agree(user_key, server_public_key), signed + sent)):
        raise Damaged("the signature is not by the server of this pairing")
    data = _decompress(sent) if flags & _Flags.COMPRESSED else sent
    return Exchange(_parse(pt_head, flags, data), _mac(keys.sign_key, signed + signature + data))


def _check_flags(pt_head: bytes) -> int:
    if pt_head[0] not in _CONTENT_TYPES:
        raise Unsupported(f"unknown content type: expected 0 to 2, found {pt_head[0]}")
    if pt_head[1] & ~sum(_Flags):
        raise Unsupported(f"unknown flags: expected bits 0 to 4, found {pt_head[1]:08b}")
    return pt_head[1]


def _parse(pt_head: bytes, flags: int, data: bytes) -> Challenge:
    reader = Reader("challenge", data, Damaged)
    content_type = ContentType(pt_head[0])
    most = MAX_PAIR_MESSAGE_BYTES if content_type is ContentType.PAIR else MAX_MESSAGE_BYTES
    try:
        challenge = Challenge(
            content_type=content_type,
            transaction_id=int.from_bytes(pt_head[2:], "little"),
            message=reader.text_before_zero("message", most),
            url=reader.text_before_zero("URL", MAX_URL_BYTES) if flags & _Flags.URL else None,
            sms=reader.text_before_zero("SMS number", MAX_SMS_BYTES) if flags & _Flags.SMS else None,
            reset_url=bool(flags & _Flags.RESET_URL),
            signed=bool(flags & _Flags.SIGNED),
            compressed=bool(flags & _Flags.COMPRESSED),
        )
    except NotEncodable as error:
        raise Damaged(str(error)) from None
    reader.end()
    return challenge


def _decompress(data: bytes) -> bytes:
    """At most as many bytes as a challenge may have: a few compressed ones can stand for gigabytes."""
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(data, _MAX_DATA_BYTES + 1)
    except zlib.error:
        raise Damaged("the compressed texts cannot be read") from None
    if not stream.eof or stream.unused_data or len(plain) > _MAX_DATA_BYTES:
        raise Damaged(f"the compressed texts are cut, or have more than {_MAX_DATA_BYTES} bytes")
    return plain


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
