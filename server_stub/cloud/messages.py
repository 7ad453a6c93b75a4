"""What the IAM and its cloud say to each other. Both sides import this and nothing else of each other."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=64)]
UserId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
"""The IAM's permanent user id, 16 bytes in hex. The cloud does not know user names."""
Text = Annotated[str, Meta(min_length=1, max_length=120)]

CHALLENGE_TTL = (30, 3600)
PUSH_TTL = (5, 600)
"""How short and how long (seconds) an answer may be waited for."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request or an answer."""


class SecretMessage(Message, frozen=True):
    """One with a code or a key in it: no text shows what it says."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


Kind = Literal["qr", "hotp", "totp", "app"]
"""A QR token, an OTP token that counts or has a clock, an app that does offline QR and is asked online."""


class Device(Message, frozen=True):
    """A token as its user may see it."""

    device_id: str
    display_name: str
    serial: str
    type: Literal["hardware_token", "app"] = "hardware_token"
    capabilities: tuple[str, ...] = ("offline_qrcode",)
    state: Literal["active", "suspended"] = "active"
    last_used_at: float | None = None
    """When it last gave a right code, or an answer (seconds since 1970)."""


class Preauth(Message, frozen=True):
    """Which devices does this user have?"""

    user_id: UserId


class PreauthResult(Message, frozen=True):
    """``unknown`` when the user has no device."""

    result: Literal["auth", "unknown"]
    allowed_factors: list[str]
    devices: list[Device]


class DisplayField(Message, frozen=True):
    """One line for the token to show; ``tag`` as in OTQ1, ``label`` only with tag 0."""

    tag: int
    value: Text
    label: Annotated[str, Meta(max_length=40)] = ""


class Auth(Message, frozen=True):
    """Make a challenge for one of the user's tokens.

    ``reference`` names the caller's own session: a new challenge for it cancels the one before.
    """

    user_id: UserId
    device_id: Id
    factor: Literal["offline_qrcode"]
    type: Literal["login", "transaction"]
    reference: Id
    fields: Annotated[list[DisplayField], Meta(max_length=8)]
    ttl: Annotated[int, Meta(ge=CHALLENGE_TTL[0], le=CHALLENGE_TTL[1])]


class AuthResult(Message, frozen=True):
    """The challenge: ``session_id`` is single-use, ``qrcode_content`` is the text of the QR code."""

    session_id: str
    qrcode_content: str
    expires_at: float


class Verify(SecretMessage, frozen=True):
    """Is this the code for that challenge?"""

    user_id: UserId
    session_id: Id
    code: Annotated[str, Meta(pattern=r"^[0-9]{1,16}$(?!\n)")]


Status = Literal[
    "approved", "wrong_code", "dead", "expired", "used", "cancelled", "unknown_session", "locked_out", "declined"
]


class VerifyResult(Message, frozen=True):
    """``allow`` exactly once per challenge; otherwise ``status`` says why not.

    ``declined``: the token's user saw what it is and held Cancel; the code proves that.
    """

    result: Literal["allow", "deny"]
    status: Status
    attempts_left: int = 0
    locked_until: float | None = None
    """When a temporary lock ends (seconds since 1970); null under ``locked_out`` means that only an administrator helps."""


class Passcode(SecretMessage, frozen=True):
    """Is this a code that the user's OTP token shows about now?"""

    user_id: UserId
    device_id: Id
    passcode: Annotated[str, Meta(pattern=r"^[0-9]{1,16}$(?!\n)")]


class Resync(SecretMessage, frozen=True):
    """Two codes in a row of a token that has moved too far."""

    user_id: UserId
    first: Annotated[str, Meta(pattern=r"^[0-9]{6,8}$(?!\n)")]
    second: Annotated[str, Meta(pattern=r"^[0-9]{6,8}$(?!\n)")]


class StockToken(Message, frozen=True):
    """A token as its administrator sees it."""

    device_id: str
    serial: str
    display_name: str
    kind: Kind
    state: Literal["active", "suspended"]
    user_ids: list[str]


class TokenLock(Message, frozen=True):
    """Wrong codes in a row of a token; ``locked_until`` is null when it is not locked, or when only an unlock helps."""

    device_id: str
    serial: str
    user_ids: list[str]
    method: str
    failures: int
    locked: bool
    locked_until: float | None


class TokenLocks(Message, frozen=True):
    """Of every token against which something is counted."""

    locks: list[TokenLock]


