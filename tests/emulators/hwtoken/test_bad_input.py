"""Everything that a camera can see and a serial line can carry: a named screen or error, and a memory that stays as it was."""

from collections.abc import Callable

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.camera_scanner.frames import Frame, Image
from emulators.env import Env
from emulators.hwtoken.console import Console
from emulators.hwtoken.display import render
from emulators.hwtoken.memory import RamStore, TokenMemory
from emulators.hwtoken.personalities.ocra_keypad import ocra_slot
from emulators.hwtoken.screens import Error, ErrorKind, Review, Scanning, Screen, Typing
from offline_qr import otq1
from offline_qr.otq1 import envelope, seal
from tests.emulators.hwtoken.token_bench import KEYS, SEED, SERIAL, Bench

MODELS = ("dot_matrix_240x240", "polyglot", "phone-app")
PREFIXES = (
    "",
    "OTQ1:",
    "otq1:",
    "tiqrauth://",
    "tiqrenroll://",
    "lseqr://",
    "lseqr://pair/",
    "otpauth://totp/",
    "AQB1:",
)
DIGITS = "7" * 7089
"""What the largest QR code holds."""


def scanning(model: str) -> tuple[Bench, RamStore]:
    """A token of ``model`` whose camera is on, and where its memory is kept."""
    store = RamStore()
    memory = TokenMemory(store)
    memory.provision(SERIAL, SEED)
    memory.update(slots=(ocra_slot("Card", "OCRA-1:HOTP-SHA1-6:QN08", bytes(20)),))
    bench = Bench(model, memory)
    bench.token.power_on()
    if isinstance(bench.screen(), Typing):
        bench.type("2749")
        bench.type("2749")
        bench.ok()
    bench.ok()
    assert isinstance(bench.screen(), Scanning)
    return bench, store


def kind_of(screen: Screen) -> ErrorKind:
    """Which error is on the panel."""
    assert isinstance(screen, Error), screen
    return screen.kind


ANY_TEXT = (
    st.tuples(st.sampled_from(PREFIXES), st.text(max_size=80))
    .map("".join)
    .map(lambda text: text.encode("utf-8", "replace"))
)


