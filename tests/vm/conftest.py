"""Suites that run inside the guest, on device nodes that a real kernel made: `authrig vm run -- python -m pytest tests/vm`.

Outside of it nothing here is collected: the machine's own devices are nobody's to plug and unplug.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec
import pytest

from emulators.env import Env
from emulators.fido_authenticator.algorithms import RS256
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import MAX_MESSAGE_BYTES, CtapHid
from emulators.fido_authenticator.profile import Profile, load
from emulators.fido_authenticator.transports.uhid import LONGEST_MESSAGE, UhidTransport, fit_profile
from emulators.fido_authenticator.transports.usb import UsbTransport
from emulators.fido_authenticator.user import User
from emulators.usb.hid_binding import HidBinding
from emulators.usb.hidraw import find_hidraw
from emulators.usb.usbip_server import UsbIpServer

_T = TypeVar("_T")
collect_ignore_glob = [] if os.environ.get("AUTHRIG_VM") == "1" else ["test_*.py"]


class PluggedKey(Protocol):
    """A key in the guest's USB port."""

    longest_message: int
    """Bytes of a CTAPHID message that always comes through."""

    @property
    def path(self) -> str:
        """Its device node."""
        ...

    def unplug(self) -> None:
        """Pull it out."""
        ...

    def plug_in(self) -> None:
        """Put it back."""
        ...


def for_slow_processor(profile: Profile) -> Profile:
    """``profile`` as it suits a processor that is a program itself."""
    return msgspec.structs.replace(
        profile,
        # Each new key would look for an RSA key in its spare time, for seconds here, and no test needs one.
        algorithms=tuple(algorithm for algorithm in profile.algorithms if algorithm != RS256),
        # It has lapses.
        timing=msgspec.structs.replace(profile.timing, fragment=5.0, reset_window=100.0),
    )


def _hid(serial_number: str, user: User | None, profile: Profile) -> CtapHid:
    profile = for_slow_processor(profile)
    profile = msgspec.structs.replace(profile, usb=msgspec.structs.replace(profile.usb, serial_number=serial_number))
    return CtapHid(Authenticator(Env.real(), profile=profile, user=user))


class UhidKey:
    """On uhid."""

    longest_message = LONGEST_MESSAGE

    def __init__(self, serial_number: str, user: User | None, stack: ExitStack) -> None:
        self._transport = stack.enter_context(UhidTransport(_hid(serial_number, user, fit_profile(load()))))

    @property
    def path(self) -> str:
        """Its device node."""
        settle()
        return str(self._transport.path)

    def unplug(self) -> None:
        """Pull it out."""
        self._transport.unplug()

    def plug_in(self) -> None:
        """Put it back."""
        self._transport.plug_in()


class UsbIpKey:
    """On USB/IP, attached through the kernel's virtual host controller by the distribution's own command."""

    longest_message = MAX_MESSAGE_BYTES

    def __init__(self, serial_number: str, user: User | None, stack: ExitStack, server: UsbIpServer) -> None:
        self._serial_number = serial_number
        self._server = server
        self._transport = stack.enter_context(UsbTransport(_hid(serial_number, user, load()), server))
        self.attach()

    @property
    def path(self) -> str:
        """Its device node."""
        node = self._node()
        settle()
        return str(node)

    def _node(self) -> Path:
        return wait_for(lambda: node_with(f"HID_UNIQ={self._serial_number}"))

    def attach(self) -> None:
        """What a user does."""
        host, port = self._server.address
        assert self._transport.busid is not None
        with closing(HidBinding(f"HID_UNIQ={self._serial_number}")) as binding:
            run("usbip", "--tcp-port", str(port), "attach", "-r", host, "-b", self._transport.busid)
            # While a device is being attached the command cannot attach another: "error: open vhci_driver".
            self._node()
            assert binding.wait(30)

    def unplug(self) -> None:
        """Pull it out, and wait until the kernel has heard of it: else the old node is found where the new one is meant."""
        self._transport.unplug()
        wait_for(lambda: find_hidraw(f"HID_UNIQ={self._serial_number}") is None)

    def plug_in(self) -> None:
        """Put it back."""
        self._transport.plug_in()
        self.attach()


Plug = Callable[..., PluggedKey]


@contextmanager
def plugging(kind: str) -> Iterator[Plug]:
    """A function that plugs keys in, each with a serial number and a user; at the end all are pulled out."""
    with ExitStack() as stack:
        if kind == "usbip":
            server = stack.enter_context(UsbIpServer(port=0))

            def plug(serial_number: str = "one", user: User | None = None) -> PluggedKey:
                return UsbIpKey(serial_number, user, stack, server)
        else:

            def plug(serial_number: str = "one", user: User | None = None) -> PluggedKey:
                return UhidKey(serial_number, user, stack)

        yield plug
    wait_for(lambda: find_hidraw("HID_ID=0003:00001209:00000001") is None)


@pytest.fixture(params=["uhid", "usbip"])
def kind(request: pytest.FixtureRequest) -> str:
    """How a key is plugged in."""
    return str(request.param)


@pytest.fixture
def plug(kind: str) -> Iterator[Plug]:
    """Plugs keys in, both ways."""
    with plugging(kind) as plug:
        yield plug


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    """All the judges must be there: in the guest nothing is skipped."""
    needed = {
        "usbip": "usbip",
        "fido2-token": "fido2-tools",
        "ssh-keygen": "openssh-client",
        "sshd": "openssh-server",
        "pamtester": "pamtester",
        "pamu2fcfg": "pamu2fcfg",
        "chromium": "chromium",
        "firefox-esr": "firefox-esr",
        "Xvfb": "xvfb",
        "xdotool": "xdotool",
        "v4l2-ctl": "v4l-utils",
    }
    missing = [package for tool, package in needed.items() if shutil.which(tool) is None]
    if not list(Path("/lib").glob("*/security/pam_u2f.so")):
        missing.append("libpam-u2f")
    assert not missing, f"the suites in the guest need: apt-get install {' '.join(missing)}"


def node_with(line: str) -> Path | None:
    """A device node whose description in sysfs has ``line``, once it is there."""
    node = find_hidraw(line)
    return node if node is not None and node.exists() else None


def wait_for(look: Callable[[], _T | None], timeout: float = 30.0) -> _T:
    """What ``look`` returns as soon as it is something."""
    deadline = time.monotonic() + timeout
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found


def settle() -> None:
    """Wait until udev has told programs of all devices."""
    subprocess.run(["udevadm", "settle", "--timeout=30"], check=True)


def set_pin(path: str, pin: str) -> None:
    """Give the key at ``path`` its first PIN, as a user does; without a terminal the tool reads it from standard input."""
    run("fido2-token", "-S", path, stdin=f"{pin}\n{pin}\n")


def run(*command: str | Path, stdin: str = "", code: int = 0, cwd: Path | None = None) -> str:
    """What an unmodified program prints; it must end with ``code``."""
    done = subprocess.run(
        [str(word) for word in command], input=stdin, capture_output=True, text=True, timeout=120, check=False, cwd=cwd
    )
    assert done.returncode == code, f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout
