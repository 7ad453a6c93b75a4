"""The QR code: lines with the operation, then the nonce, then the server's signature.

``id | title | message | operation data | flags | ... | nonce | key type and signature``, divided by line feeds (Wultra
enrollment-server, Offline-Signatures-QR-Code.md). The signature is ECDSA on P-256 with SHA-256, in DER and base64, over
everything before it, key type included. Lines that a later version adds stand before the nonce, are signed too, and are
left aside.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from offline_qr.powerauth.errors import BadSignature, Damaged, NotOurs
from offline_qr.powerauth.operation import OperationData, parse_operation_data, unescape
from offline_qr.shown import find_hidden

NONCE_BYTES = 16
MAX_TEXT = 2953
"""Bytes in the largest QR code in byte mode."""
FLAGS = {"B": "biometry allowed", "X": "approve button flipped", "F": "fraud warning", "C": "not during a call"}
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_FLAGS = re.compile(r"[A-Z]{0,16}")
_LINES = 7
_URI = "/operation/authorize/offline"
_SECRET = "offline"  # noqa: S105 - the fixed word that stands for the application's secret in offline mode


class KeyType(Enum):
    """Which of the server's keys signed."""

    MASTER = "0"
    """The application's: the operation is for any token."""
    PERSONAL = "1"
    """The one that the server has for this activation."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What the server asks.

    Raises:
        Damaged: a part has characters that it may not have.
    """

    id: str
    title: str
    """One line, or several with line feeds."""
    message: str
    data: OperationData
    nonce: bytes
    """16 random bytes."""
    key_type: KeyType
    flags: str = ""
    """Letters of ``FLAGS``; others have no meaning yet."""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise Damaged("an operation's id has 1 to 64 letters, digits and hyphens, found others")
        if not _FLAGS.fullmatch(self.flags):
            raise Damaged("flags are up to 16 capital letters, found others")
        for name, text in (("title", self.title), ("message", self.message)):
            if hidden := find_hidden(text.replace("\n", " ")):
                raise Damaged(f"the {name} has no hidden characters, found {hidden}")
        if len(self.nonce) != NONCE_BYTES:
            raise Damaged(f"a nonce has {NONCE_BYTES} bytes, found {len(self.nonce)}")

    @property
    def fraud_warning(self) -> bool:
        """Whether the token shows a warning before anything else."""
        return "F" in self.flags

    @property
    def signed_data(self) -> bytes:
        """What a code is computed over: PowerAuth's normalised request, with the words that stand for an offline one."""
        body = f"{self.id}&{self.data.text}".encode()
        parts = ("POST", _base64(_URI.encode()), _base64(self.nonce), _base64(body), _SECRET)
        return "&".join(parts).encode()


def encode(operation: Operation, server_key: ec.EllipticCurvePrivateKey) -> str:
    """The text of the QR code, signed with the server's key (P-256) of the operation's key type. Byte mode, UTF-8."""
    lines = [
        operation.id,
        _escape(operation.title),
        _escape(operation.message),
        operation.data.text,
        operation.flags,
        _base64(operation.nonce),
        operation.key_type.value,
    ]
    signed = "\n".join(lines)
    return signed + _base64(server_key.sign(signed.encode(), ec.ECDSA(SHA256())))


def parse(text: str | bytes, server_keys: dict[KeyType, ec.EllipticCurvePublicKey]) -> Operation:
    """The operation in ``text``, which one of the server's keys signed.

    Args:
        text: what the QR decoder read, untouched.
        server_keys: the public keys (P-256) that the token has. An operation under another key type is refused.

    Raises:
        NotOurs: another code.
        BadSignature: it is not signed by the key that it names, or the token does not have that key.
        Damaged: anything else that is wrong with it.
    """
    text = _as_text(text)
    lines = text.split("\n")
    if len(lines) < _LINES or not _ID.fullmatch(lines[0]):
        raise NotOurs("this is another code: expected an operation in 7 lines")
    key_type, signature = lines[-1][:1], lines[-1][1:]
    if key_type not in {each.value for each in KeyType}:
        raise Damaged(f"unknown key type: expected 0 or 1, found {key_type!r}")
    # The signature first: whatever else there is to say about an operation, a forger must not get it said.
    _verify(text[: len(text) - len(signature)], signature, server_keys.get(KeyType(key_type)))
    return Operation(
        id=lines[0],
        title=unescape(lines[1]),
        message=unescape(lines[2]),
        data=parse_operation_data(lines[3]),
        flags=lines[4],
        nonce=_unbase64("nonce", lines[-2]),
        key_type=KeyType(key_type),
    )


def _as_text(text: str | bytes) -> str:
    if len(text) > MAX_TEXT:
        raise NotOurs("this is another code: no QR code holds so much text")
    if isinstance(text, str):
        if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
            raise NotOurs("this is another code: it is no text")
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        raise NotOurs("this is another code: it is no text") from None


def _verify(signed: str, signature: str, key: ec.EllipticCurvePublicKey | None) -> None:
    if key is None:
        raise BadSignature("the operation is signed with a key of a kind that this token does not have")
    try:
        key.verify(_unbase64("signature", signature), signed.encode(), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise BadSignature("the signature is not by the server that this token knows") from None


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Damaged(f"the {name} is no base64") from None
