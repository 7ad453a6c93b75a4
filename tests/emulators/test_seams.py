"""A fault at each seam of docs/explanation/seams.md, placed by handing over another object; no emulator knows of faults."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import segno

from emulators.camera_scanner import optics
from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.plain import PlainReader
from emulators.camera_scanner.frames import Frame, FrameSource, Image
from emulators.env import Clock, Env, SeededRandom, SimulatedClock
from emulators.fido_authenticator.authenticator import Authenticator, Execution
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.iso7816 import Iso7816
from emulators.fido_authenticator.store import Change, MemoryStore, StoreError
from emulators.fido_authenticator.transports.in_process import InProcessTransport
from emulators.fido_authenticator.user import Decision, HandUser
from emulators.hwtoken.defects import Defects
from emulators.hwtoken.display import render
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import MemoryFault, TokenMemory
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.screens import State
from emulators.hwtoken.stores import FileStore, SystemFiles
from emulators.hwtoken.token import QrToken
from tests.codes import read_patiently

ROOT = Path(__file__).parents[2]
INIT = bytes.fromhex("ffffffff 86 0008 0102030405060708").ljust(64, b"\0")
GET_INFO, SELECTION = b"\x04", b"\x0b"


def _token(
    memory: TokenMemory | None = None, clock: Clock | None = None, profile: str = "dot_matrix_128x64"
) -> QrToken:
    memory = memory or TokenMemory()
    if memory.serial is None:
        memory.provision("QT1-00000042", bytes(32))
    token = QrToken(Env(clock or SimulatedClock(), SeededRandom(1)), load_profile(profile), memory)
    token.power_on()
    return token


def _picture(text: str = "hello") -> Image:
    rows = [[0 if module else 255 for module in row] for row in segno.make(text, micro=False).matrix_iter(8, 4)]
    return np.array(rows, np.uint8)


def _asked(key: CtapHid, request: bytes) -> bytes:
    """The answer to a CTAP2 request, through all layers of the key."""
    device = InProcessTransport(key).open_device()
    return device.call(0x10, request)


def _key(authenticator: Authenticator | None = None) -> CtapHid:
    return CtapHid(authenticator or Authenticator(Env.simulated(seed=1)))


def test_report() -> None:
    """Each third report to the key is lost."""

    class Lossy(CtapHid):
        seen = 0

        def receive(self, report: bytes) -> None:
            self.seen += 1
            if self.seen % 3:
                super().receive(report)

    key = Lossy(Authenticator(Env.simulated(seed=1)))
    for _ in range(6):
        key.receive(INIT)
    assert len(key.take_reports()) == 4


def test_message() -> None:
    """The key hears another command than the host sends."""

    class Mishears(Authenticator):
        def start(self, request: bytes, channel: int = 0) -> Execution:
            return super().start(b"\x55" if request == GET_INFO else request, channel)

    assert _asked(_key(), GET_INFO)[0] == 0
    assert _asked(_key(Mishears(Env.simulated(seed=1))), GET_INFO) == b"\x01"  # INVALID_COMMAND


def test_response() -> None:
    """The answer is another one than the key has given."""

    class Garbles(Authenticator):
        def start(self, request: bytes, channel: int = 0) -> Execution:
            execution = super().start(request, channel)
            if execution.answer is not None:
                execution.answer = execution.answer[:20]
            return execution

    assert len(_asked(_key(Garbles(Env.simulated(seed=1))), GET_INFO)) == 20


def test_u2f_message() -> None:
    """U2F says that it is busy, whatever it is asked."""
    authenticator = Authenticator(Env.simulated(seed=1))
    device = InProcessTransport(CtapHid(authenticator)).open_device()
    version = bytes.fromhex("00030000000000")
    assert device.call(0x03, version) == b"U2F_V2\x90\x00"
    authenticator.u2f.answer = lambda command: command and b"\x69\x85"  # type: ignore[method-assign]  # the fault
    assert device.call(0x03, version) == b"\x69\x85"


def test_apdu() -> None:
    """The card forgets that it was selected, as one does that left the field for a moment."""

    class Flickers(Iso7816):
        def receive(self, command: bytes) -> bytes | None:
            self.power_cycle()
            return super().receive(command)

    select = bytes.fromhex("00a4040008a0000006472f000100")
    get_info = bytes.fromhex("80100000010400")
    cards = [Iso7816(Authenticator(Env.simulated(seed=1))), Flickers(Authenticator(Env.simulated(seed=1)))]
    answers = [[card.receive(select), card.receive(get_info)] for card in cards]
    # 9000: done; 61xx: more is to be fetched; 6D00: no such instruction, for who is not selected.
    assert [(answer or b"")[-2] for answer in answers[0]] == [0x90, 0x61]
    assert [(answer or b"")[-2] for answer in answers[1]] == [0x90, 0x6D]


def test_touch() -> None:
    """Somebody refuses as soon as the key asks."""
    user = HandUser()
    user.on_request = lambda _: user.answer(Decision.DENIED)
    key = CtapHid(Authenticator(Env.simulated(seed=1), user=user))
    assert _asked(key, SELECTION) == b"\x27"  # OPERATION_DENIED


def test_storage_write_of_a_key() -> None:
    """A write fails after some: the key answers with an error of its own, and what was there stays."""

    class Worn(MemoryStore):
        broken = False

        def commit(self, *changes: Change) -> None:
            if self.broken:
                raise StoreError("worn out")
            super().commit(*changes)

    store = Worn()
    key = CtapHid(Authenticator(Env.simulated(seed=1), store=store))
    names = store.names()
    store.broken = True
    assert _asked(key, b"\x07") == b"\x7f"  # OTHER
    assert store.names() == names


def test_frame_of_a_token() -> None:
    """The token's camera is covered for its first frames."""
    token = _token()
    token.press(Button.OK)
    for number, picture in enumerate([np.zeros((64, 64), np.uint8)] * 3 + [_picture()]):
        assert token.screen.state is State.SCANNING
        token.see(Frame(picture, number / 10, "a camera"))
    assert token.screen.state is State.ERROR


