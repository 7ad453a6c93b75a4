"""The token's way from a camera frame to the code, beside decoding that frame alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import zxingcpp

from authrig.pictures import picture_from_png, print_code
from benchmarks.harness import Row
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
    yield [
        Row(
            "camera frame to code on the token",
            "bare decode of the same frame",
            lambda: _code(token, frame),
            lambda: zxingcpp.read_barcodes(frame.image, formats=formats),
            target=3,
            batch=10,
        )
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
