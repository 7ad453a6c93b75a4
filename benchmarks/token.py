"""The token beside its floors: a frame to the review, a challenge to its code, a screen to its dots."""

import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import zxingcpp

from authrig.pictures import picture_from_png, print_code
from benchmarks.harness import Row
from emulators.camera_scanner.frames import Frame
from emulators.camera_scanner.outline import encode_png
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import Env, SeededRandom
from emulators.hwtoken.contact_sheet import SAMPLES
from emulators.hwtoken.display import render
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.screens import Review, Scanning
from emulators.hwtoken.token import Button, QrToken
from offline_qr import otq1

SERIAL, SEED = "QT1-00000042", bytes(range(32))
FIELDS = (
    otq1.Field(otq1.Tag.AMOUNT, "CHF 1'250.00"),
    otq1.Field(otq1.Tag.TO_ACCOUNT, "CH93 0076 2011 6238 5295 7"),
    otq1.Field(otq1.Tag.BENEFICIARY, "Müller & Söhne AG"),
)
FRAME = (480, 640)
SCREEN_SECONDS = 0.005


@contextmanager
def rows() -> Iterator[list[Row]]:
    """What the token adds to the work that nobody can leave out."""
    env = Env.simulated(1)
    keys = otq1.derive_keys(SERIAL, SEED)
    now = int(env.clock.time())
    header = otq1.Header(otq1.MessageType.TRANSACTION, otq1.key_id(SERIAL), bytes(12), now, 300)
    challenge = otq1.Challenge(header, FIELDS)
    camera = SyntheticCamera(SeededRandom(1), "desk")
    picture = picture_from_png(print_code(otq1.encode(challenge, keys)))
    frame = Frame(camera.photograph(picture), 0.0, camera.name)
    assert frame.image.shape[:2] == FRAME, frame.image.shape
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    memory = TokenMemory()
    memory.provision(SERIAL, SEED)
    token = QrToken(env, load_profile(), memory)
    token.power_on()
    token.press(Button.OK)
    suite = header.ocra_suite
    data = suite.text.encode() + bytes(1 + 128)
    colour = load_profile("phone-app")
    samples = list(SAMPLES.values())
    dots = [render(screen, colour) for screen in samples]

    def pack() -> None:
        for panel in dots:
            encode_png(panel)

    def draw() -> None:
        for screen in samples:
            render(screen, colour)

    yield [
        Row(
            "a 640x480 frame to the review on the token",
            "bare decode of the same frame",
            lambda: _review(token, frame),
            lambda: zxingcpp.read_barcodes(frame.image, formats=formats),
            target=1.5,
            batch=10,
        ),
        Row(
            "a challenge to its code",
            "its one HMAC",
            lambda: otq1.compute_code(challenge, keys),
            lambda: hmac.digest(keys.ocra_txn, data, suite.hash_name),
            target=5,
            batch=500,
        ),
        Row(
            f"{len(samples)} screens drawn at 320x480, {len(samples) * 5} ms",
            "their dots packed as PNG",
            draw,
            pack,
            target=round(len(samples) * SCREEN_SECONDS / _seconds(pack), 1),
        ),
    ]


def _review(token: QrToken, frame: Frame) -> None:
    """From the scan screen, by ``frame``, to the review; and back."""
    token.see(frame)
    assert isinstance(token.screen, Review), token.screen
    for button in (Button.CANCEL, Button.OK, Button.OK):
        token.press(button)
    assert isinstance(token.screen, Scanning), token.screen


def _seconds(call: Callable[[], object]) -> float:
    """The best of ten: what the promise in milliseconds is in the floor's terms, on this machine."""
    times = []
    for _ in range(10):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)
