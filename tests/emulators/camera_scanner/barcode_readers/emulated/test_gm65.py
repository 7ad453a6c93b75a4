from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ws_barcode_scanner import BarcodeScanner  # type: ignore[import-untyped] # comes without types

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.gm65 import EM3095, GM65, Gm65, Model
from emulators.camera_scanner.barcode_readers.emulated.memory import FileMemory, VolatileMemory
from emulators.camera_scanner.barcode_readers.emulated.reader import Damage
from emulators.camera_scanner.barcode_readers.gm65_frames import Kind, Register, command
from emulators.env import Env, SimulatedClock
from emulators.usb.serial_pty import SerialPty

OK = bytes.fromhex("02000001003331")


def told(reader: Gm65, frame: bytes) -> bytes:
    """What the reader answers."""
    reader.receive(frame)
    return reader.take_output()


def write(register: int, *values: int) -> bytes:
    """A command that writes registers."""
    return command(Kind.WRITE, register, bytes(values))


@pytest.mark.parametrize(
    ("model", "frame", "answer"),
    [
        (GM65, "7E 00 09 01 00 00 00 DE C8", "02 00 00 01 00 33 31"),
        (GM65, "7E 00 09 01 00 00 02 FE 8A", "02 00 00 01 00 33 31"),
        (GM65, "7E 00 08 01 00 02 01 AB CD", "02 00 00 01 00 33 31"),
        (GM65, "7E 00 08 02 00 2A 39 01 A7 EA", "02 00 00 01 00 33 31"),
        (GM65, "7E 00 07 01 00 2A 02 D8 0F", "02 00 00 02 39 01 C1 4C"),
        (GM65, "7E 00 08 01 00 02 01 00 00", ""),
        (EM3095, "7E 00 08 01 00 02 01 00 00", "02 00 01 01 00 04 01"),
        (EM3095, "7E 00 55 01 00 02 01 AB CD", "02 00 03 01 00 6A 61"),
    ],
)
def test_frames_of_the_manuals(model: Model, frame: str, answer: str) -> None:
    """Published commands are answered as published."""
    assert told(Gm65(Env.simulated(1), model=model), bytes.fromhex(frame)) == bytes.fromhex(answer)


def test_the_unmodified_client_reads_writes_saves_and_scans() -> None:
    """ws-barcode-scanner over a terminal, with pyserial."""
    with SerialPty(Gm65(Env.real())) as line:
        scanner = BarcodeScanner(line.path)
        assert scanner.memory_map[0x00E2] == 0x69
        scanner.memory_map[0x0000, 6:8] = 0b10
        assert scanner.memory_map[0x0000] == 0xD6
        scanner.memory_map[0x0063:0x0066] = b"abc"
        assert scanner.memory_map[0x0063:0x0066] == int.from_bytes(b"abc")
        scanner.save_to_flash()
        with line.using() as reader:
            reader.show(Code(b"OTP 123456\x00\xff"))
        codes: list[bytes] = []
        while not codes:
            codes = scanner.query_for_codes()
        assert codes == [b"OTP 123456\x00\xff"]
        with line.using() as reader:
            reader.power_cycle()
        assert scanner.memory_map[0x0000] == 0xD6
        scanner.restore_factory_settings()
        assert scanner.memory_map[0x0000] == 0xD4


def test_registers_outlive_a_power_cut_only_when_saved(tmp_path: Path) -> None:
    """Also over runs, with a file."""
    memory = FileMemory(tmp_path / "gm65.json")
    reader = Gm65(Env.simulated(1), memory)
    assert told(reader, write(0x40, 7)) == OK
    reader.power_cycle()
    assert told(reader, command(Kind.READ, 0x40, b"\x01"))[4] == 0
    told(reader, write(0x40, 7) + command(Kind.SAVE, 0, b"\0"))
    assert told(Gm65(Env.simulated(1), memory), command(Kind.READ, 0x40, b"\x01"))[4] == 7


def test_the_host_triggers_a_read_within_its_time() -> None:
    """A code that comes after the time-out is not read."""
    env = Env.simulated(1)
    assert isinstance(env.clock, SimulatedClock)
    reader = Gm65(env)
    told(reader, write(Register.MODE, 0xD5) + write(Register.READ_TIMEOUT, 20))
    reader.press()
    reader.show(Code(b"A"))
    assert reader.take_output() == b""
    assert told(reader, write(Register.TRIGGER, 1)) == OK + b"A\r"
    assert [(read.code.data, read.time) for read in reader.take_reads()] == [(b"A", 0.0)]
    reader.show(None)
    told(reader, write(Register.TRIGGER, 1))
    env.clock.advance(2)
    reader.show(Code(b"A"))
    assert reader.take_output() == b""


