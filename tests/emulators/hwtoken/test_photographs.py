"""Photographs of messages as a hand-held token takes them: what share of them it reads.

Each frame is 640x480 and drawn under a seed: QR versions 5 to 13, 3 to 5 pixels a module, tilted up to 30 degrees each way,
blurred and noisy.
"""

import os
import tracemalloc

import numpy as np
import pytest
import segno

from emulators.camera_scanner import optics
from emulators.camera_scanner.frames import Frame, Image
from emulators.env import Env, SeededRandom, SimulatedClock
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.screens import Code, Error, Review
from emulators.hwtoken.token import QrToken
from offline_qr import base45_strict, otq1
from tests.emulators.hwtoken.token_bench import KEYS, SERIAL, Bench

FRAMES = int(os.environ.get("AUTHRIG_TOKEN_FRAMES", "500"))
"""Fewer, or more, by these variables: all take half a minute."""
MUTATIONS = int(os.environ.get("AUTHRIG_TOKEN_MUTATIONS", "100000"))
PARTS = 5
"""The work is divided, so that several processors can share it."""
SIZE = (640, 480)


CAPACITY = {4: 90, 5: 122, 6: 154, 7: 178, 8: 221, 9: 262, 10: 311, 11: 366, 12: 419, 13: 483}
"""Characters of alphanumeric mode that a QR code of each version holds at level M (ISO/IEC 18004, table 7)."""
VERSIONS = range(5, 14)


def challenge(number: int, rng: np.random.Generator, now: float) -> otq1.Challenge:
    """A transaction whose QR code has the version that is due for ``number``, as full as it may be or not."""
    version = VERSIONS[number % len(VERSIONS)]
    characters = int(rng.integers(CAPACITY[version - 1] + 2, CAPACITY[version] + 1))
    body = min(260, (characters - len("OTQ1:")) * 2 // 3 - 26 - 16)
    count = -(-body // 100)
    room = body - 1 - 10 * count
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
    sizes = [room // count + (index < room % count) for index in range(count)]
    fields = tuple(otq1.Field(0, "".join(rng.choice(letters, size)), f"Field {n}") for n, size in enumerate(sizes))
    header = otq1.Header(otq1.MessageType.TRANSACTION, otq1.key_id(SERIAL), number.to_bytes(12), int(now), 3600)
    return otq1.Challenge(header, fields)


def photograph(text: str, rng: np.random.Generator) -> tuple[Image, int]:
    """One frame, and the QR version in it."""
    code = segno.make(text, error="m", micro=False, boost_error=False)
    matrix = np.array([[not dark for dark in row] for row in code.matrix], np.uint8) * 255
    modules = np.pad(matrix, 4, constant_values=255)
    scale = int(rng.integers(3, min(5, 400 // modules.shape[0]) + 1))
    picture = modules.repeat(scale, 0).repeat(scale, 1)
    plane = np.full((SIZE[1], SIZE[0]), 190, np.uint8)
    top, left = (SIZE[1] - picture.shape[0]) // 2, (SIZE[0] - picture.shape[1]) // 2
    plane[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    # Both angles together stay within 30 degrees.
    lean, way = rng.uniform(0, 30), rng.uniform(0, 2 * np.pi)
    view = optics.View(tilt=lean * np.cos(way), pan=lean * np.sin(way), roll=rng.uniform(-15, 15))
    seen = optics.perspective(plane, optics.pose(SIZE, SIZE, view), SIZE)
    seen = optics.lens_blur(seen, float(rng.uniform(0, 0.8)))
    noisy = seen.astype(float) + rng.normal(0, 6, seen.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8), int(code.version)


@pytest.mark.parametrize("part", range(PARTS))
def test_nearly_every_photograph_leads_to_its_review(part: int) -> None:
    """At least 99 % of each hundred, each to its own fields and to nothing else."""
    rng = np.random.default_rng(2026 + part)
    bench = Bench("dot_matrix_240x240")
    reached, versions = 0, set()
    for number in range(FRAMES // PARTS):
        asked = challenge(number, rng, bench.clock.time())
        image, version = photograph(otq1.encode(asked, KEYS), rng)
        versions.add(version)
        bench.token.power_off()
        bench.token.power_on()
        bench.ok()
        bench.token.see(Frame(image, 0.0, "photograph"))
        if isinstance(bench.screen(), Review):
            reached += 1
            bench.confirm()
            assert bench.code() == otq1.compute_code(asked, KEYS)
    assert reached >= 0.99 * (FRAMES // PARTS)
    assert versions == set(VERSIONS)


def damage(whole: bytes, rng: np.random.Generator) -> bytes:
    """``whole`` with one bit turned over, cut, lengthened, or eight bytes overwritten."""
    data, at = bytearray(whole), int(rng.integers(len(whole)))
    match int(rng.integers(4)):
        case 0:
            data[at] ^= 1 << int(rng.integers(8))
        case 1:
            del data[at:]
        case 2:
            data += rng.bytes(int(rng.integers(1, 9)))
        case _:
            data[at : at + 8] = rng.bytes(len(data[at : at + 8]))
    return bytes(data)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_damaged_message_is_ever_reviewed(part: int) -> None:
    """100,000 of them in all: each has its error screen, and none shows a word of it."""
    bench = Bench("dot_matrix_240x240")
    rng = np.random.default_rng(7 + part)
    texts = [otq1.encode(challenge(number, rng, bench.clock.time()), KEYS) for number in range(50)]
    messages = [base45_strict.decode(text.removeprefix("OTQ1:").encode()) for text in texts]
    bench.token.power_on()
    for number in range(MUTATIONS // PARTS):
        whole = messages[number % len(messages)]
        data = damage(whole, rng)
        if data != whole:
            assert isinstance(bench.scan(f"OTQ1:{base45_strict.encode(data)}"), Error)
    assert not any(isinstance(screen, Review | Code) for screen in bench.history)


def test_an_idle_token_is_small() -> None:
    """At most 16 KiB each, with ten thousand in one process, all switched on."""
    count, profile = 10_000, load_profile()
    tracemalloc.start()
    try:
        tokens = []
        for number in range(count):
            memory = TokenMemory()
            memory.provision(f"QT1-{number:08}", bytes(32))
            tokens.append(QrToken(Env(SimulatedClock(), SeededRandom(1)), profile, memory))
            tokens[-1].power_on()
        size = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert size / count < 16 * 1024
