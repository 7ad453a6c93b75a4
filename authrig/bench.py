"""The devices of a rig file, made or found as they are asked for, and lent to one user at a time."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Literal, Self

import msgspec

from authrig.attached.hands import Hands
from authrig.attached.person import Person
from authrig.errors import RigError
from authrig.evidence.recorder import Exhibit
from authrig.ports.key import PIN, Key
from authrig.ports.key_cables import Cable, HidrawCable, InProcessCable, ReaderCable, WiredCable
from authrig.ports.presence import Presence
from authrig.rig_file.entries import AttachedFido, EmulatedFido, Fido, RigFile
from emulators.env import Env, SeededRandom, SystemClock
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import ProfileError, load
from emulators.fido_authenticator.user import HandUser

Mode = Literal["emulated", "attached", "prefer-attached"]
"""Which devices of the file are used."""


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
        self._rig_file = rig_file
        self._random = random
        self._on_exhibit = on_exhibit
        self._mode = mode
        self._lent: set[str] = set()
        self._open = ExitStack()
        self._hands = self._open.enter_context(Hands(person or Person()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def key(self, name: str) -> Key:
        """A key for whoever ``name`` says: an attached one that is still free, or an emulated one with nothing on it.

        Raises:
            TooFewError: if the file has no free one of the mode.
            RigError: if it is not there, or cannot be plugged in.
        """
        entries = {device: entry for device, entry in self._rig_file.devices.items() if isinstance(entry, Fido)}
        for device, entry in entries.items():
            if self._mode != "emulated" and entry.attached is not None and device not in self._lent:
                self._lent.add(device)
                return self._attached_key(device, entry, entry.attached)
        if self._mode != "attached":
            for entry in entries.values():
                if entry.emulated is not None:
                    return self._emulated_key(name, entry.emulated)
        wanted = {"emulated": "emulated ", "attached": "attached "}.get(self._mode, "")
        raise TooFewError(f"the rig has too few {wanted}keys: expected another for {name}, found {len(entries)} in all")

    def _attached_key(self, device: str, entry: Fido, attached: AttachedFido) -> Key:
        cable: Cable
        if attached.match.reader is not None:
            cable = ReaderCable(device, attached.match.reader)
        else:
            cable = HidrawCable(device, attached.match, self._hands.switch(entry.power, device))
        presence = Presence(self._hands.finger(entry.touch, device))
        return self._keep(Key(cable, presence, attached.pin, self._on_exhibit))

    def _emulated_key(self, name: str, emulated: EmulatedFido) -> Key:
        try:
            profile = load(emulated.profile)
        except ProfileError as error:
            raise RigError(str(error)) from error
        random = self._random if emulated.seed is None else SeededRandom(emulated.seed)
        env = Env(SystemClock(), random.fork(name))
        if emulated.transport == "usbip":
            # By its serial number the kernel's node of this key is told from others.
            usb = msgspec.structs.replace(profile.usb, serial_number=f"RIG-{env.random.token_bytes(6).hex()}")
            profile = msgspec.structs.replace(profile, usb=usb)
        user = HandUser()
        presence = Presence(user)
        user.on_request = lambda _: presence.blinks()
        hid = CtapHid(Authenticator(env, profile, user=user))
        cable = InProcessCable(hid) if emulated.transport == "in-process" else WiredCable(hid, emulated.transport)
        key = self._keep(Key(cable, presence, PIN, self._on_exhibit))
        key.ensure_pin()
        return key

    def _keep(self, key: Key) -> Key:
        self._open.callback(key.close)
        return key
