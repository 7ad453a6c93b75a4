"""Runs a command with a bench on which an attached key stands: ``python attached_bench.py authrig test fido``.

For machines with /dev/uhid, such as the guest of ``authrig vm``: an emulated key is given to the kernel as hardware, under a
serial number by which the rig file matches it, and it is touched and unplugged by an HTTP controller only. The options
that name the rig file are added to the command.
"""

import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import msgspec

from authrig.keys.control import ControlServer
from authrig.keys.port import Port
from authrig.keys.wires import Cabling
from authrig.ports.key import Key
from authrig.ports.key_cables import InProcessCable
from authrig.ports.presence import Presence
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.uhid import fit_profile
from emulators.fido_authenticator.user import HandUser

SERIAL = "BENCH-1"
RIG = """version = 1

[devices.key]
kind = "fido"
attached = {{ match = {{ serial = "{serial}" }}, pin = "4711" }}
touch = {{ by = "controller", url = "{url}", port = 1 }}
power = {{ by = "controller", url = "{url}", port = 1 }}
destructive = true

[devices.server]
kind = "server"
emulated = {{}}
"""


def main(command: list[str]) -> int:
    """Run ``command``; returns its exit code."""
    with ExitStack() as opened:
        cabling = Cabling("uhid")
        opened.callback(cabling.close)
        profile = fit_profile(load())
        profile = msgspec.structs.replace(profile, usb=msgspec.structs.replace(profile.usb, serial_number=SERIAL))
        hid = CtapHid(Authenticator(Env.real(), profile, user=HandUser()))
        cable = InProcessCable(hid)
        Key(cable, Presence(HandUser()), "4711", lambda _: None).ensure_pin()
        cable.close()
        port = Port(hid, cabling.plug(1))
        opened.callback(port.power_off)
        port.power_on()
        url = opened.enter_context(ControlServer({1: port})).url
        rig = Path(opened.enter_context(tempfile.TemporaryDirectory())) / "rig.toml"
        rig.write_text(RIG.format(serial=SERIAL, url=url), "utf-8")
        options = ["--rig", str(rig), "--hil", "attached", "--destructive-ok"]
        return subprocess.run([*command, *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
