"""The rig: one server, and devices made as they are asked for, each with randomness of its own."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from authrig.bench.bench import Bench, Mode
from authrig.errors import RigError
from authrig.evidence.recorder import Exhibit
from authrig.ports.key import Key
from authrig.ports.qr_token import QrToken
from authrig.ports.server import Administrator, Bank, Browser
from authrig.rig_file.entries import RigFile
from authrig.rig_file.reading import DEFAULT
from emulators.env import SeededRandom
from server_stub.errors import ServerError
from server_stub.run import run_server
from server_stub.settings import Settings


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    username: str
    password: str = field(repr=False)


class Rig:
    """A verification server and emulated devices in front of it; use it in a ``with`` block.

    Args:
        folder: an empty folder for the server's databases; whoever made it removes it.
        seed: what the devices' randomness grows from. The server's randomness is the system's.
        rig_file: which devices there are; without one, one of each kind, emulated.
        mode: which of them are used.

    Raises:
        RigError: on entry, if the server cannot start.
    """

    def __init__(self, folder: Path, seed: int, rig_file: RigFile = DEFAULT, mode: Mode = "prefer-attached") -> None:
        self._folder = folder
        self._rig_file = rig_file
        self._mode: Mode = mode
        self._random = SeededRandom(seed)
        self._observer: Callable[[Exhibit], None] | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        try:
            self.server = self._open.enter_context(run_server(Settings(data_dir=self._folder / "server")))
        except ServerError as error:
            raise RigError(str(error)) from error
        self.administrator = self._open.enter_context(Administrator(self.server.internal_url, self.server.admin_token))
        self._bench = self._open.enter_context(Bench(self._rig_file, self._random, self._exhibit, self._mode))
        self.scanner = self._bench.scanner("scanner")
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def watch(self, observer: Callable[[Exhibit], None]) -> None:
        """From now on hand to ``observer`` what the devices saw and showed."""
        self._observer = observer

    @property
    def origin(self) -> str:
        """The web origin that people log in at, as a browser would name it."""
        return self.server.origin

    def browser(self) -> Browser:
        """A person's browser with no cookies."""
        return Browser(self.server.public_url)

    def bank(self) -> Bank:
        """An application that wants transactions approved."""
        return Bank(self.server.internal_url)

    def enrol(self, username: str) -> Person:
        """Make an account, with a password of its own."""
        person = Person(username, f"{username}-{self._random.fork(username).token_bytes(9).hex()}")
        self.administrator.create_user(person.username, person.password)
        return person

    def give_qr_token(self, person: Person, serial: str) -> QrToken:
        """A QR token, known to the verification cloud and assigned to ``person``; an emulated one has this ``serial``.

        Raises:
            TooFewError: if the rig has no other one.
            RigError: if it is not there, or the rig file does not have the seed of an attached one.
        """
        lent = self._bench.qr_token(serial)
        if lent.seed is None:
            raise RigError(f"{lent.port.name}: the rig file needs its seed_hex, so that the server can check its codes")
        self.administrator.assign_qr_token(person.username, lent.serial, lent.seed, f"{person.username}'s token")
        return lent.port

    def new_key(self, name: str) -> Key:
        """A security key for whoever ``name`` says; it is touched as soon as it asks.

        Raises:
            TooFewError: if the rig has no other one.
            RigError: if it is not there.
        """
        return self._bench.key(name)

    def _exhibit(self, exhibit: Exhibit) -> None:
        if self._observer is not None:
            self._observer(exhibit)
