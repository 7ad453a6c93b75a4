from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.user import Act, Decision, Prompt, ScriptedUser
from tests.emulators.fido_authenticator.ctap_requests import SELECTION, call


def test_a_touch_selects_the_key() -> None:
    """A touch is success without data, a refusal is told."""
    user = ScriptedUser([Act(), Act(Decision.DENIED)])
    authenticator = Authenticator(Env.simulated(1), user=user)
    assert call(authenticator, SELECTION) == (Status.SUCCESS, {})
    assert call(authenticator, SELECTION) == (Status.OPERATION_DENIED, {})
    assert [request.prompt for request in user.requests] == [Prompt.SELECT] * 2
