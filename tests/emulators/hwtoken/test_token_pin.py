import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from emulators.env import Env, SeededRandom
from emulators.hwtoken.contents import Contents
from emulators.hwtoken.display import render
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import MemoryFault, PowerLost, RamStore, TokenMemory
from emulators.hwtoken.screens import (
    Code,
    Declined,
    Error,
    ErrorKind,
    Idle,
    Locked,
    Menu,
    Notice,
    Off,
    Review,
    Scanning,
    Screen,
    Typing,
)
from emulators.hwtoken.token import QrToken
from offline_qr import otq1
from tests.emulators.hwtoken.token_bench import KEYS, PIN, SERIAL, Bench

MODELS = ("qr-reader-2button", "qr-reader-keypad")
each_model = pytest.mark.parametrize("model", MODELS)
DURESS_PIN = "8316"


class CutStore(RamStore):
    """Loses power, or breaks, at a write, once told to."""

    problem: Exception | None = None

    def save(self, data: bytes) -> None:
        """Keep the data unless told otherwise."""
        if self.problem is not None:
            raise self.problem
        super().save(data)


@each_model
def test_first_use_must_choose_a_pin(model: str) -> None:
    """A weak one, or one that is repeated wrongly, starts again; until it is set there is no way past it."""
    bench = Bench(model)
    bench.token.power_on()
    assert isinstance(bench.screen(), Typing)
    weak = bench.type("1234")
    assert isinstance(weak, Typing)
    assert weak.prompt == "Too easy to guess. Choose another."
    bench.type(PIN)
    differ = bench.type("8888")
    assert isinstance(differ, Typing)
    assert differ.prompt == "They differ. Choose again."
    assert bench.hold(Button.CANCEL) == Off()
    bench.set_pin()
    assert isinstance(bench.screen(), Idle)


@each_model
def test_the_pin_opens_the_token(model: str) -> None:
    """Each time it is switched on; a wrong one says how many tries are left."""
    bench = Bench(model).set_pin()
    wrong = bench.restart("5555")
    assert isinstance(wrong, Typing)
    assert (wrong.title, wrong.prompt) == ("Wrong PIN", "4 tries left")
    assert isinstance(bench.type(PIN), Idle)
    assert isinstance(bench.scan(bench.challenge()), Review)


def test_five_wrong_pins_lock_the_token_until_the_server_unlocks_it() -> None:
    """While locked it scans nothing but what unlocks or wipes it, and the old PIN works again afterwards."""
    bench = Bench("qr-reader-2button").set_pin()
    bench.restart(None)
    for _ in range(5):
        bench.type("5555")
    assert bench.screen() == Locked(SERIAL)
    assert bench.restart(None) == Locked(SERIAL)
    refused = bench.scan(bench.challenge())
    assert isinstance(refused, Error)
    assert refused.kind is ErrorKind.UNSUPPORTED
    assert bench.cancel() == Locked(SERIAL)
    unlock = bench.admin(1, otq1.Command.PIN_UNLOCK, 1)
    assert isinstance(bench.scan(unlock), Review)
    bench.confirm()
    assert bench.code() == otq1.compute_admin_code(unlock, KEYS)
    assert isinstance(bench.ok(), Typing)
    assert isinstance(bench.type(PIN), Idle)


def test_a_locked_token_asks_for_no_activation_code() -> None:
    """It would cost tries of the letter's code."""
    memory = TokenMemory()
    memory.manufacture(SERIAL)
    bench = Bench("qr-reader-2button", memory).set_pin()
    bench.memory.update(pin_tries_spent=5)
    assert bench.restart(None) == Locked(SERIAL)
    code, header = otq1.make_activation_code("1" * 16), bench.header(otq1.MessageType.ACTIVATION)
    activation = otq1.activate_by_code(header, SERIAL, code, bytes(16), otq1.Account("Bank"))
    refused = bench.scan(otq1.encode_activation(activation))
    assert isinstance(refused, Error)
    assert refused.kind is ErrorKind.UNSUPPORTED


def test_a_server_may_let_the_user_choose_anew() -> None:
    """For who forgot the PIN."""
    bench = Bench().set_pin()
    bench.scan(bench.admin(1, otq1.Command.PIN_UNLOCK, 0))
    bench.confirm()
    new = bench.ok()
    assert isinstance(new, Typing)
    assert new.title == "New PIN"
    bench.type("6043")
    bench.type("6043")
    assert isinstance(bench.restart("6043"), Idle)


def test_a_model_may_wipe_itself_instead_of_locking() -> None:
    """Dark at the last wrong try; then it is as new."""
    bench = Bench("qr-reader-keypad").set_pin()
    bench.restart(None)
    for _ in range(5):
        bench.type("5555")
    assert bench.screen() == Off()
    assert bench.memory.identity is None


