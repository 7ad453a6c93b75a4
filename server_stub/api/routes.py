"""The IAM's route tables. The applications, /openapi.json and docs/reference/rest.md are made from them."""

from server_stub.api.admin import (
    BadgeAttributes,
    Groups,
    NewBadge,
    NewName,
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
    rename_user,
    set_groups,
    set_password,
)
from server_stub.api.admin_badges import (
    BadgeState,
    VoidAll,
    Voided,
    list_badges,
    void_badge,
    void_badges,
    void_everybodys,
)
from server_stub.api.admin_care import (
    AuditVerdict,
    LocksAttributes,
    SweptAttributes,
    UnlockedToken,
    get_locks,
    sweep,
    unlock_token,
    unlock_user,
    verify_audit,
)
from server_stub.api.admin_policies import (
    Explanation,
    PolicyAttributes,
    Question,
    WarningAttributes,
    explain,
    list_policies,
    list_warnings,
)
from server_stub.api.admin_stock import (
    StockAttributes,
    TokenFile,
    TokenState,
    assign_token,
    import_tokens,
    list_tokens,
    set_token_state,
    unassign_token,
)
from server_stub.api.admin_tokens import (
    DeviceState,
    NewDevice,
    PushAnswered,
    PushButton,
    PushShown,
    ResyncCodes,
    Resynced,
    add_device,
    answer_push_request,
    list_push_requests,
    resync_token,
)
from server_stub.api.airlock_2fa import (
    DeviceAttributes,
    OfflineQrAttributes,
    OfflineQrRequest,
    OtpCheck,
    check_otp,
    poll_status,
    retrieve_devices,
    retrieve_offline_qr_code,
    select_device,
)
from server_stub.api.authentication import AccessRequest, BadgeCheck, PasswordCheck, access, check_badge, check_password
from server_stub.api.current import StepAttributes
from server_stub.api.envelope import Answer, ListAnswer
from server_stub.api.fido import (
    AssertionCheck,
    CredentialAttributes,
    FidoAttributes,
    RegistrationCheck,
    RegistrationRequest,
    check_assertion,
    check_registration,
    list_credentials,
    remove_credential,
    rename_credential,
    retrieve_challenge,
    retrieve_registration_challenge,
)
from server_stub.api.first_steps import (
    Forgotten,
    RememberedAttributes,
    RememberRequest,
    TicketCheck,
    UsernameCheck,
    check_device_token,
    check_ticket,
    check_username,
    forget_device,
    list_remembered_devices,
    remember_device,
)
from server_stub.api.routing import Route
from server_stub.api.self_service import LoggedOut, SessionAttributes, get_session, log_out
from server_stub.api.transaction_approval import (
    ApprovalAttributes,
    ApprovalQrAttributes,
    Identify,
    Parameters,
    PictureRequest,
    identify_user,
    select_flow,
    set_parameters,
)
from server_stub.api.transaction_approval import check_otp as check_approval_otp
from server_stub.api.transaction_approval import poll_status as poll_approval_status
from server_stub.api.transaction_approval import retrieve_offline_qr_code as retrieve_approval_qr_code
from server_stub.audit import Entry
from server_stub.store.iam import addresses

BASE = "/auth/rest"
_AUTHENTICATION = f"{BASE}/public/authentication"
_AIRLOCK_2FA = f"{_AUTHENTICATION}/airlock-2fa"
_STEP = Answer[StepAttributes]
_LOCKS = ("USER_TEMPORARILY_LOCKED", "USER_LOCKED")
_NO_USER = ("USER_NOT_FOUND",)
_CLOUD = ("AIRLOCK_2FA_UNAVAILABLE",)
_FIDO = f"{_AUTHENTICATION}/fido"
_PROTECTED = f"{BASE}/protected"
_CREDENTIALS = f"{_PROTECTED}/self-service/fido/credentials"
_REMEMBERED = f"{_PROTECTED}/self-service/remembered-devices"
_REGISTRATION = f"{_PROTECTED}/self-service/fido/registration"

