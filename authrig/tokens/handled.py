"""A token in the hands of commands that come one after another: each takes it up where the last one left it."""

import contextlib
from collections.abc import Callable, Iterator

import msgspec

from authrig.errors import RigError
from authrig.tokens.errands import Courier
from authrig.tokens.journal import (
    MAX_EVENTS,
    Delivered,
    Event,
    Pressed,
    Saw,
    Session,
    WentOnline,
    came_back_in,
    delivered,
)
from authrig.tokens.token_file import FileMemory, TokenFile, open_memory
from emulators.env import Clock, Env, Random, SeededRandom, SystemRandom
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import MemoryFault, TokenMemory
from emulators.hwtoken.network import FetchPushes
from emulators.hwtoken.readout import read_text
from emulators.hwtoken.screens import State
from emulators.hwtoken.stores import RamStore
from emulators.hwtoken.token import QrToken

WAIT_SECONDS = 0.2
"""How long to do nothing at a time while something else is waited for."""


class HandledToken:
    """The token in ``file``, brought to where it is now.

    Args:
        file: open, and this process's as long as the token is used.
        clock: the right time.
        courier: does what the token wants of its network.
    """

    def __init__(self, file: TokenFile, clock: Clock, courier: Courier) -> None:
        self._file = file
        self._world = clock
        self._courier = courier
        self._store = _ReplayStore(FileMemory(file))
        self._session: Session | None = None
        self.cut_off = False
        """Whether it was in use when a command was killed in the middle: the token is dark, as if its battery had been out."""
        session = file.kept.session
        if session is not None:
            self._resume(session)
        if self._session is None:
            self._clock = _SessionClock(clock.time())
            self.token = QrToken(Env(self._clock, SystemRandom()), file.profile, file.memory())

    # What one does to it

    def power(self, *, on: bool) -> None:
        """Switch it on or off. On begins a session, off ends it. Raises RigError."""
        if on and self.is_dark:
            self._begin()
        elif not on:
            self.token.power_off()
        self._save()

    def press(self, button: Button, *, held: bool = False) -> None:
        """Press a key; on a dark token, switch it on first. Raises RigError, also where this model has no such key."""
        self._happen(Pressed(self._at(), button.value, held))

    def read(self, codes: tuple[bytes, ...]) -> None:
        """Let its camera see a frame with ``codes`` in it. Raises RigError."""
        self._happen(Saw(self._at(), codes))

    def go_online(self, *, online: bool) -> None:
        """Switch its network on or off. Raises RigError."""
        self._happen(WentOnline(self._at(), online))

    def look(self) -> None:
        """Let happen what is due by the clock, and what its network brings. Raises RigError."""
        self._at()
        self.token.tick()
        self._do_errands()

    def wait(self, seconds: float, pause: Callable[[float], object]) -> bool:
        """Let time pass until it shows something else, for up to ``seconds``; whether it did. Raises RigError."""
        until, before = self._world.monotonic() + seconds, _words(self.token)
        self.look()
        while _words(self.token) == before:
            left = until - self._world.monotonic()
            if left <= 0:
                return False
            pause(min(left, WAIT_SECONDS))
            self.look()
        return True

    @property
    def is_dark(self) -> bool:
        """Whether it is off."""
        return self.token.screen.state is State.OFF

    # Sessions

    def _at(self) -> float:
        """Set the token's world to now: seconds since the session began."""
        self._clock.at = max(self._clock.at, self._world.time() - self._clock.began)
        return self._clock.at

    def _begin(self) -> None:
        file = self._file
        began, key = self._world.time(), SystemRandom().token_bytes(32).hex()
        if file.kept.seed is not None:
            key = f"{file.kept.seed} run {file.kept.runs}"
        self._session = Session(began, key, file.kept.memory)
        self._clock = _SessionClock(began)
        self.token = self._make(self._session, file.memory())
        with _memory_as_rig_error():
            self.token.power_on()

    def _make(self, session: Session, memory: TokenMemory) -> QrToken:
        return QrToken(Env(self._clock, _stream(session, self._file)), self._file.profile, memory)

    def _resume(self, session: Session) -> None:
        """Do it all again, without a trace, and see that it leads to where the token was."""
        self._clock = _SessionClock(session.began)
        self._store.begin(session.memory)
        try:
            self.token = self._make(session, open_memory(self._store))
            self.token.power_on()
            for event in session.events:
                self._clock.at = event.at
                self._apply(event)
        except (RigError, MemoryFault, ValueError, msgspec.DecodeError):
            self.cut_off = True
            return
        if self._store.now != self._file.kept.memory or _words(self.token) != session.shows:
            self.cut_off = True
            return
        self._store.live = True
        self._session = session
        self._at()
        self.token.tick()

    def _happen(self, event: Event) -> None:
        if self.is_dark:
            self.power(on=True)
            event = msgspec.structs.replace(event, at=self._at())
        if self._session is not None and len(self._session.events) >= MAX_EVENTS:
            raise RigError(
                f"token {self._file.name}: more than {MAX_EVENTS} things have happened since it was switched on; "
                "switch it off and on again"
            )
        self._record(event)
        self._do_errands()

    def _record(self, event: Event) -> None:
        with _memory_as_rig_error():
            try:
                self._apply(event)
            except ValueError as error:
                raise RigError(str(error)) from error
        self._note(event)

    def _note(self, event: Event) -> None:
        """Keep that it has happened."""
        if self._session is not None:
            self._session = msgspec.structs.replace(self._session, events=(*self._session.events, event))
        self._save()

    def _apply(self, event: Event) -> None:
        match event:
            case Pressed(button=button, held=held):
                self.token.press(Button(button), held=held)
            case Saw(codes=codes):
                self.token.read(*codes)
            case WentOnline(online=online):
                self.token.go_online(online=online)
            case Delivered():
                errand = self.token.errand
                if errand is not None:
                    self.token.deliver(errand.number, came_back_in(event))

    def _do_errands(self) -> None:
        """Do what it wants of its network, as long as it wants something."""
        while not self.is_dark and (errand := self.token.errand) is not None:
            came_back = self._courier.do(errand.wanted, self._file.app(self.token.memory))
            event, before = delivered(self._at(), came_back), self.token.screen
            if isinstance(errand.wanted, FetchPushes):
                with _memory_as_rig_error():
                    self._apply(event)
                if self.token.screen is before:
                    continue  # there was nothing new: the next command may ask again at once
                self._note(event)
            else:
                self._record(event)

    def _save(self) -> None:
        """Keep how it stands. What was shown since the last time counts from here on."""
        session = None if self.is_dark else self._session
        if session is not None:
            session = msgspec.structs.replace(session, shows=_words(self.token))
        began = session is not None and self._file.kept.session is None and self._file.kept.seed is not None
        changes = {"session": session, **({"runs": self._file.kept.runs + 1} if began else {})}
        if session != self._file.kept.session:
            self._file.keep(**changes)
        self._session = session


