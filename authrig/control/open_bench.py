"""A bench that is up: every device of a rig file, by its name, until it is put away."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from authrig.control.device import BrokenDevice, Device
from authrig.control.happenings import Happenings
from authrig.errors import RigError
from authrig.rig_file.entries import CameraDevice, Fido, OtpToken, QrToken, Scanner, Server

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authrig.control.keys import EmulatedKey
    from authrig.keys.wires import Cabling
    from authrig.rig_file import entries
    from authrig.rig_file.entries import RigFile


class NoSuchDeviceError(RigError):
    """The rig file has no device of that name."""


class OpenBench:
    """Emulated devices are there from the start, attached ones are opened when they are first used.

    A device that cannot be set up is on the bench as a ``BrokenDevice``, and the others are unharmed. Use it in a
    ``with`` block, at whose end all is put away.

    Args:
        rig_file: which devices there are.
        automatic: emulated keys are touched as soon as they ask, else by hand.
    """

    def __init__(self, rig_file: RigFile, *, automatic: bool = False) -> None:
        self.happenings = Happenings()
        """All that happens on the bench."""
        self._rig_file = rig_file
        self._automatic = automatic
        self._cablings: dict[str, Cabling] = {}
        self._opened = ExitStack()
        self._devices: dict[str, Device] = {}

    def __enter__(self) -> Self:
        with ExitStack() as until_all_is_there:
            folder = Path(self._opened.enter_context(tempfile.TemporaryDirectory(prefix="authrig-bench-")))
            until_all_is_there.callback(self.close)
            # A server last: it has to know the tokens.
            in_order = sorted(self._rig_file.devices.items(), key=lambda item: isinstance(item[1], Server))
            for name, entry in in_order:
                device = self._made(name, entry, folder)
                self._devices[name] = device
                self._opened.callback(device.close)
            until_all_is_there.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Put everything away."""
        self.happenings.close()
        self._opened.close()

    @property
    def devices(self) -> Mapping[str, Device]:
        """All of them, in the order of the file."""
        return {name: self._devices[name] for name in self._rig_file.devices}

    @property
    def keys(self) -> Mapping[int, Device]:
        """The security keys, by the numbers N of ``/usbN/...``: from 1, in the order of the file."""
        return dict(enumerate((each for each in self.devices.values() if each.kind == "fido"), start=1))

    def device(self, name: str) -> Device:
        """The device that the rig file calls ``name``.

        Raises:
            NoSuchDeviceError: if there is none.
        """
        try:
            return self._devices[name]
        except KeyError:
            raise NoSuchDeviceError(f"expected one of {', '.join(self.devices)}, found {name[:64]}") from None

    def _made(self, name: str, entry: entries.Device, folder: Path) -> Device:
        try:
            return self._attached(name, entry) if entry.emulated is None else self._emulated(name, entry, folder)
        except RigError as error:
            kind = str(entry.__struct_config__.tag)
            return BrokenDevice(name, kind, self.happenings, f"{name}: {error}", emulated=entry.emulated is not None)

    # Only what the file has is imported: decoders and servers are slow to load.

    def _attached(self, name: str, entry: entries.Device) -> Device:
        if isinstance(entry, Server):
            from authrig.control.servers import OtherServer  # noqa: PLC0415 - see above

            assert entry.attached is not None  # a rig file with neither is refused when it is read
            return OtherServer(name, entry.attached, self.happenings)
        from authrig.control.attached import AttachedDevice  # noqa: PLC0415 - see above

        return AttachedDevice(self._rig_file, name, self.happenings)

    def _emulated(self, name: str, entry: entries.Device, folder: Path) -> Device:
        match entry:
            case Fido(emulated=like) if like is not None:
                return self._key(name, like)
            case QrToken(emulated=like) | OtpToken(emulated=like) if like is not None:
                from authrig.control.tokens import EmulatedQrToken  # noqa: PLC0415 - see above

                kind = str(entry.__struct_config__.tag)
                number = sum(isinstance(each, EmulatedQrToken) for each in self._devices.values()) + 1
                return EmulatedQrToken(name, kind, like, f"QT1-{number:08}", self.happenings)
            case Scanner(emulated=like) if like is not None:
                from authrig.control.scanners import EmulatedScanner  # noqa: PLC0415 - see above

                return EmulatedScanner(name, like.preset, like.seed, self.happenings)
            case CameraDevice(emulated=like) if like is not None:
                from authrig.control.scanners import EmulatedCamera  # noqa: PLC0415 - see above

                return EmulatedCamera(name, like.preset, like.seed, self.happenings)
            case Server(emulated=like) if like is not None:
                from authrig.control.servers import OurServer  # noqa: PLC0415 - see above
                from authrig.control.tokens import EmulatedQrToken  # noqa: PLC0415 - see above

                tokens = [each for each in self._devices.values() if isinstance(each, EmulatedQrToken)]
                return OurServer(name, like, folder / name, tokens, self.happenings)
        raise AssertionError("a device that is not attached is emulated")

    def _key(self, name: str, like: entries.EmulatedFido) -> EmulatedKey:
        from authrig.control.keys import REACHABLE, EmulatedKey  # noqa: PLC0415 - see above
        from authrig.keys.wires import Cabling  # noqa: PLC0415 - see above

        transport = REACHABLE if like.transport == "in-process" else like.transport
        cabling = self._cablings.get(transport)
        if cabling is None:
            cabling = self._cablings[transport] = Cabling(transport)
            self._opened.callback(cabling.close)
        number = sum(each.kind == "fido" for each in self._devices.values()) + 1
        return EmulatedKey(name, like, cabling.plug(number), self.happenings, automatic=self._automatic)
