"""What makeCredential and getAssertion check alike: whether the user was verified, and how long a list is."""

from collections.abc import Generator, Mapping

from emulators.fido_authenticator.messages import PinUvAuth
from emulators.fido_authenticator.state import State
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.user import Answer, UserRequest


def verify_user(auth: PinUvAuth, options: Mapping[str, bool]) -> Generator[UserRequest, Answer, bool]:
    """Whether the user is verified for this command (CTAP 2.3 §6.1.2 and §6.2.2: steps 1, 2 and "uv" of the options).

    Raises:
        CtapError: MISSING_PARAMETER for a proof without its protocol; INVALID_PARAMETER for a proof under a protocol
            that this key does not have; INVALID_OPTION if the host asks for built-in verification, which is not there.
    """
    yield from ()
    if auth.param is not None:
        # The protocol must be one of getInfo's pinUvAuthProtocols. This key has none yet, and for the same reason
        # step 1, a zero-length proof that asks whether a PIN is set, does not apply.
        if auth.protocol is None:
            raise CtapError(Status.MISSING_PARAMETER)
        raise CtapError(Status.INVALID_PARAMETER)
    # Without a proof, "uv" asks for verification by the key itself.
    if options.get("uv", False):
        raise CtapError(Status.INVALID_OPTION)
    return False


def check_list_length(state: State, credential_ids: tuple[bytes, ...]) -> None:
    """Refuse more entries than getInfo's maxCredentialCountInList."""
    if len(credential_ids) > state.profile.limits.max_credential_count_in_list:
        raise CtapError(Status.LIMIT_EXCEEDED)