class _SessionClock:
    """Stands still while something happens, so that doing it again later gives the same."""

    def __init__(self, began: float) -> None:
        self.began = began
        self.at = 0.0

    def time(self) -> float:
        """Seconds since 1970."""
        return self.began + self.at

    def monotonic(self) -> float:
        """Seconds since the session began."""
        return self.at


class _ReplayStore:
    """In RAM while a session is done again, then the file."""

    def __init__(self, file: FileMemory) -> None:
        self._file = file
        self._ram = RamStore()
        self.live = False

    @property
    def name(self) -> str:
        """The path."""
        return self._file.name

    def begin(self, memory: str) -> None:
        """With what was in it then."""
        self._ram.save(memory.encode())

    @property
    def now(self) -> str:
        """What is in it."""
        return (self._ram.load() or b"").decode()

    def load(self) -> bytes | None:
        """What is in it."""
        return self._file.load() if self.live else self._ram.load()

    def save(self, data: bytes) -> None:
        """Keep ``data``. Raises MemoryFault."""
        (self._file if self.live else self._ram).save(data)


class _KeptRandom(SeededRandom):
    """Made of a key that the machine drew, which is as good as what it is made of."""

    test_only = False


def _stream(session: Session, file: TokenFile) -> Random:
    if file.kept.seed is None:
        return _KeptRandom(session.key)
    return SeededRandom(session.key, "token session")


def _words(token: QrToken) -> tuple[str, ...]:
    return (token.screen.state.name, *read_text(token.screen, token.profile))


@contextlib.contextmanager
def _memory_as_rig_error() -> Iterator[None]:
    try:
        yield
    except MemoryFault as error:
        raise RigError(str(error)) from error
