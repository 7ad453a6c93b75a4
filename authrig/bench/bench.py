"""A bench: lends the devices of a rig file."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeVar

import msgspec

from authrig.attached.hands import Hands
from authrig.attached.person import Person
from authrig.bench.clock import MachineClock, RigClock, StandingClock
from authrig.bench.identity import identity_of
from authrig.bench.leases import Leases
from authrig.bench.terms import Terms
from authrig.bench.tools import Tools
from authrig.errors import LacksError, RigError
from authrig.rig_file.entries import CameraDevice, Fido, OtpToken, QrToken, Scanner, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from authrig.bench.tokens import LentToken
    from authrig.evidence.recorder import Exhibit
    from authrig.ports.key import Key
    from authrig.ports.scanner import Scanner as ScannerPort
    from authrig.rig_file.entries import AttachedFido, AttachedScanner, AttachedToken, RigFile
    from emulators.camera_scanner.frames import FrameSource
    from emulators.env import SeededRandom

Mode = Literal["emulated", "attached", "prefer-attached"]
"""Which devices of the file are used."""
_Entry = TypeVar("_Entry", Fido, QrToken, OtpToken, Scanner)


class TooFewError(LacksError):
    """The rig has too few devices of a kind for what was asked."""


class NoSuchDeviceError(RigError):
    """The rig file has no device of that name that a bench lends."""

    def __init__(self, name: str, rig_file: RigFile) -> None:
        known = ", ".join(each for each, entry in rig_file.devices.items() if not isinstance(entry, Server))
        super().__init__(f"expected a device of the rig file ({known or 'it has none'}), found {name[:64]!r}")


class Bench:
    """Lends the devices of ``rig_file``. Use it in a ``with`` block, at whose end all is put away.

    An attached device is lent once, until it is given back, and leased from other runs meanwhile. Emulated ones are
    unlimited: the first entry of a kind is what they are like, and each has randomness of its own, which grows from
    ``random`` and its name.

    Args:
        rig_file: which devices there are.
        random: where the randomness of emulated ones comes from.
        on_exhibit: gets what they saw and showed.
        mode: which of them are lent.
        person: who acts where the file says so; by default whoever is at the terminal.
        leases: of attached devices.
        only: the bench of the file whose attached devices are lent, no others; None: all are.
        clock: what emulated devices go by; by default this machine's.
    """

    def __init__(  # noqa: PLR0913 - what a run says on its command line
        self,
        rig_file: RigFile,
        random: SeededRandom,
        on_exhibit: Callable[[Exhibit], None],
        mode: Mode = "prefer-attached",
        *,
        person: Person | None = None,
        leases: Leases | None = None,
        only: str | None = None,
        clock: RigClock | None = None,
    ) -> None:
        self.clock: RigClock = clock or MachineClock()
        """What emulated devices go by."""
        self.mode: Mode = mode
        """Which devices are lent, as far as the terms allow."""
        self.terms = Terms()
        """Of whoever borrows now; they end when all is taken back."""
        self._only = only
        self._lent: set[str] = set()
        self._by_name: dict[str, Key | LentToken | ScannerPort | FrameSource] = {}
        self._hosts_are_seeded = False
        self._restarts: dict[str, Callable[[], None]] = {}
        self._identities: dict[str, str] = {}
        self._opened, self._loans = ExitStack(), ExitStack()
        folder = Path(self._opened.enter_context(tempfile.TemporaryDirectory(prefix="authrig-bench-")))
        person = person or Person()
        hands = self._opened.enter_context(Hands(person))
        self._opened.callback(self._loans.close)
        self._tools = Tools(rig_file, random, on_exhibit, person, hands, folder, self.clock, self._loans)
        self._leases = leases or Leases()
        self._opened.callback(self._leases.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def is_repeatable(self) -> bool:
        """Whether all that is random grows from the seed: time stands, and no real key or server hears what can be foretold."""
        entries = () if self.mode == "emulated" else self._tools.rig_file.devices.values()
        real = any(isinstance(entry, Fido | Server) and entry.attached is not None for entry in entries)
        return isinstance(self.clock, StandingClock) and not real

    def key(self, name: str, profile: str | None = None) -> Key:
        """A key for whoever ``name`` says: an attached one that is still free, or an emulated one with nothing on it.

        With ``profile`` it is an emulated one after that.

        Raises:
            TooFewError: if the file has no free one of the mode.
            RigError: if it is not there, or cannot be plugged in.
        """
        if profile is None:
            return self._key(*self._choose(Fido, "keys", name), name)
        device, entry = self._choose(Fido, "keys", name, "emulated")
        assert entry.emulated is not None  # it was chosen for that
        like = msgspec.structs.replace(entry.emulated, profile=profile)
        return self._key(device, msgspec.structs.replace(entry, emulated=like), name)

    def qr_token(self, serial: str, device: str | None = None) -> LentToken:
        """A QR token: an attached one that is still free, or a new emulated one with this serial number.

        Args:
            serial: whose number an emulated one has.
            device: what the rig file calls the one that is meant; None: any.

        Raises:
            TooFewError: if the file has no free one of the mode.
            NoSuchDeviceError: if it has no QR token that is called so.
            RigError: if it is not there.
        """
        if device is None:
            return self._token(*self._choose(QrToken, "QR tokens", serial), serial)
        entry = self._tools.rig_file.devices.get(device)
        if not isinstance(entry, QrToken):
            raise NoSuchDeviceError(device, self._tools.rig_file)
        self._check_free(device, "emulated" if entry.attached is None else "attached")
        return self._token(device, entry, serial)

    def otp_token(self, serial: str) -> LentToken:
        """A token that shows passwords and has no camera; else as ``qr_token``.

        Raises:
            TooFewError: if the file has no free one of the mode.
            RigError: if it is not there.
        """
        return self._token(*self._choose(OtpToken, "OTP tokens", serial), serial)

    def scanner(self, name: str) -> ScannerPort:
        """A scanner: an attached one that is still free, or an emulated one.

        Raises:
            TooFewError: if the file has no free one of the mode.
            RigError: if it is not there.
        """
        return self._scanner(*self._choose(Scanner, "scanners", name), name)

    def device(self, name: str) -> Key | LentToken | ScannerPort | FrameSource:
        """The device that the rig file calls ``name``: the same one each time, until it is taken back.

        Raises:
            NoSuchDeviceError: if the file has none of that name that can be lent.
            RigError: if it is lent already, is of the other mode, or is not there.
        """
        if name not in self._by_name:
            self._by_name[name] = self._made(name)
        return self._by_name[name]

    def _made(self, name: str) -> Key | LentToken | ScannerPort | FrameSource:
        entry = self._tools.rig_file.devices.get(name)
        if entry is None or isinstance(entry, Server):
            raise NoSuchDeviceError(name, self._tools.rig_file)
        self._check_free(name, "emulated" if entry.attached is None else "attached")
        match entry:
            case Fido():
                return self._key(name, entry, name)
            case QrToken() | OtpToken():
                return self._token(name, entry, name)
            case Scanner():
                return self._scanner(name, entry, name)
            case CameraDevice():
                return self.camera(name)

    def camera(self, device: str) -> FrameSource:
        """The camera that the rig file calls ``device``; cameras are not lent, since any device may be looked at.

        Raises:
            RigError: if it is not there.
        """
        from authrig.bench.cameras import camera  # noqa: PLC0415 - only what is lent is imported

        return camera(self._tools, device)

    def take_back(self, *, broken: bool = False) -> None:
        """Take back all that was lent; the leases stay with this run.

        Args:
            broken: something went wrong with them: attached ones that can be are unplugged and plugged in again, so
                that the next user finds them as they were. Emulated ones are made anew for each user.

        Raises:
            RigError: if a device does not come back.
        """
        self._lent.clear()
        self._by_name.clear()
        self.terms = Terms()
        restarts, self._restarts = self._restarts, {}
        try:
            for device, restart in restarts.items() if broken else ():
                with self._given_back_if_it_fails(device):
                    restart()
        finally:
            # The stack is the same one that the tools have.
            self._loans.close()

    # Only what is lent is imported.

    def _key(self, device: str, entry: Fido, name: str) -> Key:
        from authrig.bench.keys import attached_key, emulated_key  # noqa: PLC0415 - see above

        self._seed_hosts()
        if entry.emulated is not None:
            key = emulated_key(self._tools, name, entry.emulated)
            key.declared = frozenset(entry.capabilities)
            return key
        assert entry.attached is not None  # a rig file with neither is refused when it is read
        with self._leased(device, entry, entry.attached):
            key = attached_key(self._tools, device, entry, entry.attached)
        key.declared = frozenset(entry.capabilities)
        if entry.power != "none":
            self._restarts[device] = key.restart
        return key

    def _token(self, device: str, entry: QrToken | OtpToken, serial: str) -> LentToken:
        from authrig.bench.tokens import AttachedParts, emulated_token  # noqa: PLC0415 - see above

        if entry.emulated is not None:
            return emulated_token(self._tools, serial, entry.emulated)
        assert entry.attached is not None  # a rig file with neither is refused when it is read
        with self._leased(device, entry, entry.attached):
            lent = AttachedParts(self._tools, device, entry, entry.attached).lend()
        if entry.power != "none":
            self._restarts[device] = lent.port.restart
        return lent

    def _scanner(self, device: str, entry: Scanner, name: str) -> ScannerPort:
        from authrig.bench.scanners import attached_scanner, emulated_scanner  # noqa: PLC0415 - see above

        if entry.emulated is not None:
            return emulated_scanner(self._tools, name, entry.emulated)
        assert entry.attached is not None  # a rig file with neither is refused when it is read
        with self._leased(device, entry, entry.attached):
            return attached_scanner(self._tools, device, entry, entry.attached)

    @contextmanager
    def _leased(
        self,
        device: str,
        entry: Fido | QrToken | OtpToken | Scanner,
        attached: AttachedFido | AttachedToken | AttachedScanner,
    ) -> Iterator[None]:
        """Lend an attached device that is opened within; one that cannot be opened is nobody's."""
        self.terms.check_spared(device, destructive=entry.destructive)
        self._identities[device] = identity_of(device, attached)
        self._leases.take(device, self._identities[device])
        self._lent.add(device)
        with self._given_back_if_it_fails(device):
            yield

    @contextmanager
    def _given_back_if_it_fails(self, device: str) -> Iterator[None]:
        """A device that does not work is no longer held: somebody else may mend it."""
        try:
            yield
        except BaseException:
            self._lent.discard(device)
            self._leases.give_back(self._identities[device])
            raise

    def _seed_hosts(self) -> None:
        """Have the hosts of this process draw from the seed too, where that may be."""
        if self._hosts_are_seeded or not self.is_repeatable:
            return
        from authrig.ports.host_random import drawing_from  # noqa: PLC0415 - see above

        self._hosts_are_seeded = True
        self._loans.callback(setattr, self, "_hosts_are_seeded", False)
        self._loans.enter_context(drawing_from(self._tools.stream(None, "hosts")))

    def _is_free(self, device: str) -> bool:
        """Whether an attached device may be lent now."""
        here = self._only is None or device in self._tools.rig_file.benches[self._only]
        return here and device not in self._lent

    def _choose(self, kind: type[_Entry], kinds: str, name: str, mode: Mode | None = None) -> tuple[str, _Entry]:
        """The entry to lend: an attached one that is free, where the mode allows, else the first emulated one."""
        mode = mode or self._mode_now()
        devices = self._tools.rig_file.devices
        found = {device: entry for device, entry in devices.items() if isinstance(entry, kind)}
        for device, entry in found.items():
            if mode != "emulated" and entry.attached is not None and self._is_free(device):
                return device, entry
        for device, entry in found.items():
            if mode != "attached" and entry.emulated is not None:
                return device, entry
        which = "" if mode == "prefer-attached" else f"{mode} "
        raise TooFewError(f"the rig has too few {which}{kinds}: expected another for {name}, found {len(found)} in all")

    def _mode_now(self) -> Mode:
        """Which devices are lent on these terms."""
        end = self.terms.end
        if end is None or self.mode == end:
            return self.mode
        if self.mode != "prefer-attached":
            raise LacksError(f"runs on {end} devices only, and only {self.mode} devices are used here")
        return end

    def _check_free(self, name: str, end: Mode) -> None:
        """Refuse to lend a device that is not for this user."""
        mode = self._mode_now()
        if mode not in (end, "prefer-attached"):
            raise LacksError(f"{name} is {end}, and only {mode} devices are used")
        if end == "attached" and not self._is_free(name):
            why = "is lent already" if name in self._lent else f"is not on the bench {self._only}"
            raise RigError(f"{name} {why}")
