import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from authrig.attached import person as person_module
from authrig.bench.bench import Bench
from authrig.control.open_bench import OpenBench
from authrig.control.running import ControlServer
from authrig.errors import RigError
from authrig.keys.key_file import KeyFile
from authrig.pictures import picture_from_png, print_code
from authrig.rig_file.entries import RigFile
from emulators.env import Env, SeededRandom
from emulators.hwtoken.console import Console
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.token import QrToken
from emulators.usb.serial_pty import SerialPty
from tests.authrig.control.conftest import rig_file_of

SERIAL = "QT1-00000042"
SPARE = {"kind": "fido", "emulated": {}}


@pytest.fixture(autouse=True)
def _own_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests that run now have leases of their own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.fixture
def console() -> Iterator[SerialPty[Console]]:
    """The console of a token that lies on the bench."""
    env = Env.real()
    memory = TokenMemory()
    memory.provision(SERIAL, bytes(32))
    with SerialPty(Console(QrToken(env, load_profile(), memory), env), any_speed=True) as pty:
        yield pty


def _with_console(path: str) -> RigFile:
    by_console = {"by": "console", "serial_port": path}
    ends = dict.fromkeys(("picture", "keys", "display"), by_console)
    return rig_file_of({"token": {"kind": "qr-token", "attached": {"serial": SERIAL}, **ends}, "key": SPARE})


def test_an_attached_token_is_opened_when_it_is_used(console: SerialPty[Console]) -> None:
    """Then it is powered, shown a picture, pressed and seen, through its own console."""
    with OpenBench(_with_console(console.path)) as bench:
        token = bench.device("token")
        assert token.state()["opened"] is False
        token.power(on=True)
        assert token.state()["opened"] is True
        token.press(Button.OK, held=False)
        token.picture(picture_from_png(print_code("https://example.com/")))
        assert token.screen().startswith(b"\x89PNG")
        said = [each.text for each in bench.happenings.after(0)[0] if each.device == "token"]
    assert "error" in said


def test_two_benches_do_not_meet_at_one_device(console: SerialPty[Console]) -> None:
    """The second is told who has it; it is free again when the first is put away."""
    rig_file = _with_console(console.path)
    with OpenBench(rig_file) as first, OpenBench(rig_file) as second:
        first.device("token").power(on=True)
        with pytest.raises(RigError, match=rf"token is leased to another run \(process {os.getpid()}"):
            second.device("token").power(on=True)
        assert "leased" in second.device("token").state()["trouble"]
        assert second.device("key").state()["power"] is True
        first.device("token").close()
        second.device("token").power(on=True)
        assert "trouble" not in second.device("token").state()


def test_a_test_run_and_a_bench_do_not_meet_at_one_device(console: SerialPty[Console]) -> None:
    """They know the same leases."""
    rig_file = _with_console(console.path)
    with OpenBench(rig_file) as up, Bench(rig_file, SeededRandom(1), lambda _: None) as run:
        up.device("token").power(on=True)
        with pytest.raises(RigError, match="leased to another run"):
            run.qr_token("any")


def test_a_device_that_is_unplugged_in_the_middle(console: SerialPty[Console]) -> None:
    """A sentence; the others go on, and so does it once it is back."""
    with OpenBench(_with_console(console.path)) as bench, ControlServer(bench) as server:
        headers = {"Authorization": f"Bearer {server.guard.token}"}
        with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=30) as program:
            program.post("/devices/token/power", json={"on": True})
            console.close()
            gone = program.post("/devices/token/press", json={"button": "ok"})
            assert gone.status_code == 502
            assert f"the console {console.path}" in gone.json()["error"]
            states = {each["name"]: each["state"] for each in program.get("/devices").json()["devices"]}
            assert states["token"]["trouble"] == gone.json()["error"]
            assert states["token"]["opened"] is False
            assert states["key"]["power"] is True


def test_an_attached_key_that_is_not_there() -> None:
    """It is on the bench as one that is in trouble, once somebody wanted to use it."""
    missing = {"kind": "fido", "attached": {"match": {"serial": "no such key"}}}
    with OpenBench(rig_file_of({"real": missing, "key": SPARE})) as bench:
        assert "trouble" not in bench.device("real").state()
        with pytest.raises(RigError, match="expected one fido device with serial no such key, found none"):
            bench.device("real").touch(None)
        assert "no such key" in bench.device("real").state()["trouble"]
        bench.device("key").touch(None)


