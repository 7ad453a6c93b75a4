"""The rig: one server, and devices made or found as they are asked for."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from authrig.attached.person import Person as BenchPerson
from authrig.bench.bench import Bench, Mode
from authrig.bench.clock import RigClock
from authrig.errors import LacksError, RigError
from authrig.evidence.recorder import Exhibit
from authrig.ports.key import Key
from authrig.ports.qr_token import QrToken
from authrig.ports.scanner import Scanner
from authrig.ports.server import Administrator, Bank, Browser
from authrig.ports.verification_server import OwnServer, VerificationServer, attached_server
from authrig.rig_file.entries import RigFile, Server
from authrig.rig_file.reading import DEFAULT
from emulators.camera_scanner.frames import FrameSource
from emulators.env import SeededRandom, SystemRandom


class _Shared:
    """Randomness for several threads."""

    def __init__(self, random: SeededRandom) -> None:
        self._random = random
        self._lock = threading.Lock()

    def token_bytes(self, count: int) -> bytes:
        with self._lock:
            return self._random.token_bytes(count)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account."""

    username: str
    password: str = field(repr=False)


class Rig:
    """A verification server and devices in front of it; use it in a ``with`` block.

    Args:
        folder: an empty folder for the server's databases; whoever made it removes it.
        seed: what the devices' randomness grows from, and with ``Bench.is_repeatable`` also that of our own server.
        rig_file: which devices there are; without one, one of each kind, emulated.
        mode: which of them are used.
        only: the bench of the file whose attached devices are used, no others.
        person: who acts where the file says so; by default whoever is at the terminal.
        clock: what emulated devices and our own server go by; by default this machine's.
    """

    def __init__(  # noqa: PLR0913 - what a run says on its command line
        self,
        folder: Path,
        seed: int,
        rig_file: RigFile = DEFAULT,
        mode: Mode = "prefer-attached",
        *,
        only: str | None = None,
        person: BenchPerson | None = None,
        clock: RigClock | None = None,
    ) -> None:
        self._folder = folder
        self._rig_file = rig_file
        self._random = SeededRandom(seed)
        self._observer: Callable[[Exhibit], None] | None = None
        self.bench = Bench(rig_file, self._random, self._exhibit, mode, person=person, only=only, clock=clock)
        """The devices, one by one."""
        self._open = ExitStack()
        self._scanner: Scanner | None = None

    def __enter__(self) -> Self:
        self._open.enter_context(self.bench)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @cached_property
    def server(self) -> VerificationServer:
        """The verification server; our own starts when it is first asked for.

        Raises:
            LacksError: if the rig file has none.
            RigError: if it cannot start, or is not there.
        """
        entries = [entry for entry in self._rig_file.devices.values() if isinstance(entry, Server)]
        attached = next((entry.attached for entry in entries if entry.attached is not None), None)
        if attached is not None and self.bench.mode != "emulated":
            server = attached_server(attached)
        else:
            emulated = next((entry.emulated for entry in entries if entry.emulated is not None), None)
            if emulated is None:
                raise LacksError("the rig file has no server of the mode that was asked for")
            random = _Shared(self._random.fork("server")) if self.bench.is_repeatable else SystemRandom()
            server = OwnServer(emulated, self._folder / "server", self.bench.clock.time, random.token_bytes)
        self._open.callback(server.close)
        return server

    @property
    def administrator(self) -> Administrator:
        """Somebody who may do everything on the server."""
        return self.server.administrator

    @property
    def scanner(self) -> Scanner:
        """The scanner on the desk.

        Raises:
            TooFewError: if the rig has none.
            RigError: if it is not there.
        """
        if self._scanner is None:
            self._scanner = self.bench.scanner("scanner")
        return self._scanner

    def take_back(self, *, broken: bool = False) -> None:
        """Take back all devices that were lent; after a failure (``broken``) attached ones are restarted."""
        self._scanner = None
        self.bench.take_back(broken=broken)

    def watch(self, observer: Callable[[Exhibit], None]) -> None:
        """From now on hand to ``observer`` what the devices saw and showed."""
        self._observer = observer

    @property
    def origin(self) -> str:
        """The web origin that people log in at, as a browser would name it."""
        return self.server.origin

    def browser(self) -> Browser:
        """A person's browser with no cookies."""
        return self.server.browser()

    def bank(self) -> Bank:
        """An application that wants transactions approved."""
        return self.server.bank()

    def enrol(self, username: str) -> Person:
        """Make an account, with a password of its own."""
        person = Person(username, f"{username}-{self._random.fork(username).token_bytes(9).hex()}")
        self.administrator.create_user(person.username, person.password)
        return person

    def give_qr_token(self, person: Person, serial: str, device: str | None = None) -> QrToken:
        """A QR token, known to the verification cloud and assigned to ``person``; an emulated one has this ``serial``.

        With ``device`` it is the one that the rig file calls so.

        Raises:
            TooFewError: if the rig has no other one.
            RigError: if it is not there, or the rig file does not have the seed of an attached one.
        """
        lent = self.bench.qr_token(serial, device)
        if lent.seed is None:
            raise RigError(f"{lent.port.name}: the rig file needs its seed_hex, so that the server can check its codes")
        self.administrator.assign_qr_token(person.username, lent.serial, lent.seed, f"{person.username}'s token")
        return lent.port

    def new_key(self, name: str, profile: str | None = None) -> Key:
        """A security key for whoever ``name`` says, emulated after ``profile`` if that is given.

        It is touched as soon as it asks.

        Raises:
            TooFewError: if the rig has no other one.
            RigError: if it is not there.
        """
        return self.bench.key(name, profile)

    def device(self, name: str) -> Key | QrToken | Scanner | FrameSource:
        """What the rig file calls ``name``: the same one each time, until the test ends.

        Raises:
            NoSuchDeviceError: if the file has no device of that name; servers are not lent.
            RigError: if it is lent already, is not of the mode that was asked for, or is not there.
        """
        from authrig.bench.tokens import LentToken  # noqa: PLC0415 - slow to import, and only where devices are asked for

        lent = self.bench.device(name)
        return lent.port if isinstance(lent, LentToken) else lent

    def audit_rows(self, since: float) -> list[dict[str, Any]]:
        """What the server has written into its audit log since that time (seconds since 1970).

        Nothing if none runs, or if it does not say: evidence is no reason to start one, and none to fail.
        """
        if "server" not in self.__dict__:
            return []
        try:
            rows = self.administrator.audit_rows()
        except RigError:
            return []
        return [row for row in rows if float(row["attributes"]["time"]) >= since]

    def _exhibit(self, exhibit: Exhibit) -> None:
        if self._observer is not None:
            self._observer(exhibit)
