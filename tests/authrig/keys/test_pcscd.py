"""The judges here find the key through a real pcscd, with the distribution's reader driver and unmodified clients."""

import fcntl
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from fido2.ctap import STATUS, CtapError
from fido2.ctap1 import Ctap1
from fido2.ctap2.base import Ctap2
from fido2.hid import CAPABILITY, CTAPHID

from authrig.cli import build_parser
from authrig.errors import RigError
from authrig.keys import pcscd
from authrig.keys.pcscd import SLOTS, SOCKET_VARIABLE, Pcscd, own_pcscd
from authrig.keys.port import Port
from authrig.keys.wires import CardReader
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.iso7816 import Iso7816
from emulators.fido_authenticator.profile import Attestation, Profile, load
from emulators.fido_authenticator.transports.smart_card import PORT
from emulators.fido_authenticator.user import AutomaticUser, HandUser, User
from tests.emulators.fido_authenticator.ctap_requests import HASH, creation

pytestmark = pytest.mark.needs("pcscd", "unshare", "py:smartcard")
PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "key-as-smart-card.md"
AUTHRIG = str(Path(sys.executable).with_name("authrig"))
RP = {"id": "example.com"}
ADA = {"id": b"ada", "name": "ada"}


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Where this process finds pcscd's socket: its PC/SC library looks for it once."""
    with tempfile.TemporaryDirectory(prefix="authrig-test-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def daemon(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pcscd]:
    """A pcscd for one test."""
    with own_pcscd(folder) as daemon:
        monkeypatch.setenv(SOCKET_VARIABLE, str(daemon.socket))
        yield daemon


@contextmanager
def _port(daemon: Pcscd, user: User | None = None, profile: Profile | None = None, slot: int = 1) -> Iterator[Port]:
    """A key in the reader."""
    card = Iso7816(Authenticator(Env.real(), profile, user=user))
    port = Port(card, CardReader("127.0.0.1", daemon.port).plug(slot))
    port.power_on()
    try:
        yield port
    finally:
        port.power_off()


def _await(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited for thirty seconds"
        time.sleep(0.02)
    return found


@contextmanager
def _client(slot: int = 1) -> Iterator[Any]:
    """python-fido2's own device, for the key in ``slot``: it appears when pcscd has noticed the card."""
    from fido2.pcsc import CtapPcscDevice  # noqa: PLC0415 - pyscard is there only where PC/SC is

    (device,) = _await(lambda: list(CtapPcscDevice.list_devices(SLOTS[slot - 1])))
    try:
        yield device
    finally:
        device.close(release=True)


@pytest.mark.parametrize("extended", [False, True])
def test_python_fido2_finds_the_card_and_registers_with_it(daemon: Pcscd, *, extended: bool) -> None:
    """CTAP2 and U2F, in chained short and in extended commands, through a reader that it lists by itself."""
    with _port(daemon), _client() as device:
        device.use_ext_apdu = extended
        assert device.get_atr() == load().smart_card.atr_bytes
        assert device.capabilities == CAPABILITY.CBOR | CAPABILITY.NMSG
        ctap2 = Ctap2(device)
        assert {"nfc", "smart-card"} <= set(ctap2.info.transports)
        exclude: list[Mapping[str, Any]] = [{"type": "public-key", "id": bytes([number]) * 60} for number in range(9)]
        made = ctap2.make_credential(HASH, RP, ADA, creation()[4], exclude)
        known = made.auth_data.credential_data
        assert known is not None
        signed = ctap2.get_assertion("example.com", HASH, [{"type": "public-key", "id": known.credential_id}])
        signed.verify(HASH, known.public_key)
        ctap1 = Ctap1(device)
        assert ctap1.get_version() == "U2F_V2"
        ctap1.register(HASH, HASH).verify(HASH, HASH)


def test_a_post_quantum_key_comes_in_portions(daemon: Pcscd) -> None:
    """7.4 kB, 256 bytes at a time, and no byte is missing: the signature is good."""
    profile = msgspec.structs.replace(load(), attestation=Attestation(kind="self"))
    with _port(daemon, profile=profile), _client() as device:
        made = Ctap2(device).make_credential(HASH, RP, ADA, [{"alg": -50, "type": "public-key"}])
        known = made.auth_data.credential_data
        assert known is not None
        known.public_key.verify(made.auth_data + HASH, made.att_stmt["sig"])


def test_a_key_that_waits_for_its_user_says_so(daemon: Pcscd) -> None:
    """Keepalives until the touch from the port, as on the other wires."""
    with _port(daemon, HandUser()) as port, _client() as device:
        blinked = threading.Event()
        toucher = threading.Thread(target=lambda: blinked.wait(30) and port.tap())
        toucher.start()
        Ctap2(device).selection(on_keepalive=lambda status: blinked.set() if status == STATUS.UPNEEDED else None)
        toucher.join()
        assert blinked.is_set()


def test_a_host_that_takes_no_keepalives_waits_in_silence(daemon: Pcscd) -> None:
    """The reader waits for the answer as long as it takes."""
    user = HandUser()
    with _port(daemon, user) as port, _client() as device:
        device.use_nfcctap_getresponse = False
        toucher = threading.Thread(target=lambda: _await(port.tap))
        toucher.start()
        Ctap2(device).selection()
        toucher.join()


def test_a_host_can_cancel(daemon: Pcscd) -> None:
    """The client's cancel event ends the wait with KEEPALIVE_CANCEL."""
    event = threading.Event()
    with _port(daemon, AutomaticUser(None)), _client() as device:
        with pytest.raises(CtapError) as cancelled:
            Ctap2(device).selection(event=event, on_keepalive=lambda _: event.set())
        assert cancelled.value.code == CtapError.ERR.KEEPALIVE_CANCEL


def test_unplugging_ends_a_wait_and_plugging_in_powers_up(daemon: Pcscd) -> None:
    """Who has the card open reads an error; put back, it answers again."""
    with _port(daemon, HandUser()) as port:
        with _client() as device:
            with pytest.raises(Exception, match="Failed to transmit"):
                Ctap2(device).selection(on_keepalive=lambda _: port.power_off())
            assert port.status.address is None
        port.power_on()
        with _client() as device:
            assert Ctap2(device).info.aaguid == load().aaguid.bytes


def test_connecting_anew_powers_the_key_up(daemon: Pcscd) -> None:
    """So a reset, which a key allows only right after power-up, works over a reader."""
    profile = msgspec.structs.replace(load(), timing=msgspec.structs.replace(load().timing, reset_window=3.0))
    with _port(daemon, profile=profile), _client() as device:
        time.sleep(3.1)
        with pytest.raises(CtapError) as refused:
            Ctap2(device).reset()
        assert refused.value.code == CtapError.ERR.NOT_ALLOWED
        device.close()
        device.connect()
        Ctap2(device).reset()


def test_two_cards_share_the_reader(daemon: Pcscd) -> None:
    """Each in its slot, each by itself."""
    with _port(daemon, profile=load("yubikey-5.8")), _port(daemon, slot=2), _client(1) as one, _client(2) as two:
        assert Ctap2(one).info.aaguid == load("yubikey-5.8").aaguid.bytes
        assert Ctap2(two).info.aaguid == load().aaguid.bytes
        assert two.call(CTAPHID.CBOR, b"\x04")


def test_a_taken_slot_is_told_as_such(daemon: Pcscd) -> None:
    """One sentence, and the card that is in it stays."""
    with _port(daemon), _client() as device:
        with pytest.raises(RigError, match="another one is in it"), _port(daemon):
            pass
        assert Ctap2(device).info


@pytest.mark.needs("pcsc_scan")
def test_pcsc_scan_shows_what_the_profile_says(daemon: Pcscd) -> None:
    """A tool that reads nothing but the ATR takes it for the product's."""
    with _port(daemon, profile=load("yubikey-5.8")), _client():
        shown = subprocess.run(
            ["pcsc_scan", "-c", "-n"], capture_output=True, text=True, timeout=30, check=False
        ).stdout
    assert "3B 8D 80 01 80 73 C0 21 C0 57 59 75 62 69 4B 65 79 F9" in shown


def test_the_command_line_puts_keys_into_the_reader(daemon: Pcscd, tmp_path: Path) -> None:
    """Power and touch come over the control API, as on the other wires."""
    files = [str(tmp_path / name) for name in ("one.key", "two.key")]
    for file in files:
        subprocess.run([AUTHRIG, "key", "new", file], check=True)
    reader = ["--transport", "smartcard", "--reader-address", f"127.0.0.1:{daemon.port}"]
    options = [*reader, "--control", "0", "--traffic", "--capture", str(tmp_path / "cards.pcapng")]
    with subprocess.Popen(
        [AUTHRIG, "key", "run", *options, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            control = process.stderr.readline().split()[-1]
            assert process.stdout.readline() == f"127.0.0.1:{daemon.port}\n"

            def ask(path: str) -> Any:
                with urllib.request.urlopen(control + path, timeout=10) as answer:  # noqa: S310 - our own server
                    return json.load(answer)

            with _client(2) as device:
                selecting = threading.Thread(target=Ctap2(device).selection)
                selecting.start()
                _await(lambda: ask("/")["ports"][1]["asks"] == "select")
                assert ask("/usb2/touch/on")["touch"] is True
                selecting.join(30)
                assert not selecting.is_alive()
            assert ask("/usb1/power/off")["address"] is None
            assert ask("/usb1/power/on")["power"] is True
            with _client(1) as device:
                assert Ctap2(device).info
        finally:
            process.terminate()
        traffic = process.stderr.read()
    assert "host → key NFCCTAP_MSG authenticatorSelection 8010800001" in traffic
    assert "key → host KEEPALIVE UPNEEDED 029100\n" in traffic
    assert b"authenticatorSelection: SUCCESS" in (tmp_path / "cards.pcapng").read_bytes()


def test_the_page_about_card_readers_tells_the_truth(daemon: Pcscd, capsys: pytest.CaptureFixture[str]) -> None:
    """Its example finds the card by the name of the reader, and its command is one that there is."""
    page = PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert all(slot in page for slot in SLOTS)
    with _port(daemon) as port, _client():
        exec(compile(example, str(PAGE), "exec"), {})  # noqa: S102 - our own text
        assert port.address == f"127.0.0.1:{daemon.port}"
    assert capsys.readouterr().out.startswith("CtapPcscDevice(Virtual PCD 00 00) ['U2F_V2', 'FIDO_2_0'")
    (command,) = re.findall(r"^\$ authrig (key run .*)$", page, re.MULTILINE)
    assert build_parser().parse_args(command.split()).reader_address == ("127.0.0.1", PORT)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--reader-address", "127.0.0.1:1"], "no card reader waits at 127.0.0.1:1: `apt-get install pcscd"),
        (["one", "two", "three"], "has 2 slots: expected at most so many keys, found 3"),
    ],
)
def test_what_cannot_be_is_one_sentence(options: list[str], sentence: str) -> None:
    """Exit code 2, no traceback."""
    command = [AUTHRIG, "key", "run", "--transport", "smartcard", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert sentence in ended.stderr


def test_a_machine_without_pcscd_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence."""
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(RigError, match="apt-get install pcscd vsmartcard-vpcd"), own_pcscd():
        pass


def test_a_pcscd_that_does_not_start_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said stands in the sentence, and nothing of it stays."""
    monkeypatch.setattr(pcscd, "_daemon", lambda *_: ["sh", "-c", "echo no room for readers; exit 1"])
    before = set(os.listdir("/tmp"))  # noqa: PTH208, S108 - what is left behind
    with pytest.raises(RigError, match="it said: no room for readers"), own_pcscd():
        pass
    assert not [name for name in set(os.listdir("/tmp")) - before if "authrig-pcscd" in name]  # noqa: PTH208, S108 - as above


@pytest.mark.skipif(
    os.geteuid() != 0 or Path("/run/pcscd/pcscd.comm").exists(), reason="needs root, and a machine that runs no pcscd"
)
def test_where_namespaces_are_forbidden_root_has_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place that is built in, and gone afterwards; the next one waits for it."""
    monkeypatch.setattr(pcscd, "_may_isolate", lambda: False)
    for _ in range(2):
        with own_pcscd() as daemon, _port(daemon):
            assert daemon.socket == Path("/run/pcscd/pcscd.comm")
            with pytest.raises(BlockingIOError), pcscd._LOCK.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert not daemon.socket.exists()
