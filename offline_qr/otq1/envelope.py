"""What all OTQ1 messages have in common: prefix, base45, header, content, and the signature that may follow.

``message = header (26 bytes) | content | [Ed25519 signature (64 bytes), if flag bit 0 is set]``
"""

import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from offline_qr import base45_strict
from offline_qr.otq1.errors import BadSignature, Damaged, NotEncodable, NotForThisToken, NotOurs, Unsupported
from offline_qr.otq1.header import HEADER_BYTES, Flags, Header, MessageType, parse_header
from offline_qr.otq1.keys import key_id

PREFIX = b"OTQ1:"
MAX_MESSAGE_BYTES = 400
SIGNATURE_BYTES = 64
VERIFY_KEY_BYTES = 32
SIGNATURE_DOMAIN = b"OTQ1 signature\0"
ANY_TOKEN = bytes(4)
"""The key id of a demo that is for every token. No other type may use it."""
_MAX_TEXT = 4296
"""Characters in the largest QR code in alphanumeric mode."""


def wrap(header: Header, content: bytes, signing_key: bytes | None) -> str:
    """The text of the QR code: for alphanumeric mode, error correction M, no ECI.

    Args:
        header: with ``Flags.SIGNED`` exactly where there is a signing key.
        content: what follows the header.
        signing_key: the server's Ed25519 private key, 32 bytes (RFC 8032), or None.

    Raises:
        NotEncodable: flag and key do not go together, or the message has more than 400 bytes.
    """
    if bool(header.flags & Flags.SIGNED) != (signing_key is not None):
        raise NotEncodable(
            "a message is signed exactly if its flag bit 0 says so: expected both flag and key, or neither"
        )
    message = header.pack() + content
    if signing_key is not None:
        message += Ed25519PrivateKey.from_private_bytes(signing_key).sign(SIGNATURE_DOMAIN + message)
    if len(message) > MAX_MESSAGE_BYTES:
        raise NotEncodable(f"a message has up to {MAX_MESSAGE_BYTES} bytes, found {len(message)}")
    return PREFIX.decode() + base45_strict.encode(message)


def read_header(text: str | bytes) -> Header:
    """The header of the message in ``text``, to choose the function that decodes the rest. It proves nothing yet.

    Raises:
        NotOurs: no OTQ1 text.
        Unsupported: a version, type, suite or flag that this implementation does not know.
        Damaged: no base45, or no header.
    """
    return parse_header(_message(text))


def peek(text: str | bytes, token: str | bytes, types: tuple[MessageType, ...], least: int) -> tuple[Header, bytes]:
    """Header, and everything after it, of the message in ``text``. Nothing has been proven.

    Args:
        text: what the QR decoder read, untouched: no trimming, no change of case.
        token: the token's serial (str), or its key id where it is known already (4 bytes).
        types: the types that the caller decodes.
        least: the fewest bytes that the content of such a message has.

    Raises:
        NotOurs, Unsupported, NotForThisToken, Damaged: as the page of the protocol orders them.
    """
    message = _message(text)
    header = parse_header(message)
    if header.type not in types:
        expected = " or ".join(f"{kind} ({kind.name.lower()})" for kind in types)
        raise Unsupported(
            f"unsupported message type: expected {expected}, found {header.type} ({header.type.name.lower()})"
        )
    for_any = header.key_id == ANY_TOKEN and header.type is MessageType.DEMO
    if not for_any and not hmac.compare_digest(header.key_id, key_id(token) if isinstance(token, str) else token):
        raise NotForThisToken("this message is for another token")
    least += HEADER_BYTES + (SIGNATURE_BYTES if header.flags & Flags.SIGNED else 0)
    if not least <= len(message) <= MAX_MESSAGE_BYTES:
        raise Damaged(f"a message has {least} to {MAX_MESSAGE_BYTES} bytes, found {len(message)}")
    return header, message[HEADER_BYTES:]


def unwrap(
    text: str | bytes, token: str | bytes, types: tuple[MessageType, ...], least: int, verify_key: bytes | None
) -> tuple[Header, bytes]:
    """Header and content of the message in ``text``. Only a signature, where there is one, has been proven.

    Args:
        text: as for ``peek``.
        token: as for ``peek``.
        types: as for ``peek``.
        least: as for ``peek``.
        verify_key: the server's Ed25519 public key, 32 bytes, and no message without its signature passes; or None,
            and no message that wants a signature checked passes.

    Raises:
        NotOurs, Unsupported, NotForThisToken, Damaged, BadSignature: as the page of the protocol orders them.
    """
    header, rest = peek(text, token, types, least)
    signed = bool(header.flags & Flags.SIGNED)
    if signed and verify_key is None:
        raise Unsupported("this token has no key to check a signature with: expected flag bit 0 clear, found it set")
    if verify_key is None:
        return header, rest
    if not signed:
        # Without this, whoever has a token's seed would simply leave the signature away.
        raise BadSignature("this token shows signed messages only, found one without a signature")
    content, signature = rest[:-SIGNATURE_BYTES], rest[-SIGNATURE_BYTES:]
    try:
        Ed25519PublicKey.from_public_bytes(verify_key).verify(signature, SIGNATURE_DOMAIN + header.pack() + content)
    except InvalidSignature:
        raise BadSignature("the signature is not by the server whose key this token holds") from None
    return header, content


def _message(text: str | bytes) -> bytes:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if not data.startswith(PREFIX):
        raise NotOurs(f"this is another code: expected a text that starts with {PREFIX.decode()}")
    encoded = data.removeprefix(PREFIX)
    if len(encoded) > _MAX_TEXT:
        raise Damaged(
            f"the text is longer than any QR code: expected up to {_MAX_TEXT} characters, found {len(encoded)}"
        )
    try:
        return base45_strict.decode(encoded)
    except ValueError:
        raise Damaged("the text is not base45: characters are missing or were changed") from None
