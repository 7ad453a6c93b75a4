"""authenticatorReset, CTAP 2.3 §6.6."""

from typing import Final

from emulators.fido_authenticator.messages import EmptyRequest
from emulators.fido_authenticator.state import State, Steps
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.user import Decision, Prompt, Touch, UserPresence

LONG_TOUCH: Final = 5.0
"""Seconds that a touch must last where long touch for reset is on."""


def reset(state: State, request: EmptyRequest) -> Steps:
    """Back to the factory: every credential is lost. Only shortly after power-up, and with a touch."""
    del request
    # Step 1: a host cannot reset a key behind its user's back, for the key must just have been plugged in.
    if state.env.clock.monotonic() - state.powered_up_at > state.profile.timing.reset_window:
        raise CtapError(Status.NOT_ALLOWED)
    # Step 2: user presence; where the setting asks for it, nobody who brushes against the key erases it.
    seconds = LONG_TOUCH if state.settings.long_touch_for_reset else 0.0
    answer = yield UserPresence(Prompt.RESET, seconds=seconds)
    if answer is Decision.DENIED or (isinstance(answer, Touch) and answer.seconds < seconds):
        raise CtapError(Status.OPERATION_DENIED)
    # Step 3: everything at once.
    state.erase()
    return {}
