"""What keys on the market do otherwise than CTAP says, each as one small hook that a profile switches on by name.

"Chromium" below is the catalogue that the virtual authenticator of Chromium keeps in
device/fido/virtual_ctap2_device.h; "test tool" are the published results of google/CTAP2-test-tool.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.messages import GetAssertionRequest, MakeCredentialRequest
from emulators.fido_authenticator.status import CtapError, Status

if TYPE_CHECKING:
    from emulators.fido_authenticator.profile import Profile


class Quirk(StrEnum):
    """The names that a profile's ``quirks`` may hold."""

    REFUSES_UNKNOWN_EXTENSIONS = "refuses-unknown-extensions"
    """UNSUPPORTED_OPTION instead of ignoring them. Test tool: BioPass; Chromium: reject_all_extensions."""
    REFUSES_UNKNOWN_ALGORITHMS = "refuses-unknown-algorithms"
    """UNSUPPORTED_ALGORITHM for a list with one it does not know, though it knows others. Test tool: 12 of 15 keys."""
    REFUSES_EMPTY_DISPLAY_NAME = "refuses-empty-display-name"
    """INVALID_LENGTH for a user with an empty displayName. Chromium: reject_empty_display_name."""
    REFUSES_SILENT_ASSERTIONS = "refuses-silent-assertions"
    """UNSUPPORTED_OPTION for up=false. Chromium: reject_silent_authentication_requests."""
    OMITS_SINGLE_CREDENTIAL = "omits-single-credential"
    """No credential in the response where the allow list has one entry, as CTAP 2.0 allowed. Chromium: only_if_needed."""
    OMITS_USER_WITH_ALLOW_LIST = "omits-user-with-allow-list"
    """No user where there is an allow list. Chromium: omit_user_entity_on_allow_credentials_requests."""
    TOUCH_BEFORE_NO_CREDENTIALS = "touch-before-no-credentials"
    """NO_CREDENTIALS only after a touch. Chromium's opposite: return_immediate_invalid_credential_error."""
    ATTESTED_DATA_IN_ASSERTIONS = "attested-data-in-assertions"
    """AT data in assertions. Chromium: return_attested_cred_data_in_get_assertion_response."""
    PROTECTS_BY_DEFAULT = "protects-by-default"
    """credProtect level 2 where the host asks for none. Chromium: default_cred_protect."""
    ADDS_UNKNOWN_EXTENSION = "adds-unknown-extension"
    """An output, in a registration, of an extension that nobody asked for. Chromium: add_extra_extension."""
    ALWAYS_ENTERPRISE_ATTESTATION = "always-enterprise-attestation"
    """The certificate that names the one key, asked for or not. Chromium: always_return_enterprise_attestation."""
    CANCEL_AS_HID_ERROR = "cancel-as-hid-error"
    """A cancelled command ends with a CTAPHID error, not with CBOR 0x2D: Yubico/python-fido2 issue 69."""


def refuse_creation(profile: "Profile", request: MakeCredentialRequest) -> None:
    """Refuse what the specification allows, if ``profile`` does so.

    Raises:
        CtapError: as the quirk has it.
    """
    quirks = profile.quirks
    if Quirk.REFUSES_UNKNOWN_EXTENSIONS in quirks and not set(request.extensions) <= set(profile.extensions):
        raise CtapError(Status.UNSUPPORTED_OPTION)
    if Quirk.REFUSES_UNKNOWN_ALGORITHMS in quirks and not set(request.algorithms) <= set(profile.all_algorithms):
        raise CtapError(Status.UNSUPPORTED_ALGORITHM)
    if Quirk.REFUSES_EMPTY_DISPLAY_NAME in quirks and request.user.display_name == "":
        raise CtapError(Status.INVALID_LENGTH)


def asked_extensions(profile: "Profile", request: MakeCredentialRequest) -> dict[str, CborValue]:
    """The extension inputs of a registration as ``profile`` takes them."""
    if Quirk.PROTECTS_BY_DEFAULT in profile.quirks:
        return {"credProtect": 2, **request.extensions}
    return request.extensions


def extra_outputs(profile: "Profile") -> dict[str, CborValue]:
    """Extension outputs of a registration for which nobody asked."""
    return {"authrig-unasked": True} if Quirk.ADDS_UNKNOWN_EXTENSION in profile.quirks else {}


def refuse_assertion(profile: "Profile", request: GetAssertionRequest) -> None:
    """As ``refuse_creation``."""
    quirks = profile.quirks
    if Quirk.REFUSES_UNKNOWN_EXTENSIONS in quirks and not set(request.extensions) <= set(profile.extensions):
        raise CtapError(Status.UNSUPPORTED_OPTION)
    if Quirk.REFUSES_SILENT_ASSERTIONS in quirks and request.options.get("up") is False:
        raise CtapError(Status.UNSUPPORTED_OPTION)


def leave_out(profile: "Profile", request: GetAssertionRequest, response: dict[int, CborValue]) -> None:
    """Take out of an assertion's response what ``profile`` does not say."""
    if Quirk.OMITS_SINGLE_CREDENTIAL in profile.quirks and request.allow_list and len(request.allow_list) == 1:
        del response[0x01]
    if Quirk.OMITS_USER_WITH_ALLOW_LIST in profile.quirks and request.allow_list:
        response.pop(0x04, None)
