"""Keys with a PIN, and unmodified python-fido2 in front of them."""

import msgspec
from fido2.ctap2.base import Ctap2
from fido2.ctap2.pin import ClientPin, PinProtocol, PinProtocolV1, PinProtocolV2

from emulators.env import Env, SeededRandom, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.store import Store
from emulators.fido_authenticator.transports.in_process import InProcessDevice
from emulators.fido_authenticator.user import User

PIN, WRONG = "correct horse", "wrong horse"
PROTOCOLS: dict[int, type[PinProtocol]] = {1: PinProtocolV1, 2: PinProtocolV2}


def with_options(name: str = profiles.DEFAULT, /, **options: bool) -> Profile:
    """The profile ``name`` with other options."""
    profile = profiles.load(name)
    return msgspec.structs.replace(profile, options={**profile.options, **options})


def key(
    pin: str | None = PIN,
    profile: Profile | None = None,
    *,
    clock: SimulatedClock | None = None,
    store: Store | None = None,
    user: User | None = None,
) -> Authenticator:
    """A key whose PIN is ``pin``; None: it has none."""
    env = Env(clock or SimulatedClock(), SeededRandom(1))
    authenticator = Authenticator(env, profile, store, user)
    if pin is not None:
        client_pin(authenticator).set_pin(pin)
    return authenticator


def ctap2(authenticator: Authenticator) -> Ctap2:
    """A host that checks each answer to be canonical CBOR."""
    return Ctap2(InProcessDevice(authenticator), strict_cbor=True)


def client_pin(authenticator: Authenticator, protocol: int = 2) -> ClientPin:
    """A host that speaks ``protocol``."""
    return ClientPin(ctap2(authenticator), PROTOCOLS[protocol]())