def test_file(tmp_path: Path) -> None:
    """The disk is full: a sentence, and the old memory is still there."""

    class Full(SystemFiles):
        def write(self, path: Path, data: bytes) -> None:
            raise OSError(28, f"No space left on device for {len(data)} bytes", str(path))

    path = tmp_path / "token"
    TokenMemory(FileStore(path)).provision("QT1-00000042", bytes(32))
    before = path.read_bytes()
    with pytest.raises(MemoryFault, match="No space left"):
        TokenMemory(FileStore(path, Full())).update(counter=5)
    assert path.read_bytes() == before


def test_display() -> None:
    """Columns of dots stay clear: what is seen changes, and the token knows nothing of it."""
    token = _token()
    seen = render(token.screen, token.profile, Defects(dead_columns=frozenset(range(30))))
    assert not seen[:, :30].any()
    assert render(token.screen, token.profile)[:, :30].any()


def test_frame_of_a_camera() -> None:
    """Each second frame is lost on its way to the scanner, and it reads all the same."""

    class Shown:
        name = "a camera"

        def frames(self) -> Iterator[Frame]:
            for number in range(4):
                yield Frame(_picture(), number / 30, self.name)

        def close(self) -> None:
            """Nothing."""

    class Drops:
        def __init__(self, source: FrameSource) -> None:
            self._source, self.name = source, source.name

        def frames(self) -> Iterator[Frame]:
            for number, frame in enumerate(self._source.frames()):
                if number % 2:
                    yield frame

        def close(self) -> None:
            self._source.close()

    frames = list(Drops(Shown()).frames())
    assert len(frames) == 2
    assert [read.data for read in read_patiently(frames[0].image)] == [b"hello"]


def test_light() -> None:
    """So much blur that nothing is read, and a little that does no harm."""
    picture = _picture()
    assert read_patiently(optics.lens_blur(picture, 1.0))
    assert not read_patiently(optics.lens_blur(picture, 30.0))


def test_serial_byte() -> None:
    """A byte on the line is another one: what the host reads is not what the reader read."""

    class Noisy:
        def __init__(self, device: PlainReader) -> None:
            self.device = device

        def take_output(self) -> bytes:
            return self.device.take_output().replace(b"4", b"5")

    reader = PlainReader(Env.simulated(seed=1))
    reader.show(Code(b"4711"))
    reader.poll()
    assert b"5711" in Noisy(reader).take_output()


def test_clock() -> None:
    """A clock that runs at double speed: the key gives up after half the time of the world."""

    class Fast(SimulatedClock):
        def monotonic(self) -> float:
            return 2 * super().monotonic()

    clock = Fast()
    key = CtapHid(Authenticator(Env(clock, SeededRandom(1)), user=HandUser()))
    execution = key.authenticator.start(SELECTION)
    limit = (execution.next_deadline() or 0.0) / 2
    clock.advance(limit - 0.1)
    assert execution.poll() is None
    clock.advance(0.2)
    assert execution.poll() == b"\x2f"  # USER_ACTION_TIMEOUT


def test_randomness() -> None:
    """A source that is stuck: two keys have the same secrets."""

    class Stuck:
        test_only = True

        def token_bytes(self, count: int) -> bytes:
            return bytes([7] * count)

    keys = [CtapHid(Authenticator(Env(SimulatedClock(), Stuck()))) for _ in range(2)]
    agreement = bytes.fromhex("06a201020202")
    assert _asked(keys[0], agreement) == _asked(keys[1], agreement)
    assert _asked(_key(), agreement) != _asked(_key(Authenticator(Env.simulated(seed=2))), agreement)


def _rows() -> list[tuple[str, str]]:
    """Layer and test of each row of the page."""
    page = (ROOT / "docs/explanation/seams.md").read_text("utf-8")
    return re.findall(r"^\| ([^|]+) \| [^|]+ \| .* \| `\S+\.py` \| `(\S+)` \|$", page, re.MULTILINE)


def test_each_seam_of_the_page_has_a_test_that_places_a_fault() -> None:
    """And each test here has a row."""
    rows = _rows()
    assert len(rows) >= 20
    for layer, test in rows:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text("utf-8"), layer
    here = set(re.findall(r"^def (test_\w+)", Path(__file__).read_text("utf-8"), re.MULTILINE))
    here.discard(test_each_seam_of_the_page_has_a_test_that_places_a_fault.__name__)
    assert here == {test.partition("::")[2] for _, test in rows if "test_seams.py" in test}
