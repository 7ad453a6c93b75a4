"""The IAM's route tables. The applications, /openapi.json and docs/reference/rest.md are made from them."""

from server_stub.api.admin import (
    BadgeAttributes,
    NewBadge,
    NewPassword,
    NewToken,
    NewUser,
    TokenAttributes,
    UserAttributes,
    add_badge,
    add_qr_token,
    add_user,
    get_user,
    read_audit,
    set_password,
)
from server_stub.api.airlock_2fa import (
    DeviceAttributes,
    OfflineQrAttributes,
    OfflineQrRequest,
    OtpCheck,
    check_otp,
    retrieve_devices,
    retrieve_offline_qr_code,
    select_device,
)
from server_stub.api.authentication import BadgeCheck, PasswordCheck, access, check_badge, check_password
from server_stub.api.current import StepAttributes
from server_stub.api.envelope import Answer, ListAnswer
from server_stub.api.routing import Route
from server_stub.audit import Entry

BASE = "/auth/rest"
_AUTHENTICATION = f"{BASE}/public/authentication"
_AIRLOCK_2FA = f"{_AUTHENTICATION}/airlock-2fa"
_STEP = Answer[StepAttributes]
_LOCKS = ("USER_TEMPORARILY_LOCKED", "USER_LOCKED")
_NO_USER = ("USER_NOT_FOUND",)
_CLOUD = ("AIRLOCK_2FA_UNAVAILABLE",)

PUBLIC_ROUTES = (
    Route(
        "POST",
        f"{_AUTHENTICATION}/applications/{{application}}/access",
        access,
        _STEP,
        "Start a login for an application, or look how it stands",
        published=True,
        errors=("NOT_AUTHORIZED", "ACCESS_DENIED", "APPLICATION_NOT_FOUND"),
    ),
    Route(
        "POST",
        f"{_AUTHENTICATION}/password/check",
        check_password,
        _STEP,
        "Check user name and password",
        PasswordCheck,
        published=True,
        errors=("USERNAME_PASSWORD_WRONG", *_LOCKS),
    ),
    Route(
        "POST",
        f"{_AUTHENTICATION}/badge/check",
        check_badge,
        _STEP,
        "Check a QR badge",
        BadgeCheck,
        errors=("BADGE_WRONG", "BADGE_NOT_ALLOWED"),
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/devices/retrieve",
        retrieve_devices,
        ListAnswer[DeviceAttributes],
        "List the user's tokens",
        published=True,
        errors=_CLOUD,
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/devices/{{device}}/select",
        select_device,
        _STEP,
        "Choose a token",
        errors=("DEVICE_UNKNOWN", *_CLOUD),
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/offline-qr-code/retrieve",
        retrieve_offline_qr_code,
        Answer[OfflineQrAttributes],
        "Get a QR code for the chosen token",
        OfflineQrRequest,
        errors=("DEVICE_UNKNOWN", *_LOCKS, *_CLOUD),
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/otp/check",
        check_otp,
        _STEP,
        "Check the code that the token shows",
        OtpCheck,
        errors=("OTP_WRONG", "OTP_EXPIRED", *_LOCKS, *_CLOUD),
    ),
)

_ADMIN = "/admin/rest"
_USER = f"{_ADMIN}/users/{{username}}"

ADMIN_ROUTES = (
    Route(
        "POST",
        f"{_ADMIN}/users",
        add_user,
        Answer[UserAttributes],
        "Make a user",
        NewUser,
        201,
        errors=("USER_EXISTS",),
    ),
    Route("GET", _USER, get_user, Answer[UserAttributes], "Tell about a user", errors=_NO_USER),
    Route(
        "PUT",
        f"{_USER}/password",
        set_password,
        Answer[UserAttributes],
        "Give a user another password",
        NewPassword,
        errors=_NO_USER,
    ),
    Route(
        "POST",
        f"{_USER}/qr-tokens",
        add_qr_token,
        Answer[TokenAttributes],
        "Import a hardware token and assign it to a user",
        NewToken,
        201,
        errors=(*_NO_USER, "TOKEN_EXISTS", *_CLOUD),
    ),
    Route(
        "POST",
        f"{_USER}/badges",
        add_badge,
        Answer[BadgeAttributes],
        "Make a QR badge for a user",
        NewBadge,
        201,
        errors=_NO_USER,
    ),
    Route("GET", f"{_ADMIN}/audit", read_audit, ListAnswer[Entry], "Read the audit log"),
)