PUBLIC_ROUTES = (
    Route(
        "POST",
        f"{_AUTHENTICATION}/applications/{{application}}/access",
        access,
        _STEP,
        "Start a login for an application, or look how it stands",
        AccessRequest,
        published=True,
        errors=("NOT_AUTHORIZED", "ACCESS_DENIED", "APPLICATION_NOT_FOUND", "TARGET_NOT_ALLOWED"),
    ),
    Route(
        "POST",
        f"{_AUTHENTICATION}/password/check",
        addresses.limited(check_password),
        _STEP,
        "Check user name and password",
        PasswordCheck,
        published=True,
        errors=("USERNAME_PASSWORD_WRONG", "ACCESS_DENIED", *_LOCKS),
    ),
    Route(
        "POST",
        f"{_AUTHENTICATION}/badge/check",
        addresses.limited(check_badge),
        _STEP,
        "Check a QR badge",
        BadgeCheck,
        errors=("BADGE_WRONG", "BADGE_NOT_ALLOWED", "ACCESS_DENIED"),
    ),
    Route(
        "POST",
        f"{_AUTHENTICATION}/username/check",
        check_username,
        _STEP,
        "Say a user name, to be proven by the next step",
        UsernameCheck,
        errors=("ACCESS_DENIED",),
    ),
    Route(
        "POST",
        f"{_AUTHENTICATION}/device-token/check",
        check_device_token,
        _STEP,
        "Recognise a remembered device by its cookie",
        errors=("DEVICE_NOT_REMEMBERED", "ACCESS_DENIED"),
    ),
    Route(
        "POST",
        f"{_AUTHENTICATION}/sso-ticket/check",
        addresses.limited(check_ticket),
        _STEP,
        "Believe a ticket that another system signed",
        TicketCheck,
        errors=("TICKET_WRONG", "ACCESS_DENIED"),
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
        f"{_AIRLOCK_2FA}/status/poll",
        poll_status,
        _STEP,
        "Ask the user's app, then whether it was answered",
        published=True,
        errors=("AIRLOCK_2FA_TIMEOUT", "AIRLOCK_2FA_DENIED", *_LOCKS, *_CLOUD),
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
        addresses.limited(check_otp),
        _STEP,
        "Check the code that the token shows",
        OtpCheck,
        errors=("OTP_WRONG", "OTP_EXPIRED", "AIRLOCK_2FA_DENIED", *_LOCKS, *_CLOUD),
    ),
    Route(
        "POST",
        f"{_FIDO}/challenge/retrieve",
        retrieve_challenge,
        Answer[FidoAttributes],
        "Get the options for an assertion",
        published=True,
        errors=("FIDO_NO_CREDENTIAL",),
    ),
    Route(
        "POST",
        f"{_FIDO}/assertion/check",
        addresses.limited(check_assertion),
        _STEP,
        "Check the assertion",
        AssertionCheck,
        errors=("FIDO_ASSERTION_WRONG",),
    ),
    Route(
        "POST",
        f"{_REGISTRATION}/challenge/retrieve",
        retrieve_registration_challenge,
        Answer[FidoAttributes],
        "Get the options for a new credential",
        RegistrationRequest,
        published=True,
    ),
    Route(
        "POST",
        f"{_REGISTRATION}/check",
        check_registration,
        Answer[CredentialAttributes],
        "Check a new credential and keep it",
        RegistrationCheck,
        errors=("FIDO_REGISTRATION_WRONG", "FIDO_CREDENTIAL_EXISTS"),
    ),
    Route("GET", _CREDENTIALS, list_credentials, ListAnswer[CredentialAttributes], "List one's own keys"),
    Route(
        "PUT",
        f"{_CREDENTIALS}/{{credential}}",
        rename_credential,
        Answer[CredentialAttributes],
        "Call a key something else",
        RegistrationRequest,
        errors=("FIDO_CREDENTIAL_UNKNOWN",),
    ),
    Route(
        "DELETE",
        f"{_CREDENTIALS}/{{credential}}",
        remove_credential,
        Answer[CredentialAttributes],
        "Register a key no longer",
        errors=("FIDO_CREDENTIAL_UNKNOWN",),
    ),
    Route(
        "GET",
        _REMEMBERED,
        list_remembered_devices,
        ListAnswer[RememberedAttributes],
        "List the browsers that are remembered",
    ),
    Route(
        "POST",
        _REMEMBERED,
        remember_device,
        Answer[RememberedAttributes],
        "Remember this browser",
        RememberRequest,
        201,
    ),
    Route(
        "DELETE",
        f"{_REMEMBERED}/{{device}}",
        forget_device,
        Answer[Forgotten],
        "Remember a browser no longer",
        errors=("DEVICE_UNKNOWN",),
    ),
    Route("GET", f"{_PROTECTED}/session", get_session, Answer[SessionAttributes], "Tell who is logged in"),
    Route("POST", f"{_PROTECTED}/session/logout", log_out, Answer[LoggedOut], "End the session"),
)

