"""authenticatorSelection, CTAP 2.3 §6.9."""

from emulators.fido_authenticator.messages import EmptyRequest
from emulators.fido_authenticator.state import State, Steps, ask_presence
from emulators.fido_authenticator.user import Prompt


def selection(state: State, request: EmptyRequest) -> Steps:
    """Blink until touched, so that the user can say which of several keys to use."""
    del state, request
    # Step 1: user presence; a refusal is OPERATION_DENIED, silence USER_ACTION_TIMEOUT.
    yield from ask_presence(Prompt.SELECT)
    return {}
