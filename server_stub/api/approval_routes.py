"""The route table of transaction approval."""

from server_stub.api.airlock_2fa import OtpCheck
from server_stub.api.approval_fido import ApprovalFidoAttributes
from server_stub.api.approval_fido import check_assertion as check_approval_assertion
from server_stub.api.approval_fido import retrieve_challenge as retrieve_approval_challenge
from server_stub.api.envelope import Answer
from server_stub.api.error_codes import CLOUD, LOCKS, NO_USER
from server_stub.api.fido import AssertionCheck
from server_stub.api.routing import Route
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
        errors=NO_USER,
    ),
    Route(
        "POST",
        f"{_APPROVAL}/parameters",
        set_parameters,
        Answer[ApprovalAttributes],
        "Record what is to be approved",
        Parameters,
        published=True,
        errors=(
            "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED",
            "DEVICE_UNKNOWN",
            "FIDO_NO_CREDENTIAL",
            "APPROVAL_METHOD_NOT_ALLOWED",
            *CLOUD,
        ),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/fido/challenge/retrieve",
        retrieve_approval_challenge,
        Answer[ApprovalFidoAttributes],
        "Get the options for an assertion that approves the recorded transaction",
        errors=("FIDO_NO_CREDENTIAL",),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/fido/assertion/check",
        check_approval_assertion,
        Answer[ApprovalAttributes],
        "Check the assertion: the recorded transaction is approved",
        AssertionCheck,
        errors=("FIDO_ASSERTION_WRONG",),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/offline-qr-code/retrieve",
        retrieve_approval_qr_code,
        Answer[ApprovalQrAttributes],
        "Get a QR code for the recorded transaction",
        PictureRequest,
        errors=("DEVICE_UNKNOWN", *LOCKS, *CLOUD),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/status/poll",
        poll_approval_status,
        Answer[ApprovalAttributes],
        "Ask the user's app, then whether it was answered",
        errors=("AIRLOCK_2FA_TIMEOUT", "TRANSACTION_DENIED", "DEVICE_UNKNOWN", *LOCKS, *CLOUD),
    ),
    Route(
        "POST",
        f"{_APPROVAL}/otp/check",
        check_approval_otp,
        Answer[ApprovalAttributes],
        "Approve the recorded transaction with the code that the token shows",
        OtpCheck,
        errors=("OTP_WRONG", "OTP_EXPIRED", "TRANSACTION_DENIED", *LOCKS, *CLOUD),
    ),
)
