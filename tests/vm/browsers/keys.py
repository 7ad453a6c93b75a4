"""Keys on uhid, of any profile."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.uhid import UhidTransport
from emulators.fido_authenticator.user import HandUser, User
from tests.vm.conftest import for_slow_processor, settle

WITHOUT_PIN = "minimal-2.0"
"""A profile that knows no PIN; Chromium has a PIN set up on a key that could have one before it keeps a credential there."""


@contextmanager
def plugged_in(user: User, profile: str = WITHOUT_PIN) -> Iterator[UhidTransport]:
    """A new key in the guest's USB port, for as long as the block lasts."""
    slow = for_slow_processor(load(profile))
    slow = msgspec.structs.replace(slow, timing=msgspec.structs.replace(slow.timing, user_action=300.0))
    with UhidTransport(CtapHid(Authenticator(Env.real(), profile=slow, user=user))) as key:
        assert key.path.exists()
        settle()
        yield key


def keep_touching(user: HandUser) -> None:
    """Touch whenever the key blinks, from now on: how often it does so for one ceremony is the browser's choice."""
    user.on_request = lambda _: user.touch()
    user.touch()


def stop_touching(user: HandUser) -> None:
    """Let the key blink."""
    user.on_request = None
