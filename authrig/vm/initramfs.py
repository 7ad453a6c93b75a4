"""The guest's first file system: busybox, the modules that reach the host's files, and a script that goes there."""

import gzip
import lzma
from collections.abc import Iterator, Sequence
from pathlib import Path

from authrig.errors import RigError
from authrig.vm.kernel import Kernel

FIRST_MODULES = ("9pnet_virtio", "9p")
_DIRECTORIES = ("bin", "dev", "proc", "sys", "mnt", "modules")
_REGULAR, _DIRECTORY, _SYMLINK = 0o100755, 0o040755, 0o120777


def build_initramfs(kernel: Kernel, busybox: Path, init: str, guest: str) -> bytes:
    """A gzip-compressed cpio archive in the ``newc`` format (the kernel's Documentation/driver-api/early-userspace).

    Raises:
        RigError: if the kernel lacks a module that the guest cannot do without.
    """
    archive = b"".join(_entries(kernel, busybox, init, guest))
    return gzip.compress(archive, compresslevel=1, mtime=0)


def _entries(kernel: Kernel, busybox: Path, init: str, guest: str) -> Iterator[bytes]:
    for directory in _DIRECTORIES:
        yield _entry(directory, _DIRECTORY, b"")
    yield _entry("bin/busybox", _REGULAR, busybox.read_bytes())
    yield _entry("bin/sh", _SYMLINK, b"busybox")
    for number, module in enumerate(_in_load_order(kernel, FIRST_MODULES)):
        packed = (kernel.modules / module).read_bytes()
        content = lzma.decompress(packed) if module.endswith(".xz") else packed
        yield _entry(f"modules/{number:02}.ko", _REGULAR, content)
    yield _entry("init", _REGULAR, init.encode())
    yield _entry("guest.sh", _REGULAR, guest.encode())
    yield _entry("TRAILER!!!", 0, b"")


def _in_load_order(kernel: Kernel, names: Sequence[str]) -> list[str]:
    """Paths of the modules ``names`` and of all they depend on, each after its dependencies (``modules.dep``)."""
    dependencies: dict[str, list[str]] = {}
    for line in (kernel.modules / "modules.dep").read_text(encoding="ascii").splitlines():
        path, _, needed = line.partition(":")
        dependencies[path] = needed.split()
    by_name = {Path(path).name.partition(".")[0]: path for path in dependencies}
    ordered: list[str] = []

    def visit(path: str) -> None:
        for needed in dependencies[path]:
            visit(needed)
        if path not in ordered:
            ordered.append(path)

    for name in names:
        if name not in by_name:
            raise RigError(f"the kernel {kernel.release} has no module {name}, without which the guest sees no files")
        visit(by_name[name])
    return ordered


def _entry(name: str, mode: int, content: bytes) -> bytes:
    """One member: a header of hexadecimal fields, the name, the content, each padded to four bytes."""
    encoded = name.encode() + b"\0"
    inode = nlink = 1
    fields = (inode, mode, 0, 0, nlink, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + encoded) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
