import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vm.conftest import Plug, run, set_pin

SERVICE = "authrig-test"
ORIGIN = "pam://authrig"
POLICIES = Path("/etc/pam.d")


@pytest.fixture
def keys_file(tmp_path: Path) -> Iterator[Path]:
    """A PAM service that asks for a security key and nothing else; the file of the keys that it accepts."""
    policies, keys = tmp_path / "pam.d", tmp_path / "u2f_keys"
    # The host's files cannot be written in the guest, but something else can be put in front of them.
    shutil.copytree(POLICIES, policies)
    keys.touch(mode=0o600)
    module = f"pam_u2f.so authfile={keys} origin={ORIGIN} appid={ORIGIN}"
    (policies / SERVICE).write_text(f"auth required {module}\naccount required pam_permit.so\n")
    run("mount", "--bind", policies, POLICIES)
    yield keys
    run("umount", POLICIES)


def _register(*options: str, typed: str = "") -> str:
    """What a user puts into the file of accepted keys, made with the key that is plugged in."""
    return run("pamu2fcfg", "--username=root", f"--origin={ORIGIN}", f"--appid={ORIGIN}", *options, stdin=typed)


def _authenticate(*, accepted: bool, typed: str = "") -> None:
    run("pamtester", SERVICE, "root", "authenticate", stdin=typed, code=0 if accepted else 1)


def test_a_login_needs_the_registered_key(plug: Plug, keys_file: Path) -> None:
    """Accepted with it, refused with another one and with none, accepted when it is back."""
    right = plug("right")
    assert right.path
    keys_file.write_text(_register())
    _authenticate(accepted=True)
    right.unplug()
    _authenticate(accepted=False)
    wrong = plug("wrong")
    assert wrong.path
    _authenticate(accepted=False)
    right.plug_in()
    assert right.path
    _authenticate(accepted=True)


def test_a_login_may_need_the_pin_too(plug: Plug, keys_file: Path) -> None:
    """The module asks for it in PAM's conversation."""
    key = plug()
    set_pin(key.path, "2468")
    registered = _register("--pin-verification", typed="2468\n")
    assert "+pin" in registered
    keys_file.write_text(registered)
    _authenticate(accepted=True, typed="2468\n")
    _authenticate(accepted=False, typed="1357\n")
