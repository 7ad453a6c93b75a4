"""Runs one command in the guest: boots it, streams what the command prints, returns its exit code."""

import os
import secrets
import shlex
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import authrig
from authrig.errors import RigError
from authrig.vm.clock import tsc_khz
from authrig.vm.initramfs import build_initramfs
from authrig.vm.kernel import Kernel, check_machine, find_tool

MODULES = ("uhid", "vhci-hcd", "hid-generic", "usbhid", "cdc-acm", "uvcvideo", "vivid", "evdev", "usbmon")
"""Loaded before the command runs, in this order; modprobe adds what they depend on."""
KERNEL_ARGUMENTS = "console=ttyS0 loglevel=4 panic=-1 nokaslr mitigations=off random.trust_cpu=on"


@dataclass(frozen=True, slots=True)
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
    check_machine()
    exit_code = job.shared / f".exit-code-{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(prefix="authrig-vm-") as folder:
        initramfs = Path(folder) / "initramfs.gz"
        script = build_script(kernel, job, exit_code.name)
        initramfs.write_bytes(build_initramfs(kernel, Path(find_tool("busybox")), _read("init.sh"), script))
        try:
            end = _boot(_qemu(kernel, job, initramfs), job.timeout, output)
            return _result(job, exit_code, end)
        finally:
            exit_code.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _End:
    """How QEMU ended: its own exit code and last words, and whether the time-out killed it."""

    code: int
    words: str
    timed_out: bool


def _result(job: Job, exit_code: Path, end: _End) -> int:
    """The exit code that the guest wrote, or a sentence about why there is none."""
    if exit_code.is_file():
        return int(exit_code.read_text(encoding="ascii"))
    if end.timed_out:
        raise RigError(
            f"the guest did not finish within {job.timeout:g} s (--timeout); its console is in {job.console}"
        )
    if end.code != 0:
        raise RigError(f"QEMU failed with exit code {end.code}: {end.words}")
    log = job.console.read_text(encoding="utf-8", errors="replace") if job.console.is_file() else ""
    panics = [line.partition("Kernel panic - ")[2] for line in log.splitlines() if "Kernel panic - " in line]
    if panics:
        raise RigError(f"the guest panicked ({panics[0]}); its console is in {job.console}")
    raise RigError(f"the guest stopped before the command had ended; its console is in {job.console}")


def _read(name: str) -> str:
    return resources.files("authrig.vm").joinpath(name).read_text(encoding="utf-8")


def build_script(kernel: Kernel, job: Job, exit_code: str) -> str:
    """The guest's second script: its variables, then ``guest.sh``; it leaves the exit code in the file ``exit_code``."""
    kept = (sys.prefix, sys.base_prefix, Path(authrig.__file__).parents[1], Path.cwd(), kernel.root)
    variables = {
        "GUEST_PATH": str(Path(sys.prefix) / "bin"),
        "KEEP": "\n".join(str(Path(path).resolve()) for path in kept),
        "SHARED": str(job.shared.resolve()),
        "EXIT_CODE": exit_code,
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
        f"local,path={_quoted(job.shared.resolve())},mount_tag=shared,security_model=none,multidevs=remap",
    ]
    return [
        find_tool("qemu-system-x86_64"),
        *("-nodefaults", "-no-reboot", "-display", "none"),
        *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", str(job.cpus), "-m", str(job.memory_mib)),
        *("-kernel", str(kernel.image), "-initrd", str(initramfs), "-append", _kernel_arguments()),
        *("-chardev", f"file,id=log,path={_quoted(job.console)}", "-serial", "chardev:log"),
        # Not the chardev stdio: its standard input is at its end, which the guest would take for nobody reading.
        *("-device", "virtio-serial", "-chardev", "file,id=output,path=/dev/stdout"),
        *("-device", "virtserialport,chardev=output,name=authrig.output"),
        *(word for folder in folders for word in ("-virtfs", folder)),
        *("-device", "virtio-rng-pci"),
    ]


def _kernel_arguments() -> str:
    khz = tsc_khz()
    return KERNEL_ARGUMENTS if khz is None else f"{KERNEL_ARGUMENTS} tsc_early_khz={khz} tsc=reliable"


def _quoted(path: Path) -> str:
    """``path`` within one of QEMU's option lists, which commas part."""
    return str(path).replace(",", ",,")


def _boot(command: Sequence[str], timeout: float, output: Callable[[bytes], object]) -> _End:
    """Run QEMU until it ends, or kill it at the time-out."""
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as qemu,
    ):
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
        code = qemu.wait()
        errors.seek(0)
        words = errors.read().decode(errors="replace").strip().splitlines() or ["(no message)"]
        return _End(code, words[-1], timed_out.is_set())
