import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import serial

from authrig.cli import main
from authrig.pictures import print_code
from emulators.hwtoken.profile import profile_names
from offline_qr import otq1
from tests.authrig.tokens.logins import KEYS, PIN, SEED, SERIAL, challenge

AUTHRIG = str(Path(sys.executable).with_name("authrig"))
HEAVY = {"cv2", "numpy", "textual", "httpx", "cryptography", "PIL", "mss", "msgspec"}


class Hand:
    """Someone who gives one command after another."""

    def __init__(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.file = str(file)
        self._capsys = capsys
        self.code = 0

    def __call__(self, action: str, *more: str) -> dict[str, Any]:
        """What the command says as JSON."""
        self.code = main(["token", action, self.file, *more, "--json"])
        shown = self._capsys.readouterr().out
        return dict(json.loads(shown)) if shown else {}

    def refused(self, action: str, *more: str) -> str:
        """The sentence with which the command refuses."""
        assert main(["token", action, self.file, *more]) == 2
        captured = self._capsys.readouterr()
        assert captured.err.count("\n") == 1
        assert captured.err.startswith("authrig: ")
        return captured.err


def picture_of(text: str | bytes, path: Path) -> str:
    """A printed code."""
    path.write_bytes(print_code(text))
    return str(path)


def test_an_empty_serial_is_no_serial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it comes of a script's variable that nobody set: no token with a serial of its own is made instead."""
    assert main(["token", "new", str(tmp_path / "a.token"), "--serial", ""]) == 2
    assert "a serial has 1 to 64 visible ASCII characters" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_lines_of_a_file_of_seeds_are_counted_as_they_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a line that names the columns, and without one."""
    hand = Hand(tmp_path / "a.token", capsys)
    assert main(["token", "new", hand.file, "--serial", SERIAL]) == 0
    for text, line in (("hello\n", 1), (f"{SERIAL},00\n", 1), ("serial,seed\nhello\n", 2)):
        (tmp_path / "seeds").write_text(text, encoding="utf-8")
        assert f"seeds: line {line}: expected" in hand.refused("activate", "--seeds", str(tmp_path / "seeds"))


@pytest.mark.parametrize("more", [["--transport", "tcp"], ["--live"]])
def test_a_link_goes_with_a_pseudo_terminal(hand: "Hand", tmp_path: Path, more: list[str]) -> None:
    """Else a test would wait for it in vain."""
    assert "--link goes with --transport pty" in hand.refused("run", "--link", str(tmp_path / "tty"), *more)


@pytest.fixture
def hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Hand:
    """With a token that has its seed and its PIN, ready."""
    hand = Hand(tmp_path / "my.token", capsys)
    assert main(["token", "new", hand.file, "--serial", SERIAL]) == 0
    assert capsys.readouterr().out == f"{SERIAL}\n"
    seeds = tmp_path / "seeds.csv"
    seeds.write_text(f"serial,seed\r\nQT1-1,{'00' * 32}\r\n{SERIAL},{SEED.hex()}\r\n")
    assert hand("activate", "--seeds", str(seeds))["activated"]
    hand("power", "on")
    hand("type", PIN)
    assert hand("type", PIN)["lines"] == ["PIN", "It is set."]
    assert hand("press", "ok")["state"] == "idle"
    return hand


def test_scan_then_press_then_read_the_code(hand: Hand, tmp_path: Path) -> None:
    """Each by a command of its own, as with a token in one's hand; the code is the protocol's."""
    asked = challenge(time.time())
    shown = hand("scan", picture_of(otq1.encode(asked, KEYS), tmp_path / "qr.png"))
    assert (shown["state"], hand.code) == ("review", 0)
    assert "e-Banking" in shown["lines"]
    while shown["state"] == "review":
        shown = hand("press", "ok")
    code = otq1.compute_code(asked, KEYS)
    assert shown["lines"][1].replace(" ", "") == code
    assert hand("screen") == shown
    assert hand("press", "ok")["state"] == "idle"


def test_one_command_can_press_many_keys(hand: Hand) -> None:
    """Long presses too: the menu is behind one."""
    assert hand("press", "hold:ok")["state"] == "menu"
    assert hand("press", "cancel", "cancel", "hold:cancel")["state"] == "idle"
    assert hand("press", "cancel")["state"] == "off"


def test_a_dark_token_forgets_its_session_and_not_its_memory(hand: Hand) -> None:
    """Switched off it wants its PIN again; a wrong one is counted for good."""
    assert hand("power", "off")["state"] == "off"
    assert hand("screen")["state"] == "off"
    assert hand("power", "on")["lines"][0] == "PIN"
    hand("type", "1111")
    assert hand("state")["pin_tries_spent"] == 1
    assert hand("type", PIN)["state"] == "idle"
    assert hand("state")["pin_tries_spent"] == 0


def test_the_screen_as_a_picture(hand: Hand, tmp_path: Path) -> None:
    """For reports; where it cannot be written, that is said."""
    path = tmp_path / "screen.png"
    hand("screen", "--png", str(path))
    assert path.read_bytes().startswith(b"\x89PNG")
    assert "nowhere" in hand.refused("screen", "--png", str(tmp_path / "nowhere" / "screen.png"))


def test_what_is_no_challenge_is_said_on_its_screen(hand: Hand, tmp_path: Path) -> None:
    """Exit code 1, as it ran and something was not as it should be; the next scan works."""
    shown = hand("scan", picture_of("https://example.ch", tmp_path / "qr.png"))
    assert (shown["state"], hand.code) == ("error", 1)
    assert hand("scan", picture_of(otq1.encode(challenge(time.time()), KEYS), tmp_path / "qr.png"))["state"] == "review"


def test_bad_pictures_change_nothing(hand: Hand, tmp_path: Path) -> None:
    """No picture, no code in it, no file: a sentence that names it, and the token as it was."""
    before = Path(hand.file).read_bytes()
    text, blank = tmp_path / "text.png", tmp_path / "blank.png"
    text.write_text("this is no picture")
    blank.write_bytes(print_code("x")[:60])
    for path in (text, blank, tmp_path / "none.png", tmp_path):
        assert str(path) in hand.refused("scan", str(path))
    assert Path(hand.file).read_bytes() == before


def test_a_token_that_asks_for_its_pin_does_not_scan(hand: Hand, tmp_path: Path) -> None:
    """The sentence says what it shows instead."""
    hand("power", "off")
    sentence = hand.refused("scan", picture_of(otq1.encode(challenge(time.time()), KEYS), tmp_path / "qr.png"))
    assert "Type your PIN" in sentence
    assert "does not scan" in sentence
    assert "no digits" not in hand.refused("type", "12x4")


@pytest.mark.parametrize("digits", ["1", "123456789", "", "²²²²"])
def test_digits_that_do_not_fit_are_refused(hand: Hand, digits: str) -> None:
    """And no try is spent on them."""
    hand("power", "off")
    hand("power", "on")
    hand.refused("type", digits)
    assert hand("state")["pin_tries_spent"] == 0


def test_type_turns_the_wheel_of_two_buttons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command for every model."""
    hand = Hand(tmp_path / "two.token", capsys)
    main(["token", "new", hand.file, "--profile", "qr-reader-2button", "--serial", SERIAL])
    capsys.readouterr()
    hand("power", "on")
    hand("type", PIN)
    assert hand("type", PIN)["lines"] == ["PIN", "It is set."]
    assert "expected a key" in hand.refused("press", "7")


def activation_header() -> otq1.Header:
    """Of an activation that begins now."""
    return otq1.Header(otq1.MessageType.ACTIVATION, otq1.key_id(SERIAL), os.urandom(12), int(time.time()), 600, 1)


@pytest.fixture
def new_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Hand:
    """With a token without PIN that was never activated."""
    hand = Hand(tmp_path / "new.token", capsys)
    main(["token", "new", hand.file, "--profile", "dot_matrix_128x64", "--serial", SERIAL])
    capsys.readouterr()
    return hand


def test_activation_by_a_sealed_message(new_hand: Hand, tmp_path: Path) -> None:
    """Profile B: the server seals to the public key that `state` tells, and the code proves that it arrived."""
    public = bytes.fromhex(new_hand("state")["factory_public_key"])
    activation = otq1.activate_by_hpke(activation_header(), SERIAL, SEED, otq1.Account("alice"), public)
    shown = new_hand("activate", picture_of(otq1.encode_activation(activation), tmp_path / "activation.png"))
    assert shown["lines"][1].replace(" ", "") == activation.compute_code()
    assert new_hand("state")["accounts"] == [{"protocol": "OTQ1", "name": "alice"}]


@pytest.mark.parametrize("profile", ["qr-reader-keypad", "qr-reader-2button"])
def test_type_begins_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str], profile: str) -> None:
    """What another command has typed, or typed in vain, is erased first."""
    hand = Hand(tmp_path / "new.token", capsys)
    main(["token", "new", hand.file, "--profile", profile])
    capsys.readouterr()
    hand("power", "on")
    hand("press", "ok" if "2" in profile else "7")
    assert hand("screen")["lines"][2].startswith("*")
    hand.refused("type", "123456789")
    hand("type", PIN)
    assert hand("type", PIN)["lines"] == ["PIN", "It is set."]


