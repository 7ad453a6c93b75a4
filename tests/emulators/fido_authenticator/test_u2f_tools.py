"""libfido2's tools speak U2F with the key, as they do with keys that know nothing else."""

import base64
import itertools
import subprocess
import threading
from pathlib import Path

import pytest

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.pty import PtyTransport
from emulators.fido_authenticator.user import HandUser, UserRequest

pytestmark = pytest.mark.needs("fido2-cred", "fido2-assert")

HASH = base64.b64encode(bytes(range(32))).decode()


def _tool(*command: str, given: str) -> str:
    done = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=30, check=False, start_new_session=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "make", "login"),
    [*itertools.product(["authrig-2.3"], ["-u", ""], ["-u", ""]), ("u2f-only", "", ""), ("yubikey-5.2", "-u", "-u")],
)
def test_libfido2_registers_and_logs_in(name: str, make: str, login: str, tmp_path: Path) -> None:
    """Made by one protocol and used by the other, verified by the tools; the touch comes 300 ms after the first blink.

    A host that speaks U2F asks again and again until then.
    """
    user = HandUser()
    timers: list[threading.Timer] = []

    def touch_soon(_request: UserRequest) -> None:
        timers.append(threading.Timer(0.3, user.touch))
        timers[-1].start()

    user.on_request = touch_soon
    key = CtapHid(Authenticator(Env.real(), load(name), user=user))
    with PtyTransport(key) as transport:
        options = [option for option in (make,) if option]
        made = _tool("fido2-cred", "-M", *options, transport.path, given=f"{HASH}\nexample.org\nada\nYWRh\n")
        lines = made.splitlines()
        assert lines[2] == ("packed" if not make and name == "authrig-2.3" else "fido-u2f")
        public_key = _tool("fido2-cred", "-V", given=made).split("\n", 1)[1]
        (tmp_path / "key.pem").write_text(public_key)
        options = [option for option in (login,) if option]
        given = f"{HASH}\nexample.org\n{lines[4]}\n"
        assertion = _tool("fido2-assert", "-G", "-p", *options, transport.path, given=given)
        _tool("fido2-assert", "-V", "-p", str(tmp_path / "key.pem"), given=assertion)
    for timer in timers:
        timer.join()
    assert len(timers) == 2
