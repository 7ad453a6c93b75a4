"""Security keys of a bench."""

import msgspec

from authrig.bench.tools import Tools
from authrig.errors import RigError
from authrig.keys.wires import fitted
from authrig.ports.key import PIN, Key
from authrig.ports.key_cables import Cable, HidrawCable, InProcessCable, ReaderCable, WiredCable
from authrig.ports.presence import Presence
from authrig.rig_file.entries import AttachedFido, EmulatedFido, Fido
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import ProfileError, load
from emulators.fido_authenticator.user import HandUser


def attached_key(tools: Tools, device: str, entry: Fido, attached: AttachedFido) -> Key:
    """The key that the rig file calls ``device``.

    Raises:
        RigError: if it is not there, or what touches it is not.
    """
    cable: Cable
    if attached.match.reader is not None:
        cable = ReaderCable(device, attached.match.reader)
    else:
        cable = HidrawCable(device, attached.match, tools.hands.switch(entry.power, device))
    presence = Presence(tools.hands.finger(entry.touch, device))
    return _kept(tools, Key(cable, presence, attached.pin, tools.on_exhibit, device))


def emulated_key(tools: Tools, name: str, emulated: EmulatedFido) -> Key:
    """A new key with nothing on it but the rig's PIN.

    Raises:
        RigError: if there is no such profile, or it cannot be plugged in.
    """
    try:
        profile = fitted(load(emulated.profile), emulated.transport)
    except ProfileError as error:
        raise RigError(str(error)) from error
    env = tools.env(emulated.seed, name)
    if emulated.transport == "usbip":
        # By its serial number the kernel's node of this key is told from others.
        usb = msgspec.structs.replace(profile.usb, serial_number=f"RIG-{env.random.token_bytes(6).hex()}")
        profile = msgspec.structs.replace(profile, usb=usb)
    user = HandUser()
    presence = Presence(user)
    user.on_request = lambda _: presence.blinks()
    hid = CtapHid(Authenticator(env, profile, user=user))
    cable = InProcessCable(hid) if emulated.transport == "in-process" else WiredCable(hid, emulated.transport)
    key = _kept(tools, Key(cable, presence, PIN, tools.on_exhibit, name))
    key.ensure_pin()
    return key


def _kept(tools: Tools, key: Key) -> Key:
    tools.opened.callback(key.close)
    return key
