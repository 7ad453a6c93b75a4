import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.zebra_ssi import PACKETS, ZebraSsi
from emulators.camera_scanner.barcode_readers.ssi_packets import (
    CONTINUATION,
    PERMANENT,
    RETRANSMIT,
    Opcode,
    Packet,
    decode,
    packet_bytes,
)
from emulators.env import Env, SimulatedClock
from emulators.usb.serial_pty import SerialPty

HOST = 4
ACK = Packet(Opcode.CMD_ACK, 0)
IN_PACKETS = Packet(Opcode.PARAM_SEND, HOST, bytes((0xFF, PACKETS, 1)))


@pytest.fixture
def env() -> Env:
    """A world whose clock stands."""
    return Env.simulated(1)


def later(env: Env, seconds: float) -> None:
    """Let time pass."""
    assert isinstance(env.clock, SimulatedClock)
    env.clock.advance(seconds)


def said(reader: ZebraSsi) -> list[Packet]:
    """The packets that the reader has sent."""
    out, packets = reader.take_output(), []
    while size := packet_bytes(out):
        packets.append(decode(out[:size]))
        out = out[size:]
    return packets


def told(reader: ZebraSsi, *packets: Packet) -> list[Packet]:
    """What the reader answers."""
    reader.receive(b"".join(packet.encode() for packet in packets))
    return said(reader)


def test_a_session_reads_one_code(env: Env) -> None:
    """Acknowledged, then the data, then nothing more once the host has acknowledged."""
    reader = ZebraSsi(env)
    assert told(reader, IN_PACKETS) == [ACK]
    reader.show(Code(b"\x00\xffOTP"))
    assert told(reader, Packet(Opcode.START_SESSION, HOST)) == [
        ACK,
        Packet(Opcode.DECODE_DATA, 0, b"\x1c\x00\xffOTP"),
    ]
    assert told(reader, Packet(Opcode.CMD_ACK, HOST)) == []
    later(env, 60)
    reader.poll()
    assert said(reader) == []


def test_raw_data_is_what_leaves_the_factory(env: Env) -> None:
    """Without packets nothing is acknowledged."""
    reader = ZebraSsi(env)
    reader.show(Code(b"raw"))
    reader.press()
    assert reader.take_output() == b"raw"


def test_what_is_not_acknowledged_is_sent_again_and_then_given_up(env: Env) -> None:
    """Three times in all, the repetitions marked as such."""
    reader = ZebraSsi(env)
    told(reader, IN_PACKETS)
    reader.show(Code(b"A"))
    reader.press()
    data = Packet(Opcode.DECODE_DATA, 0, b"\x1cA")
    assert said(reader) == [data]
    repeated = Packet(Opcode.DECODE_DATA, 0, b"\x1cA", RETRANSMIT)
    assert told(reader, Packet(Opcode.CMD_NAK, HOST, b"\x01")) == [repeated]
    later(env, 2)
    reader.poll()
    assert said(reader) == [repeated]
    later(env, 2)
    reader.poll()
    assert said(reader) == []
    assert reader.failed_transmissions == 1


def test_a_long_code_comes_in_parts_that_belong_together(env: Env) -> None:
    """Each is acknowledged before the next is sent; all but the last say that more follows."""
    reader = ZebraSsi(env)
    told(reader, IN_PACKETS)
    data = bytes(range(256)) * 3
    reader.show(Code(data))
    reader.press()
    parts = said(reader)
    while more := told(reader, Packet(Opcode.CMD_ACK, HOST)):
        parts += more
    assert b"".join(part.data[1:] for part in parts) == data
    assert [part.status for part in parts] == [CONTINUATION] * 3 + [0]


def test_a_bad_check_sum_is_answered_with_a_wish_to_repeat(env: Env) -> None:
    """And does nothing."""
    reader = ZebraSsi(env)
    reader.receive(bytes.fromhex("04 E4 04 00 FF 15"))
    assert said(reader) == [Packet(Opcode.CMD_NAK, 0, b"\x01")]
    assert told(reader, Packet(Opcode.START_SESSION, HOST)) == [ACK]


