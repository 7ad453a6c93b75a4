"""Runs a command with a bench on which attached keys stand: ``python attached_bench.py authrig test fido``.

For machines with /dev/uhid, such as the guest of ``authrig vm``: emulated keys are given to the kernel as hardware, under
serial numbers by which the rig file matches them, and they are touched and unplugged by an HTTP controller only. The
options that name the rig file are added to the command.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
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

PIN = "4711"
HEAD = 'version = 1\n\n[devices.server]\nkind = "server"\nemulated = {}\n'
KEY = """
[devices.key-{number}]
kind = "fido"
attached = {{ match = {{ serial = "BENCH-{number}" }}, pin = "{pin}" }}
touch = {{ by = "controller", url = "{url}", port = {number} }}
power = {{ by = "controller", url = "{url}", port = {number} }}
destructive = true
"""


def main(command: list[str]) -> int:
    """Run ``command``; returns its exit code."""
    with plugged_keys(1) as entries:
        return run(command, HEAD + entries)


@contextmanager
def plugged_keys(count: int) -> Iterator[str]:
    """So many keys on /dev/hidraw*, each with the PIN; yields their entries of a rig file."""
    with ExitStack() as opened:
        cabling = Cabling("uhid")
        opened.callback(cabling.close)
        ports = {}
        for number in range(1, count + 1):
            profile = fit_profile(load())
            usb = msgspec.structs.replace(profile.usb, serial_number=f"BENCH-{number}")
            hid = CtapHid(Authenticator(Env.real(), msgspec.structs.replace(profile, usb=usb), user=HandUser()))
            cable = InProcessCable(hid)
            Key(cable, Presence(HandUser()), PIN, lambda _: None).ensure_pin()
            cable.close()
            ports[number] = Port(hid, cabling.plug(number))
            opened.callback(ports[number].power_off)
            ports[number].power_on()
        url = opened.enter_context(ControlServer(ports)).url
        yield "".join(KEY.format(number=number, url=url, pin=PIN) for number in ports)


def run(command: list[str], rig_file: str) -> int:
    """Run ``command`` on the attached devices of ``rig_file``; returns its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        rig = Path(folder) / "rig.toml"
        rig.write_text(rig_file, "utf-8")
        options = ["--rig", str(rig), "--hil", "attached", "--destructive-ok"]
        return subprocess.run([*command, *options], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
