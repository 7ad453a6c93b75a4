"""A machine that has all that the virtual machine lane needs, made of scripts: nothing is booted."""

import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from authrig.vm.kernel import Kernel

RELEASE = "6.12.1-test-amd64"
Tool = Callable[[str, str], Path]

_DEPENDENCIES = {
    "kernel/net/9p/9pnet.ko.xz": "",
    "kernel/net/9p/9pnet_virtio.ko.xz": "kernel/drivers/virtio/virtio.ko.xz kernel/net/9p/9pnet.ko.xz",
    "kernel/fs/9p/9p.ko": "kernel/net/9p/9pnet.ko.xz",
    "kernel/drivers/virtio/virtio.ko.xz": "",
    "kernel/drivers/other.ko.xz": "",
}


def make_kernel(root: Path) -> Kernel:
    """An unpacked kernel whose modules hold their own names."""
    kernel = Kernel(RELEASE, root)
    kernel.image.parent.mkdir(parents=True)
    kernel.image.write_bytes(b"an image")
    for module in _DEPENDENCIES:
        path = kernel.modules / module
        path.parent.mkdir(parents=True, exist_ok=True)
        content = Path(module).name.partition(".")[0].encode()
        path.write_bytes(lzma.compress(content) if module.endswith(".xz") else content)
    lines = (f"{module}: {needed}\n" for module, needed in _DEPENDENCIES.items())
    (kernel.modules / "modules.dep").write_text("".join(lines), encoding="ascii")
    return kernel


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    """A kernel alone in the cache ``tmp_path / "cache"``."""
    return make_kernel(tmp_path / "cache" / "linux-image-test")


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Puts a Python script on PATH, where at first only the tools are that a run needs, each doing nothing."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
        path.chmod(0o755)
        return path

    for name in ("qemu-system-x86_64", "busybox", "depmod", "udevadm", "apt-get", "apt-cache", "dpkg-deb"):
        make(name, "")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("authrig.vm.kernel.SYSTEM_FOLDERS", "")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    return make