@pytest.mark.parametrize(
    ("packet", "cause"),
    [
        (Packet(0x77, HOST), 2),
        (Packet(Opcode.PARAM_SEND, HOST, b"\xff\x01\x01"), 2),
        (Packet(Opcode.PARAM_SEND, HOST, b"\xff\x8a\x63"), 2),
        (Packet(Opcode.PARAM_SEND, HOST, b"\xff\x8a"), 2),
        (Packet(Opcode.PARAM_SEND, HOST), 2),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(packet: Packet, cause: int, env: Env) -> None:
    """Unknown opcodes and parameters, impossible values, half a pair."""
    reader = ZebraSsi(env)
    before = dict(reader._values)
    assert told(reader, packet) == [Packet(Opcode.CMD_NAK, 0, bytes((cause,)))]
    assert reader._values == before


def test_a_disabled_reader_denies_a_session(env: Env) -> None:
    """Until it is enabled."""
    reader = ZebraSsi(env)
    assert told(reader, Packet(Opcode.SCAN_DISABLE, HOST), Packet(Opcode.START_SESSION, HOST)) == [
        ACK,
        Packet(Opcode.CMD_NAK, 0, b"\x06"),
    ]
    assert told(reader, Packet(Opcode.SCAN_ENABLE, HOST), Packet(Opcode.START_SESSION, HOST)) == [ACK, ACK]


def test_parameters_are_told_and_kept_when_that_is_asked(env: Env) -> None:
    """The status of PARAM_SEND decides; defaults come back on request."""
    reader = ZebraSsi(env)
    told(reader, Packet(Opcode.PARAM_SEND, HOST, b"\xff\x8a\x08", PERMANENT), IN_PACKETS)
    reader.power_cycle()
    assert told(reader, Packet(Opcode.PARAM_REQUEST, HOST, b"\x8a\xee")) == [
        Packet(Opcode.PARAM_SEND, 0, b"\xff\x8a\x08\xee\x00")
    ]
    told(reader, Packet(Opcode.CMD_ACK, HOST), Packet(Opcode.PARAM_DEFAULTS, HOST))
    (answer,) = told(reader, Packet(Opcode.PARAM_REQUEST, HOST, b"\xfe"))
    assert dict(zip(answer.data[1::2], answer.data[2::2], strict=True))[0x8A] == 0


def test_sleep_and_a_wake_byte(env: Env) -> None:
    """A leading zero is the usual one, and means nothing to a reader that is awake."""
    reader = ZebraSsi(env)
    assert told(reader, Packet(Opcode.SLEEP, HOST)) == [ACK]
    reader.receive(b"\0")
    later(env, 0.05)
    reader.receive(b"\0" + Packet(Opcode.BEEP, HOST, b"\x01").encode())
    assert said(reader) == [ACK]


def test_a_host_with_pyserial_changes_the_baud_rate() -> None:
    """The acknowledgement comes at the old rate."""
    with SerialPty(ZebraSsi(Env.real())) as line, serial.Serial(line.path, 9600, timeout=5) as port:
        port.write(Packet(Opcode.PARAM_SEND, HOST, b"\xff\x9c\x0b").encode())
        assert port.read(6) == ACK.encode()
        port.baudrate = 115_200
        port.write(Packet(Opcode.REQUEST_REVISION, HOST).encode())
        assert b"AUTHRIG" in port.read(24)


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_noise_never_breaks_it(noise: list[bytes]) -> None:
    """No crash; after a silence it understands again."""
    env = Env.simulated(1)
    reader = ZebraSsi(env)
    for piece in noise:
        reader.receive(piece)
    later(env, 1)
    reader.take_output()
    reader.power_cycle()
    assert told(reader, Packet(Opcode.STOP_SESSION, HOST)) == [ACK]
