"""The guest's kernel: Debian's own package, unpacked into a cache."""

import os
import platform
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from authrig.errors import RigError

PACKAGES = ("linux-image-6.12-amd64", "linux-image-amd64")
"""Debian's names for a stock kernel, the best first; each only depends on the package that holds it."""
TOOLS = {
    "apt-get": "apt",
    "apt-cache": "apt",
    "dpkg-deb": "dpkg",
    "depmod": "kmod",
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "udevadm": "udev",
}
"""Commands that the virtual machine needs, and the Debian packages that hold them."""
RUNNING = ("qemu-system-x86_64", "busybox", "depmod", "udevadm")
"""Those of them that a run needs; the others get the kernel."""
_PT_INTERP = 3
SYSTEM_FOLDERS = "/usr/sbin:/sbin"
"""Where tools are that a user has not on PATH."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """An unpacked kernel: ``release`` as ``uname -r`` says it, ``root`` with ``boot/`` and ``lib/modules/`` below."""

    release: str
    root: Path

    @property
    def image(self) -> Path:
        """What QEMU boots."""
        return self.root / "boot" / f"vmlinuz-{self.release}"

    @property
    def modules(self) -> Path:
        """The folder with ``modules.dep``."""
        return self.root / "lib" / "modules" / self.release


def default_cache() -> Path:
    """Where kernels are kept: ``$XDG_CACHE_HOME/authrig/kernels``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "authrig" / "kernels"


def find_tool(name: str) -> str:
    """The path of the command ``name``.

    Raises:
        RigError: if it is not installed; the sentence names the package that holds it.
    """
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")
    if path is None:
        raise RigError(f"the virtual machine needs {name}, which is not installed: apt-get install {TOOLS[name]}")
    return path


def check_machine() -> None:
    """Whether this machine can run a guest that shares its files.

    Raises:
        RigError: if it has another processor, or lacks a tool; the sentence has the command that mends it.
    """
    if platform.machine() != "x86_64":
        raise RigError(
            f"the virtual machine runs this machine's programs on an x86-64 kernel; this is a {platform.machine()} machine"
        )
    for tool in RUNNING:
        find_tool(tool)
    if _has_interpreter(Path(find_tool("busybox")).read_bytes()):
        raise RigError(
            f"{find_tool('busybox')} needs shared libraries, which the guest has not at first: apt-get install busybox-static"
        )


def _has_interpreter(elf: bytes) -> bool:
    """Whether a 64-bit ELF program asks for a dynamic loader: a program header of the type PT_INTERP."""
    if elf[:5] != b"\x7fELF\x02":
        return False
    (offset,), (size, count) = struct.unpack_from("<Q", elf, 32), struct.unpack_from("<HH", elf, 54)
    kinds = (struct.unpack_from("<I", elf, offset + size * number)[0] for number in range(count))
    return _PT_INTERP in kinds


def find_kernel(cache: Path) -> Kernel:
    """The newest kernel in ``cache``.

    Raises:
        RigError: if there is none.
    """
    ready = _kernels(cache)
    if not ready:
        raise RigError(f"no kernel for the virtual machine in {cache}: run `authrig vm prepare` once")
    return max(ready, key=lambda kernel: kernel.image.stat().st_mtime)


def _kernels(cache: Path) -> list[Kernel]:
    """Those in ``cache`` that are whole."""
    images = cache.glob("*/boot/vmlinuz-*")
    kernels = [Kernel(image.name.removeprefix("vmlinuz-"), image.parents[1]) for image in images]
    return [kernel for kernel in kernels if (kernel.modules / "modules.dep").is_file()]


def prepare_kernel(cache: Path, tell: Callable[[str], None]) -> Kernel:
    """Get Debian's kernel package, unpack it into ``cache`` and index its modules; ``tell`` hears each step.

    A cache that holds a kernel is left as it is, so this needs a network only once. A kernel is moved into the cache only when it is whole, so an interrupted run leaves nothing behind that is taken
    for one.

    Raises:
        RigError: if a tool or the package is missing, or a step fails; the sentence has the tool's own words.
    """
    check_machine()
    if _kernels(cache):
        return find_kernel(cache)
    package = _package_with_image()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return _unpack(package, cache, tell)
    except OSError as error:
        raise RigError(f"cannot keep a kernel in {cache}: {error.strerror}; choose a folder with --cache") from error


def _unpack(package: str, cache: Path, tell: Callable[[str], None]) -> Kernel:
    with tempfile.TemporaryDirectory(dir=cache, prefix=".unpacking-") as folder:
        tell(f"downloading {package}")
        _run([find_tool("apt-get"), "download", "-q", package], cwd=Path(folder))
        archive = next(Path(folder).glob("*.deb"))
        tell(f"unpacking {archive.name}")
        tree = Path(folder) / "tree"
        _run([find_tool("dpkg-deb"), "--extract", str(archive), str(tree)])
        if not (tree / "lib").exists():  # packages for Debian 13 and later have all of it below usr
            (tree / "lib").symlink_to("usr/lib")
        release = next((tree / "lib" / "modules").iterdir()).name
        tell(f"indexing the modules of {release}")
        _run([find_tool("depmod"), "--basedir", str(tree), release])
        shutil.rmtree(cache / package, ignore_errors=True)  # what is there is no kernel, or it would have been found
        tree.rename(cache / package)
    return find_kernel(cache)


def _package_with_image() -> str:
    """The package that holds the kernel which one of ``PACKAGES`` depends on."""
    for name in PACKAGES:
        answer = subprocess.run(
            [find_tool("apt-cache"), "depends", "--important", name], capture_output=True, text=True, check=False
        ).stdout
        for line in answer.splitlines():
            word, _, dependency = line.strip().partition(" ")
            if word == "Depends:" and dependency.startswith("linux-image-"):
                return dependency
    raise RigError(f"no Debian kernel package among {', '.join(PACKAGES)}: run `apt-get update` first")


def _run(command: Sequence[str], cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = done.stderr.strip().splitlines() or ["(no message)"]
        raise RigError(f"{Path(command[0]).name} failed with exit code {done.returncode}: {words[-1]}")
