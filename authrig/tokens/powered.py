"""A token that runs by itself: its console, its eye and its network, served as time passes."""

import queue
import threading
from collections.abc import Callable
from typing import Protocol, Self

from authrig.tokens.errands import Courier
from authrig.tokens.eyes import LOOK_SECONDS
from authrig.tokens.token_file import AppAccount
from emulators.camera_scanner.frames import Frame, ImageError
from emulators.env import Clock, Env
from emulators.hwtoken.console import Console
from emulators.hwtoken.network import CameBack, Errand
from emulators.hwtoken.screens import State
from emulators.hwtoken.token import QrToken


class Sees(Protocol):
    """What a token's camera sees: an ``Eye``, or a picture that somebody holds before it."""

    problem: str
    on_frame: Callable[[Frame], object]
    """Called where a frame comes while nobody asks, so that the line wakes."""

    def watch(self, *, watching: bool) -> None:
        """Whether the token scans now."""
        ...

    def take(self) -> Frame | None:
        """The newest frame, once."""
        ...


class PoweredToken:
    """``token`` as the device at the end of a serial line, in one thread at a time.

    Args:
        token: switched on or not.
        env: its world.
        eye: what its camera sees; None: nothing but what its console says.
        runner: does its errands; None: it has no network.
        production: the console answers only what a token in its user's hand would.
    """

    def __init__(
        self,
        token: QrToken,
        env: Env,
        eye: Sees | None,
        runner: "ErrandRunner | None" = None,
        *,
        production: bool = False,
    ) -> None:
        self.token = token
        self.clock: Clock = env.clock
        self.eye = eye
        self._runner = runner
        self._console = Console(token, env, production=production)
        self._asked = Console(token, env, production=production)
        self._looks_at = 0.0
        self._sent = 0

    @property
    def baud_rate(self) -> int:
        """That of the console."""
        return self._console.baud_rate

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        self._console.receive(data)

    def take_output(self) -> bytes:
        """What the console has said."""
        return self._console.take_output()

    def ask(self, line: bytes) -> bytes:
        """The answer to one request to the console that does not come over the line."""
        self._asked.receive(line.replace(b"\n", b" ") + b"\n")
        return self._asked.take_output()

    def poll(self) -> None:
        """Do what is due: by the clock, before the camera, over the network."""
        self._console.poll()
        if self._runner is not None:
            self._run_errands(self._runner)
        self._look()

    def _run_errands(self, runner: "ErrandRunner") -> None:
        for done, came_back in runner.results():
            self.token.deliver(done.number, came_back)
        errand = self.token.errand
        if errand is not None and errand.number != self._sent:
            self._sent = errand.number
            runner.start(errand)

    def next_deadline(self) -> float | None:
        """When to poll again, at the latest."""
        deadlines = [self._console.next_deadline(), self._looks_at if self._watches else None]
        if self._runner is not None and self._runner.is_busy:
            # What is due is on its way already; its result wakes the line.
            deadlines[0] = self.clock.monotonic() + LOOK_SECONDS
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    @property
    def _watches(self) -> bool:
        return self.eye is not None and self.token.screen.state is State.SCANNING

    def _look(self) -> None:
        if self.eye is None:
            return
        self.eye.watch(watching=self._watches)
        if not self._watches:
            return
        self._looks_at = self.clock.monotonic() + LOOK_SECONDS / 2
        frame = self.eye.take()
        if frame is not None:
            try:
                self.token.see(frame)
            except ImageError as error:
                self.eye.problem = str(error)
            self.eye.watch(watching=self._watches)


class ErrandRunner:
    """Does errands in a thread of its own, one after another, while in a ``with`` block.

    Args:
        courier: carries them out.
        app: the account of an app, as it is now.
    """

    def __init__(self, courier: Courier, app: Callable[[], AppAccount | None]) -> None:
        self._courier = courier
        self._app = app
        self._errands: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Errand, CameBack]] = queue.SimpleQueue()
        self._open = 0
        self.wake: Callable[[], object] = lambda: None
        """Called, in the thread, when there is a result."""
        self._thread = threading.Thread(target=self._run, name="errands", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Not joined: it may wait for a server for some seconds more, and nobody waits for it.
        self._errands.put(None)

    @property
    def is_busy(self) -> bool:
        """Whether a result is still to come."""
        return self._open > 0

    def start(self, errand: Errand) -> None:
        """Do it, soon."""
        self._open += 1
        self._errands.put(errand)

    def results(self) -> list[tuple[Errand, CameBack]]:
        """What has come back since the last time."""
        found = []
        while not self._results.empty():
            found.append(self._results.get())
        self._open -= len(found)
        return found

    def _run(self) -> None:
        while (errand := self._errands.get()) is not None:
            self._results.put((errand, self._courier.do(errand.wanted, self._app())))
            self.wake()
