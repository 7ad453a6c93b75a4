"""The route table of the public REST."""

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
from server_stub.api.error_codes import CLOUD, LOCKS
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
from server_stub.api.oidc import (
    OidcAttributes,
    OidcProviderAttributes,
    OidcResponse,
    check_response,
    list_providers,
    retrieve_authorization,
)
from server_stub.api.routing import Route
from server_stub.api.self_service import LoggedOut, SessionAttributes, get_session, log_out
from server_stub.store.iam import addresses

BASE = "/auth/rest"
_AUTHENTICATION = f"{BASE}/public/authentication"
_AIRLOCK_2FA = f"{_AUTHENTICATION}/airlock-2fa"
_STEP = Answer[StepAttributes]
_FIDO = f"{_AUTHENTICATION}/fido"
_OIDC = f"{_AUTHENTICATION}/oidc"
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
        errors=("USERNAME_PASSWORD_WRONG", "ACCESS_DENIED", *LOCKS),
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
        "GET",
        f"{_OIDC}/providers",
        list_providers,
        ListAnswer[OidcProviderAttributes],
        "List the providers at which a login may begin",
    ),
    Route(
        "POST",
        f"{_OIDC}/{{provider}}/authorization/retrieve",
        retrieve_authorization,
        Answer[OidcAttributes],
        "Get the address at an OpenID Connect provider for this login",
        errors=("OIDC_PROVIDER_UNKNOWN", "OIDC_UNAVAILABLE"),
    ),
    Route(
        "POST",
        f"{_OIDC}/{{provider}}/response/check",
        addresses.limited(check_response),
        _STEP,
        "Check what the browser came back with from the provider",
        OidcResponse,
        errors=(
            "OIDC_RESPONSE_WRONG",
            "OIDC_USER_UNKNOWN",
            "OIDC_PROVIDER_UNKNOWN",
            "ACCESS_DENIED",
            "OIDC_UNAVAILABLE",
        ),
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/devices/retrieve",
        retrieve_devices,
        ListAnswer[DeviceAttributes],
        "List the user's tokens",
        published=True,
        errors=CLOUD,
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/devices/{{device}}/select",
        select_device,
        _STEP,
        "Choose a token",
        errors=("DEVICE_UNKNOWN", *CLOUD),
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/status/poll",
        poll_status,
        _STEP,
        "Ask the user's app, then whether it was answered",
        published=True,
        errors=("AIRLOCK_2FA_TIMEOUT", "AIRLOCK_2FA_DENIED", *LOCKS, *CLOUD),
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/offline-qr-code/retrieve",
        retrieve_offline_qr_code,
        Answer[OfflineQrAttributes],
        "Get a QR code for the chosen token",
        OfflineQrRequest,
        errors=("DEVICE_UNKNOWN", *LOCKS, *CLOUD),
    ),
    Route(
        "POST",
        f"{_AIRLOCK_2FA}/otp/check",
        check_otp,
        _STEP,
        "Check the code that the token shows",
        OtpCheck,
        errors=("OTP_WRONG", "OTP_EXPIRED", "AIRLOCK_2FA_DENIED", *LOCKS, *CLOUD),
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
        check_assertion,
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
