"""A token over several commands is the token that a person holds: nothing is lost, nothing happens twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authrig.errors import RigError
from authrig.tokens.errands import Courier
from authrig.tokens.handled import HandledToken
from authrig.tokens.journal import MAX_EVENTS, Pressed
from authrig.tokens.token_file import AppAccount, TokenFile
from emulators.env import Env, SeededRandom
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.network import CameBack, HttpGet, HttpReply, Unreachable, Wanted
from emulators.hwtoken.readout import read_text
from emulators.hwtoken.screens import Code, Review, State, Typing
from emulators.hwtoken.stores import RamStore
from emulators.hwtoken.token import QrToken
from offline_qr import otq1, tiqr
from tests.authrig.tokens.kills import Killed, killed_after
from tests.authrig.tokens.logins import KEYS, PIN, SEED, SERIAL, challenge


class WallClock:
    """The right time, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_767_225_600.0

    def time(self) -> float:
        """Seconds since 1970."""
        return self.now

    def monotonic(self) -> float:
        """The same, for waits."""
        return self.now


class NoNetwork(Courier):
    """Answers by a table, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[Wanted] = []
        self.answers: dict[type[Wanted], CameBack] = {}

    def do(self, wanted: Wanted, app: AppAccount | None) -> CameBack:
        """By the table, for whatever app."""
        del app
        self.done.append(wanted)
        return self.answers.get(type(wanted), Unreachable())


class Bench:
    """A token file and the commands that use it."""

    def __init__(self, path: Path, profile: str = "qr-reader-keypad", seed: int | None = None) -> None:
        self.path, self.clock, self.courier = path, WallClock(), NoNetwork()
        TokenFile.create(path, profile, SERIAL, seed).close()
        with TokenFile.open(path) as file:
            file.memory().provision(SERIAL, SEED)

    @contextmanager
    def hand(self) -> Iterator[HandledToken]:
        """What one command has."""
        with TokenFile.open(self.path) as file:
            yield HandledToken(file, self.clock, self.courier)

    def press(self, *names: str) -> None:
        """A command for each key."""
        for name in names:
            with self.hand() as token:
                token.press(Button(name))

    def ready(self) -> "Bench":
        """With its PIN set."""
        self.press(*PIN, "ok", *PIN, "ok", "ok")
        return self

    def words(self) -> tuple[str, ...]:
        """What it shows."""
        with self.hand() as token:
            return tuple(read_text(token.token.screen, token.token.profile))

    def state(self) -> State:
        """Where it is."""
        with self.hand() as token:
            return token.token.screen.state


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A token that is ready."""
    return Bench(tmp_path / "my.token").ready()


def test_each_key_by_a_command_of_its_own(bench: Bench) -> None:
    """PIN, scan, review, code."""
    asked = challenge(bench.clock.now)
    bench.press("ok")
    with bench.hand() as token:
        token.read((otq1.encode(asked, KEYS).encode(),))
        assert isinstance(token.token.screen, Review)
    bench.press("ok")
    with bench.hand() as token:
        assert isinstance(token.token.screen, Code)
        assert token.token.screen.digits == otq1.compute_code(asked, KEYS)


def test_a_counter_moves_once_however_often_one_looks(bench: Bench) -> None:
    """The code that used it is shown again by each command until it goes; nothing is computed twice."""
    bench.press("ok")
    with bench.hand() as token:
        token.read((otq1.encode(challenge(bench.clock.now, suite=3), KEYS).encode(),))
    bench.press("ok")
    codes = {bench.words() for _ in range(5)}
    assert len(codes) == 1
    with TokenFile.open(bench.path) as file:
        assert file.memory().contents.counter == 1


def test_time_passes_between_commands(bench: Bench) -> None:
    """The scan screen gives up, the idle screen goes dark; a clock that is put back ends nothing."""
    bench.press("ok")
    bench.clock.now += 31
    assert bench.state() is State.ERROR
    bench.press("cancel")
    bench.clock.now -= 3600
    assert bench.state() is State.IDLE
    bench.clock.now += 3600 + 61
    assert bench.state() is State.OFF
    bench.press("ok")
    assert bench.words()[0] == "PIN"


def test_errands_are_done_once(tmp_path: Path) -> None:
    """What was posted is not posted again by the next command."""
    bench = Bench(tmp_path / "phone.token", "phone-app").ready()
    service = tiqr.Service("Example", "tiqr.example.org", "https://tiqr.example.org/a", "https://tiqr.example.org/e")
    metadata = tiqr.Metadata(service, tiqr.Identity("alice", "Alice"))
    bench.courier.answers[HttpGet] = HttpReply(200, metadata.pack())
    bench.courier.done.clear()
    bench.press("ok")
    with bench.hand() as token:
        token.read((b"tiqrenroll://https://tiqr.example.org/m?k=1",))
    assert [bench.state() for _ in range(3)] == [State.REVIEW] * 3
    assert [type(each) for each in bench.courier.done] == [HttpGet]


def test_a_command_that_was_killed_is_a_power_cut(bench: Bench) -> None:
    """What the token had written counts, a PIN try above all; the token is dark, and works again."""
    with bench.hand() as token:
        token.power(on=False)
    bench.press("1", "1", "1", "1")
    before = bench.path.read_bytes()
    bench.press("ok")
    with TokenFile.open(bench.path) as file:
        memory = file.kept.memory
        spent = file.memory().contents.pin_tries_spent
    assert spent == 1
    # As it is after the token's own write and before that of the session.
    bench.path.write_bytes(before)
    with TokenFile.open(bench.path) as file:
        file.keep(memory=memory)
    with bench.hand() as token:
        assert token.cut_off
        assert token.is_dark
    bench.press("ok")
    with bench.hand() as token:
        assert not token.cut_off
        assert isinstance(token.token.screen, Typing)
    with TokenFile.open(bench.path) as file:
        assert file.memory().contents.pin_tries_spent == 1


