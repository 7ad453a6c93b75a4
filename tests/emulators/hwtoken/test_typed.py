import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.hwtoken.keys import Button
from emulators.hwtoken.typed import Outcome, Question, TypedDigits

QUESTION = Question("PIN", "Type it", 4, 6)


def wheel_to(typed: TypedDigits, position: str) -> Outcome:
    """Turn the wheel to ``position`` and take it."""
    for _ in range(12):
        if typed.wheel == position:
            return typed.press(Button.OK)
        typed.press(Button.CANCEL)
    raise AssertionError(f"the wheel has no {position}")


def test_a_keypad_types_digits() -> None:
    """OK finishes once there are enough, CANCEL takes one away, then gives up."""
    typed = TypedDigits(QUESTION, wheel=False)
    for digit in "274":
        typed.press(Button(digit))
    assert typed.press(Button.OK) is Outcome.NOTHING
    typed.press(Button.CANCEL)
    for digit in "49":
        typed.press(Button(digit))
    assert typed.press(Button.OK) is Outcome.DONE
    assert (typed.text, typed.shown, typed.wheel) == ("2749", "****", "")
    assert [typed.press(Button.CANCEL) for _ in range(5)][-1] is Outcome.GIVEN_UP


def test_two_buttons_turn_a_wheel() -> None:
    """Each digit begins at 0; erase and done come after 9."""
    typed = TypedDigits(QUESTION, wheel=True)
    for digit in "27549":
        wheel_to(typed, digit)
    wheel_to(typed, "<")
    assert typed.text == "2754"
    assert wheel_to(typed, "=") is Outcome.DONE
    assert typed.press(Button.DIGIT_1) is Outcome.NOTHING


@pytest.mark.parametrize("wheel", [False, True])
def test_holding_cancel_gives_up(*, wheel: bool) -> None:
    """On every model."""
    assert TypedDigits(QUESTION, wheel=wheel).press(Button.CANCEL, held=True) is Outcome.GIVEN_UP


def test_what_is_no_secret_is_shown() -> None:
    """But never in a repr."""
    typed = TypedDigits(Question("Code", "Type it", 1, 4, hidden=False), wheel=False)
    typed.press(Button.DIGIT_7)
    assert typed.shown == "7"
    assert "7" not in repr(typed)


@given(st.lists(st.sampled_from(Button), max_size=60), st.booleans())
def test_no_keys_type_more_than_is_asked_for(buttons: list[Button], wheel: bool) -> None:  # noqa: FBT001 - by position
    """And nothing is ever finished with too few digits."""
    typed = TypedDigits(QUESTION, wheel=wheel)
    for button in buttons:
        outcome = typed.press(button)
        assert len(typed.text) <= QUESTION.most
        assert outcome is not Outcome.DONE or len(typed.text) >= QUESTION.least
