"""What a tiqr token posts, as ``application/x-www-form-urlencoded``, and what the server answers.

Protocol 1 answers with a word in plain text; protocol 2, which a header ``X-TIQR-Protocol-Version: 2`` announces on either
side, with JSON.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from urllib.parse import parse_qsl, urlencode

import msgspec

from offline_qr.tiqr.authentication import AuthenticationChallenge
from offline_qr.tiqr.errors import Damaged
from offline_qr.tiqr.secret import SECRET_BYTES

PROTOCOL_HEADER = "X-TIQR-Protocol-Version"
MAX_FORM_BYTES = 16 * 1024
MAX_REPLY_BYTES = 4096
_SECRET = re.compile(rf"[0-9A-Fa-f]{{{2 * SECRET_BYTES}}}")
_RESPONSE = re.compile(r"[0-9]{4,10}|[0-9a-f]{40,128}")
_LEFT = re.compile(r"INVALID_RESPONSE:([0-9]{1,4})")


class ReplyCode(IntEnum):
    """What the server says, by the numbers of protocol 2."""

    OK = 1
    INVALID_ENROLMENT = 101
    INVALID_RESPONSE = 201
    INVALID_REQUEST = 202
    INVALID_CHALLENGE = 203
    ACCOUNT_BLOCKED = 204
    INVALID_USER = 205


_WORDS = {
    "OK": ReplyCode.OK,
    "INVALID_RESPONSE": ReplyCode.INVALID_RESPONSE,
    "INVALID_REQUEST": ReplyCode.INVALID_REQUEST,
    "INVALID_CHALLENGE": ReplyCode.INVALID_CHALLENGE,
    "ACCOUNT_BLOCKED": ReplyCode.ACCOUNT_BLOCKED,
    "INVALID_USER": ReplyCode.INVALID_USER,
    "INVALID_USERID": ReplyCode.INVALID_USER,
}


@dataclass(frozen=True, slots=True)
class Registration:
    """What a token posts to enrol."""

    secret: bytes = field(repr=False)
    """32 bytes."""
    language: str = "en"
    notification_type: str = ""
    notification_address: str = ""

    @property
    def form(self) -> str:
        """The body of the post: it holds the secret."""
        return urlencode(
            {
                "secret": self.secret.hex(),
                "language": self.language,
                "notificationType": self.notification_type,
                "notificationAddress": self.notification_address,
                "version": "2",
                "operation": "register",
            }
        )


@dataclass(frozen=True, slots=True)
class Login:
    """What a token posts to log in."""

    session_key: str
    user_id: str
    response: str = field(repr=False)
    """The code; the user types it instead where the token is offline."""
    language: str = "en"

    @classmethod
    def answering(cls, challenge: AuthenticationChallenge, user_id: str, response: str) -> "Login":
        """The answer to ``challenge`` by ``user_id``."""
        return cls(challenge.session_key, user_id, response)

    @property
    def form(self) -> str:
        """The body of the post."""
        return urlencode(
            {
                "sessionKey": self.session_key,
                "userId": self.user_id,
                "response": self.response,
                "language": self.language,
                "operation": "login",
                "version": "2",
            }
        )


def parse_registration(form: bytes) -> Registration:
    """The server's side of ``Registration.form``.

    Raises:
        Damaged: no form, another operation, or a secret that is none.
    """
    values = _parse_form(form, "register", ("secret",))
    if not _SECRET.fullmatch(values["secret"]):
        raise Damaged(f"a secret has {2 * SECRET_BYTES} hex digits, found {len(values['secret'])} characters")
    return Registration(
        bytes.fromhex(values["secret"]),
        values.get("language", ""),
        values.get("notificationType", ""),
        values.get("notificationAddress", ""),
    )


def parse_login(form: bytes) -> Login:
    """The server's side of ``Login.form``.

    Raises:
        Damaged: no form, another operation, or a response that is none.
    """
    values = _parse_form(form, "login", ("sessionKey", "userId", "response"))
    if not _RESPONSE.fullmatch(values["response"]):
        raise Damaged(f"a response has 4 to 10 digits, found {len(values['response'])} characters")
    return Login(values["sessionKey"], values["userId"], values["response"], values.get("language", ""))


class Reply(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the server says to a post."""

    response_code: ReplyCode
    attempts_left: int | None = None
    """With INVALID_RESPONSE, where the server says so."""
    duration: int | None = None
    """With ACCOUNT_BLOCKED: minutes; None is for good."""

    def pack(self) -> bytes:
        """The body of protocol 2."""
        return msgspec.json.encode(self)

    @property
    def word(self) -> str:
        """The body of protocol 1."""
        name = "INVALID_REQUEST" if self.response_code is ReplyCode.INVALID_ENROLMENT else self.response_code.name
        return name if self.attempts_left is None else f"{name}:{self.attempts_left}"


def parse_reply(body: bytes, headers: Mapping[str, str]) -> Reply:
    """The reply of a server of either protocol; header names in lower case.

    Raises:
        Damaged: no reply of tiqr's.
    """
    if len(body) > MAX_REPLY_BYTES:
        raise Damaged(f"a reply has up to {MAX_REPLY_BYTES} bytes, found {len(body)}")
    if headers.get(PROTOCOL_HEADER.lower(), "1") != "1":
        try:
            return msgspec.json.decode(body, type=Reply)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Damaged(f"this is no reply of tiqr's protocol 2: {error}") from None
    word = body.decode("ascii", "replace").strip()
    left = _LEFT.fullmatch(word)
    if left:
        return Reply(ReplyCode.INVALID_RESPONSE, attempts_left=int(left[1]))
    if word not in _WORDS:
        raise Damaged(f"this is no reply of tiqr's protocol 1: expected one of {sorted(_WORDS)}, found {word[:40]!r}")
    return Reply(_WORDS[word])


def _parse_form(form: bytes, operation: str, needed: tuple[str, ...]) -> dict[str, str]:
    if len(form) > MAX_FORM_BYTES:
        raise Damaged(f"a form has up to {MAX_FORM_BYTES} bytes, found {len(form)}")
    try:
        pairs = parse_qsl(form.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise Damaged("this is no form") from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Damaged("a member stands twice in the form")
    if values.get("operation") != operation:
        raise Damaged(f"expected the operation {operation}, found {values.get('operation', '')[:40]!r}")
    for name in needed:
        if name not in values:
            raise Damaged(f"the form lacks its {name}: found {sorted(values)[:20]}")
    return values
