import os
from pathlib import Path

import pytest

from authrig.errors import RigError
from authrig.vm.kernel import Kernel, check_machine, default_cache, find_kernel, find_tool, prepare_kernel
from tests.authrig.vm.conftest import RELEASE, Tool, make_kernel

DEPENDS = "print('linux-image-6.12-amd64\\n  Depends: linux-image-6.12.1-test-amd64')"
DOWNLOAD = "open('linux-image-6.12.1-test-amd64_1_amd64.deb', 'w').write('a package')"
EXTRACT = f"""
import sys
from pathlib import Path
tree = Path(sys.argv[3])
(tree / "boot").mkdir(parents=True)
(tree / "boot/vmlinuz-{RELEASE}").write_text("image")
(tree / "lib/modules/{RELEASE}").mkdir(parents=True)
"""
INDEX = f"""
import sys
from pathlib import Path
assert sys.argv[3] == "{RELEASE}"
Path(sys.argv[2], "lib/modules/{RELEASE}/modules.dep").write_text("")
"""


@pytest.mark.parametrize("modules", ["lib/modules", "usr/lib/modules"])
def test_a_kernel_is_fetched_unpacked_indexed_and_kept(tool: Tool, tmp_path: Path, modules: str) -> None:
    """From nothing to a kernel that is found, each step told; the second time nothing is done. As Debian 12 and 13 pack it."""
    extract = EXTRACT.replace("lib/modules", modules)
    for name, script in (("apt-cache", DEPENDS), ("apt-get", DOWNLOAD), ("dpkg-deb", extract), ("depmod", INDEX)):
        tool(name, script)
    cache, told = tmp_path / "new" / "cache", list[str]()
    kernel = prepare_kernel(cache, told.append)
    assert (kernel.release, kernel.image.read_text()) == (RELEASE, "image")
    assert find_kernel(cache) == kernel
    assert [step.split()[0] for step in told] == ["downloading", "unpacking", "indexing"]
    assert [path.name for path in cache.iterdir()] == ["linux-image-6.12.1-test-amd64"]
    tool("apt-get", "raise SystemExit(1)")
    assert prepare_kernel(cache, told.append) == kernel
    assert len(told) == 3


@pytest.mark.parametrize("broken", ["apt-get", "dpkg-deb", "depmod"])
def test_a_failed_step_leaves_nothing_that_is_taken_for_a_kernel(tool: Tool, tmp_path: Path, broken: str) -> None:
    """The tool is named with its own words, and the cache is as before."""
    for name, script in (("apt-cache", DEPENDS), ("apt-get", DOWNLOAD), ("dpkg-deb", EXTRACT), ("depmod", INDEX)):
        tool(name, script)
    tool(broken, "raise SystemExit('E: no luck today')")
    with pytest.raises(RigError, match=f"{broken} failed with exit code 1: E: no luck today"):
        prepare_kernel(tmp_path / "cache", lambda _: None)
    with pytest.raises(RigError, match="run `authrig vm prepare`"):
        find_kernel(tmp_path / "cache")


def test_a_half_kernel_is_replaced(tool: Tool, tmp_path: Path) -> None:
    """What an older version or a full disk left behind is no reason to fail."""
    for name, script in (("apt-cache", DEPENDS), ("apt-get", DOWNLOAD), ("dpkg-deb", EXTRACT), ("depmod", INDEX)):
        tool(name, script)
    (tmp_path / "cache" / "linux-image-6.12.1-test-amd64" / "boot").mkdir(parents=True)
    assert prepare_kernel(tmp_path / "cache", lambda _: None).image.is_file()


def test_no_package_lists(tool: Tool, tmp_path: Path) -> None:
    """A machine where apt was never updated is told so."""
    with pytest.raises(RigError, match="apt-get update"):
        prepare_kernel(tmp_path / "cache", lambda _: None)


def test_a_cache_that_cannot_be_written(tool: Tool, tmp_path: Path) -> None:
    """A file where the folder should be: the sentence names it and the option."""
    tool("apt-cache", DEPENDS)
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(RigError, match=r"cannot keep a kernel in .*cache: .*--cache"):
        prepare_kernel(tmp_path / "cache", lambda _: None)


def test_the_newest_kernel_is_taken(tmp_path: Path) -> None:
    """Of two in the cache."""
    old, new = make_kernel(tmp_path / "a"), make_kernel(tmp_path / "b")
    os.utime(old.image, (1, 1))
    assert find_kernel(tmp_path) == new
    os.utime(new.image, (0, 0))
    assert find_kernel(tmp_path) == old


def test_a_kernel_without_its_index_is_none(kernel: Kernel, tmp_path: Path) -> None:
    """It was not finished."""
    (kernel.modules / "modules.dep").unlink()
    with pytest.raises(RigError, match="no kernel for the virtual machine"):
        find_kernel(tmp_path / "cache")


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("qemu-system-x86_64", "qemu-system-x86"),
        ("busybox", "busybox-static"),
        ("depmod", "kmod"),
        ("udevadm", "udev"),
    ],
)
def test_a_missing_tool_is_named_with_its_package(tool: Tool, name: str, package: str) -> None:
    """One sentence with the command that mends it."""
    check_machine()
    tool(name, "").unlink()
    with pytest.raises(RigError, match=f"needs {name}, which is not installed: apt-get install {package}$"):
        check_machine()
    with pytest.raises(RigError, match=package):
        find_tool(name)


def test_a_busybox_with_shared_libraries_is_refused(tool: Tool) -> None:
    """It could not start in the guest; the static one is another package."""
    tool("busybox", "").write_bytes(Path("/bin/sh").read_bytes())
    with pytest.raises(RigError, match="apt-get install busybox-static"):
        check_machine()


def test_another_processor_is_named(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guest runs the host's programs."""
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(RigError, match="aarch64"):
        check_machine()


def test_the_cache_is_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_CACHE_HOME, or ~/.cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert default_cache() == Path("/somewhere/authrig/kernels")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/home/ada")
    assert default_cache() == Path("/home/ada/.cache/authrig/kernels")