_APPROVAL = "/transaction-approval/rest/transaction-approval"

APPROVAL_ROUTES = (
    Route(
        "POST",
        f"{_APPROVAL}/flows/{{flow}}/select",
        select_flow,
        Answer[ApprovalAttributes],
        "Start an approval",
        published=True,
        errors=("FLOW_NOT_FOUND",),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/user/identify",
        identify_user,
        Answer[ApprovalAttributes],
        "Say whose approval is asked for",
        Identify,
        published=True,
        errors=_NO_USER,
    ),
    Route(
        "POST",
        f"{_APPROVAL}/parameters",
        set_parameters,
        Answer[ApprovalAttributes],
        "Record what is to be approved",
        Parameters,
        published=True,
        errors=("AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED", "DEVICE_UNKNOWN", *_CLOUD),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/offline-qr-code/retrieve",
        retrieve_approval_qr_code,
        Answer[ApprovalQrAttributes],
        "Get a QR code for the recorded transaction",
        PictureRequest,
        errors=("DEVICE_UNKNOWN", *_LOCKS, *_CLOUD),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/status/poll",
        poll_approval_status,
        Answer[ApprovalAttributes],
        "Ask the user's app, then whether it was answered",
        errors=("AIRLOCK_2FA_TIMEOUT", "TRANSACTION_DENIED", *_LOCKS, *_CLOUD),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/otp/check",
        check_approval_otp,
        Answer[ApprovalAttributes],
        "Approve the recorded transaction with the code that the token shows",
        OtpCheck,
        errors=("OTP_WRONG", "OTP_EXPIRED", "TRANSACTION_DENIED", *_LOCKS, *_CLOUD),
    ),
)

_ADMIN = "/admin/rest"
MAX_TOKEN_FILE = 8 * 2**20
"""A maker's file is longer than any other body."""
_USER = f"{_ADMIN}/users/{{username}}"

