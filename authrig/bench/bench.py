"""A bench: lends the devices of a rig file."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeVar

from authrig.attached.hands import Hands
from authrig.attached.person import Person
from authrig.bench.tools import Tools
from authrig.errors import RigError
from authrig.rig_file.entries import Fido, QrToken, Scanner

if TYPE_CHECKING:
    from collections.abc import Callable

    from authrig.bench.tokens import LentToken
    from authrig.evidence.recorder import Exhibit
    from authrig.ports.key import Key
    from authrig.ports.scanner import Scanner as ScannerPort
    from authrig.rig_file.entries import RigFile
    from emulators.env import SeededRandom

Mode = Literal["emulated", "attached", "prefer-attached"]
"""Which devices of the file are used."""
_Entry = TypeVar("_Entry", Fido, QrToken, Scanner)


class TooFewError(RigError):
    """The rig has too few devices of a kind for what was asked."""


class Bench:
    """Lends the devices of ``rig_file``. Use it in a ``with`` block, at whose end all is put away.

    An attached device is lent once. Emulated ones are unlimited: the first entry of a kind is what they are like, and
    each has randomness of its own, which grows from ``random`` and its name.
    """

    def __init__(
        self,
        rig_file: RigFile,
        random: SeededRandom,
        on_exhibit: Callable[[Exhibit], None],
        mode: Mode = "prefer-attached",
        person: Person | None = None,
    ) -> None:
        self._mode: Mode = mode
        self._lent: set[str] = set()
        self._opened = ExitStack()
        folder = Path(self._opened.enter_context(tempfile.TemporaryDirectory(prefix="authrig-bench-")))
        person = person or Person()
        hands = self._opened.enter_context(Hands(person))
        self._tools = Tools(rig_file, random, on_exhibit, person, hands, folder, self._opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def key(self, name: str) -> Key:
        """A key for whoever ``name`` says: an attached one that is still free, or an emulated one with nothing on it.

        Raises:
            TooFewError: if the file has no free one of the mode.
            RigError: if it is not there, or cannot be plugged in.
        """
        from authrig.bench.keys import attached_key, emulated_key  # noqa: PLC0415 - only what is lent is imported

        device, entry = self._choose(Fido, "keys", name)
        if entry.attached is not None:
            return attached_key(self._tools, device, entry, entry.attached)
        assert entry.emulated is not None  # it was chosen for one or the other
        return emulated_key(self._tools, name, entry.emulated)

    def qr_token(self, serial: str) -> LentToken:
        """A QR token: an attached one that is still free, or a new emulated one with this serial number.

        Raises:
            TooFewError: if the file has no free one of the mode.
            RigError: if it is not there.
        """
        from authrig.bench.tokens import AttachedParts, emulated_token  # noqa: PLC0415 - as in key

        device, entry = self._choose(QrToken, "QR tokens", serial)
        if entry.attached is not None:
            return AttachedParts(self._tools, device, entry, entry.attached).lend()
        assert entry.emulated is not None  # it was chosen for one or the other
        return emulated_token(self._tools, serial, entry.emulated)

    def scanner(self, name: str) -> ScannerPort:
        """A scanner: an attached one that is still free, or an emulated one.

        Raises:
            TooFewError: if the file has no free one of the mode.
            RigError: if it is not there.
        """
        from authrig.bench.scanners import attached_scanner, emulated_scanner  # noqa: PLC0415 - as in key

        device, entry = self._choose(Scanner, "scanners", name)
        if entry.attached is not None:
            return attached_scanner(self._tools, device, entry, entry.attached)
        assert entry.emulated is not None  # it was chosen for one or the other
        return emulated_scanner(self._tools, name, entry.emulated)

    def _choose(self, kind: type[_Entry], kinds: str, name: str) -> tuple[str, _Entry]:
        """The entry to lend: an attached one that is free, where the mode allows, else the first emulated one."""
        devices = self._tools.rig_file.devices
        found = {device: entry for device, entry in devices.items() if isinstance(entry, kind)}
        for device, entry in found.items():
            if self._mode != "emulated" and entry.attached is not None and device not in self._lent:
                self._lent.add(device)
                return device, entry
        for device, entry in found.items():
            if self._mode != "attached" and entry.emulated is not None:
                return device, entry
        which = "" if self._mode == "prefer-attached" else f"{self._mode} "
        raise TooFewError(f"the rig has too few {which}{kinds}: expected another for {name}, found {len(found)} in all")
