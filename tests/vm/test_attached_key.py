from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from authrig.attached.inventory import find, inventory
from authrig.demo import fido_login
from authrig.errors import RigError
from authrig.evidence.recorder import Recorder
from authrig.keys.control import ControlServer
from authrig.keys.port import Port
from authrig.keys.wires import Cabling
from authrig.ports.key import Key
from authrig.ports.key_cables import InProcessCable
from authrig.ports.presence import Presence
from authrig.rig import Rig
from authrig.rig_file.entries import UsbMatch
from authrig.rig_file.reading import load_rig_file
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.uhid import fit_profile
from emulators.fido_authenticator.user import HandUser

SERIALS = ("BENCH-1", "BENCH-2")
HEAD = "version = 1\n[devices.server]\nkind = 'server'\nemulated = {}\n"
ENTRY = """
[devices.key-{number}]
kind = "fido"
attached = {{ match = {{ serial = "{serial}" }}, pin = "4711" }}
touch = {{ by = "controller", url = "{url}", port = {number} }}
power = {{ by = "controller", url = "{url}", port = {number} }}
"""


@pytest.fixture
def controller_url() -> Iterator[str]:
    """A bench of another make: two keys that only a controller touches and unplugs; each has the PIN 4711."""
    with ExitStack() as opened:
        cabling = Cabling("uhid")
        opened.callback(cabling.close)
        ports = {}
        for number, serial in enumerate(SERIALS, 1):
            profile = fit_profile(load())
            profile = msgspec.structs.replace(profile, usb=msgspec.structs.replace(profile.usb, serial_number=serial))
            hid = CtapHid(Authenticator(Env.real(), profile, user=HandUser()))
            cable = InProcessCable(hid)
            Key(cable, Presence(HandUser()), "4711", lambda _: None).ensure_pin()
            cable.close()
            ports[number] = Port(hid, cabling.plug(number))
            opened.callback(ports[number].power_off)
            ports[number].power_on()
        yield opened.enter_context(ControlServer(ports)).url


@pytest.fixture
def rig(controller_url: str, tmp_path: Path) -> Iterator[Rig]:
    """A rig whose file knows the keys by their serial numbers, and what touches them."""
    path = tmp_path / "rig.toml"
    entries = [ENTRY.format(number=n, serial=serial, url=controller_url) for n, serial in enumerate(SERIALS, 1)]
    path.write_text(HEAD + "".join(entries), "utf-8")
    with Rig(tmp_path, 7, load_rig_file(path), "attached") as rig:
        yield rig


def test_the_flow_of_the_demo_runs_on_attached_keys(rig: Rig) -> None:
    """The same lines as on emulated keys, attacks and all; the traffic is on record too."""
    recorder = Recorder()
    rig.watch(recorder.exhibit)
    fido_login.play(rig, recorder)
    assert all(step.passed for step in recorder.steps)
    assert any(step.exhibits for step in recorder.steps)
    with pytest.raises(RigError, match="too few attached keys"):
        rig.new_key("a third one")


def test_an_attached_key_is_unplugged_and_comes_back(rig: Rig) -> None:
    """The kernel's node goes and comes; an answer from a key that is out is a sentence."""
    key = rig.new_key("alice's")
    key.unplug()
    with pytest.raises(RigError, match="key-1: expected one fido device with serial BENCH-1, found none"):
        key.open()
    key.plug_in()
    with key.open() as device:
        assert device.call(0x01, b"ping") == b"ping"


def test_a_serial_number_that_nobody_has_is_a_sentence(rig: Rig) -> None:
    """It lists what is attached."""
    with pytest.raises(RigError, match=r"found none; attached: .*BENCH-1; .*BENCH-2"):
        find("fido", UsbMatch(serial="BENCH-9"), inventory(), "key-9")
