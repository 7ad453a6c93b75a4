from collections.abc import Callable, Iterator

import numpy as np
import pytest
import segno
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from emulators.camera_scanner.frames import Frame, ImageError
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import Env, SeededRandom, SimulatedClock
from emulators.hwtoken.display import render
from emulators.hwtoken.memory import MemoryFault, TokenMemory
from emulators.hwtoken.profile import Profile, load_profile
from emulators.hwtoken.screens import (
    Code,
    Error,
    ErrorKind,
    Idle,
    Off,
    Refused,
    Review,
    Scanning,
    Screen,
    Style,
)
from emulators.hwtoken.token import Button, QrToken
from offline_qr import otq1

SERIAL, SEED = "QT1-00000042", bytes(range(32))
KEYS = otq1.derive_keys(SERIAL, SEED)
LOGIN, TRANSACTION = otq1.MessageType.LOGIN, otq1.MessageType.TRANSACTION
LOGIN_FIELDS = (otq1.Field(otq1.Tag.SERVICE, "e-Banking"), otq1.Field(otq1.Tag.USER, "alice@example.ch"))
PAYMENT_FIELDS = (
    otq1.Field(otq1.Tag.AMOUNT, "CHF 1'250.00"),
    otq1.Field(otq1.Tag.TO_ACCOUNT, "CH93 0076 2011 6238 5295 7"),
    otq1.Field(otq1.Tag.BENEFICIARY, "Müller & Söhne AG"),
    otq1.Field(otq1.Tag.REFERENCE, "Rechnung 2026-0815"),
)
MODELS = ("dot_matrix_128x64", "dot_matrix_240x240")
each_model = pytest.mark.parametrize("model", MODELS)


class BrokenStore:
    """Keeps what it is given until it is told to break."""

    name = "a broken chip"

    def __init__(self) -> None:
        self.broken = False

    def load(self) -> bytes | None:
        """Nothing yet."""
        return None

    def save(self, data: bytes) -> None:  # noqa: ARG002 - a broken chip does not care
        """Refuse once broken."""
        if self.broken:
            raise MemoryFault("token memory a broken chip: cannot be written")


class Desk:
    """A token on a desk, the server's side of its keys, and a record of every screen."""

    def __init__(self, model: str = "dot_matrix_128x64", memory: TokenMemory | None = None) -> None:
        self.clock = SimulatedClock()
        self.profile = load_profile(model)
        self.memory = memory or TokenMemory()
        if self.memory.identity is None:
            self.memory.provision(SERIAL, SEED)
        self.history: list[Screen] = []
        self.token = QrToken(Env(self.clock, SeededRandom(1)), self.profile, self.memory, self.history.append)
        self._count = 0

    def challenge(
        self,
        kind: otq1.MessageType = LOGIN,
        fields: tuple[otq1.Field, ...] = LOGIN_FIELDS,
        flags: otq1.Flags = otq1.Flags.NONE,
        suite: int = 1,
    ) -> otq1.Challenge:
        """A fresh challenge, issued now."""
        self._count += 1
        challenge_id = self._count.to_bytes(12)
        header = otq1.Header(kind, otq1.key_id(SERIAL), challenge_id, int(self.clock.time()), 180, suite, flags)
        return otq1.Challenge(header, fields)

    def scan(self, *challenges: otq1.Challenge | bytes) -> Screen:
        """Go to the scan screen from wherever and hold all of these before the camera at once."""
        self.token.power_off()
        self.token.power_on()
        self.token.press(Button.OK)
        self.token.read(*(item if isinstance(item, bytes) else otq1.encode(item, KEYS).encode() for item in challenges))
        return self.token.screen

    def screen(self) -> Screen:
        """What is on the panel now."""
        return self.token.screen

    def confirm(self) -> Screen:
        """Press OK page by page, and once more on the last."""
        while isinstance(self.token.screen, Review):
            self.token.press(Button.OK)
        return self.screen()


def photograph(text: str) -> Frame:
    """A clean picture of a QR code that says ``text``."""
    matrix = np.array([[not dark for dark in row] for row in segno.make(text, micro=False).matrix], np.uint8) * 255
    image = np.pad(matrix, 4, constant_values=255).repeat(5, 0).repeat(5, 1)
    return Frame(image, 0.0, "test")


