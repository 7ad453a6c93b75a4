"""What the IAM and its cloud say to each other. Both sides import this and nothing else of each other."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=64)]
UserId = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
"""The IAM's permanent user id, 16 bytes in hex. The cloud does not know user names."""
Text = Annotated[str, Meta(min_length=1, max_length=120)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request or an answer."""


class Device(Message, frozen=True):
    """A token as its user may see it."""

    device_id: str
    display_name: str
    serial: str
    type: Literal["hardware_token"] = "hardware_token"
    capabilities: tuple[str, ...] = ("offline_qrcode",)


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
    ttl: Annotated[int, Meta(ge=30, le=3600)]


class AuthResult(Message, frozen=True):
    """The challenge: ``session_id`` is single-use, ``qrcode_content`` is the text of the QR code."""

    session_id: str
    qrcode_content: str
    expires_at: float


class Verify(Message, frozen=True):
    """Is this the code for that challenge?"""

    user_id: UserId
    session_id: Id
    code: Annotated[str, Meta(pattern=r"^[0-9]{1,16}$(?!\n)")]


Status = Literal["approved", "wrong_code", "dead", "expired", "used", "cancelled", "unknown_session", "locked_out"]


class VerifyResult(Message, frozen=True):
    """``allow`` exactly once per challenge; otherwise ``status`` says why not."""

    result: Literal["allow", "deny"]
    status: Status
    attempts_left: int = 0
    locked_until: float | None = None
    """When a temporary lock ends (seconds since 1970); null under ``locked_out`` means that only an administrator helps."""


class ImportToken(Message, frozen=True):
    """A hardware token from its maker's list."""

    serial: Annotated[str, Meta(pattern=r"^[!-~]{1,64}$(?!\n)")]
    seed_hex: Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{64}$(?!\n)")]
    display_name: Annotated[str, Meta(min_length=1, max_length=64)]


class Assign(Message, frozen=True):
    """Give a token to a user."""

    user_id: UserId


class Failure(Message, frozen=True):
    """Every answer that is not 2xx."""

    code: str
    message: str
    locked_until: float | None = None