def test_killed_at_any_call_no_try_and_no_answer_is_lost(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong PIN: where the command came back the try is spent for good; where it was killed, the token is as before or dark."""
    with bench.hand() as token:
        token.power(on=False)
    bench.press("1", "1", "1", "1")
    before = bench.path.read_bytes()
    found = set()
    for calls in range(60):
        bench.path.write_bytes(before)
        file = TokenFile.open(bench.path)
        token = HandledToken(file, bench.clock, bench.courier)
        try:
            with killed_after(monkeypatch, calls):
                token.press(Button.OK)
            ended = True
        except Killed:
            ended = False
        file.close()
        with bench.hand() as token:
            state = "dark" if token.is_dark else "asks again" if token.token.screen.state is State.TYPING else "else"
        with TokenFile.open(bench.path) as file:
            spent = file.memory().contents.pin_tries_spent
        found.add((ended, spent, state))
        if ended:
            break
    assert found == {(False, 0, "asks again"), (False, 1, "dark"), (False, 1, "asks again"), (True, 1, "asks again")}


def test_a_session_that_leads_elsewhere_is_given_up(bench: Bench) -> None:
    """A screen is never made up: where doing it all again shows something else, the token is dark."""
    with TokenFile.open(bench.path) as file:
        assert file.kept.session is not None
        events = (*file.kept.session.events, Pressed(0.5, "no such key"))
        file.keep(session=msgspec.structs.replace(file.kept.session, events=events))
    with bench.hand() as token:
        assert (token.cut_off, token.is_dark) == (True, True)


def test_what_was_typed_goes_with_the_session(bench: Bench) -> None:
    """Once it is dark, neither PIN nor random key is in the file."""
    assert b'"press"' in bench.path.read_bytes()
    with bench.hand() as token:
        token.power(on=False)
    assert b'"press"' not in bench.path.read_bytes()
    assert b'"session":null' in bench.path.read_bytes()


def test_a_session_has_an_end(bench: Bench) -> None:
    """A file does not grow without bound; the sentence says what to do."""
    with TokenFile.open(bench.path) as file:
        assert file.kept.session is not None
        last = file.kept.session.events[-1]
        events = file.kept.session.events + (Pressed(last.at, "1"),) * (MAX_EVENTS - len(file.kept.session.events))
        file.keep(session=msgspec.structs.replace(file.kept.session, events=events))
    with bench.hand() as token:
        assert not token.cut_off
        with pytest.raises(RigError, match="off and on"):
            token.press(Button.OK)
        token.power(on=False)
        token.press(Button.OK)


def test_a_key_that_a_model_lacks_changes_nothing(tmp_path: Path) -> None:
    """It is not kept as something that happened."""
    bench = Bench(tmp_path / "two.token", "qr-reader-2button")
    with bench.hand() as token:
        token.power(on=True)
    before = bench.path.read_bytes()
    with bench.hand() as token, pytest.raises(RigError, match="expected a key"):
        token.press(Button.DIGIT_7)
    assert bench.path.read_bytes() == before


def test_seeded_tokens_draw_the_same_and_never_twice(tmp_path: Path) -> None:
    """Two files of one seed agree after the same commands; the next session draws other numbers."""
    memories = []
    for name in ("a", "b"):
        bench = Bench(tmp_path / name, seed=3).ready()
        with bench.hand() as token:
            token.power(on=False)
        with TokenFile.open(bench.path) as file:
            memories.append(file.kept.memory)
            assert file.kept.runs == 1
    assert memories[0] == memories[1]


KEYS_AND_CODES = st.one_of(
    st.sampled_from([*PIN, "ok", "ok", "ok", "cancel"]).map(lambda name: ("press", name)),
    st.sampled_from(["ok", "cancel"]).map(lambda name: ("hold", name)),
    st.sampled_from(["challenge", "https://example.ch"]).map(lambda what: ("read", what)),
    st.sampled_from([1.0, 29.0, 45.0, 70.0]).map(lambda seconds: ("pass", str(seconds))),
)


@given(st.lists(KEYS_AND_CODES, max_size=12))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_over_many_commands_it_is_the_token_that_one_holds_all_the_time(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    """Beside a token that lives in this process all the while: the same screens, the same memory."""
    bench = Bench(tmp_path_factory.mktemp("held") / "a.token")
    text = otq1.encode(challenge(bench.clock.now), KEYS).encode()
    store = RamStore()
    with TokenFile.open(bench.path) as file:
        store.save(file.kept.memory.encode())
        other = QrToken(Env(bench.clock, SeededRandom(1)), file.profile, TokenMemory(store))
    for action, what in [("press", key) for key in (*PIN, "ok", *PIN, "ok", "ok")] + steps:
        with bench.hand() as token:
            other.tick()
            if action != "pass" and other.screen.state is State.OFF:
                other.power_on()
            match action:
                case "press" | "hold":
                    token.press(Button(what), held=action == "hold")
                    other.press(Button(what), held=action == "hold")
                case "read":
                    codes = (text if what == "challenge" else what.encode(),)
                    token.read(codes)
                    other.read(*codes)
                case "pass":
                    bench.clock.now += float(what)
        other.tick()
        with bench.hand() as token:
            assert not token.cut_off
            assert token.token.screen == other.screen
    with TokenFile.open(bench.path) as file:
        kept, expected = file.memory().contents, TokenMemory(store).contents
        assert (kept.pin_tries_spent, kept.shown, kept.counter) == (
            expected.pin_tries_spent,
            expected.shown,
            expected.counter,
        )
