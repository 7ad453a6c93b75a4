"""A token whose console is on a pseudo-terminal stands for a real one, with every end of the port in use."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from authrig.attached.person import Person
from authrig.attached.token_console import TokenConsole
from authrig.bench.bench import Bench
from authrig.errors import Deviation, RigError
from authrig.evidence.recorder import Exhibit, Picture
from authrig.pictures import picture_from_png, print_code
from authrig.rig_file.entries import AttachedToken, EmulatedToken, QrToken, RigFile
from authrig.rig_file.entries import Console as ConsoleEntry
from emulators.env import Env, SeededRandom
from emulators.hwtoken.console import Console
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.token import QrToken as EmulatedQrToken
from emulators.usb.serial_pty import SerialPty
from offline_qr import otq1

if TYPE_CHECKING:
    from authrig.ports.qr_token import QrToken as Port

SERIAL, SEED = "QT1-00000042", bytes(range(32))


@pytest.fixture
def console_path() -> Iterator[str]:
    """The terminal of a token that lies on the bench."""
    env = Env.real()
    memory = TokenMemory()
    memory.provision(SERIAL, SEED)
    with SerialPty(Console(EmulatedQrToken(env, load_profile(), memory), env), any_speed=True) as pty:
        yield pty.path


def _bench(exhibits: list[Exhibit], entry: QrToken, keyboard: str = "") -> Bench:
    person = Person(io.StringIO(keyboard), io.StringIO())
    return Bench(RigFile(version=1, devices={"token": entry}), SeededRandom(7), exhibits.append, person=person)


def _challenge(purpose: str) -> otq1.Challenge:
    header = otq1.Header(otq1.MessageType.LOGIN, otq1.key_id(SERIAL), bytes(12), int(Env.real().clock.time()), 180)
    return otq1.Challenge(header, (otq1.Field(otq1.Tag.SERVICE, purpose), otq1.Field(otq1.Tag.USER, "alice")))


def _log_in(port: "Port", challenge: otq1.Challenge) -> str:
    """What a person does: scan, read, confirm; returns the code."""
    port.scan(picture_from_png(print_code(otq1.encode(challenge, KEYS))))
    review = port.read_review()
    assert review is None or list(review) == ["Service", challenge.fields[0].value, "User", "alice"]
    return port.confirm()


KEYS = otq1.derive_keys(SERIAL, SEED)


def test_a_login_by_the_devices_own_console(console_path: str) -> None:
    """The same calls as on an emulated token, and every screen is on record once."""
    exhibits: list[Exhibit] = []
    at = ConsoleEntry(serial_port=console_path)
    entry = QrToken(attached=AttachedToken(serial=SERIAL, seed_hex=SEED.hex()), picture=at, keys=at, display=at)
    with _bench(exhibits, entry) as bench:
        lent = bench.qr_token("whoever")
        assert (lent.serial, lent.seed) == (SERIAL, SEED)
        challenge = _challenge("E-Banking")
        assert _log_in(lent.port, challenge) == otq1.compute_code(challenge, KEYS)
        photograph = lent.port.photograph()
    pictures = [exhibit for exhibit in exhibits if isinstance(exhibit, Picture)]
    assert [picture.caption for picture in pictures][-2:] == ["token: review", "token: code"]
    assert len({picture.png for picture in pictures[-2:]}) == 2
    assert photograph == pictures[-1].png


def test_a_login_on_an_emulated_token() -> None:
    """With the same words."""
    with _bench([], QrToken(emulated=EmulatedToken())) as bench:
        lent = bench.qr_token(SERIAL)
        assert lent.seed is not None
        keys = otq1.derive_keys(SERIAL, lent.seed)
        challenge = _challenge("VPN")
        lent.port.scan(picture_from_png(print_code(otq1.encode(challenge, keys))))
        assert lent.port.read_review() == ["Service", "VPN", "User", "alice"]
        assert lent.port.confirm() == otq1.compute_code(challenge, keys)
        with pytest.raises(Deviation, match="expected a review that ends, found Code / "):
            lent.port.read_review()


def test_a_login_by_a_person_alone() -> None:
    """Somebody takes its power, gives it back, presses OK, lets it scan, sees no code, presses OK, and types the code."""
    typed = "\n" * 4 + "\n\n" + "9122 1436\n"
    entry = QrToken(attached=AttachedToken(serial=SERIAL), power="person")
    with _bench([], entry, typed) as bench:
        lent = bench.qr_token("whoever")
        lent.port.scan(np.full((40, 40), 255, np.uint8))
        assert lent.port.read_review() is None
        assert lent.port.confirm() == "91221436"


def test_another_token_on_the_line_is_refused(console_path: str) -> None:
    """The rig file says which serial number is meant."""
    with pytest.raises(RigError, match="expected the token QT1-00000001, found 'QT1-00000042'"):
        TokenConsole(console_path, "QT1-00000001")


def test_something_else_on_the_line_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """An echo answers in JSON, but no console repeats what it is asked."""
    monkeypatch.setattr("authrig.attached.token_console.PATIENCE", 0.05)
    with pytest.raises(RigError, match="refused hello: None"):
        TokenConsole("loop://")
    with pytest.raises(RigError, match="cannot be opened"):
        TokenConsole("/dev/there-is-no-such-line")


def test_a_token_that_is_switched_off_in_the_middle(console_path: str) -> None:
    """It comes back by itself: a scan begins with its power taken away."""
    at = ConsoleEntry(serial_port=console_path)
    entry = QrToken(attached=AttachedToken(serial=SERIAL), picture=at, keys=at, display=at)
    with _bench([], entry) as bench:
        port = bench.qr_token("whoever").port
        port.scan(picture_from_png(print_code(otq1.encode(_challenge("VPN"), KEYS))))
        port.restart()
        assert port.look().state == "idle"
        with pytest.raises(Deviation, match="expected a code, found QR Reader 128 / Ready / QT1-00000042"):
            port.read_code()


def test_a_console_that_answers_something_else_for_ever_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rig does not wait with it."""

    class Babbler:
        def write(self, data: bytes) -> None:
            """Nobody listens."""

        def read_until(self, end: bytes, *_: int) -> bytes:
            return b'{"id": 999, "ok": true}' + end

        def close(self) -> None:
            """Nothing is open."""

    monkeypatch.setattr("authrig.attached.token_console.PATIENCE", 0.05)
    monkeypatch.setattr("serial.serial_for_url", lambda *_, **__: Babbler())
    with pytest.raises(RigError, match="answers other requests than hello"):
        TokenConsole("/dev/ttyACM0")