def test_activation_by_the_code_on_a_letter(new_hand: Hand, tmp_path: Path) -> None:
    """Profile C: as it stands on the letter, with its spaces; without it the sentence says what is missing."""
    code = otq1.make_activation_code("1234567890123456")
    activation = otq1.activate_by_code(activation_header(), SERIAL, code, bytes(16), otq1.Account("bob"))
    picture = picture_of(otq1.encode_activation(activation), tmp_path / "activation.png")
    assert "--code" in new_hand.refused("activate", picture)
    new_hand("power", "off")
    shown = new_hand("activate", picture, "--code", otq1.group_activation_code(code))
    assert shown["lines"][1].replace(" ", "") == activation.compute_code()


def test_activation_of_a_seeded_token(hand: Hand, tmp_path: Path) -> None:
    """Profile A: the seed came before, the message names the account."""
    activation = otq1.activate_preseeded(activation_header(), SERIAL, SEED, otq1.Account("carol"))
    shown = hand("activate", picture_of(otq1.encode_activation(activation), tmp_path / "activation.png"))
    assert shown["lines"][1].replace(" ", "") == activation.compute_code()
    assert hand("state")["accounts"] == [{"protocol": "OTQ1", "name": "carol"}]


def test_a_seed_from_standard_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line is enough, and it is never in the list of processes."""
    hand = Hand(tmp_path / "new.token", capsys)
    main(["token", "new", hand.file, "--serial", SERIAL])
    command = [AUTHRIG, "token", "activate", hand.file, "--seeds", "-", "--json"]
    done = subprocess.run(command, input=f"{SERIAL},{SEED.hex()}", capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["activated"]
    other = subprocess.run(command, input=f"{SERIAL},{'11' * 32}\n", capture_output=True, text=True, check=False)
    assert other.returncode == 2
    assert "11" * 32 not in other.stderr


@pytest.mark.parametrize("data", ["", "serial,seed\n", f"QT1-9,{'00' * 32}", "<a/>", "QT1-00000042,zz", "\0"])
def test_a_file_without_its_seed_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: str) -> None:
    """Naming the file; the token stays as new."""
    hand = Hand(tmp_path / "new.token", capsys)
    main(["token", "new", hand.file, "--serial", SERIAL])
    capsys.readouterr()
    seeds = tmp_path / "seeds"
    seeds.write_text(data)
    assert str(seeds) in hand.refused("activate", "--seeds", str(seeds))
    assert not hand("state")["activated"]
    assert "one of" in hand.refused("activate")


ACTIONS = [["state"], ["screen"], ["press", "ok"], ["power", "on"], ["run"], ["type", "1234"], ["scan", "x.png"]]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action[0])
def test_a_file_that_is_no_token_is_named_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: list[str]
) -> None:
    """Text, nothing, another kind of state file, one bit that differs, a directory, a pipe."""
    file = tmp_path / "my.token"
    hand = Hand(file, capsys)
    main(["token", "new", hand.file])
    good = file.read_bytes()
    main(["key", "new", str(tmp_path / "my.key")])
    capsys.readouterr()
    at = good.index(b"memory")
    damaged = [b"this is no token", b"", b"{}", good[:-30], good[:at] + b"M" + good[at + 1 :]]
    for content in (*damaged, (tmp_path / "my.key").read_bytes()):
        file.write_bytes(content)
        assert hand.file in hand.refused(action[0], *action[1:])
        assert file.read_bytes() == content
    file.unlink()
    assert f"authrig token new {file}" in hand.refused(action[0], *action[1:])
    assert not file.exists()
    file.mkdir()
    assert "a directory" in hand.refused(action[0], *action[1:])
    file.rmdir()
    os.mkfifo(file)
    assert "a pipe" in hand.refused(action[0], *action[1:])


def test_a_read_only_file_can_be_looked_at(hand: Hand) -> None:
    """What would change it says so, and changes nothing."""
    file = Path(hand.file)
    file.chmod(0o400)
    before = file.read_bytes()
    assert hand("state")["serial"] == SERIAL
    assert hand("screen")["state"] == "idle"
    assert "read-only" in hand.refused("press", "hold:ok")
    assert "read-only" in hand.refused("run")
    assert file.read_bytes() == before


def test_a_token_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is a file made for a model that does not exist, or a serial that is none."""
    hand = Hand(tmp_path / "my.token", capsys)
    file = Path(hand.file)
    file.write_bytes(b"precious")
    assert "exists already" in hand.refused("new")
    assert file.read_bytes() == b"precious"
    file.unlink()
    assert "qr-reader-keypad" in hand.refused("new", "--profile", "no-such-token")
    assert "serial" in hand.refused("new", "--serial", "two words")
    assert str(tmp_path / "none" / "t") in Hand(tmp_path / "none" / "t", capsys).refused("new")
    assert list(tmp_path.iterdir()) == []


