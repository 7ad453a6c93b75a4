from emulators.fido_authenticator.user import (
    Act,
    AutomaticUser,
    Decision,
    Finger,
    HandUser,
    Prompt,
    SampleQuality,
    ScriptedUser,
    UserPresence,
    UserRequest,
    UserVerification,
)

TOUCH = UserPresence(Prompt.LOG_IN, "example.com", "ada")


def test_an_automatic_user_always_does_the_same() -> None:
    """A touch, a refusal, or nothing at all."""
    for decision in (Decision.GRANTED, Decision.DENIED, None):
        user = AutomaticUser(decision)
        user.begin(TOUCH, 0.0)
        assert (user.decision(0.0), user.decision(1e9), user.next_change()) == (decision, decision, None)
        user.end()


def test_a_scripted_user_acts_in_turn_and_then_leaves() -> None:
    """Each request takes the next act, whose delay counts from the request; later ones are left alone."""
    user = ScriptedUser([Act(delay=2.0), Act(Decision.DENIED), Act(None)])
    user.begin(TOUCH, 100.0)
    assert (user.decision(101.9), user.next_change(), user.decision(102.0)) == (None, 102.0, Decision.GRANTED)
    user.begin(TOUCH, 200.0)
    assert user.decision(200.0) is Decision.DENIED
    for _ in range(2):
        user.begin(TOUCH, 300.0)
        assert (user.decision(1e9), user.next_change()) == (None, None)
    assert user.requests == [TOUCH] * 4


def test_a_hand_counts_only_while_the_key_asks() -> None:
    """Touches before and after the request have no effect, and listeners hear of those that have."""
    user = HandUser()
    heard: list[int] = []
    listener = lambda: heard.append(1)  # noqa: E731 - the same object is needed to unlisten
    user.listen(listener)
    assert not user.touch()
    user.begin(TOUCH, 0.0)
    assert (user.pending, user.decision(0.0)) == (TOUCH, None)
    assert user.touch()
    assert (user.decision(0.0), heard) == (Decision.GRANTED, [1])
    user.end()
    assert user.pending is None
    assert not user.deny()
    user.begin(TOUCH, 0.0)
    assert user.decision(0.0) is None
    user.unlisten(listener)
    assert user.deny()
    assert (user.decision(0.0), heard) == (Decision.DENIED, [1])


def test_a_hand_may_answer_while_it_is_asked() -> None:
    """A callback sees each request and can touch on the spot."""
    user = HandUser()
    seen: list[UserRequest] = []

    def touch(request: UserRequest) -> None:
        seen.append(request)
        assert user.touch()

    user.on_request = touch
    user.begin(TOUCH, 0.0)
    assert (seen, user.decision(0.0)) == ([TOUCH], Decision.GRANTED)


def test_a_hand_may_lay_a_certain_finger_on_the_sensor() -> None:
    """Any answer can be given by hand, while the key asks."""
    user = HandUser()
    assert not user.answer(Finger("thumb"))
    user.begin(UserVerification(Prompt.LOG_IN), 0.0)
    assert user.answer(Finger("thumb", SampleQuality.TOO_FAST))
    assert user.decision(0.0) == Finger("thumb", SampleQuality.TOO_FAST)
