"""A token that runs until it is told to stop: what ``authrig token run`` does."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from authrig.errors import RigError
from authrig.keys.wires import Listen
from authrig.tokens.errands import Courier
from authrig.tokens.eyes import Eye
from authrig.tokens.lines import Line, serve_console
from authrig.tokens.powered import ErrandRunner, PoweredToken
from authrig.tokens.token_file import TokenFile
from emulators.env import SeededRandom
from emulators.hwtoken.memory import MemoryFault
from emulators.hwtoken.token import QrToken

NETWORKED = ("tcp", "usbip")
"""The transports that other machines could reach."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line asks for."""

    file: Path
    live: bool = False
    transport: str | None = None
    """None: its console is on no line."""
    listen: Listen = field(default_factory=Listen)
    link: Path | None = None
    camera: str | None = None
    control_port: int | None = None
    production: bool = False


def run_token(options: RunOptions) -> int:
    """Run the token until SIGINT or SIGTERM, or until its user leaves; where its console is goes to standard output.

    Raises:
        RigError: if the file, the camera, the line or the control API cannot be used.
    """
    if options.live and not sys.stdout.isatty():
        raise RigError("--live wants a terminal, found none")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as opened:
        line = open_line(options, opened)
        if options.control_port is not None:
            from authrig.tokens.control import ControlServer  # noqa: PLC0415 - nobody pays for a web server who asks for none

            server = opened.enter_context(ControlServer(line.using, options.control_port))
            sys.stderr.write(f"control API on {server.url}\n")
        if line.address:
            if options.transport in NETWORKED and not options.listen.is_loopback:
                sys.stderr.write(f"anyone who reaches {options.listen.host} can use the token\n")
            sys.stdout.write(f"{line.address}\n")
            sys.stdout.flush()
        if options.live:
            from authrig.tokens.live import LiveToken  # noqa: PLC0415 - Textual is slow to import

            LiveToken(line.using, address=line.address, ended=ended).run()
        else:
            _wait(ended, line, options)
    return 0


def open_line(options: RunOptions, opened: ExitStack) -> Line:
    """The token in the file, switched on, with all that is around it.

    Raises:
        RigError: as above.
    """
    file = opened.enter_context(TokenFile.open(options.file))
    file.keep(session=None)
    env = file.env(file.next_stream())
    eye = None
    if options.camera is not None:
        random = SeededRandom(file.kept.seed or "eye", "token eye")
        eye = opened.enter_context(Eye(options.camera, env.clock, random))
    token = QrToken(env, file.profile, file.memory())
    runner = opened.enter_context(ErrandRunner(Courier(), lambda: file.app(token.memory)))
    core = PoweredToken(token, env, eye, runner, production=options.production)
    try:
        token.power_on()
    except MemoryFault as error:
        raise RigError(str(error)) from error
    if options.transport is None:
        return _alone(core)
    line = serve_console(options.transport, core, options.listen, options.link, opened)
    runner.wake = line.wake
    return line


def _alone(core: PoweredToken) -> Line:
    """On no line: whoever uses it polls it."""
    lock = threading.RLock()

    @contextlib.contextmanager
    def using() -> Iterator[PoweredToken]:
        with lock:
            yield core

    return Line("", using, lambda: None)


def _wait(ended: threading.Event, line: Line, options: RunOptions) -> None:
    """Until it is to end; say once what has become of the camera."""
    told = options.camera is None
    while not ended.wait(None if told else 0.5):
        with line.using() as core:
            problem = core.eye.problem if core.eye else ""
        if problem:
            told = True
            sys.stderr.write(f"authrig: camera {options.camera}: {problem}\n")
