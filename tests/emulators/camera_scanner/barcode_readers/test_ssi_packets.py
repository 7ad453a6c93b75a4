import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.ssi_packets import ChecksumError, Opcode, Packet, decode, packet_bytes


@pytest.mark.parametrize(
    ("packet", "encoded"),
    [
        (Packet(Opcode.CMD_ACK, 0), "04 D0 00 00 FF 2C"),
        (Packet(Opcode.START_SESSION, 4), "04 E4 04 00 FF 14"),
        (Packet(Opcode.STOP_SESSION, 4), "04 E5 04 00 FF 13"),
        (Packet(Opcode.CMD_NAK, 0, b"\x06"), "05 D1 00 00 06 FF 24"),
    ],
)
def test_published_packets(packet: Packet, encoded: str) -> None:
    """To the byte, both ways."""
    assert packet.encode() == bytes.fromhex(encoded)
    assert decode(bytes.fromhex(encoded)) == packet


@given(st.integers(0, 255), st.binary(max_size=251), st.integers(0, 255))
def test_packets_come_back(opcode: int, data: bytes, status: int) -> None:
    """And one wrong byte is noticed."""
    packet = Packet(opcode, 0, data, status)
    encoded = packet.encode()
    assert packet_bytes(encoded) == len(encoded)
    assert packet_bytes(encoded[:-1]) is None
    assert decode(encoded) == packet
    with pytest.raises(ChecksumError):
        decode(encoded[:1] + bytes((encoded[1] ^ 1,)) + encoded[2:])


def test_what_does_not_fit_is_refused() -> None:
    """A longer message is cut into packets by whoever sends it."""
    with pytest.raises(ValueError, match="at most 251 bytes of data, found 252"):
        Packet(0xF3, 0, bytes(252)).encode()
