"""``otpauth://`` URLs, with which TOTP and HOTP tokens are enrolled.

The format was never standardised; this reads what Google's Key URI Format names, strictly: a parameter that stands twice,
or that has no meaning for the type, is refused rather than guessed at. Where the format is silent:

- Period and counter are refused where they do not belong. A HOTP URL without a counter starts at 0.
- Parameters that are not named here (``image``, ``lock`` and others that apps made up) are left aside.
- The secret is base32 in either case, with or without padding, of 10 bytes or more.
- Where the label names an issuer and the parameter another, the URL is refused.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qsl, quote, unquote, urlencode

from offline_qr.shown import find_hidden

PREFIX = "otpauth://"
ALGORITHMS = ("SHA1", "SHA256", "SHA512")
DIGITS = (6, 7, 8)
DEFAULT_PERIOD = 30
MIN_SECRET_BYTES = 10
MAX_SECRET_BYTES = 128
MAX_TEXT = 2048
_NUMBER = re.compile(r"[0-9]{1,20}")
_KNOWN = {"secret", "issuer", "algorithm", "digits", "period", "counter"}


class OtpAuthError(ValueError):
    """The text is no otpauth URL, or one that is refused; the sentence names the part and quotes no secret."""


class NotOtpAuthError(OtpAuthError):
    """Another QR code."""


class OtpType(Enum):
    """What moves the code."""

    TOTP = "totp"
    """The time (RFC 6238)."""
    HOTP = "hotp"
    """A counter (RFC 4226)."""


@dataclass(frozen=True, slots=True)
class OtpAccount:
    """What an otpauth URL enrols.

    Raises:
        OtpAuthError: a value is out of range.
    """

    type: OtpType
    secret: bytes = field(repr=False)
    account: str
    """Whose code, to show."""
    issuer: str = ""
    """Whom it is for, to show."""
    algorithm: str = "SHA1"
    digits: int = 6
    period: int | None = None
    """Seconds; TOTP only, where None is 30."""
    counter: int | None = None
    """The first counter to use; HOTP only, where None is 0."""

    def __post_init__(self) -> None:
        if not MIN_SECRET_BYTES <= len(self.secret) <= MAX_SECRET_BYTES:
            raise OtpAuthError(f"a secret has {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes, found {len(self.secret)}")
        for name, text, least in (("account", self.account, 1), ("issuer", self.issuer, 0)):
            if not least <= len(text) <= 255 or find_hidden(text):
                raise OtpAuthError(f"the {name} has {least} to 255 characters that show, found others or {len(text)}")
        if self.algorithm not in ALGORITHMS:
            raise OtpAuthError(f"unknown algorithm: expected one of {ALGORITHMS}, found {self.algorithm[:20]!r}")
        if self.digits not in DIGITS:
            raise OtpAuthError(f"a code has 6 to 8 digits, found {self.digits}")
        if self.period is not None and (self.type is OtpType.HOTP or not 1 <= self.period <= 3600):
            raise OtpAuthError(f"a TOTP code lives 1 to 3600 seconds, a HOTP code has no period, found {self.period}")
        if self.counter is not None and (self.type is OtpType.TOTP or not 0 <= self.counter < 2**64):
            raise OtpAuthError(f"a HOTP counter is 0 to 2^64-1, TOTP has no counter, found {self.counter}")

    @property
    def base32(self) -> str:
        """The secret as other libraries want it."""
        return base64.b32encode(self.secret).decode("ascii").rstrip("=")

    @property
    def text(self) -> str:
        """What the QR code says: a credential, never to be logged."""
        label = quote(self.account, safe="")
        if self.issuer:
            label = quote(self.issuer, safe="") + ":" + label
        values = {"secret": self.base32}
        if self.issuer:
            values["issuer"] = self.issuer
        values |= {"algorithm": self.algorithm, "digits": str(self.digits)}
        if self.type is OtpType.TOTP:
            values["period"] = str(self.period or DEFAULT_PERIOD)
        else:
            values["counter"] = str(self.counter or 0)
        return f"{PREFIX}{self.type.value}/{label}?{urlencode(values, quote_via=quote)}"


def parse(text: str | bytes) -> OtpAccount:
    """The account that ``text`` enrols.

    Raises:
        NotOtpAuthError: another code.
        OtpAuthError: anything that is wrong with it.
    """
    try:
        text = text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError:
        raise NotOtpAuthError("this is another code: it is no text") from None
    if not text.startswith(PREFIX):
        raise NotOtpAuthError(f"this is another code: expected a text that starts with {PREFIX}")
    if len(text) > MAX_TEXT:
        raise OtpAuthError(f"an otpauth URL has up to {MAX_TEXT} characters, found {len(text)}")
    path, _, query = text.removeprefix(PREFIX).partition("?")
    kind, _, label = path.partition("/")
    if kind not in {each.value for each in OtpType}:
        raise OtpAuthError(f"unknown type: expected totp or hotp, found {kind[:20]!r}")
    values = _parse_query(query)
    if "secret" not in values:
        raise OtpAuthError("the secret is missing")
    issuer, account = _parse_label(label)
    if issuer and values.get("issuer", issuer) != issuer:
        raise OtpAuthError("the label and the parameter name different issuers")
    return OtpAccount(
        type=OtpType(kind),
        secret=_parse_secret(values["secret"]),
        account=account,
        issuer=values.get("issuer", issuer),
        algorithm=values.get("algorithm", "SHA1").upper(),
        digits=6 if (digits := _number(values, "digits")) is None else digits,
        period=_number(values, "period"),
        counter=_number(values, "counter"),
    )


def _parse_query(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise OtpAuthError("the parameters cannot be read") from None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in _KNOWN and name in values:
            raise OtpAuthError(f"the parameter {name} stands twice")
        values[name] = value
    return values


def _parse_label(label: str) -> tuple[str, str]:
    # A colon may be escaped or not, and a space may follow it.
    try:
        plain = unquote(label, errors="strict")
    except UnicodeDecodeError:
        raise OtpAuthError("the label is not UTF-8") from None
    if ":" in label:
        issuer, _, account = (unquote(part) for part in label.partition(":"))
    else:
        issuer, colon, account = plain.partition(":")
        if not colon:
            return "", plain
    return issuer, account.lstrip(" ")


def _parse_secret(text: str) -> bytes:
    stripped = text.rstrip("=").upper()
    try:
        secret = base64.b32decode(stripped + "=" * (-len(stripped) % 8))
    except (binascii.Error, ValueError):
        raise OtpAuthError("the secret is not base32") from None
    return secret


def _number(values: dict[str, str], name: str) -> int | None:
    if name not in values:
        return None
    if not _NUMBER.fullmatch(values[name]):
        raise OtpAuthError(f"the parameter {name} is a decimal number, found {values[name][:20]!r}")
    return int(values[name])
