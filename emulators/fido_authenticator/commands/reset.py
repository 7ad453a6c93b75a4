"""authenticatorReset, CTAP 2.3 §6.6."""

from emulators.fido_authenticator.messages import EmptyRequest
from emulators.fido_authenticator.state import State, Steps, ask_presence
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.user import Prompt


def reset(state: State, request: EmptyRequest) -> Steps:
    """Back to the factory: every credential is lost. Only shortly after power-up, and with a touch."""
    del request
    # Step 1: a host cannot reset a key behind its user's back, for the key must just have been plugged in.
    if state.env.clock.monotonic() - state.powered_up_at > state.profile.timing.reset_window:
        raise CtapError(Status.NOT_ALLOWED)
    # Step 2: user presence.
    yield from ask_presence(Prompt.RESET)
    # Step 3: everything at once.
    state.erase()
    return {}