@each_model
def test_a_login_from_power_on_to_the_code(model: str) -> None:
    """Idle says who it is; the code is the one that the server expects, in two groups."""
    desk = Desk(model)
    desk.token.power_on()
    assert desk.screen() == Idle(desk.profile.name, SERIAL)
    desk.token.press(Button.OK)
    assert desk.screen() == Scanning()
    challenge = desk.challenge()
    desk.token.see(photograph(otq1.encode(challenge, KEYS)))
    assert isinstance(desk.screen(), Review)
    shown = desk.confirm()
    code = otq1.compute_code(challenge, KEYS)
    assert shown == Code(f"{code[:4]} {code[4:]}", "Type it to log in")
    desk.token.press(Button.OK)
    assert desk.screen() == Idle(desk.profile.name, SERIAL)


def test_a_photograph_taken_by_hand_is_good_enough() -> None:
    """Tilted, blurred and noisy, as the synthetic camera sees it; at least one of ten frames is read."""
    desk = Desk()
    camera = SyntheticCamera(SeededRandom(7))
    challenge = desk.challenge(TRANSACTION, PAYMENT_FIELDS)
    clean = photograph(otq1.encode(challenge, KEYS)).image
    desk.scan()
    for _ in range(10):
        desk.token.see(Frame(camera.photograph(clean), 0.0, camera.name))
    shown = desk.confirm()
    assert isinstance(shown, Code)
    assert shown.digits == otq1.compute_code(challenge, KEYS)


@each_model
def test_a_transaction_is_read_whole_before_its_code(model: str) -> None:
    """Every value on some page, in order; the code comes only after the last."""
    desk = Desk(model)
    challenge = desk.challenge(TRANSACTION, PAYMENT_FIELDS)
    desk.scan(challenge)
    desk.history.clear()
    page = desk.screen()
    pages = []
    while isinstance(page, Review):
        pages.append(page)
        desk.token.press(Button.OK)
        page = desk.screen()
    assert [page.page for page in pages] == list(range(1, pages[0].pages + 1))
    values = " ".join(line.text for page in pages for line in page.lines if line.style is Style.VALUE)
    issued = [] if desk.profile.behaviour.has_rtc else ["2026-01-01 00:00 UTC"]
    assert values == " ".join(issued + [field.value for field in PAYMENT_FIELDS])
    shown = desk.screen()
    assert isinstance(shown, Code)
    assert shown.digits == otq1.compute_code(challenge, KEYS)


def test_a_server_can_ask_to_confirm_each_field() -> None:
    """One page for each, however much room there is."""
    desk = Desk("dot_matrix_240x240")
    first = desk.scan(desk.challenge(TRANSACTION, PAYMENT_FIELDS, otq1.Flags.CONFIRM_EACH_FIELD))
    assert isinstance(first, Review)
    assert first.pages == 1 + len(PAYMENT_FIELDS)


def test_a_short_code_is_grouped_evenly() -> None:
    """Six digits as three and three."""
    desk = Desk()
    desk.scan(desk.challenge(suite=2))
    shown = desk.confirm()
    assert isinstance(shown, Code)
    assert [len(group) for group in shown.code.split()] == [3, 3]


