import gzip
import io
from pathlib import Path

import pytest

from authrig.errors import RigError
from authrig.vm.initramfs import build_initramfs
from authrig.vm.kernel import Kernel


def _members(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Mode and content of each member, read as the kernel's initramfs.c does; it knows nothing of the writer."""
    stream = io.BytesIO(gzip.decompress(archive))
    members = dict[str, tuple[int, bytes]]()
    while True:
        assert stream.tell() % 4 == 0
        header = stream.read(110)
        assert header[:6] == b"070701"
        fields = [int(header[at : at + 8], 16) for at in range(6, 110, 8)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = stream.read(name_size)
        assert name.endswith(b"\0")
        stream.read(-stream.tell() % 4)
        content = stream.read(size)
        assert len(content) == size
        stream.read(-stream.tell() % 4)
        if name == b"TRAILER!!!\0":
            return members
        members[name[:-1].decode()] = (mode, content)


def _build(kernel: Kernel, tmp_path: Path) -> bytes:
    busybox = tmp_path / "busybox"
    busybox.write_bytes(b"\x7fELF busybox")
    return build_initramfs(kernel, busybox, "#!/bin/sh\ninit\n", "guest é\n")


def test_it_holds_what_the_first_program_needs(kernel: Kernel, tmp_path: Path) -> None:
    """Folders, busybox with its shell, both scripts byte for byte."""
    members = _members(_build(kernel, tmp_path))
    for folder in ("bin", "dev", "proc", "sys", "mnt", "modules"):
        assert members[folder] == (0o040755, b"")
    assert members["bin/busybox"] == (0o100755, b"\x7fELF busybox")
    assert members["bin/sh"] == (0o120777, b"busybox")
    assert members["init"] == (0o100755, b"#!/bin/sh\ninit\n")
    assert members["guest.sh"][1] == "guest é\n".encode()


def test_modules_are_unpacked_in_the_order_in_which_they_load(kernel: Kernel, tmp_path: Path) -> None:
    """Each after what it depends on, each once, and none that nothing needs."""
    members = _members(_build(kernel, tmp_path))
    modules = [content for name, (_, content) in sorted(members.items()) if name.startswith("modules/")]
    assert modules == [b"virtio", b"9pnet", b"9pnet_virtio", b"9p"]


def test_the_same_input_gives_the_same_bytes(kernel: Kernel, tmp_path: Path) -> None:
    """No clock in the archive."""
    assert _build(kernel, tmp_path) == _build(kernel, tmp_path)


def test_a_kernel_without_9p_is_named(kernel: Kernel, tmp_path: Path) -> None:
    """The sentence has the module and the kernel."""
    index = kernel.modules / "modules.dep"
    index.write_text("kernel/drivers/other.ko.xz:\n", encoding="ascii")
    with pytest.raises(RigError, match=r"6\.12\.1-test-amd64 has no module 9pnet_virtio"):
        _build(kernel, tmp_path)
