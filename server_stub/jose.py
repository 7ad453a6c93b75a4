"""Signed tickets: compact JWS (RFC 7515) with one key and one algorithm that its owner chose, and claims (RFC 7519).

The algorithm follows from the key and never from the ticket, so there is nothing to confuse.
"""

import base64
import contextlib
from dataclasses import dataclass
from typing import Any, Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

LEEWAY = 30.0
"""How far (seconds) the clock of an issuer may be from ours."""
MAX_LENGTH = 8192
SMALLEST_RSA = 2048
YEAR_10000 = 253402300800

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys that an issuer publishes (RFC 7517 §5), each with its name if it has one."""

    keys: tuple[tuple[str | None, PublicKey], ...]

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """The usable signature keys of a JWK Set; others are left out, as the RFC wants it."""
        rows = document.get("keys")
        found = []
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and row.get("use", "sig") == "sig":
                with contextlib.suppress(ValueError, KeyError, TypeError):
                    name = row.get("kid")
                    found.append((name if isinstance(name, str) else None, _from_jwk(row)))
        return cls(tuple(found))

    def candidates(self, ticket: str) -> list[PublicKey]:
        """The keys that may have signed ``ticket``: the one that it names, or all when it names none.

        Raises:
            TicketRefused: if it is no ticket.
        """
        name = _object(ticket[:MAX_LENGTH].partition(".")[0]).get("kid")
        return [key for known, key in self.keys if name is None or known == name]


def _from_jwk(row: dict[str, Any]) -> PublicKey:
    """A P-256, Ed25519 or RSA key (RFC 7518 §6, RFC 8037 §2).

    Raises:
        ValueError, KeyError, TypeError: for anything else.
    """

    def number(name: str) -> int:
        return int.from_bytes(_decode(row[name]), "big")

    try:
        if row["kty"] == "RSA":
            key = rsa.RSAPublicNumbers(number("e"), number("n")).public_key()
        elif (row["kty"], row["crv"]) == ("EC", "P-256"):
            return ec.EllipticCurvePublicNumbers(number("x"), number("y"), ec.SECP256R1()).public_key()
        elif (row["kty"], row["crv"]) == ("OKP", "Ed25519"):
            return ed25519.Ed25519PublicKey.from_public_bytes(_decode(row["x"]))
        else:
            raise ValueError("no key that we know")
    except TicketRefused as error:
        raise ValueError("not base64url") from error
    if key.key_size < SMALLEST_RSA:
        raise ValueError("too small")
    return key


class TicketRefused(Exception):  # noqa: N818 - a verdict, not a mistake of the program
    """The ticket does not prove what it should; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a good ticket says."""

    issuer: str
    subject: str
    ticket_id: str
    expires_at: float
    all: dict[str, Any]


def load_public_key(pem: bytes) -> PublicKey:
    """A key for tickets: P-256, Ed25519, or RSA of 2048 bits and more.

    Raises:
        ValueError: for anything else.
    """
    key = load_pem_public_key(pem)
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA:
        return key
    raise ValueError("expected a P-256, Ed25519 or RSA key (2048 bits and more)")


def verify_ticket(ticket: str, key: PublicKey, issuer: str, audience: str, now: float) -> Claims:
    """The claims of a ticket that ``issuer`` signed for ``audience`` and that is in its time.

    Raises:
        TicketRefused: for anything else.
    """
    return _check_claims(verify_signature(ticket, key), issuer, audience, now)


def verify_with(ticket: str, keys: "KeySet", issuer: str, audience: str, now: float) -> Claims:
    """As ``verify_ticket``, with whichever of the issuer's keys the ticket names.

    Raises:
        TicketRefused: for anything else.
    """
    candidates = keys.candidates(ticket)
    if not candidates:
        raise TicketRefused("its issuer has no such key")
    for key in candidates[:-1]:
        try:
            return _check_claims(verify_signature(ticket, key), issuer, audience, now)
        except TicketRefused:
            continue
    return _check_claims(verify_signature(ticket, candidates[-1]), issuer, audience, now)


def _check_claims(claims: dict[str, Any], issuer: str, audience: str, now: float) -> Claims:
    if claims.get("iss") != issuer:
        raise TicketRefused("the ticket is from another issuer")
    meant_for = claims.get("aud")
    if audience not in (meant_for if isinstance(meant_for, list) else [meant_for]):
        raise TicketRefused("the ticket is for somebody else")
    expires_at, subject, ticket_id = (claims.get(name) for name in ("exp", "sub", "jti"))
    if not isinstance(expires_at, int | float) or not 0 < expires_at < YEAR_10000 or now >= expires_at + LEEWAY:
        raise TicketRefused("the ticket has expired, or never does")
    for name in ("nbf", "iat"):
        begins = claims.get(name, now)
        if not isinstance(begins, int | float) or begins > now + LEEWAY:
            raise TicketRefused("the ticket is from the future")
    if not (isinstance(subject, str) and subject and len(subject) <= 255):
        raise TicketRefused("the ticket names nobody")
    if not (isinstance(ticket_id, str) and 0 < len(ticket_id) <= 255):
        ticket_id = ""
    return Claims(issuer, subject, ticket_id, float(expires_at), claims)


def verify_signature(ticket: str, key: PublicKey) -> dict[str, Any]:
    """The claims in a ticket that ``key`` signed; nothing is known of them but that.

    Raises:
        TicketRefused: if it is no such ticket.
    """
    parts = ticket.split(".")
    if len(parts) != 3 or len(ticket) > MAX_LENGTH:
        raise TicketRefused("a ticket has three parts")
    header, claims, signature = _object(parts[0]), _object(parts[1]), _decode(parts[2])
    if header.get("alg") != _algorithm(key) or "crit" in header:
        raise TicketRefused(f"the ticket is not signed with {_algorithm(key)}")
    try:
        _check(key, signature, f"{parts[0]}.{parts[1]}".encode())
    except (InvalidSignature, ValueError) as error:
        raise TicketRefused("the signature is wrong") from error
    return claims


def _algorithm(key: PublicKey) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ES256"
    return "EdDSA" if isinstance(key, ed25519.Ed25519PublicKey) else "RS256"


def _check(key: PublicKey, signature: bytes, signed: bytes) -> None:
    if isinstance(key, ec.EllipticCurvePublicKey):
        if len(signature) != 64:
            raise ValueError("an ES256 signature has 64 bytes")
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(SHA256()))
    elif isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, signed)
    else:
        key.verify(signature, signed, padding.PKCS1v15(), SHA256())


def _object(part: str) -> dict[str, Any]:
    try:
        # Stricter than Python's own: no NaN, and no half of a surrogate pair, which no database would hold.
        value = msgspec.json.decode(_decode(part))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise TicketRefused("a part of the ticket is no JSON") from error
    if not isinstance(value, dict):
        raise TicketRefused("a part of the ticket is no JSON object")
    return value


def _decode(part: str) -> bytes:
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise TicketRefused("a part of the ticket is not base64url") from error
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise TicketRefused("a part of the ticket is not base64url")
    return decoded
