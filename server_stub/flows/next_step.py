"""What a session needs next, in the words of the REST interface."""

from collections.abc import Sequence

from server_stub.flows.flow import BADGES, Method
from server_stub.sessions import Pending


def next_auth_step(methods: Sequence[Method], pending: Pending) -> str | None:
    """The name of the next step when ``methods`` may come next; None when the login is complete."""
    if not methods:
        return None
    if Method.OFFLINE_QR in methods:
        if pending.device_id is None:
            return "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"
        if pending.challenge_id is None:
            return "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
        return "AIRLOCK_2FA_OTP_REQUIRED"
    if Method.FIDO in methods:
        return (
            "FIDO_AUTHENTICATION_RESPONSE_REQUIRED"
            if pending.fido
            else "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
        )
    if Method.PASSWORD not in methods:
        return "BADGE_REQUIRED"
    return "PASSWORD_OR_BADGE_REQUIRED" if BADGES.intersection(methods) else "PASSWORD_REQUIRED"