def test_a_duress_pin_makes_duress_codes_until_the_token_is_dark() -> None:
    """Nothing on the panel differs but the digits."""
    bench = Bench().set_pin()
    bench.choose("Duress PIN")
    bench.type(PIN)
    bench.type(DURESS_PIN)
    assert bench.type(DURESS_PIN) == Notice("PIN", ("It is set.",))
    challenge = bench.challenge()
    bench.restart(DURESS_PIN)
    bench.scan(challenge)
    forced = bench.confirm()
    assert isinstance(forced, Code)
    assert forced.digits == otq1.compute_duress_code(challenge, KEYS)
    assert otq1.judge(challenge, KEYS, forced.digits).verdict is otq1.Verdict.DURESS
    bench.restart()
    bench.scan(challenge)
    bench.confirm()
    assert bench.code() == otq1.compute_code(challenge, KEYS)


def test_who_changes_the_pin_under_duress_changes_the_duress_pin() -> None:
    """The thief learns the new PIN, and it goes on raising the alarm; the owner's still works."""
    bench = Bench().set_pin()
    bench.choose("Duress PIN")
    for pin in (PIN, DURESS_PIN, DURESS_PIN):
        bench.type(pin)
    bench.restart(DURESS_PIN)
    bench.choose("Change PIN")
    for pin in (DURESS_PIN, "6043", "6043"):
        bench.type(pin)
    challenge = bench.challenge()
    bench.restart("6043")
    bench.scan(challenge)
    bench.confirm()
    assert bench.code() == otq1.compute_duress_code(challenge, KEYS)
    assert isinstance(bench.restart(PIN), Idle)


def test_changing_the_pin_needs_the_old_one() -> None:
    """A token left lying open is not taken over."""
    bench = Bench().set_pin()
    bench.choose("Change PIN")
    wrong = bench.type("5555")
    assert isinstance(wrong, Typing)
    assert wrong.title == "Wrong PIN"
    for pin in (PIN, "6043", "6043"):
        bench.type(pin)
    assert isinstance(bench.restart("6043"), Idle)


@each_model
def test_a_server_can_ask_for_the_pin_before_a_code(model: str) -> None:
    """After the last page; a wrong one counts like any other, and the right one leads to the code."""
    bench = Bench(model).set_pin()
    challenge = bench.challenge(flags=otq1.Flags.PIN_REQUIRED)
    bench.scan(challenge)
    assert isinstance(bench.confirm(), Typing)
    assert isinstance(bench.type("5555"), Typing)
    assert bench.memory.contents.pin_tries_spent == 1
    bench.type(PIN)
    assert bench.code() == otq1.compute_code(challenge, KEYS)


def test_a_try_that_cannot_be_kept_is_not_made() -> None:
    """A broken memory shows a fault, never a code or the idle screen."""
    store = CutStore()
    bench = Bench(memory=TokenMemory(store)).set_pin()
    bench.restart(None)
    store.problem = MemoryFault("broken")
    broken = bench.type(PIN)
    assert isinstance(broken, Error)
    assert broken.kind is ErrorKind.MEMORY_FAULT


def test_power_lost_in_a_write_leaves_the_token_dark() -> None:
    """Nothing of the session is left, and it starts again."""
    store = CutStore()
    bench = Bench(memory=TokenMemory(store)).set_pin()
    bench.scan(bench.challenge())
    store.problem = PowerLost()
    assert bench.confirm() == Off()
    store.problem = None
    assert isinstance(bench.restart(), Idle)


def test_the_menu_tells_what_a_help_desk_asks_for() -> None:
    """Serial, firmware, counter; and a self-test that names each part."""
    bench = Bench().set_pin()
    assert bench.choose("About") == Notice("About", (SERIAL, "Firmware 2.0.1", "Counter 0"))
    bench.ok()
    assert bench.choose("Self-test") == Notice("Self-test", ("Memory ok", "Clock ok", "Random ok"))
    bench.ok()
    assert isinstance(bench.choose("Back"), Idle)
    assert isinstance(bench.hold(Button.OK), Menu)
    assert isinstance(bench.hold(Button.CANCEL), Idle)


def test_erasing_needs_a_word_to_be_typed() -> None:
    """Anything else leaves all as it was."""
    bench = Bench().set_pin()
    bench.choose("Erase all")
    assert isinstance(bench.type("1234"), Idle)
    assert bench.memory.identity is not None
    bench.choose("Erase all")
    assert bench.type("9999") == Off()
    assert bench.memory.contents == Contents(SERIAL)


def test_holding_cancel_reports_fraud() -> None:
    """On any page: eight digits that the server takes for a refusal with alarm."""
    bench = Bench().set_pin()
    challenge = bench.challenge()
    bench.scan(challenge)
    declined = bench.hold(Button.CANCEL)
    assert isinstance(declined, Declined)
    assert otq1.judge(challenge, KEYS, declined.digits).verdict is otq1.Verdict.DECLINED
    assert bench.memory.shown == ()
    assert isinstance(bench.ok(), Idle)


def test_a_model_without_digits_has_no_such_keys() -> None:
    """The sentence says which it has."""
    bench = Bench("qr-reader-2button")
    with pytest.raises(ValueError, match="expected a key of the QR Reader: OK or CANCEL, found 7"):
        bench.token.press(Button.DIGIT_7)


