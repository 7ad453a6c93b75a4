"""How the key that Yubico's suite judges is plugged in: on a terminal, or so that this machine's kernel has it."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from authrig.errors import RigError
from authrig.keys.key_file import KeyFile
from authrig.keys.port import Port, Wire
from authrig.keys.wires import Cabling, Listen, fitted
from authrig.vm.kernel import SYSTEM_FOLDERS
from authrig.yubico import plugin
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.user import User

TRANSPORTS = ("pty", "uhid", "usbip")
"""``uhid`` and ``usbip`` need a kernel that has them, and root: `authrig vm run`."""
_PATIENCE = 60.0
_SLOW = 10
"""How many times longer the key waits in a guest, whose processor is a program: on a busy machine half a second passed there
between two fragments of a message, and ten between power-up and reset, while nobody did anything wrong."""


class Cable:
    """A cable for one key; with ``usbip`` this machine is its own guest, and attaches the key each time it is plugged in."""

    arguments: tuple[str, ...] = ()
    """What the suite must be told on its command line."""

    def __init__(self, transport: str) -> None:
        self._cabling = Cabling(transport, Listen(port=0))
        self._plug = self._cabling.plug(1)
        self._attached = transport == "usbip"
        self._transport = transport

    @property
    def has_node(self) -> bool:
        """Whether the kernel makes a device node for the key, which clients find by themselves."""
        return self._transport in ("uhid", "usbip")

    def port(self, key: KeyFile, user: User) -> Port:
        """A port with ``key`` in it, still without power."""
        return Port(CtapHid(key.authenticator(user)), self.plug)

    def settings(self, url: str) -> Mapping[str, str]:
        """What tells the suite where the key is: a node it finds by its own means, else the control API at ``url``."""
        return {} if self.has_node else {plugin.CONTROL: url}

    def fit(self, key: KeyFile) -> KeyFile:
        """The same key, as far as the cable carries it, and patient where a guest's processor is a program itself."""
        if not self.has_node:
            return key
        profile = fitted(key.profile, self._transport)
        timing = msgspec.structs.replace(
            profile.timing, fragment=_SLOW * profile.timing.fragment, reset_window=_SLOW * profile.timing.reset_window
        )
        return replace(key, profile=msgspec.structs.replace(profile, timing=timing))

    def plug(self, hid: CtapHid) -> Wire:
        """Plug the key in.

        Raises:
            RigError: if that cannot be.
        """
        wire = self._plug(hid)
        if self._attached:
            try:
                _attach(wire.address)
            except RigError:
                wire.close()
                raise
        return wire

    def close(self) -> None:
        """Roll the cable up; the key has to be unplugged by then."""
        self._cabling.close()


def _attach(address: str) -> None:
    """Let the kernel's virtual host controller have the device at ``address`` (HOST:PORT/BUSID)."""
    server, _, busid = address.partition("/")
    host, _, port = server.rpartition(":")
    command = ["usbip", "--tcp-port", port, "attach", "--remote", host, "--busid", busid]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
            env={"PATH": f"{SYSTEM_FOLDERS}:/usr/bin:/bin"},
        )
    except FileNotFoundError as error:
        raise RigError("USB/IP needs the command usbip, which is not installed: apt-get install usbip") from error
    except subprocess.TimeoutExpired as error:
        raise RigError(f"usbip did not attach {address} within {_PATIENCE:g} s") from error
    if done.returncode != 0:
        raise RigError(f"usbip cannot attach {address}: {done.stderr.strip()}; is vhci-hcd loaded, and are you root?")
