"""What a session needs next, in the words of the REST interface."""

from collections.abc import Sequence

from server_stub.flows.devices import CAPABILITY
from server_stub.flows.flow import BADGES, Method
from server_stub.sessions import Pending

_FIRST = {
    Method.USERNAME: "USERNAME_REQUIRED",
    Method.DEVICE_TOKEN: "DEVICE_TOKEN_REQUIRED",
    Method.SSO_TICKET: "SSO_TICKET_REQUIRED",
    Method.OIDC: "OIDC_REQUIRED",
}
"""Steps that are named like this when nothing better known may come instead."""


def next_auth_step(methods: Sequence[Method], pending: Pending) -> str | None:
    """The name of the next step when ``methods`` may come next; None when the login is complete."""
    if not methods:
        return None
    if pending.oidc and Method.OIDC in methods:
        return "OIDC_RESPONSE_REQUIRED"
    if pending.factor is not Method.FIDO and set(CAPABILITY).intersection(methods):
        return _device_step(pending)
    if Method.PASSWORD in methods and methods[0] is not Method.FIDO:
        return "PASSWORD_OR_BADGE_REQUIRED" if BADGES.intersection(methods) else "PASSWORD_REQUIRED"
    if Method.FIDO in methods:
        return (
            "FIDO_AUTHENTICATION_RESPONSE_REQUIRED"
            if pending.fido
            else "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
        )
    if BADGES.intersection(methods):
        return "BADGE_REQUIRED"
    return _FIRST[methods[0]]


def _device_step(pending: Pending) -> str:
    if pending.device_id is None:
        return "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED"
    if pending.factor is Method.PUSH:
        return "AIRLOCK_2FA_POLLING_OR_OFFLINE_REQUIRED"
    if pending.factor is Method.OTP or pending.challenge_id is not None:
        return "AIRLOCK_2FA_OTP_REQUIRED"
    return "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