USER_ROUTES = (
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
        "PUT",
        f"{_USER}/username",
        rename_user,
        Answer[UserAttributes],
        "Call a user something else",
        NewName,
        errors=(*_NO_USER, "USER_EXISTS"),
    ),
    Route(
        "PUT",
        f"{_USER}/groups",
        set_groups,
        Answer[UserAttributes],
        "Put a user into other groups",
        Groups,
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
        "GET",
        f"{_USER}/locks",
        get_locks,
        Answer[LocksAttributes],
        "Tell what is counted against a user in the IAM",
        errors=_NO_USER,
    ),
    Route(
        "POST",
        f"{_USER}/unlock",
        unlock_user,
        Answer[LocksAttributes],
        "Forgive a user's wrong attempts in the IAM",
        errors=_NO_USER,
    ),
    Route(
        "POST",
        f"{_USER}/qr-tokens/{{device}}/unlock",
        unlock_token,
        Answer[UnlockedToken],
        "Forgive a token's wrong codes in the cloud",
        errors=(*_NO_USER, "TOKEN_UNKNOWN", *_CLOUD),
    ),
    Route(
        "POST",
        f"{_USER}/tokens",
        add_device,
        Answer[DeviceState],
        "Import a token of any kind and assign it to a user",
        NewDevice,
        201,
        errors=(*_NO_USER, "TOKEN_EXISTS", *_CLOUD),
    ),
    Route(
        "POST",
        f"{_ADMIN}/tokens/import",
        import_tokens,
        ListAnswer[StockAttributes],
        "Import a maker's file of tokens, all or none",
        TokenFile,
        201,
        errors=("TOKEN_EXISTS", *_CLOUD),
        body_limit=MAX_TOKEN_FILE,
    ),
    Route(
        "GET",
        f"{_ADMIN}/tokens",
        list_tokens,
        ListAnswer[StockAttributes],
        "List all tokens, and who has them",
        errors=_CLOUD,
    ),
    Route(
        "PUT",
        f"{_ADMIN}/tokens/{{device}}/state",
        set_token_state,
        Answer[DeviceState],
        "Suspend a token, or let it work again",
        TokenState,
        errors=("TOKEN_UNKNOWN", *_CLOUD),
    ),
    Route(
        "PUT",
        f"{_USER}/tokens/{{device}}",
        assign_token,
        Answer[DeviceState],
        "Assign a token from stock, or share one",
        errors=(*_NO_USER, "TOKEN_UNKNOWN", "TOKEN_ASSIGNED", *_CLOUD),
    ),
    Route(
        "DELETE",
        f"{_USER}/tokens/{{device}}",
        unassign_token,
        Answer[DeviceState],
        "Take a token from a user",
        errors=(*_NO_USER, "TOKEN_UNKNOWN", *_CLOUD),
    ),
    Route(
        "POST",
        f"{_USER}/tokens/{{device}}/resync",
        resync_token,
        Answer[Resynced],
        "Find an OTP token again by two codes in a row",
        ResyncCodes,
        errors=(*_NO_USER, "TOKEN_UNKNOWN", "OTP_WRONG", *_CLOUD),
    ),
    Route(
        "GET",
        f"{_USER}/push-requests",
        list_push_requests,
        ListAnswer[PushShown],
        "List what the apps of a user show",
        errors=(*_NO_USER, *_CLOUD),
    ),
    Route(
        "POST",
        f"{_ADMIN}/push-requests/{{push}}/answer",
        answer_push_request,
        Answer[PushAnswered],
        "Press a button of an app",
        PushButton,
        errors=("PUSH_OVER", *_CLOUD),
    ),
    Route("POST", f"{_ADMIN}/sweep", sweep, Answer[SweptAttributes], "Remove the IAM's expired rows now"),
)

BADGE_ROUTES = (
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
    Route("GET", f"{_USER}/badges", list_badges, ListAnswer[BadgeState], "List a user's badges", errors=_NO_USER),
    Route(
        "DELETE",
        f"{_USER}/badges/{{badge}}",
        void_badge,
        Answer[Voided],
        "Void one badge",
        errors=(*_NO_USER, "BADGE_UNKNOWN"),
    ),
    Route("DELETE", f"{_USER}/badges", void_badges, Answer[Voided], "Void all badges of a user", errors=_NO_USER),
    Route("POST", f"{_ADMIN}/badges/void", void_everybodys, Answer[Voided], "Void all badges of everybody", VoidAll),
)

AUDIT_ROUTES = (
    Route("GET", f"{_ADMIN}/audit", read_audit, ListAnswer[Entry], "Read the audit log"),
    Route("GET", f"{_ADMIN}/audit/verify", verify_audit, Answer[AuditVerdict], "Check the chain of the audit log"),
)

POLICY_ROUTES = (
    Route(
        "GET",
        f"{_ADMIN}/policies",
        list_policies,
        ListAnswer[PolicyAttributes],
        "List the policies in the order in which they are asked",
    ),
    Route(
        "GET",
        f"{_ADMIN}/policies/warnings",
        list_warnings,
        ListAnswer[WarningAttributes],
        "List what in the policy file is probably not meant",
    ),
    Route(
        "POST",
        f"{_ADMIN}/policies/explain",
        explain,
        Answer[Explanation],
        "Say what the policies make of a login, and why",
        Question,
        errors=("APPLICATION_NOT_FOUND", *_NO_USER),
    ),
)

ADMIN_TABLES = {"users": USER_ROUTES, "badges": BADGE_ROUTES, "policies": POLICY_ROUTES, "audit": AUDIT_ROUTES}
"""The administration by the role that may use it."""
ADMIN_ROUTES = tuple(route for table in ADMIN_TABLES.values() for route in table)