@pytest.mark.parametrize(
    ("register", "value", "expected"),
    [
        (Register.TAIL, 0x21, b"A\r\n"),
        (Register.TAIL, 0x41, b"A\t"),
        (Register.TAIL, 0x61, b"A"),
        (Register.TAIL, 0x00, b"A"),
        (Register.AIM_ID, 0x80, b"]Q1A\r"),
    ],
)
def test_what_stands_around_a_read(register: Register, value: int, expected: bytes) -> None:
    """Tail and AIM identifier are registers."""
    reader = Gm65(Env.simulated(1))
    told(reader, write(register, value))
    reader.show(Code(b"A"))
    reader.press()
    assert reader.take_output() == expected


def test_a_new_baud_rate_begins_after_the_answer() -> None:
    """And only with a rate that there is."""
    reader = Gm65(Env.simulated(1))
    reader.receive(write(Register.BAUD_RATE, 0x1A, 0x00))
    assert reader.baud_rate == 9600
    assert reader.take_output() == OK
    assert reader.baud_rate == 115_200
    assert told(reader, write(Register.BAUD_RATE, 0, 0)) == b""
    assert reader.baud_rate == 115_200


def test_a_sleeping_reader_is_woken_by_a_byte_and_deaf_for_a_moment() -> None:
    """The command that wakes it is lost, and so is one within 50 ms."""
    env = Env.simulated(1)
    assert isinstance(env.clock, SimulatedClock)
    reader = Gm65(env)
    assert told(reader, write(Register.SLEEP, 0xA5)) == OK
    assert reader.asleep
    assert told(reader, b"\0") == b""
    assert told(reader, write(0x40, 1)) == b""
    env.clock.advance(0.05)
    assert told(reader, write(0x40, 1)) == OK


def test_half_a_command_is_given_up_after_a_silence() -> None:
    """What follows is understood; without the silence it would be taken for the rest."""
    env = Env.simulated(1)
    assert isinstance(env.clock, SimulatedClock)
    reader = Gm65(env)
    assert told(reader, write(0x40, 1)[:5]) == b""
    env.clock.advance(0.6)
    assert told(reader, write(0x40, 1)) == OK


@pytest.mark.parametrize("damage", Damage)
def test_a_bad_cable_damages_one_message(damage: Damage) -> None:
    """The next one is whole."""
    reader = Gm65(Env.simulated(1))
    reader.damage_next(damage)
    answer = told(reader, write(0x40, 1))
    assert answer != OK
    assert len(answer) == {Damage.CUT: 3, Damage.GARBLED: 7, Damage.LOST: 0}[damage]
    assert told(reader, write(0x40, 1)) == OK


def test_a_register_of_the_maker_cannot_be_written() -> None:
    """Nothing changes when any part of a write is refused."""
    reader = Gm65(Env.simulated(1), model=EM3095)
    before = bytes(reader._registers)
    assert told(reader, write(0xE1, 1, 2, 3))[2] == 3
    assert told(reader, write(0xFF, 1, 2))[2] == 3
    assert bytes(reader._registers) == before


def test_a_memory_of_another_reader_is_refused() -> None:
    """The sentence names what was expected."""
    memory = VolatileMemory()
    memory.save({"registers": "00"})
    with pytest.raises(ValueError, match="256 registers, found 1"):
        Gm65(Env.simulated(1), memory)


@given(st.lists(st.binary(max_size=40), max_size=8), st.booleans())
def test_noise_before_a_command_never_hides_it_for_long(noise: list[bytes], strict: bool) -> None:  # noqa: FBT001 - drawn
    """No crash on any bytes; after a silence the reader understands again."""
    env = Env.simulated(1)
    assert isinstance(env.clock, SimulatedClock)
    reader = Gm65(env, model=EM3095 if strict else GM65)
    for piece in noise:
        told(reader, piece)
    env.clock.advance(1)
    reader.power_cycle()
    assert told(reader, command(Kind.READ, 0xE2, b"\x01"))[:3] == OK[:3]
