"""Pairing: the server's URL, and the token's answer, which is sealed to the server.

``lseqr://pair/`` + base64url of ``version 2 | type 2 | flags (4) | partition (4) | server's X25519 public key (32) |
serial | 0 | ...``, little-endian, then whatever the flags name: callback URL, callback SMS number, digits, hash. The
answer is ``version 1 | partition (4) | ephemeral public key (32) | AES-128-EAX of (type 2 | token id (4) | token's public
key (32) | serial | 0 | login | 0)``. Which bytes the flags of the URL mean was read in LinOTP's source, not verified live.
"""

from dataclasses import dataclass
from enum import IntFlag

from offline_qr import eax
from offline_qr.lseqr import wire
from offline_qr.lseqr.errors import Damaged, NotEncodable, NotOurs, Unsupported
from offline_qr.reader import Reader

PAIRING_PREFIX = "lseqr://pair/"
MAX_SERIAL_BYTES = 63
MAX_URL_BYTES = 511
MAX_SMS_BYTES = 31
MAX_LOGIN_BYTES = 255
DIGITS = range(6, 13)
_URL_VERSION = 2
_RESPONSE_VERSION = 1
_TOKEN_TYPE = 2
_MAX_UINT32 = 2**32 - 1


class _Flags(IntFlag):
    PUBLIC_KEY = 1
    SERIAL = 2
    CALLBACK_URL = 4
    CALLBACK_SMS = 8
    DIGITS = 16
    HASH = 32


_ALWAYS = _Flags.PUBLIC_KEY | _Flags.SERIAL


@dataclass(frozen=True, slots=True)
class PairingUrl:
    """What the server's pairing code says.

    Raises:
        NotEncodable: a value is out of range.
    """

    partition: int
    """The server's key space, 0 to 2^32-1."""
    server_public_key: bytes
    """X25519, 32 bytes."""
    serial: str
    callback_url: str | None = None
    callback_sms: str | None = None
    digits: int | None = None
    """6 to 12; None is 8."""
    hash_id: int | None = None
    """LinOTP's number of a hash; nothing here depends on it."""

    def __post_init__(self) -> None:
        self._pack()

    @property
    def text(self) -> str:
        """What the QR code says."""
        return PAIRING_PREFIX + wire.encode(self._pack())

    def _pack(self) -> bytes:
        _check_range("partition", self.partition, range(_MAX_UINT32 + 1))
        if len(self.server_public_key) != wire.KEY_BYTES:
            raise NotEncodable(f"a public key has {wire.KEY_BYTES} bytes, found {len(self.server_public_key)}")
        flags, optional = _ALWAYS, b""
        if self.callback_url is not None:
            flags |= _Flags.CALLBACK_URL
            optional += wire.pack_text("callback URL", self.callback_url, MAX_URL_BYTES)
        if self.callback_sms is not None:
            flags |= _Flags.CALLBACK_SMS
            optional += wire.pack_text("callback number", self.callback_sms, MAX_SMS_BYTES)
        if self.digits is not None:
            flags |= _Flags.DIGITS
            optional += bytes([_check_range("number of digits", self.digits, DIGITS)])
        if self.hash_id is not None:
            flags |= _Flags.HASH
            optional += bytes([_check_range("hash id", self.hash_id, range(256))])
        fixed = bytes([_URL_VERSION, _TOKEN_TYPE]) + flags.to_bytes(4, "little") + self.partition.to_bytes(4, "little")
        serial = wire.pack_text("serial", self.serial, MAX_SERIAL_BYTES)
        return fixed + self.server_public_key + serial + optional


