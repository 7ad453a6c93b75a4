"""An emulated security key of the bench: plugged in, waiting for a finger, its traffic decoded as it passes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from authrig.control.device import Device
from authrig.evidence.ctap_lines import CtapTranscript
from authrig.keys.key_file import KeyFile, load_profile
from authrig.keys.port import Port
from authrig.keys.wires import fitted
from emulators.env import Env, SeededRandom
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid, Direction
from emulators.fido_authenticator.user import Decision, HandUser, UserRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from authrig.control.happenings import Happenings
    from authrig.keys.port import Wire
    from authrig.rig_file.entries import EmulatedFido

REACHABLE = "pty"
"""How a key that the rig file has in-process is plugged in: no host of another process could open it there."""


class EmulatedKey(Device):
    """A key, plugged in from the start.

    Args:
        name: what the rig file calls it.
        entry: what it is like.
        plug: how it is plugged in.
        happenings: gets its traffic and its wishes.
        automatic: it is touched as soon as it asks, else by hand.

    Raises:
        RigError: if there is no such profile or key file, or it cannot be plugged in.
    """

    def __init__(
        self,
        name: str,
        entry: EmulatedFido,
        plug: Callable[[CtapHid], Wire],
        happenings: Happenings,
        *,
        automatic: bool,
    ) -> None:
        super().__init__(name, "fido", frozenset({"touch", "power"}), happenings, emulated=True)
        self._automatic = automatic
        self._transcript = CtapTranscript()
        self._file: KeyFile | None = None
        self._user = HandUser()
        self._user.on_request = self._asked
        authenticator = self._authenticator(entry)
        self.port = Port(CtapHid(authenticator, self._passed, self._winked), plug)
        try:
            self.power(on=True)
        except BaseException:
            self.close()
            raise

    def state(self) -> dict[str, Any]:
        """Power, finger, address, and what it asks for."""
        status = self.port.status
        # Read once, so that what it asks for and for whom are of one request.
        pending = self._user.pending
        return {
            "power": status.power,
            "touch": status.touch,
            "asks": pending.prompt.value if pending is not None else None,
            "rp_id": pending.rp_id if pending is not None else None,
            "address": status.address,
            "profile": status.profile,
            "product": status.product,
        }

    def touch(self, on: bool | None) -> None:  # noqa: FBT001 - as the base has it
        """A finger comes down, is lifted, or does both."""
        if on is None:
            asked = self.port.tap()
            self._happened("touch", "touched" if asked else "touched, without being asked")
        elif on:
            asked = self.port.touch_on()
            self._happened("touch", "finger on it" if asked else "finger on it, without being asked")
        else:
            self.port.touch_off()
            self._happened("touch", "finger lifted")

    def power(self, *, on: bool) -> None:
        """Plug it in, or pull it out."""
        if on:
            self.port.power_on()
            self._happened("power", f"plugged in: {self.port.address}")
        else:
            self.port.power_off()
            self._happened("power", "unplugged")

    def close(self) -> None:
        """Unplug it and let go of its file."""
        self.port.power_off()
        if self._file is not None:
            self._file.close()

    def _authenticator(self, entry: EmulatedFido) -> Authenticator:
        if entry.file is not None:
            self._file = KeyFile.open(Path(entry.file))
            try:
                return self._file.authenticator(self._user)
            except BaseException:
                self._file.close()
                raise
        env = Env.real()
        if entry.seed is not None:
            env = Env(env.clock, SeededRandom(entry.seed).fork(self.name))
        return Authenticator(env, fitted(load_profile(entry.profile), entry.transport), user=self._user)

    def _asked(self, request: UserRequest) -> None:
        where = f" for {request.rp_id}" if request.rp_id else ""
        self._happened("touch", f"asks for a touch: {request.prompt.value}{where}")
        if self._automatic:
            self._user.answer(Decision.GRANTED)

    def _passed(self, direction: Direction, report: bytes) -> None:
        self._transcript.add(direction, report)
        for line in self._transcript.take_lines():
            self._happened("ctap", line)

    def _winked(self) -> None:
        self._happened("touch", "winks")
