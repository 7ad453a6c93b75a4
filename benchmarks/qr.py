"""The token's way from a camera frame to the code, beside decoding that frame alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import zxingcpp

from authrig.pictures import picture_from_png, print_code
from benchmarks.harness import Row
from emulators.camera_scanner.corpus import sample
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Frame
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import Env, SeededRandom
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.screens import Code, Review
from emulators.hwtoken.token import Button, QrToken
from offline_qr import otq1

SERIAL, SEED = "QT1-00000042", bytes(range(32))
FIELDS = (
    otq1.Field(otq1.Tag.AMOUNT, "CHF 1'250.00"),
    otq1.Field(otq1.Tag.TO_ACCOUNT, "CH93 0076 2011 6238 5295 7"),
    otq1.Field(otq1.Tag.BENEFICIARY, "Müller & Söhne AG"),
)


@contextmanager
def rows() -> Iterator[list[Row]]:
    """Scan, read all pages, confirm, on the frame of a payment; the floor is zxing-cpp alone on the same frame."""
    env = Env.simulated(1)
    header = otq1.Header(
        otq1.MessageType.TRANSACTION, otq1.key_id(SERIAL), env.random.token_bytes(12), int(env.clock.time()), 300
    )
    content = otq1.encode(otq1.Challenge(header, FIELDS), otq1.derive_keys(SERIAL, SEED))
    camera = SyntheticCamera(SeededRandom(1), "desk")
    frame = Frame(camera.photograph(picture_from_png(print_code(content))), 0.0, camera.name)
    memory = TokenMemory()
    memory.provision(SERIAL, SEED)
    token = QrToken(env, load_profile(), memory)
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2)
    assert _code(token, frame).isdigit()
    corpus = [sample(number).image for number in range(160)]
    blank = SyntheticCamera(SeededRandom(2), "office-desk").photograph(np.full((200, 200), 255, np.uint8))
    yield [
        Row(
            "160 hard frames, all looks of the cascade",
            "one bare look at each",
            lambda: [read_codes(image, deadline_ms=60_000) for image in corpus],
            lambda: [zxingcpp.read_barcodes(image, formats=formats) for image in corpus],
            target=2,
            rounds=3,
        ),
        Row(
            "a frame that is read at first look",
            "the same look, bare",
            lambda: read_codes(frame.image),
            lambda: zxingcpp.read_barcodes(frame.image, formats=formats),
            target=1.1,
            batch=20,
        ),
        Row(
            "a frame without a code, all looks",
            "one bare look at it",
            lambda: read_codes(blank, deadline_ms=60_000),
            lambda: zxingcpp.read_barcodes(blank, formats=formats),
            target=8,
            batch=10,
        ),
        Row(
            "camera frame to code on the token",
            "bare decode of the same frame",
            lambda: _code(token, frame),
            lambda: zxingcpp.read_barcodes(frame.image, formats=formats),
            target=3,
            batch=10,
        ),
    ]


def _code(token: QrToken, frame: Frame) -> str:
    """The digits that the token shows for ``frame``, after its user has read and confirmed everything."""
    token.power_off()
    token.power_on()
    token.press(Button.OK)
    token.see(frame)
    while isinstance(token.screen, Review):
        token.press(Button.OK)
    assert isinstance(token.screen, Code), token.screen
    return token.screen.digits
