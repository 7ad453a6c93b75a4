"""Runs one command in the guest: boots it, streams what the command prints, returns its exit code."""

import os
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from authrig.errors import RigError
from authrig.vm.initramfs import build_initramfs
from authrig.vm.kernel import Kernel, find_tool

MODULES = ("uhid", "vhci-hcd", "hid-generic", "usbhid", "cdc-acm", "uvcvideo", "vivid")
"""Loaded before the command runs, in this order; modprobe adds what they depend on."""
KERNEL_ARGUMENTS = "console=ttyS0 loglevel=4 panic=-1 nokaslr mitigations=off random.trust_cpu=on"


@dataclass(frozen=True)
class Job:
    """What to run in the guest.

    ``shared`` is the one folder, at the same path on both sides, that the guest can write; ``console`` is where the
    kernel's messages go; ``timeout`` is in seconds and counts from power-on.
    """

    command: Sequence[str]
    shared: Path
    console: Path
    timeout: float = 600.0
    memory_mib: int = 2048
    cpus: int = 2
    modules: tuple[str, ...] = MODULES
    environment: Mapping[str, str] = field(default_factory=dict)


def run_in_guest(kernel: Kernel, job: Job, output: Callable[[bytes], object]) -> int:
    """Boot, run ``job.command`` in the current directory with this Python's environment, power off.

    ``output`` gets what the command prints, as it is printed.

    Returns:
        The command's exit code.

    Raises:
        RigError: if the guest panics, hangs past the time-out, or ends without running the command.
    """
    exit_code = job.shared / ".exit-code"
    exit_code.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="authrig-vm-") as folder:
        initramfs = Path(folder) / "initramfs.gz"
        initramfs.write_bytes(
            build_initramfs(kernel, Path(find_tool("busybox")), _read("init.sh"), _script(kernel, job))
        )
        timed_out = _boot(_qemu(kernel, job, initramfs), job.timeout, output)
    if timed_out:
        raise RigError(f"the guest did not finish within {job.timeout:g} s; its console is in {job.console}")
    if not exit_code.is_file():
        log = job.console.read_text(encoding="utf-8", errors="replace")
        reason = "panicked" if "Kernel panic" in log else "stopped before the command had ended"
        raise RigError(f"the guest {reason}; its console is in {job.console}")
    code = int(exit_code.read_text(encoding="ascii"))
    exit_code.unlink()
    return code


def _read(name: str) -> str:
    return resources.files("authrig.vm").joinpath(name).read_text(encoding="utf-8")


def _script(kernel: Kernel, job: Job) -> str:
    """The guest's second script, with the variables that it begins with."""
    variables = {
        "GUEST_PATH": str(Path(sys.prefix) / "bin"),
        "KEEP": "\n".join(map(str, (Path(sys.prefix).resolve(), Path.cwd(), kernel.root.resolve()))),
        "SHARED": str(job.shared.resolve()),
        "MODULES": " ".join(job.modules),
        "KERNEL_ROOT": str(kernel.root.resolve()),
        "WORKING_DIRECTORY": str(Path.cwd()),
        "COMMAND": shlex.join(job.command),
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in job.environment.items()]
    return "\n".join([*lines, _read("guest.sh")])


def _qemu(kernel: Kernel, job: Job, initramfs: Path) -> list[str]:
    """QEMU's command line. 9p answers with the rights of the user who runs it."""
    folders = [
        "local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on",
        f"local,path={job.shared.resolve()},mount_tag=shared,security_model=none,multidevs=remap",
    ]
    return [
        find_tool("qemu-system-x86_64"),
        *("-nodefaults", "-no-reboot", "-display", "none"),
        *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(job.cpus), "-m", str(job.memory_mib)),
        *("-kernel", str(kernel.image), "-initrd", str(initramfs), "-append", KERNEL_ARGUMENTS),
        *("-serial", f"file:{job.console}"),
        *(
            "-device",
            "virtio-serial",
            "-chardev",
            "stdio,id=output,signal=off",
            "-device",
            "virtconsole,chardev=output",
        ),
        *(word for folder in folders for word in ("-virtfs", folder)),
        *("-device", "virtio-rng-pci"),
    ]


def _boot(command: Sequence[str], timeout: float, output: Callable[[bytes], object]) -> bool:
    """Run QEMU until it ends; returns whether it had to be killed at the time-out."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as qemu:
        timed_out = threading.Event()

        def kill() -> None:
            timed_out.set()
            qemu.kill()

        watchdog = threading.Timer(timeout, kill)
        watchdog.start()
        try:
            assert qemu.stdout is not None
            while chunk := os.read(qemu.stdout.fileno(), 65536):
                output(chunk)
        except BaseException:
            qemu.kill()
            raise
        finally:
            watchdog.cancel()
        qemu.wait()
        return timed_out.is_set()