@pytest.mark.parametrize("page", [1, 2, 3])
def test_cancel_refuses_and_no_code_is_ever_computed(page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On any page, the last one too."""
    monkeypatch.setattr(otq1, "compute_code", lambda *_: pytest.fail("a code was computed"))
    desk = Desk()
    desk.scan(desk.challenge(TRANSACTION, PAYMENT_FIELDS))
    for _ in range(page - 1):
        desk.token.press(Button.OK)
    desk.token.press(Button.CANCEL)
    assert desk.screen() == Refused()
    assert desk.memory.shown == ()
    desk.token.press(Button.OK)
    assert isinstance(desk.screen(), Idle)


def test_the_same_challenge_gives_the_same_code_and_says_so() -> None:
    """After a battery change too; another challenge is new."""
    desk = Desk()
    challenge = desk.challenge()
    desk.scan(challenge)
    first = desk.confirm()
    later = Desk(memory=desk.memory)
    later.scan(challenge)
    again = later.confirm()
    assert isinstance(first, Code)
    assert isinstance(again, Code)
    assert (first.code, first.already_shown, again.already_shown) == (again.code, False, True)
    desk.scan(desk.challenge())
    other = desk.confirm()
    assert isinstance(other, Code)
    assert not other.already_shown


def test_a_refused_challenge_was_not_shown() -> None:
    """Only codes are remembered."""
    desk = Desk()
    challenge = desk.challenge()
    desk.scan(challenge)
    desk.token.press(Button.CANCEL)
    desk.scan(challenge)
    shown = desk.confirm()
    assert isinstance(shown, Code)
    assert not shown.already_shown


def _expired(desk: Desk) -> None:
    challenge = desk.challenge()
    desk.clock.advance(301)
    desk.scan(challenge)


def _from_the_future(desk: Desk) -> None:
    challenge = desk.challenge()
    desk.clock.set_time(desk.clock.time() - 121)
    desk.scan(challenge)


def _expires_while_it_is_read(desk: Desk) -> None:
    challenge = desk.challenge()
    desk.clock.advance(290)
    desk.scan(challenge)
    desk.clock.advance(20)
    desk.confirm()


def _nothing_to_see(desk: Desk) -> None:
    desk.scan()
    desk.clock.advance(desk.profile.behaviour.scan_time_out_seconds)
    desk.token.tick()


def _memory_breaks(desk: Desk) -> None:
    store = BrokenStore()
    desk.memory = TokenMemory(store)
    desk.memory.provision(SERIAL, SEED)
    desk.token = QrToken(Env(desk.clock, SeededRandom(1)), desk.profile, desk.memory, desk.history.append)
    desk.scan(desk.challenge())
    store.broken = True
    desk.confirm()


def _never_provisioned(desk: Desk) -> None:
    desk.token = QrToken(Env(desk.clock, SeededRandom(1)), desk.profile, TokenMemory(), desk.history.append)
    desk.token.power_on()


UNRENDERABLE = (otq1.Field(otq1.Tag.BENEFICIARY, "東京"),)
ERRORS: list[tuple[ErrorKind, Callable[[Desk], object]]] = [
    (ErrorKind.NOT_OURS, lambda desk: desk.scan(b"https://example.ch")),
    (ErrorKind.DAMAGED, lambda desk: desk.scan(otq1.encode(desk.challenge(), KEYS).encode()[:-3])),
    (ErrorKind.UNSUPPORTED, lambda desk: desk.scan(desk.challenge(flags=otq1.Flags.PIN_REQUIRED))),
    (
        ErrorKind.NOT_FOR_THIS_TOKEN,
        lambda desk: desk.scan(
            otq1.encode(
                otq1.Challenge(
                    otq1.Header(LOGIN, otq1.key_id("QT1-2"), bytes(12), int(desk.clock.time()), 180), LOGIN_FIELDS
                ),
                otq1.derive_keys("QT1-2", SEED),
            ).encode()
        ),
    ),
    (ErrorKind.EXPIRED, _expired),
    (ErrorKind.EXPIRED, _expires_while_it_is_read),
    (ErrorKind.NOT_YET_VALID, _from_the_future),
    (ErrorKind.UNRENDERABLE, lambda desk: desk.scan(desk.challenge(TRANSACTION, UNRENDERABLE))),
    (ErrorKind.SEVERAL, lambda desk: desk.scan(desk.challenge(), desk.challenge())),
    (ErrorKind.SCAN_TIME_OUT, _nothing_to_see),
    (ErrorKind.NOT_PROVISIONED, _never_provisioned),
    (ErrorKind.MEMORY_FAULT, _memory_breaks),
]


def test_every_kind_of_error_is_provoked_here() -> None:
    """So that none goes without a test; those of activation, administration, tampering and networks have theirs elsewhere."""
    elsewhere = {ErrorKind.ALREADY_DONE, ErrorKind.WRONG_ACTIVATION_CODE, ErrorKind.TAMPERED, ErrorKind.NO_ANSWER}
    assert {kind for kind, _ in ERRORS} | elsewhere == set(ErrorKind)


@pytest.mark.parametrize(("kind", "provoke"), ERRORS)
def test_each_error_has_its_screen_and_no_code(kind: ErrorKind, provoke: Callable[[Desk], object]) -> None:
    """The screen says why, no code was ever on the panel, and the way out works."""
    desk = Desk()
    provoke(desk)
    screen = desk.screen()
    assert isinstance(screen, Error)
    assert screen.kind is kind
    assert screen.sentence.endswith(".")
    assert not any(isinstance(shown, Code) for shown in desk.history)
    assert render(screen, desk.profile).any()
    desk.token.press(Button.OK)
    assert desk.screen() == (
        screen if screen.kind in {ErrorKind.NOT_PROVISIONED, ErrorKind.MEMORY_FAULT} else Scanning()
    )


def test_a_code_of_another_kind_in_view_does_not_hide_the_challenge() -> None:
    """A poster with a web address hangs beside the screen; the challenge stands there twice."""
    desk = Desk()
    challenge = desk.challenge()
    assert isinstance(desk.scan(b"https://example.ch", challenge, challenge), Review)


def test_a_token_without_a_clock_leaves_the_time_to_its_user() -> None:
    """An old challenge is shown, with its time of issue first."""
    desk = Desk("dot_matrix_240x240")
    challenge = desk.challenge()
    desk.clock.advance(10_000)
    screen = desk.scan(challenge)
    assert isinstance(screen, Review)
    assert [line.text for line in screen.lines[:2]] == ["Issued", "2026-01-01 00:00 UTC"]


def test_frames_are_looked_at_while_scanning_only() -> None:
    """Idle, in a review or with a code on the panel the camera is off, even for what is no picture."""
    desk = Desk()
    frame = Frame(np.zeros((2, 2), np.float64), 0.0, "test")
    desk.token.see(frame)
    desk.token.power_on()
    desk.token.see(frame)
    desk.token.read(b"https://example.ch")
    assert isinstance(desk.screen(), Idle)
    review = desk.scan(desk.challenge())
    desk.token.see(frame)
    desk.token.read(b"https://example.ch")
    assert desk.screen() == review
    desk.confirm()
    desk.token.see(frame)
    assert isinstance(desk.screen(), Code)
    desk.scan()
    with pytest.raises(ImageError):
        desk.token.see(frame)
    assert desk.screen() == Scanning()


def test_an_empty_frame_changes_nothing() -> None:
    """A white wall."""
    desk = Desk()
    desk.scan()
    desk.token.see(Frame(np.full((120, 160), 255, np.uint8), 0.0, "wall"))
    assert desk.screen() == Scanning()


@pytest.mark.parametrize("off", [QrToken.power_off, lambda token: token.tick()])
def test_a_code_never_comes_back(off: Callable[[QrToken], None]) -> None:
    """Neither after power-off nor after auto-off, and nothing of it is left in the device."""
    desk = Desk()
    desk.scan(desk.challenge())
    code = desk.confirm()
    assert isinstance(code, Code)
    desk.clock.advance(desk.profile.behaviour.auto_off_seconds)
    off(desk.token)
    assert desk.screen() == Off()
    assert not desk.token._session.has_keys
    assert desk.token._panel.behind is None
    desk.token.press(Button.OK)
    assert desk.screen() == Off()
    desk.token.power_on()
    assert isinstance(desk.screen(), Idle)
    assert code not in desk.history[desk.history.index(code) + 1 :]


def test_power_lost_in_a_review_forgets_it() -> None:
    """Back on, one has to scan again."""
    desk = Desk()
    desk.scan(desk.challenge(TRANSACTION, PAYMENT_FIELDS))
    desk.token.power_off()
    desk.token.power_on()
    desk.token.press(Button.OK)
    desk.token.press(Button.OK)
    assert desk.screen() == Scanning()


def test_each_page_has_the_full_time() -> None:
    """Auto-off counts from the last thing that happened."""
    desk = Desk()
    desk.scan(desk.challenge(TRANSACTION, PAYMENT_FIELDS))
    for _ in range(2):
        desk.clock.advance(59)
        desk.token.press(Button.OK)
    assert isinstance(desk.screen(), Review)
    desk.clock.advance(60)
    desk.token.press(Button.OK)
    assert desk.screen() == Off()


def test_time_outs_do_not_depend_on_how_often_one_ticks() -> None:
    """A scan that found nothing ends after 30 s, the error screen goes dark 60 s later."""
    often, once = Desk(), Desk()
    for desk, step in ((often, 1), (once, 90)):
        desk.scan()
        for _ in range(90 // step):
            desk.clock.advance(step)
            desk.token.tick()
    assert often.history == once.history
    assert [type(screen) for screen in once.history[-2:]] == [Error, Off]


def test_a_clock_that_is_set_does_not_end_a_screen() -> None:
    """Time-outs are measured with the clock that never steps."""
    desk = Desk()
    desk.scan(desk.challenge())
    desk.confirm()
    desk.clock.set_time(2**32)
    desk.token.tick()
    assert isinstance(desk.screen(), Code)


def test_the_cancel_button_switches_an_idle_token_off() -> None:
    """And stops a scan."""
    desk = Desk()
    desk.scan()
    desk.token.press(Button.CANCEL)
    assert isinstance(desk.screen(), Idle)
    desk.token.press(Button.CANCEL)
    assert desk.screen() == Off()


def test_two_tokens_in_the_same_world_are_twins() -> None:
    """The same events give the same panels, dot for dot."""
    panels = []
    for _ in range(2):
        desk = Desk()
        camera = SyntheticCamera(SeededRandom(3))
        for kind, fields in ((LOGIN, LOGIN_FIELDS), (TRANSACTION, PAYMENT_FIELDS)):
            clean = photograph(otq1.encode(desk.challenge(kind, fields), KEYS)).image
            desk.scan()
            desk.token.see(Frame(camera.photograph(clean), 0.0, camera.name))
            desk.confirm()
        panels.append([render(screen, desk.profile).tobytes() for screen in desk.history])
    assert panels[0] == panels[1]
    assert len(panels[0]) > 8


def test_one_who_watches_the_screen_may_press_buttons() -> None:
    """A robot that confirms whatever it sees ends at the code."""
    desk = Desk()

    def confirm(screen: Screen) -> None:
        if isinstance(screen, Review):
            desk.token.press(Button.OK)

    desk.token = QrToken(Env(desk.clock, SeededRandom(1)), desk.profile, desk.memory, confirm)
    desk.scan(desk.challenge(TRANSACTION, PAYMENT_FIELDS))
    assert isinstance(desk.screen(), Code)


def _reviews_before(history: list[Screen], at: int) -> Iterator[Review]:
    for screen in reversed(history[:at]):
        if not isinstance(screen, Review):
            return
        yield screen


class AnythingHappens(RuleBasedStateMachine):
    """Presses, power, time, genuine, foreign and broken codes in any order, beside the simplest model there is."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.scanned: otq1.Challenge | None = None

    @rule(button=st.sampled_from([Button.OK] * 5 + [Button.CANCEL]), held=st.sampled_from([False] * 6 + [True]))
    def press(self, button: Button, *, held: bool) -> None:
        """Either button, now and then for long."""
        self.desk.token.press(button, held=held)

    @rule()
    def power_on(self) -> None:
        """The switch, or the battery."""
        self.desk.token.power_on()

    @rule(really=st.sampled_from([False, False, False, True]))
    def power_off(self, *, really: bool) -> None:
        """The switch, or the battery; less often than the rest."""
        if really:
            self.desk.token.power_off()

    @rule(seconds=st.sampled_from([1, 1, 29, 31, 61]), tick=st.booleans())
    def wait(self, seconds: int, *, tick: bool) -> None:
        """Time passes, noticed or not."""
        self.desk.clock.advance(seconds)
        if tick:
            self.desk.token.tick()

    @rule(fields=st.sampled_from([LOGIN_FIELDS, PAYMENT_FIELDS, UNRENDERABLE]), old=st.booleans())
    def show_challenge(self, fields: tuple[otq1.Field, ...], *, old: bool) -> None:
        """A genuine challenge, fresh or the one from before."""
        challenge = self.scanned if old and self.scanned else self.desk.challenge(TRANSACTION, fields)
        before = self.desk.screen()
        self.desk.token.read(otq1.encode(challenge, KEYS).encode())
        if isinstance(before, Scanning) and isinstance(self.desk.screen(), Review):
            self.scanned = challenge

    @rule(data=st.binary(max_size=80), prefix=st.sampled_from([b"", b"OTQ1:", b"https://"]))
    def show_anything(self, data: bytes, prefix: bytes) -> None:
        """Anything else."""
        before = self.desk.screen()
        self.desk.token.read(prefix + data)
        if isinstance(before, Scanning):
            assert isinstance(self.desk.screen(), Error | Off)

    @invariant()
    def a_code_follows_all_of_its_pages(self) -> None:
        """Each code in the record comes right after pages 1 to n of one review, read in order."""
        history = self.desk.history
        for at, screen in enumerate(history):
            if isinstance(screen, Code):
                pages = [review.page for review in _reviews_before(history, at)]
                last = history[at - 1]
                assert isinstance(last, Review)
                assert pages == list(range(last.pages, 0, -1))

    @invariant()
    def a_code_is_that_of_the_challenge_on_the_panel(self) -> None:
        """Never another one's."""
        screen = self.desk.screen()
        if isinstance(screen, Code):
            assert self.scanned is not None
            assert screen.digits == otq1.compute_code(self.scanned, KEYS)


AnythingHappens.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestAnythingHappens = AnythingHappens.TestCase


def test_a_profile_is_all_that_differs_between_models() -> None:
    """The same device class with another panel."""
    profiles: list[Profile] = [load_profile(name) for name in MODELS]
    assert {Desk(name).token.profile.name for name in MODELS} == {profile.name for profile in profiles}
