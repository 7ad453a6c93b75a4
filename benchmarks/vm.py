"""The key on the kernel's own wires: a part of its own, since it needs QEMU and a C compiler."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from authrig.errors import RigError
from authrig.vm.kernel import default_cache, find_kernel
from authrig.vm.machine import Job, run_in_guest
from benchmarks.harness import Measurement, summary

ECHO = Path(__file__).with_name("uhid_echo.c")
_BOOT_S = 10.0
_TIMEOUT_S = 600.0


def measurements() -> Iterator[Measurement]:
    """Boot once, and measure in the guest.

    Raises:
        RigError: if this machine cannot do that, or the guest came to no end.
    """
    kernel = find_kernel(default_cache())
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder)
        echo = _compile(shared)
        # The first line that comes out tells that the guest is up.
        command = ["sh", "-c", f"echo ready; exec python -m benchmarks.guest {echo}"]
        printed: list[bytes] = []
        ready: list[float] = []

        def hear(chunk: bytes) -> None:
            if not printed:
                ready.append(time.perf_counter() - begun)
            printed.append(chunk)

        begun = time.perf_counter()
        code = run_in_guest(kernel, Job(command, shared, shared / "console.log", timeout=_TIMEOUT_S), hear)
        said = b"".join(printed).decode(errors="replace")
        if code != 0:
            raise RigError(f"the measurements in the guest ended with exit code {code}: {said[-300:]}")
        yield summary(
            "authrig vm run, until the command begins", "the ten seconds that we promise", 1, [(ready[0], _BOOT_S)]
        )
        for row in json.loads(said[said.index("[") :]):
            yield Measurement(**{**row, "spread": tuple(row["spread"])})


def _compile(folder: Path) -> Path:
    compiler = shutil.which("gcc")
    if compiler is None:
        raise RigError("the floor on uhid is a C program: apt-get install gcc libc6-dev")
    program = folder / "uhid_echo"
    done = subprocess.run([compiler, "-O2", "-o", program, ECHO], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RigError(f"gcc cannot compile {ECHO.name}: {done.stderr.strip()}")
    return program


if __name__ == "__main__":
    try:
        for measurement in measurements():
            print(measurement)
    except RigError as error:
        sys.exit(f"authrig: {error}")
