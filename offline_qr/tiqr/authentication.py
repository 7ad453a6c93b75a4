"""Authentication: the challenge in the QR code, and the OCRA response to it.

``tiqrauth://[user@]server/session key/question/service provider[/version]``, or the same as a link that a phone opens:
``https://host/tiqrauth/?u=user&s=session key&q=question&i=server&v=version`` (its path ends with ``/tiqrauth/``).
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from offline_qr.ocra import DataInputError, Suite, SuiteError, parse_suite
from offline_qr.shown import find_hidden
from offline_qr.tiqr.errors import Damaged, NotOurs, Unsupported

AUTHENTICATION_PREFIX = "tiqrauth://"
DEFAULT_SUITE = "OCRA-1:HOTP-SHA1-6:QH10-S"
VERSION = "2"
MAX_TEXT = 2048
MAX_USER = 255
_LINK = re.compile(r"https://[^/?#]+(?:/[^?#]*)?/tiqrauth/?\?[^#]*")
_PARTS = {
    "server": re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,254}"),
    "session key": re.compile(r"[0-9A-Fa-f]{1,128}"),
    "question": re.compile(r"[0-9A-Za-z]{1,128}"),
}


@dataclass(frozen=True, slots=True)
class AuthenticationChallenge:
    """What a server asks.

    Raises:
        Damaged: a part is missing, has other characters than it may have, or is too long.
        Unsupported: another version.
    """

    server: str
    """The service's identifier, such as ``tiqr.example.org``: the token looks its account up by it."""
    session_key: str
    """Hex digits (tiqr: 32; privacyIDEA: the 20 decimal digits of a transaction)."""
    question: str
    """The OCRA question in the suite's format."""
    service_provider: str = ""
    """Who wants the login, to show."""
    user_id: str | None = None
    """Whose login, or None where any account of this server will do."""
    version: str | None = VERSION
    """``2``, or None where the URL names none (privacyIDEA)."""

    def __post_init__(self) -> None:
        for (name, pattern), value in zip(_PARTS.items(), (self.server, self.session_key, self.question), strict=True):
            if not pattern.fullmatch(value):
                raise Damaged(f"the {name} of the challenge is not {pattern.pattern}: found {len(value)} characters")
        for name, text in (("service provider", self.service_provider), ("user", self.user_id or "-")):
            if len(text) > MAX_USER or find_hidden(text):
                raise Damaged(f"the {name} has up to {MAX_USER} characters that show, found others or more")
        if self.user_id == "":
            raise Damaged("the user of the challenge is empty")
        if self.version not in {None, VERSION}:
            raise Unsupported(f"unknown protocol version: expected {VERSION}, found {(self.version or '')[:20]!r}")

    @property
    def text(self) -> str:
        """What the QR code says, in the first form."""
        user = "" if self.user_id is None else quote(self.user_id, safe="") + "@"
        parts = [user + self.server, self.session_key, self.question, quote(self.service_provider, safe="")]
        return AUTHENTICATION_PREFIX + "/".join(parts + ([] if self.version is None else [self.version]))

    def respond(self, secret: bytes, suite: str = DEFAULT_SUITE) -> str:
        """The response, on both sides. The suite is the account's, from its enrolment.

        Raises:
            Unsupported: the suite is none, takes a counter, PIN or time, or this question does not fit it.
        """
        parsed = parse_response_suite(suite)
        # As tiqr's own code: hex digits, padded with zeros on the left up to the suite's length.
        session = bytes.fromhex("0" * (len(self.session_key) % 2) + self.session_key)
        try:
            return parsed.compute(secret, self.question, session=session if parsed.session_length else None)
        except DataInputError as error:
            raise Unsupported(str(error)) from None


def parse_response_suite(text: str) -> Suite:
    """An OCRA suite that tiqr can use: a question, with or without session data.

    Raises:
        Unsupported: no OCRA suite, or one with other inputs.
    """
    try:
        suite = parse_suite(text)
    except SuiteError as error:
        raise Unsupported(str(error)) from None
    if suite.counter or suite.pin_hash_name or suite.time_step_seconds:
        raise Unsupported(f"tiqr knows no counter, PIN or time in a suite: expected Q and perhaps S, found {text}")
    return suite


def parse_authentication(text: str | bytes) -> AuthenticationChallenge:
    """The challenge that reads ``text``. Nobody signed it: what it says is proven by the server's answer only.

    Raises:
        NotOurs: another code.
        Damaged: a part is missing, has other characters than it may have, or is too long.
        Unsupported: another version.
    """
    text = decode(text)
    if text.startswith(AUTHENTICATION_PREFIX):
        return _parse_parts(_limit(text).removeprefix(AUTHENTICATION_PREFIX))
    if _LINK.fullmatch(text[:MAX_TEXT]):
        return _parse_link(_limit(text))
    raise NotOurs(f"this is another code: expected a text that starts with {AUTHENTICATION_PREFIX}")


def decode(text: str | bytes) -> str:
    """What the QR decoder read, as characters. Raises NotOurs where it is no UTF-8."""
    try:
        return text if isinstance(text, str) else text.decode("utf-8")
    except UnicodeDecodeError:
        raise NotOurs("this is another code: it is no text") from None


def _limit(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise Damaged(f"a challenge has up to {MAX_TEXT} characters, found {len(text)}")
    return text


def _parse_parts(text: str) -> AuthenticationChallenge:
    parts = text.split("/")
    if len(parts) not in {4, 5}:
        raise Damaged(f"a challenge has 4 or 5 parts divided by slashes, found {len(parts)}")
    user, at, server = parts[0].rpartition("@")
    return AuthenticationChallenge(
        server=server,
        session_key=parts[1],
        question=parts[2],
        service_provider=unescape(parts[3]),
        user_id=unescape(user) if at else None,
        version=parts[4] if len(parts) == 5 else None,
    )


def _parse_link(text: str) -> AuthenticationChallenge:
    values = query(text)
    for name in ("s", "q", "i"):
        if name not in values:
            raise Damaged(f"the link lacks its {name}: expected s, q and i, found {sorted(values)}")
    return AuthenticationChallenge(
        values["i"], values["s"], values["q"], user_id=values.get("u"), version=values.get("v")
    )


def query(text: str) -> dict[str, str]:
    """The parameters of a link. Raises Damaged where one stands twice or is no UTF-8."""
    try:
        pairs = parse_qsl(urlsplit(text).query, keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise Damaged("the link's parameters cannot be read") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Damaged("a parameter stands twice in the link")
    return values


def unescape(text: str) -> str:
    """``text`` without its percent signs. Raises Damaged where that is no UTF-8."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Damaged("a part of the URL is not UTF-8") from None
