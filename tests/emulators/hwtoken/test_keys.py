import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.hwtoken.keys import Button, KeyScanner, Press


@pytest.mark.parametrize(("seconds", "held"), [(0.05, False), (0.99, False), (1.0, True), (9.9, True)])
def test_a_press_is_short_or_long(seconds: float, *, held: bool) -> None:
    """By the time until its release."""
    keys = KeyScanner()
    keys.down(Button.OK, 5.0)
    assert keys.up(Button.OK, 5.0 + seconds) == Press(Button.OK, held)


def test_a_contact_that_bounces_is_one_press() -> None:
    """Closing and opening."""
    keys = KeyScanner()
    presses = []
    for down, up in ((5.0, 5.003), (5.006, 5.01), (5.012, 5.3), (5.304, 5.309)):
        keys.down(Button.OK, down)
        presses.append(keys.up(Button.OK, up))
    assert [press for press in presses if press] == [Press(Button.OK, held=False)]


def test_two_keys_at_once_are_none() -> None:
    """Cancel and OK together must not confirm."""
    keys = KeyScanner()
    keys.down(Button.OK, 1.0)
    keys.down(Button.CANCEL, 1.2)
    assert keys.up(Button.OK, 1.4) is None
    assert keys.up(Button.CANCEL, 1.6) is None
    keys.down(Button.OK, 2.0)
    assert keys.up(Button.OK, 2.1) == Press(Button.OK, held=False)


def test_a_stuck_key_does_nothing() -> None:
    """It is named while it is stuck, and works once it is free."""
    keys = KeyScanner()
    keys.down(Button.OK, 0.0)
    assert keys.stuck(9.9) == frozenset()
    assert keys.stuck(10.0) == {Button.OK}
    assert keys.up(Button.OK, 60.0) is None
    keys.down(Button.OK, 61.0)
    assert keys.up(Button.OK, 61.1) == Press(Button.OK, held=False)


@given(st.lists(st.tuples(st.sampled_from(Button), st.booleans(), st.floats(0, 12)), max_size=40))
def test_no_contacts_make_more_presses_than_releases(changes: list[tuple[Button, bool, float]]) -> None:
    """Whatever the order."""
    keys, now, presses, releases = KeyScanner(), 0.0, 0, 0
    for button, closes, pause in changes:
        now += pause
        if closes:
            keys.down(button, now)
        else:
            releases += 1
            presses += keys.up(button, now) is not None
    assert presses <= releases