class Enroll(Message, frozen=True):
    """Let a user enrol an app within ``valid_secs``; with ``short_code`` also by 16 digits."""

    user_id: UserId
    valid_secs: Annotated[int, Meta(ge=30, le=30 * 86400)] = 300
    short_code: bool = False


class Enrollment(SecretMessage, frozen=True):
    """The codes; they are told only now."""

    enrollment_id: str
    activation_code: str
    activation_code_short: str | None
    activation_code_uri: str
    expiration: float


class EnrollPoll(Message, frozen=True):
    """What became of it? With ``user_id`` it must be that user's."""

    enrollment_id: Id
    user_id: UserId | None = None


class EnrollStatus(Message, frozen=True):
    """``success`` once an app has shown the code."""

    result: Literal["success", "pending", "expired"]


class AppEnroll(SecretMessage, frozen=True):
    """An app shows the code that its user scanned or typed."""

    activation_code: Annotated[str, Meta(min_length=1, max_length=128)]
    serial: Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
    display_name: Annotated[str, Meta(min_length=1, max_length=64)]


class AppSeed(SecretMessage, frozen=True):
    """What the app keeps."""

    device_id: str
    serial: str
    seed_hex: str
    request_key_hex: str = ""
    """With it the app signs its own requests, as a service does with its key; the service id is ``device_id``."""


class PushAuth(Message, frozen=True):
    """Ask the user's app online; ``text`` is what it shows: all that a QR code could say, with its labels."""

    user_id: UserId
    device_id: Id
    reference: Id
    text: Annotated[str, Meta(min_length=1, max_length=400)]
    ttl: Annotated[int, Meta(ge=PUSH_TTL[0], le=PUSH_TTL[1])]


class PushPoll(Message, frozen=True):
    """What became of it?"""

    user_id: UserId
    session_id: Id


class PushStatus(Message, frozen=True):
    """``approved`` is said once; it is ``used`` after that."""

    session_id: str
    status: Literal["waiting", "approved", "denied", "expired", "used", "cancelled"]


class PushRequest(Message, frozen=True):
    """What an app shows."""

    session_id: str
    device_id: str
    text: str
    expires_at: float


class PushRequests(Message, frozen=True):
    """All that a user's apps show."""

    requests: list[PushRequest]


class PushAnswer(Message, frozen=True):
    """The button that was pressed."""

    answer: Literal["approve", "deny"]


class ImportToken(SecretMessage, frozen=True):
    """A hardware token from its maker's list."""

    serial: Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
    seed_hex: Annotated[str, Meta(pattern=r"^([0-9a-fA-F]{2}){16,64}$(?!\n)")]
    display_name: Annotated[str, Meta(min_length=1, max_length=64)]
    kind: Kind = "qr"
    digits: Annotated[int, Meta(ge=6, le=8)] = 8
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha1"
    period: Annotated[int, Meta(ge=10, le=300)] = 30
    """Seconds in a step of a TOTP token."""
    counter: Annotated[int, Meta(ge=0, le=2**62)] = 0
    """The next count of an HOTP token."""


class ImportTokens(Message, frozen=True):
    """All of them, or none when one is known already."""

    tokens: Annotated[list[ImportToken], Meta(min_length=1, max_length=10_000)]


class Stock(Message, frozen=True):
    """Tokens; what secrets they hold is not told."""

    tokens: list[StockToken]


class NewState(Message, frozen=True):
    """``suspended`` tokens can do nothing until they are ``active`` again."""

    state: Literal["active", "suspended"]


class NewName(Message, frozen=True):
    """What its user calls a token."""

    user_id: UserId
    display_name: Annotated[str, Meta(min_length=1, max_length=64)]


class Activate(SecretMessage, frozen=True):
    """A user says that a token from stock is theirs, and shows a code of it."""

    user_id: UserId
    serial: Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
    passcode: Annotated[str, Meta(pattern=r"^[0-9]{1,16}$(?!\n)")]


class Activation(Message, frozen=True):
    """``device`` is the user's from now on, under ``allow``."""

    result: Literal["allow", "deny"]
    status: Status
    device: Device | None = None
    locked_until: float | None = None


class Assign(Message, frozen=True):
    """Give a token to a user."""

    user_id: UserId


class Failure(Message, frozen=True):
    """Every answer that is not 2xx."""

    code: str
    message: str
    locked_until: float | None = None
