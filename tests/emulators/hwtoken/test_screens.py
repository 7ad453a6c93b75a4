import pytest

from emulators.hwtoken.screens import (
    MOVES,
    Code,
    Declined,
    Error,
    ErrorKind,
    Event,
    Idle,
    Locked,
    Menu,
    Notice,
    Off,
    Refused,
    Review,
    Scanning,
    Screen,
    State,
    Typing,
    ok_event,
    soft_keys,
)

FIRST, LAST = Review("Login", 1, 2, ()), Review("Login", 2, 2, ())


def test_the_table_names_every_state() -> None:
    """And there is a way out of each."""
    assert set(MOVES) == set(State)
    assert all(MOVES.values())


def test_only_a_confirmed_last_page_leads_to_a_code() -> None:
    """Or the digits that were asked for after it, or a passcode that no challenge asks for; there is no other way."""
    to_code = [(at, event) for at, moves in MOVES.items() for event, move in moves.items() if move.to is State.CODE]
    assert to_code == [
        (State.IDLE, Event.PASSCODE),
        (State.MENU, Event.PASSCODE),
        (State.TYPING, Event.DIGITS_TYPED),
        (State.REVIEW, Event.OK_ON_LAST_PAGE),
        (State.WAITING, Event.PASSCODE),
    ]
    assert ok_event(FIRST) is Event.OK
    assert ok_event(LAST) is Event.OK_ON_LAST_PAGE


def test_only_a_challenge_before_the_camera_leads_to_a_review() -> None:
    """Apart from turning its own pages, the code that opens an activation, saying which account is meant, and a network."""
    to_review = {(at, event) for at, moves in MOVES.items() for event, move in moves.items() if move.to is State.REVIEW}
    assert to_review == {
        (State.IDLE, Event.PUSHED),
        (State.WAITING, Event.CHALLENGE),
        (State.SCANNING, Event.CHALLENGE),
        (State.MENU, Event.CHALLENGE),
        (State.TYPING, Event.CHALLENGE),
        (State.REVIEW, Event.OK),
    }


def test_every_screen_but_a_dark_one_can_be_switched_off_and_times_out() -> None:
    """No code stays on a forgotten device."""
    for state in set(State) - {State.OFF}:
        assert MOVES[state][Event.SWITCHED_OFF].to is State.OFF
        assert MOVES[state][Event.TIME_OUT].to is (State.ERROR if state is State.SCANNING else State.OFF)


def test_only_buttons_have_labels() -> None:
    """A label stands above a button, so each move by a button has one, and no other."""
    buttons = {Event.OK, Event.OK_ON_LAST_PAGE, Event.CANCEL}
    for moves in MOVES.values():
        for event, move in moves.items():
            assert bool(move.label) == (event in buttons)


@pytest.mark.parametrize(
    ("screen", "state", "labels"),
    [
        (Off(), State.OFF, ("", "")),
        (Idle("Reader", "1"), State.IDLE, ("Off", "Scan")),
        (Scanning(), State.SCANNING, ("Stop", "")),
        (FIRST, State.REVIEW, ("Refuse", "Next")),
        (LAST, State.REVIEW, ("Refuse", "Confirm")),
        (Code("9122 1436", "Type it"), State.CODE, ("", "Done")),
        (Refused(), State.REFUSED, ("", "Done")),
        (Error(ErrorKind.DAMAGED, ""), State.ERROR, ("Back", "Retry")),
        (Error(ErrorKind.NOT_PROVISIONED, ""), State.FAULT, ("Off", "")),
        (Error(ErrorKind.MEMORY_FAULT, ""), State.FAULT, ("Off", "")),
        (Menu(("About", "Back"), 0), State.MENU, ("Next", "Select")),
        (Notice("About", ("1",)), State.NOTICE, ("", "Done")),
        (Locked("1"), State.LOCKED, ("Off", "Unlock")),
        (Declined("9122 1436"), State.DECLINED, ("", "Done")),
        (Typing("PIN", "Type it", "", "7"), State.TYPING, ("Turn", "Take")),
        (Typing("PIN", "Type it", "****", "<", enough=True), State.TYPING, ("Turn", "Erase")),
        (Typing("PIN", "Type it", "****", "=", enough=True), State.TYPING, ("Turn", "Done")),
        (Typing("PIN", "Type it", ""), State.TYPING, ("Back", "")),
        (Typing("PIN", "Type it", "****", enough=True), State.TYPING, ("Erase", "Done")),
    ],
)
def test_the_buttons_say_what_they_do(screen: Screen, state: State, labels: tuple[str, str]) -> None:
    """Confirm appears on the last page only."""
    assert screen.state is state
    assert soft_keys(screen) == labels


def test_a_code_is_typed_without_its_gap() -> None:
    """The gap is for the eye."""
    assert Code("9122 1436", "Type it").digits == "91221436"