def test_a_person_acts_where_the_file_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal says what to do."""
    screen = io.StringIO()
    ends = {"r": io.StringIO("\n"), "w": screen}
    monkeypatch.setattr(person_module, "_terminal", lambda mode: ends[mode])
    token = {"kind": "otp-token", "attached": {"serial": SERIAL}}
    with OpenBench(rig_file_of({"token": token})) as bench:
        bench.device("token").press(Button.OK, held=False)
    assert "OK" in screen.getvalue()


def test_what_cannot_be_set_up_harms_no_other(tmp_path: Path) -> None:
    """A key file that another bench has, a profile and a preset that do not exist: a sentence each."""
    file = tmp_path / "my.key"
    KeyFile.create(file).close()
    devices: dict[str, object] = {
        "mine": {"kind": "fido", "emulated": {"file": str(file)}},
        "odd": {"kind": "fido", "emulated": {"profile": "nobody's"}},
        "token": {"kind": "qr-token", "emulated": {"preset": "in the dark"}},
        "key": SPARE,
    }
    with OpenBench(rig_file_of(devices)) as first, OpenBench(rig_file_of(devices)) as second:
        assert first.device("mine").state()["power"] is True
        assert str(file) in second.device("mine").state()["trouble"]
        assert "nobody's" in first.device("odd").state()["trouble"]
        assert "in the dark" in first.device("token").state()["trouble"]
        with pytest.raises(RigError, match="nobody's"):
            first.device("odd").touch(None)
        assert second.device("key").state()["power"] is True


def test_a_key_that_is_touched_by_itself() -> None:
    """As soon as it asks."""
    from tests.authrig.control.waiting import selecting  # noqa: PLC0415 - beside its only use

    with OpenBench(rig_file_of({"key": SPARE}), automatic=True) as bench:
        with selecting(bench.device("key").state()["address"]) as answers:
            pass
        assert answers == [b""]


def test_a_port_that_is_taken_is_a_sentence() -> None:
    """And so is one that cannot be."""
    with OpenBench(rig_file_of({"key": SPARE})) as bench, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RigError, match=rf"cannot listen on 127\.0\.0\.1:{port}: Address already in use"):
            ControlServer(bench, port)
        with pytest.raises(RigError, match="expected a port of 0 to 65535"):
            ControlServer(bench, 70000)


def test_nothing_is_left_when_the_bench_is_put_away() -> None:
    """No thread, and no terminal."""
    before = set(threading.enumerate())
    with OpenBench(rig_file_of({"key": SPARE, "token": {"kind": "qr-token", "emulated": {}}})) as bench:
        address = Path(bench.device("key").state()["address"])
        with ControlServer(bench):
            assert address.exists()
    assert not address.exists()
    assert set(threading.enumerate()) <= before


def test_people_are_told_where_everything_is(tmp_path: Path) -> None:
    """Each device, the page, and the secrets: on standard output only."""
    file = tmp_path / "rig.toml"
    file.write_text(
        'version = 1\n[devices.key]\nkind = "fido"\nemulated = {}\n'
        '[devices.odd]\nkind = "fido"\nemulated = { profile = "nobody" }\n'
        '[devices.real]\nkind = "fido"\nattached = { match = { serial = "1" } }\n'
    )
    command = [str(Path(sys.executable).with_name("authrig")), "rig", "up", "--rig", str(file), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(8)]
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert lines[0].startswith("key   fido, emulated: /dev/pts/")
    assert lines[1].startswith("odd   fido, emulated: odd: ")
    assert lines[2] == "real  fido, attached, opened when first used\n"
    assert [line.split()[0] for line in lines[4:]] == ["page", "API", "token", "controller"]


def test_the_command_line(tmp_path: Path) -> None:
    """It says where everything is, serves until it is interrupted, and writes no secret into a log."""
    file = tmp_path / "rig.toml"
    file.write_text('version = 1\n[devices.key]\nkind = "fido"\nemulated = {}\n')
    command = [str(Path(sys.executable).with_name("authrig")), "rig", "up", "--rig", str(file), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        up = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {up['token']}"}
        found = httpx.get(f"{up['url']}/devices/key/state", headers=headers, trust_env=False).json()
        assert found["state"]["address"] == up["devices"]["key"]["address"]
        assert httpx.get(f"{up['controller']}/usb1/touch/on", trust_env=False).status_code == 200
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
    assert (process.returncode, rest, errors) == (0, "", "")
