import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authrig.captures.pcapng import PcapngWriter
from tests.leaks import nothing_left_open

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The blocks of a file, read apart from the writer; what is wrong with them fails."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        yield kind, data[at + 8 : at + length - 4]
        at += length


def _options(data: bytes) -> list[tuple[int, bytes]]:
    options, at = [], 0
    while at < len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            assert at + 4 == len(data)
            break
        options.append((code, data[at + 4 : at + 4 + length]))
        at += 4 + length + (-length % 4)
    return options


@settings(max_examples=100)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 4e9), st.binary(max_size=100), st.lists(st.text(max_size=20).filter(lambda t: t), max_size=3)
        ),
        max_size=5,
    )
)
def test_what_goes_in_comes_out(packets: list[tuple[float, bytes, list[str]]]) -> None:
    """Packets of every length, with their times to the microsecond and their comments, in order."""
    path = Path(os.environ.get("TMPDIR", "/tmp")) / f"authrig-test-{os.getpid()}.pcapng"  # noqa: S108 - unlinked below
    writer = PcapngWriter(path, "test")
    try:
        interface = writer.add_interface(220, "usb1", "a key")
        for timestamp, packet, comments in packets:
            writer.write_packet(interface, timestamp, packet, comments)
        writer.close()
        (section, *_), (described, about), *found = _blocks(path.read_bytes())
    finally:
        path.unlink()
    assert (section, described, about[:8]) == (SECTION, INTERFACE, struct.pack("<HHI", 220, 0, 0))
    assert _options(about[8:]) == [(2, b"usb1"), (3, b"a key")]
    for (timestamp, packet, comments), (kind, body) in zip(packets, found, strict=True):
        number, high, low, captured, length = struct.unpack_from("<IIIII", body)
        assert (kind, number, captured, length) == (PACKET, 0, len(packet), len(packet))
        assert abs((high << 32 | low) / 1e6 - timestamp) < 1e-5
        assert body[20 : 20 + len(packet)] == packet
        written = [(1, comment.encode(errors="replace")) for comment in comments]
        assert _options(body[20 + len(packet) + (-len(packet) % 4) :]) == written


def test_a_comment_longer_than_an_option_holds_is_cut_between_characters(tmp_path: Path) -> None:
    """65,535 bytes; half a character would make the file unreadable."""
    writer = PcapngWriter(tmp_path / "a.pcapng", "test")
    writer.write_packet(writer.add_interface(220, "", ""), 0, b"", ["ä" * 40_000])
    writer.close()
    *_, (_, body) = _blocks((tmp_path / "a.pcapng").read_bytes())
    assert _options(body[20:]) == [(1, b"\xc3\xa4" * 32_767)]


def test_only_its_owner_reads_a_capture(tmp_path: Path) -> None:
    """It holds what the wire holds."""
    PcapngWriter(tmp_path / "a.pcapng", "test").close()
    assert (tmp_path / "a.pcapng").stat().st_mode & 0o077 == 0


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    """Every packet that was written is in it, with SIGKILL right behind."""
    path = tmp_path / "a.pcapng"
    program = (
        "import os, signal, sys; from pathlib import Path; from authrig.captures.pcapng import PcapngWriter\n"
        "writer = PcapngWriter(Path(sys.argv[1]), 'test'); usb = writer.add_interface(220, 'usb', '')\n"
        "for number in range(100): writer.write_packet(usb, number, bytes(number))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(_blocks(path.read_bytes()))) == 102


def test_a_full_disk_leaves_whole_blocks_only(tmp_path: Path) -> None:
    """The beginning of a block that no longer fits is taken back; the error is the caller's."""
    path = tmp_path / "a.pcapng"
    program = (
        "import resource, signal, sys; from pathlib import Path; from authrig.captures.pcapng import PcapngWriter\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "writer = PcapngWriter(Path(sys.argv[1]), 'test'); usb = writer.add_interface(220, 'usb', '')\n"
        "try:\n    while True: writer.write_packet(usb, 0, bytes(100))\n"
        "except OSError as error: print(error.strerror)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout == "File too large\n"
    assert len(list(_blocks(path.read_bytes()))) > 3


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """And no descriptor stays open."""
    with nothing_left_open():
        with pytest.raises(FileNotFoundError):
            PcapngWriter(tmp_path / "nowhere" / "a.pcapng", "test")
        with pytest.raises(OSError, match="No space left"):
            PcapngWriter(Path("/dev/full"), "test")