def test_the_same_seed_makes_the_same_token(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without one, no two are alike; its memory tells that it can be predicted."""
    states = []
    for name in ("a", "b"):
        main(["token", "new", str(tmp_path / name), "--seed", "7"])
        capsys.readouterr()
        states.append(Hand(tmp_path / name, capsys)("state"))
    assert states[0] == states[1]
    assert states[0]["predictable"]
    main(["token", "new", str(tmp_path / "c")])
    capsys.readouterr()
    assert Hand(tmp_path / "c", capsys)("state")["factory_public_key"] != states[0]["factory_public_key"]


def test_a_model_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its description goes into the file, which needs nothing else from then on."""
    folder = Path(sys.modules["emulators.hwtoken.profile"].__file__ or "").parent / "profiles"
    mine = tmp_path / "mine.toml"
    mine.write_text((folder / "dot_matrix_128x64.toml").read_text().replace("QR Reader 128", "My Reader"))
    hand = Hand(tmp_path / "my.token", capsys)
    main(["token", "new", hand.file, "--profile", str(mine)])
    capsys.readouterr()
    mine.unlink()
    assert hand("state")["model"] == "My Reader"
    mine.write_text("name = 3")
    assert str(mine) in Hand(tmp_path / "other", capsys).refused("new", "--profile", str(mine))


def test_the_state_for_people(hand: Hand, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each thing; no secret among them."""
    assert main(["token", "state", hand.file]) == 0
    shown = capsys.readouterr().out
    assert {f"serial: {SERIAL}", "activated: yes", "accounts: (no name) (OTQ1)", "screen: idle"} <= set(
        shown.splitlines()
    )
    assert SEED.hex() not in shown


def test_profiles_lists_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    """For people and for scripts."""
    assert main(["token", "profiles", "--json"]) == 0
    assert {each["name"] for each in json.loads(capsys.readouterr().out)} == set(profile_names())
    main(["token", "profiles"])
    assert "phone-app" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["--help"], ["press", "--help"], ["run", "--help"]])
def test_help_loads_nothing_heavy(command: list[str]) -> None:
    """`authrig token --help` answers at once."""
    program = (
        "import sys, contextlib, io, authrig.cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    authrig.cli.main(['token', *{command!r}])\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert HEAVY.isdisjoint(loaded.split())


def test_pressing_keys_loads_no_camera_and_no_network(hand: Hand) -> None:
    """A command that only presses keys is over before OpenCV would be loaded."""
    program = (
        f"import sys, authrig.cli; authrig.cli.main(['token', 'press', {hand.file!r}, 'hold:ok']); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert {"cv2", "zxingcpp", "textual", "httpx", "mss"}.isdisjoint(loaded.split())


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running `authrig token run` and the address that it printed."""
    with subprocess.Popen(
        [AUTHRIG, "token", "run", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()


def test_it_runs_on_a_terminal_until_told_to_end(hand: Hand) -> None:
    """A serial library talks to its console; SIGTERM ends it with exit code 0 and no traceback; what it kept is kept."""
    with running(hand.file) as (process, path):
        with serial.Serial(path, 115200, timeout=20) as port:

            def ask(cmd: str, **values: object) -> dict[str, Any]:
                port.write(json.dumps({"cmd": cmd, **values}).encode() + b"\n")
                return dict(json.loads(port.readline()))

            assert ask("hello")["serial"] == SERIAL
            assert ask("screen")["lines"][0] == "PIN"
            for key in ("1", "1", "1", "1", "ok"):
                ask("press", button=key)
        assert "another process" in hand.refused("screen")
        assert "another process" in hand.refused("run")
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
    assert hand("state")["pin_tries_spent"] == 1


def test_a_port_in_use_is_said(hand: Hand) -> None:
    """For the console and for the control API; the file is free again at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert str(port) in hand.refused("run", "--transport", "tcp", "--listen", f"127.0.0.1:{port}")
        assert str(port) in hand.refused("run", "--control", str(port))
    assert "65535" in hand.refused("run", "--control", "70000")
    assert hand("screen")["state"] in {"idle", "off"}


@pytest.mark.parametrize("camera", ["99", "no such camera", "nothing.png", "http://127.0.0.1:1/", "synthetic:none.png"])
def test_no_camera_is_said(hand: Hand, camera: str) -> None:
    """Before anything else is switched on."""
    assert camera in hand.refused("run", "--camera", camera)


def test_live_wants_a_terminal(hand: Hand) -> None:
    """In a pipe there is nobody to look."""
    done = subprocess.run([AUTHRIG, "token", "run", hand.file, "--live"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "authrig: --live wants a terminal, found none\n")


def test_the_terminal_is_given_back(hand: Hand) -> None:
    """SIGTERM ends the live screen with exit code 0, and the shell is where it was."""
    ours, its = os.openpty()
    command = [AUTHRIG, "token", "run", hand.file, "--live"]
    with subprocess.Popen(
        command, stdin=its, stdout=its, stderr=its, env={**os.environ, "TERM": "xterm-256color"}
    ) as live:
        os.close(its)
        shown = b""
        while b"CANCEL" not in shown:
            shown += os.read(ours, 65536)
        live.send_signal(signal.SIGTERM)
        with suppress(OSError):  # the terminal's other end is closed
            while chunk := os.read(ours, 65536):
                shown += chunk
        assert live.wait(timeout=60) == 0
    os.close(ours)
    assert b"\x1b[?1049l" in shown  # back from the alternate screen
    assert b"Traceback" not in shown