def parse_pairing_url(text: str | bytes) -> PairingUrl:
    """The pairing code that reads ``text``. Nothing in it is proven: the user must have it from the server.

    Raises:
        NotOurs: another code.
        Unsupported: a version, token type or flag that this implementation does not know.
        Damaged: anything else that is wrong with it.
    """
    text = wire.as_text(text)
    if not text.startswith(PAIRING_PREFIX):
        raise NotOurs(f"this is another code: expected a text that starts with {PAIRING_PREFIX}")
    reader = Reader("pairing code", wire.decode(text.removeprefix(PAIRING_PREFIX)), Damaged)
    _expect("version", reader.number(), _URL_VERSION)
    _expect("token type", reader.number(), _TOKEN_TYPE)
    flags = reader.number(4, "little")
    if flags & ~sum(_Flags) or flags & _ALWAYS != _ALWAYS:
        raise Unsupported(f"unknown flags: expected bits 0 and 1, perhaps 2 to 5, found {flags:b}")
    try:
        url = PairingUrl(
            partition=reader.number(4, "little"),
            server_public_key=reader.take(wire.KEY_BYTES),
            serial=reader.text_before_zero("serial", MAX_SERIAL_BYTES),
            callback_url=reader.text_before_zero("callback URL", MAX_URL_BYTES)
            if flags & _Flags.CALLBACK_URL
            else None,
            callback_sms=reader.text_before_zero("callback number", MAX_SMS_BYTES)
            if flags & _Flags.CALLBACK_SMS
            else None,
            digits=reader.number() if flags & _Flags.DIGITS else None,
            hash_id=reader.number() if flags & _Flags.HASH else None,
        )
    except NotEncodable as error:
        raise Damaged(str(error)) from None
    reader.end()
    return url


@dataclass(frozen=True, slots=True)
class PairingResponse:
    """What a token tells the server about itself.

    Raises:
        NotEncodable: a value is out of range.
    """

    partition: int
    user_token_id: int
    """The token's own number for this pairing; challenges name it. 0 to 2^32-1."""
    user_public_key: bytes
    """X25519, 32 bytes. It is a secret of sorts: see ``Exchange.signed``."""
    serial: str
    login: str

    def __post_init__(self) -> None:
        _check_range("partition", self.partition, range(_MAX_UINT32 + 1))
        if len(self.user_public_key) != wire.KEY_BYTES:
            raise NotEncodable(f"a public key has {wire.KEY_BYTES} bytes, found {len(self.user_public_key)}")
        self.pack()

    def pack(self) -> bytes:
        """The bytes that are sealed."""
        number = _check_range("token id", self.user_token_id, range(_MAX_UINT32 + 1))
        texts = wire.pack_text("serial", self.serial, MAX_SERIAL_BYTES) + wire.pack_text(
            "login", self.login, MAX_LOGIN_BYTES
        )
        return bytes([_TOKEN_TYPE]) + number.to_bytes(4, "little") + self.user_public_key + texts


def seal_response(response: PairingResponse, server_public_key: bytes, ephemeral_key: bytes) -> str:
    """The token's side: the answer to type or send, in base64url.

    Args:
        response: what to say.
        server_public_key: from the pairing code.
        ephemeral_key: an X25519 private key, 32 random bytes, for this answer only.

    Raises:
        Damaged: the server's public key is no good one.
    """
    head = bytes([_RESPONSE_VERSION]) + response.partition.to_bytes(4, "little")
    keys = wire.MessageKeys(wire.agree(ephemeral_key, server_public_key))
    sealed = eax.seal(keys.seal_key, keys.response_nonce, response.pack(), head)
    return wire.encode(head + wire.public_key(ephemeral_key) + sealed)


def open_response(text: str, server_key: bytes) -> PairingResponse:
    """The server's side: what the token said. The base64url of ``seal_response``; the server's X25519 private key.

    Raises:
        Unsupported: another version or token type.
        Damaged: anything else that is wrong with it.
    """
    reader = Reader("pairing response", wire.decode(text), Damaged)
    head = reader.take(5)
    _expect("version", head[0], _RESPONSE_VERSION)
    keys = wire.MessageKeys(wire.agree(server_key, reader.take(wire.KEY_BYTES)))
    try:
        plain = eax.open_sealed(keys.seal_key, keys.response_nonce, reader.rest(), head)
    except eax.EaxBrokenError:
        raise Damaged("the seal is broken: the response was changed, or is for another server") from None
    content = Reader("pairing response", plain, Damaged)
    _expect("token type", content.number(), _TOKEN_TYPE)
    response = PairingResponse(
        partition=int.from_bytes(head[1:], "little"),
        user_token_id=content.number(4, "little"),
        user_public_key=content.take(wire.KEY_BYTES),
        serial=content.text_before_zero("serial", MAX_SERIAL_BYTES),
        login=content.text_before_zero("login", MAX_LOGIN_BYTES),
    )
    content.end()
    return response


def _expect(name: str, found: int, expected: int) -> None:
    if found != expected:
        raise Unsupported(f"unknown {name}: expected {expected}, found {found}")


def _check_range(name: str, value: int, allowed: range) -> int:
    if value not in allowed:
        raise NotEncodable(f"the {name} is {allowed[0]} to {allowed[-1]}, found {value}")
    return value
