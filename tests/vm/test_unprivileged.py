import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulators.usb.uhid import UDEV_RULE, HidDevice, UhidFile
from tests.vm.conftest import node_with, run, settle, wait_for

# Nobody, who may write nothing; reading is allowed where a checkout is in somebody's home.
_NOBODY = (
    "setpriv",
    "--reuid=nobody",
    "--clear-groups",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=+dac_read_search",
)
STRANGER = (*_NOBODY, "--regid=nogroup", "--")
USER = (*_NOBODY, "--regid=plugdev", "--")
KEYBOARD = HidDevice(
    "keyboard",
    "authrig-keyboard/1",
    "",
    0x1209,
    0x0003,
    bytes.fromhex("05010906a1010507190029e71500250175019508810295057501c0"),
)


@pytest.fixture
def rule() -> Iterator[None]:
    """Our rule, installed as the page says."""
    folder = Path("/run/udev/rules.d")
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / UDEV_RULE.name
    copy.write_bytes(UDEV_RULE.read_bytes())
    _reload()
    yield
    copy.unlink()
    _reload()
    Path("/dev/uhid").chmod(0o600)


def _reload() -> None:
    run("udevadm", "control", "--reload")
    run("udevadm", "trigger", "--sysname-match=uhid")
    settle()


@contextmanager
def _key_of(*user: str) -> Iterator[str]:
    """A key that ``user`` plugs in; its device node."""
    command = [*user, "authrig", "key", "run", "--transport", "uhid"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as key:
        try:
            assert key.stdout is not None
            path = key.stdout.readline().strip()
            settle()
            yield path
        finally:
            key.terminate()


@pytest.fixture
def no_rule() -> None:
    """The node as the kernel makes it, whatever the suites before this one have installed."""
    node = Path("/dev/uhid")
    os.chown(node, 0, 0)
    node.chmod(0o600)


@pytest.mark.usefixtures("no_rule")
def test_without_the_rule_nobody_but_root_plugs_a_key_in() -> None:
    """One sentence with the command that mends it, and the doctor knows."""
    refused = subprocess.run(
        [*USER, "authrig", "key", "run", "--transport", "uhid"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert refused.returncode != 0
    assert "/dev/uhid may not be opened by this user: sudo cp" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert _doctor(*USER) is False


@pytest.mark.usefixtures("rule")
def test_with_the_rule_a_user_plugs_a_key_in_and_uses_it() -> None:
    """Without root from end to end; who is not in the group still may not."""
    assert _doctor(*USER) is True
    assert _doctor(*STRANGER) is False
    with _key_of(*USER) as path:
        assert path.startswith("/dev/hidraw")
        assert "aaguid" in run(*USER, "fido2-token", "-I", path)
        assert path in run(*USER, "fido2-token", "-L")
        run(*STRANGER, "fido2-token", "-I", path, code=1)
    wait_for(lambda: not Path(path).exists())


@pytest.mark.usefixtures("rule")
def test_the_rule_lets_nobody_read_a_keyboard() -> None:
    """Bluetooth keyboards come through uhid too."""
    uhid = UhidFile()
    uhid.write(KEYBOARD.create())
    node = wait_for(lambda: node_with(f"HID_PHYS={KEYBOARD.phys}"))
    settle()
    mode, group = node.stat().st_mode & 0o777, node.group()
    uhid.close()
    assert (mode, group) == (0o600, "root")


def _doctor(*user: str) -> bool:
    """Whether the doctor says that uhid is there for ``user``."""
    done = subprocess.run(
        [*user, "authrig", "doctor", "--json"], capture_output=True, text=True, check=False, timeout=120
    )
    (present,) = (bool(finding["present"]) for finding in json.loads(done.stdout) if finding["name"] == "uhid")
    return present
