"""A port of the rig with a key in it: power, a finger, and the address at which a host finds the key."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.user import Decision, HandUser, Touch, UserPresence

HELD_AT_MOST = 10.0
"""Seconds after which a finger that nobody lifts is lifted: a script that died must not touch the key for ever."""


class Interface(Protocol):
    """A side of a key that can be plugged in: its HID interface or its card interface."""

    @property
    def authenticator(self) -> Authenticator:
        """The key."""
        ...

    def power_cycle(self) -> None:
        """Take the power away and give it back."""
        ...


_Interface = TypeVar("_Interface", bound=Interface)


class Wire(Protocol):
    """What carries reports or APDUs between a plugged-in key and its hosts."""

    @property
    def address(self) -> str:
        """What a host opens."""
        ...

    def close(self) -> None:
        """Unplug the key."""
        ...


@dataclass(frozen=True, slots=True)
class PortStatus:
    """How a port stands right now. ``address`` is None without power; ``asks`` says why the key blinks, if it does."""

    power: bool
    touch: bool
    address: str | None
    asks: str | None
    profile: str
    vendor_id: int
    product_id: int
    product: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class _LongTouch:
    """A finger on a key that wants it to stay for ``request``: since when (monotonic seconds), and what ends it."""

    request: UserPresence
    begun: float
    timer: threading.Timer


class Port:
    """Holds one key; every method may be called from any thread.

    ``plug`` makes the wire anew at each power-up, since a key that is plugged in again is a new device to its host.
    """

    def __init__(self, interface: _Interface, plug: Callable[[_Interface], Wire]) -> None:
        self._interface: Interface = interface
        self._plug: Callable[[], Wire] = lambda: plug(interface)
        self._lock = threading.RLock()
        self._wire: Wire | None = None
        self._lift: threading.Timer | None = None
        self._touched = False
        self._long: _LongTouch | None = None

    @property
    def address(self) -> str | None:
        """What a host opens; None without power."""
        with self._lock:
            return self._wire.address if self._wire is not None else None

    def power_on(self) -> None:
        """Plug the key in, if it is not; whatever was under way is forgotten."""
        with self._lock:
            if self._wire is None:
                self._interface.power_cycle()
                self._wire = self._plug()

    def power_off(self) -> None:
        """Pull the key out, if it is in; a host that has it open reads an error."""
        with self._lock:
            self.touch_off()
            wire, self._wire = self._wire, None
            if wire is not None:
                wire.close()

    def touch_on(self) -> bool:
        """Put a finger on the key, for ten seconds at most; whether the key was asking for it.

        As on a real key the touch counts when the finger comes down. One that rests there already when the key
        begins to blink has to be lifted first.
        """
        with self._lock:
            if self._touched or self._wire is None:
                return False
            self._touched = True
            self._lift = threading.Timer(HELD_AT_MOST, self.touch_off)
            self._lift.daemon = True
            self._lift.start()
            return self._press()

    def _press(self) -> bool:
        """What the key feels of a finger that comes down."""
        user = self._user
        if user is None or user.pending is None:
            return False
        request = user.pending
        if not isinstance(request, UserPresence) or not request.seconds:
            return user.answer(Decision.GRANTED)
        # It counts once it has lasted.
        timer = threading.Timer(request.seconds, self._end_long_touch)
        self._long = _LongTouch(request, time.monotonic(), timer)
        timer.daemon = True
        timer.start()
        return True

    def _end_long_touch(self) -> None:
        """Tell the key how long it was touched, if it still wants to know."""
        with self._lock:
            touch, self._long = self._long, None
            if touch is None:
                return
            touch.timer.cancel()
            user = self._user
            if user is not None and user.pending is touch.request:
                user.answer(Touch(time.monotonic() - touch.begun))

    def tap(self) -> bool:
        """Touch the key shortly; whether it was asking for it."""
        with self._lock:
            self.touch_off()
            touched = self.touch_on()
            self.touch_off()
            return touched

    def touch_off(self) -> None:
        """Lift the finger."""
        with self._lock:
            self._touched = False
            self._end_long_touch()
            if self._lift is not None:
                self._lift.cancel()
                self._lift = None

    @property
    def status(self) -> PortStatus:
        """How the port stands right now."""
        profile = self._interface.authenticator.profile
        with self._lock:
            pending = self._user.pending if self._user is not None else None
            return PortStatus(
                power=self._wire is not None,
                touch=self._touched,
                address=self.address,
                asks=pending.prompt.value if pending is not None else None,
                profile=profile.name,
                vendor_id=profile.usb.vendor_id,
                product_id=profile.usb.product_id,
                product=profile.usb.product,
                serial_number=profile.usb.serial_number,
            )

    @property
    def _user(self) -> HandUser | None:
        user = self._interface.authenticator.user
        return user if isinstance(user, HandUser) else None