@pytest.mark.parametrize("model", MODELS)
@given(codes=st.lists(ANY_TEXT | st.binary(max_size=80), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_whatever_codes_are_in_view_there_is_a_screen_that_can_be_drawn(model: str, codes: list[bytes]) -> None:
    """Text and bytes, one code or several: nothing is kept of them before somebody has agreed."""
    bench, store = scanning(model)
    before = store.load()
    bench.token.read(*codes)
    assert not isinstance(bench.screen(), Scanning)
    assert render(bench.screen(), bench.profile).any()
    assert store.load() == before


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_seven_thousand_digits_are_no_challenge(model: str, prefix: str) -> None:
    """Whatever stands before them."""
    bench, store = scanning(model)
    before = store.load()
    bench.token.read((prefix + DIGITS).encode())
    assert isinstance(bench.screen(), Error), bench.screen()
    assert store.load() == before


def drawn(*texts: str, scale: int = 4) -> Image:
    """QR codes side by side, dark on light."""
    pictures = []
    for text in texts:
        code = segno.make(text, micro=False, boost_error=False)
        matrix = np.array([[not dark for dark in row] for row in code.matrix], np.uint8) * 255
        pictures.append(np.pad(matrix, 4, constant_values=255).repeat(scale, 0).repeat(scale, 1))
    tallest = max(picture.shape[0] for picture in pictures)
    padded = [np.pad(each, ((0, tallest - each.shape[0]), (0, 0)), constant_values=255) for each in pictures]
    return np.asarray(np.hstack(padded), np.uint8)


def show(bench: Bench, image: Image) -> Screen:
    """Hold ``image`` before the camera."""
    bench.token.see(Frame(image, 0.0, "test"))
    return bench.screen()


def test_the_largest_code_that_there_is_is_a_number() -> None:
    """Seen as a picture, not only as text."""
    bench, _ = scanning("dot_matrix_240x240")
    screen = show(bench, drawn(DIGITS, scale=3))
    assert kind_of(screen) is ErrorKind.NOT_OURS
    assert isinstance(screen, Error)
    assert "a number" in screen.sentence


def test_two_challenges_in_one_picture_are_too_many_and_a_poster_beside_one_is_not() -> None:
    """The user could not know which one the code is for."""
    bench, _ = scanning("dot_matrix_240x240")
    one, other = (otq1.encode(bench.challenge(), KEYS) for _ in range(2))
    assert kind_of(show(bench, drawn(one, other))) is ErrorKind.SEVERAL
    bench.ok()
    assert isinstance(show(bench, drawn(one, "https://example.ch")), Review)


@pytest.mark.parametrize(
    "change", [np.fliplr, np.flipud, np.rot90, np.invert], ids=["mirror", "flip", "turn", "invert"]
)
def test_a_challenge_that_is_mirrored_turned_or_inverted_is_itself_or_not_seen(
    change: Callable[[Image], Image],
) -> None:
    """As cameras of laptops and dark pages show it: its own review, never another's or an error."""
    bench, _ = scanning("dot_matrix_240x240")
    challenge = bench.challenge()
    screen = show(bench, np.ascontiguousarray(change(drawn(otq1.encode(challenge, KEYS)))))
    assert isinstance(screen, Review | Scanning)
    if isinstance(screen, Review):
        bench.confirm()
        assert bench.code() == otq1.compute_code(challenge, KEYS)


TRICKS = {
    "bidi override": "CHF 1\u202e000",
    "bidi isolate": "\u20671000\u2069",
    "zero width": "CHF 1\u200b000",
    "joiner": "CHF 1\u200d000",
    "soft hyphen": "CHF 1\u00ad000",
    "byte order mark": "\ufeffCHF 1000",
    "line break": "CHF 1\n000",
    "line separator": "CHF 1\u2028000",
    "NUL": "CHF 1\x00000",
    "unassigned": "CHF \u0378",
    "private": "CHF \ue000",
    "tag": "CHF \U000e0031",
    "combining": "CHF 1\u0338000",
    "invisible letter": "CHF \u3164",
    "blank braille": "CHF \u2800",
    "full width": "CHF \uff11",
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_text_that_plays_tricks_never_reaches_the_review(trick: str) -> None:
    """Though it is sealed and genuine: as from a server that has been taken over."""
    bench, store = scanning("dot_matrix_240x240")
    before = store.load()
    value = TRICKS[trick].encode()
    header = bench.header(otq1.MessageType.TRANSACTION)
    body = bytes([1, otq1.Tag.AMOUNT, len(value)]) + value
    bench.token.read(envelope.wrap(header, seal.seal(header, body, KEYS), None).encode())
    assert kind_of(bench.screen()) in {ErrorKind.DAMAGED, ErrorKind.UNRENDERABLE}
    assert store.load() == before


BYTES_NOT_TEXT = (b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"A\xcc")


@pytest.mark.parametrize("value", BYTES_NOT_TEXT)
def test_bytes_that_are_no_text_are_damaged(value: bytes) -> None:
    """Overlong forms, surrogates, beyond the last plane, cut."""
    bench, _ = scanning("dot_matrix_240x240")
    header = bench.header()
    body = bytes([1, otq1.Tag.SERVICE, len(value)]) + value
    bench.token.read(envelope.wrap(header, seal.seal(header, body, KEYS), None).encode())
    assert kind_of(bench.screen()) is ErrorKind.DAMAGED


@given(
    st.lists(
        st.binary(max_size=200) | st.sampled_from([b"\n", b'{"cmd":"press"', b"{" * 500, b"\x00" * 99]), max_size=8
    )
)
@settings(max_examples=100, deadline=None)
def test_noise_on_the_serial_line_changes_neither_screen_nor_memory(pieces: list[bytes]) -> None:
    """A megabyte before it too; then a request is answered."""
    bench, store = scanning("dot_matrix_240x240")
    console = Console(bench.token, Env.simulated(1))
    before = (bench.screen(), store.load())
    for piece in pieces:
        console.receive(piece)
    assert (bench.screen(), store.load()) == before
    console.receive(b"\n")
    console.take_output()
    console.receive(b'{"cmd":"state"}\n')
    assert b'"state":"scanning"' in console.take_output()


def test_half_a_line_is_not_answered_until_its_end_comes() -> None:
    """In as many pieces as there are bytes; and a megabyte without an end holds no more memory than a line may."""
    bench, _ = scanning("dot_matrix_240x240")
    console = Console(bench.token, Env.simulated(1))
    line = b'{"id":1,"cmd":"state"}'
    for at in range(len(line)):
        console.receive(line[at : at + 1])
        assert console.take_output() == b""
    console.receive(b"\n")
    assert b'"ok":true' in console.take_output()
    for _ in range(16):
        console.receive(b"x" * 2**16)
    assert len(console._line) <= 2**19
    assert console.take_output() == b""
    console.receive(b"\n")
    assert b"line-too-long" in console.take_output()