def test_contacts_that_bounce_press_once_and_two_together_confirm_nothing() -> None:
    """On the last page of a review, where it matters."""
    bench = Bench().set_pin()
    bench.scan(bench.challenge())
    for button, closed, pause in (
        (Button.OK, True, 0.1),
        (Button.CANCEL, True, 0.1),
        (Button.OK, False, 0.1),
        (Button.CANCEL, False, 0.1),
    ):
        bench.token.contact(button, closed=closed)
        bench.clock.advance(pause)
    assert isinstance(bench.screen(), Review)
    for closed, pause in ((True, 0.003), (False, 0.003), (True, 0.2), (False, 0.002), (True, 0.002), (False, 0.1)):
        bench.token.contact(Button.OK, closed=closed)
        bench.clock.advance(pause)
    assert isinstance(bench.screen(), Code)
    bench.ok()
    bench.scan(bench.challenge())
    bench.token.contact(Button.CANCEL, closed=True)
    bench.clock.advance(1.5)
    bench.token.contact(Button.CANCEL, closed=False)
    assert isinstance(bench.screen(), Declined)


def test_one_who_watches_the_screen_may_type() -> None:
    """A robot that answers each question with a key, from within the report of the screen."""
    bench = Bench()
    keys = iter([Button(digit) for digit in PIN] + [Button.OK])

    def type_on(screen: Screen) -> None:
        if isinstance(screen, Typing) and (key := next(keys, None)) is not None:
            bench.token.press(key)

    bench.token = QrToken(Env(bench.clock, SeededRandom(1)), bench.profile, bench.memory, type_on)
    bench.token.power_on()
    screen = bench.screen()
    assert isinstance(screen, Typing)
    assert screen.title == "Repeat PIN"


def test_an_opened_token_shows_its_serial_and_nothing_else() -> None:
    """No key is left."""
    bench = Bench().set_pin()
    bench.memory.zeroise()
    bench.restart(None)
    screen = bench.screen()
    assert isinstance(screen, Error)
    assert (screen.kind, screen.sentence) == (ErrorKind.TAMPERED, f"Opened and erased. {SERIAL}")


class AnyKeysOnALockedToken(RuleBasedStateMachine):
    """A thief with the token, who does not know the PIN: keys, power and time in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench("qr-reader-2button").set_pin()
        self.bench.token.power_off()
        self.bench.history.clear()
        self.guesses = 0

    @rule(pin=st.text("13579", min_size=4, max_size=8))
    def guess(self, pin: str) -> None:
        """A PIN that is wrong, as 2749 has a 2."""
        if not isinstance(self.bench.screen(), Typing):
            self.bench.restart(None)
        if isinstance(self.bench.screen(), Typing):
            self.bench.type(pin)
            self.guesses += 1

    @rule(button=st.sampled_from([Button.OK, Button.CANCEL]), held=st.booleans())
    def press(self, button: Button, *, held: bool) -> None:
        """Any key."""
        typing = self.bench.screen()
        if isinstance(typing, Typing) and typing.wheel == "=" and button is Button.OK and not held:
            self.guesses += 1
        self.bench.token.press(button, held=held)

    @rule(on=st.booleans())
    def power(self, *, on: bool) -> None:
        """The battery."""
        (self.bench.token.power_on if on else self.bench.token.power_off)()

    @rule(command=st.sampled_from([None, *otq1.Command]))
    def show(self, command: otq1.Command | None) -> None:
        """A genuine challenge, or an order to a token of another seed."""
        if command is None:
            self.bench.token.read(otq1.encode(self.bench.challenge(), KEYS).encode())
        else:
            argument = 1 if command in {otq1.Command.COUNTER_SYNC, otq1.Command.PIN_UNLOCK} else None
            other = otq1.derive_keys(SERIAL, bytes(32))
            self.bench.token.read(otq1.encode_admin(self.bench.admin(9, command, argument), other).encode())

    @invariant()
    def nothing_opens(self) -> None:
        """Neither idle, nor a menu, nor a review or a code; and at most five guesses were compared."""
        assert not any(isinstance(screen, Idle | Menu | Review | Code | Declined) for screen in self.bench.history)
        assert self.bench.memory.contents.pin_tries_spent == min(self.guesses, 5)
        assert not isinstance(self.bench.screen(), Scanning) or self.guesses >= 5


AnyKeysOnALockedToken.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyKeysOnALockedToken = AnyKeysOnALockedToken.TestCase


@each_model
def test_every_new_screen_can_be_drawn(model: str) -> None:
    """Each has dots, and no two of them the same."""
    bench = Bench(model).set_pin()
    bench.restart(None)
    for _ in range(5):
        bench.type("5555")
    bench.choose("About") if isinstance(bench.screen(), Idle) else bench.restart(None)
    panels = {render(screen, bench.profile).tobytes() for screen in set(bench.history) - {Off()}}
    assert len(panels) == len(set(bench.history) - {Off()})
