"""Offline QR as the IAM sees it: what the token shows, and the picture of the code. The secrets are in the cloud."""

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
import segno
from msgspec import Meta

from offline_qr.otq1 import Field, Otq1Error, Tag
from offline_qr.otq1.body import check_for_sending, pack_fields
from server_stub.cloud.messages import DisplayField, VerifyResult
from server_stub.errors import ApiError
from server_stub.factors.password import normalise

QUIET_ZONE = 4
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


class Transaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payment to approve. Unknown members are refused: what is not shown on the token is not approved."""

    amount: Annotated[
        str, Meta(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{2})?$(?!\n)", description="without grouping, such as 1250.00")
    ]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$(?!\n)")]
    account: Annotated[str, Meta(min_length=1, max_length=40)]
    beneficiary: Annotated[str, Meta(min_length=1, max_length=70)]
    reference: Annotated[str, Meta(max_length=70)] = ""


def login_fields(service: str, username: str, place: str) -> list[DisplayField]:
    """What the token shows at a login."""
    return _fields((Tag.SERVICE, service), (Tag.USER, username), (Tag.PLACE, place))


def payment_fields(payment: Transaction) -> list[DisplayField]:
    """What the token shows of a payment, the three critical fields first (the "message provider")."""
    return _fields(
        (Tag.AMOUNT, f"{payment.currency} {group_amount(payment.amount)}"),
        (Tag.TO_ACCOUNT, group_account(payment.account)),
        (Tag.BENEFICIARY, payment.beneficiary),
        (Tag.REFERENCE, payment.reference),
    )


def require_showable(fields: Sequence[DisplayField]) -> None:
    """Refuse what a device could not show whole and as it is meant: too long, or with characters that hide or break a line.

    Raises:
        ValueError: with what is the matter.
    """
    try:
        shown = [Field(field.tag, field.value, field.label) for field in fields]
        check_for_sending(shown)
        pack_fields(shown)
    except Otq1Error as error:
        raise ValueError(f"a device could not show this: {error}") from error


def group_amount(amount: str) -> str:
    """``1250.00`` as ``1'250.00``."""
    units, point, cents = amount.partition(".")
    return f"{int(units):,}".replace(",", "'") + point + cents


def group_account(account: str) -> str:
    """An IBAN in groups of four; any other account as it is."""
    compact = account.replace(" ", "")
    if not _IBAN.fullmatch(compact):
        return account
    return " ".join(compact[start : start + 4] for start in range(0, len(compact), 4))


def picture(content: str, scale: int) -> str:
    """The QR code as the data URI of a PNG: error correction M, quiet zone 4, ``scale`` pixels a module."""
    code = segno.make(content, error="m", micro=False, boost_error=False)
    return code.png_data_uri(scale=scale, border=QUIET_ZONE)


def refusal(result: VerifyResult, *, challenge: bool = True) -> ApiError:
    """What the client is told when the cloud does not accept a code, for a ``challenge`` or a token's own."""
    if result.status == "locked_out":
        return locked(result.locked_until)
    if result.status == "wrong_code" and not challenge:
        return ApiError(400, "OTP_WRONG", "this is not a code that the token shows now, or it was used before")
    if result.status == "wrong_code":
        more = f"{result.attempts_left} more tries" if result.attempts_left else "ask for a new code"
        return ApiError(400, "OTP_WRONG", f"this is not the code for this challenge; {more}")
    return ApiError(400, "OTP_EXPIRED", f"the challenge no longer counts ({result.status}); ask for a new one")


def locked(until: float | None) -> ApiError:
    """Too many wrong attempts: for a while, or until an administrator helps."""
    if until is None:
        return ApiError(403, "USER_LOCKED", "too many wrong attempts; an administrator can unlock")
    return ApiError(403, "USER_TEMPORARILY_LOCKED", "too many wrong attempts; try again later", until)


def _fields(*rows: tuple[Tag, str]) -> list[DisplayField]:
    return [DisplayField(int(tag), normalise(value).decode()) for tag, value in rows if value]
