"""What Honeywell's and Newland's readers have in common; what is their own is in their modules."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.emulated.honeywell import Honeywell
from emulators.camera_scanner.barcode_readers.emulated.newland import Newland
from emulators.camera_scanner.barcode_readers.emulated.tag_reader import TagReader
from emulators.env import Env

ACK, ENQ, NAK = b"\x06", b"\x05", b"\x15"


@dataclass(frozen=True)
class Family:
    """How one family frames what all say."""

    make: Callable[[Env], TagReader]
    frame: Callable[[bytes, bool], bytes]
    answer: Callable[[bytes, bool], bytes]
    current: bytes
    default: bytes
    possible: bytes
    factory: bytes

    def told(self, reader: TagReader, tags: bytes, *, permanently: bool = False) -> bytes:
        """What the reader answers to ``tags``, without the frame."""
        reader.receive(self.frame(tags, permanently))
        said = reader.take_output()
        before, after = self.answer(b"|", permanently).split(b"|")
        assert said.startswith(before)
        assert said.endswith(after)
        return said[len(before) : len(said) - len(after)]


HONEYWELL = Family(
    make=Honeywell,
    frame=lambda tags, permanently: b"\x16M\r" + tags + (b"." if permanently else b"!"),
    answer=lambda tags, permanently: tags + (b"." if permanently else b"!"),
    current=b"?",
    default=b"^",
    possible=b"*",
    factory=b"DEFALT",
)
NEWLAND = Family(
    make=Newland,
    frame=lambda tags, permanently: b"~\x010000" + (b"@" if permanently else b"#") + tags + b";\x03",
    answer=lambda tags, permanently: b"\x02\x010000" + (b"@" if permanently else b"#") + tags + b";\x03",
    current=b"*",
    default=b"&",
    possible=b"^",
    factory=b"FACDEF",
)


@pytest.fixture(params=[HONEYWELL, NEWLAND], ids=["Honeywell", "Newland"])
def family(request: pytest.FixtureRequest) -> Family:
    """Each in turn."""
    assert isinstance(request.param, Family)
    return request.param


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        (b"232BAD5", b"232BAD5" + ACK),
        (b"232BAD5;232BAD6", b"232BAD5" + ACK + b";232BAD6" + ACK),
        (b"232BAD5,BAD6", b"232BAD5" + ACK + b",BAD6" + ACK),
        (b"NOSUCH1", b"NOSUCH1" + ENQ),
        (b"232BADx", b"232BADx" + NAK),
        (b"232BAD55", b"232BAD55" + NAK),
        (b"232BAD", b"232BAD" + NAK),
        (b"", ENQ),
    ],
)
def test_commands_are_echoed_with_what_became_of_them(family: Family, tags: bytes, answer: bytes) -> None:
    """ACK, ENQ for no such tag, NAK for no such value, directly before the punctuation."""
    assert family.told(family.make(Env.simulated(1)), tags) == answer


def test_questions_are_answered_in_their_place(family: Family) -> None:
    """The value, the factory's and what is possible; of one setting, and of all."""
    reader = family.make(Env.simulated(1))
    default = reader.baud_rate
    family.told(reader, b"232BAD3")
    assert family.told(reader, b"232BAD" + family.current) == b"232BAD3" + ACK
    assert family.told(reader, b"232" + family.current) == b"232BAD3" + ACK
    assert family.told(reader, b"232BAD" + family.possible) == b"232BAD0-9" + ACK
    digit = family.told(reader, b"232BAD" + family.default).removeprefix(b"232BAD")[:1]
    assert {b"5": 9600, b"9": 115_200}[digit] == default
    everything = family.told(reader, family.current).split(b";")
    assert b"232BAD3" + ACK in everything
    assert len(everything) > 3
    assert family.told(reader, b"232BA" + family.current)[-1:] in (ENQ, NAK)


def test_only_what_was_set_permanently_outlives_a_power_cut(family: Family) -> None:
    """And keeping one setting keeps no other; the factory's come back by command."""
    reader = family.make(Env.simulated(1))
    default = reader.baud_rate
    family.told(reader, b"232BAD3", permanently=True)
    family.told(reader, b"232BAD4")
    assert reader.baud_rate == 4800
    reader.power_cycle()
    assert reader.baud_rate == 2400
    assert family.told(reader, family.factory) == family.factory + ACK
    assert reader.baud_rate == default


@given(st.sampled_from([HONEYWELL, NEWLAND]), st.lists(st.binary(max_size=30), max_size=8))
def test_noise_never_breaks_it(family: Family, noise: list[bytes]) -> None:
    """No crash; a command after a power cut is obeyed."""
    reader = family.make(Env.simulated(1))
    for piece in noise:
        reader.receive(piece)
    reader.power_cycle()
    assert family.told(reader, family.factory) == family.factory + ACK


@example(HONEYWELL, "XÿX?")
@example(HONEYWELL, "µ^")
@given(st.sampled_from([HONEYWELL, NEWLAND]), st.text(st.characters(codec="latin-1"), max_size=40))
def test_any_command_is_answered_or_ignored(family: Family, text: str) -> None:
    """Also one that asks for nonsense."""
    reader = family.make(Env.simulated(1))
    reader.receive(family.frame(text.encode("latin-1"), False))
    reader.take_output()
    reader.power_cycle()
    assert family.told(reader, family.factory) == family.factory + ACK
