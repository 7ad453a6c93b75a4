import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from authrig.errors import RigError
from authrig.vm.kernel import Kernel, default_cache, find_kernel
from authrig.vm.machine import Job, build_script, run_in_guest
from tests.authrig.vm.conftest import Tool

# A QEMU that finds its way as the real one does: by what is on its command line and in the initramfs.
FAKE_QEMU = """
import gzip, os, re, sys
option = dict(zip(sys.argv, sys.argv[1:]))
shared = next(word for word in sys.argv if "mount_tag=shared" in word).split("path=")[1].split(",mount_tag")[0].replace(",,", ",")
console = next(word for word in sys.argv if word.startswith("file,id=log,"))
console = console.split("path=")[1].replace(",,", ",")
script = gzip.decompress(open(option["-initrd"], "rb").read()).decode("latin-1")
exit_code = os.path.join(shared, re.search("EXIT_CODE=(\\\\S+)", script)[1])
"""


def _job(tmp_path: Path, **changes: float) -> Job:
    shared = tmp_path / "shared, and more"
    shared.mkdir()
    return Job(["true"], shared, shared / "console.log", **changes)  # type: ignore[arg-type] # only numbers are passed


def test_output_is_passed_on_and_the_exit_code_returned(tool: Tool, kernel: Kernel, tmp_path: Path) -> None:
    """Also where a folder has a comma in its name; nothing but the console stays in the shared folder."""
    tool("qemu-system-x86_64", FAKE_QEMU + "print('hello'); open(exit_code, 'w').write('7\\n'); open(console, 'w')")
    job, printed = _job(tmp_path), list[bytes]()
    assert run_in_guest(kernel, job, printed.append) == 7
    assert b"".join(printed) == b"hello\n"
    assert [path.name for path in job.shared.iterdir()] == ["console.log"]


def test_output_comes_as_it_is_printed(tool: Tool, kernel: Kernel, tmp_path: Path) -> None:
    """The first line is seen while the guest still runs: it is what lets the guest go on."""
    go_on = tmp_path / "go on"
    tool(
        "qemu-system-x86_64",
        FAKE_QEMU
        + f"print('first', flush=True)\nwhile not os.path.exists({str(go_on)!r}): pass\nopen(exit_code, 'w').write('0')",
    )
    assert run_in_guest(kernel, _job(tmp_path, timeout=20), lambda _: go_on.touch()) == 0


def test_a_hung_guest_is_ended(tool: Tool, kernel: Kernel, tmp_path: Path) -> None:
    """At the time-out, with a sentence that names the time and the console."""
    tool("qemu-system-x86_64", "import time; time.sleep(60)")
    started = time.monotonic()
    with pytest.raises(RigError, match=r"did not finish within 0\.5 s .*console\.log"):
        run_in_guest(kernel, _job(tmp_path, timeout=0.5), lambda _: None)
    assert time.monotonic() - started < 20


def test_a_panic_is_quoted(tool: Tool, kernel: Kernel, tmp_path: Path) -> None:
    """The kernel's own words, and where the rest of them are."""
    tool("qemu-system-x86_64", FAKE_QEMU + "open(console, 'w').write('[ 1.0] Kernel panic - not syncing: no init\\n')")
    with pytest.raises(RigError, match=r"panicked \(not syncing: no init\).*console\.log"):
        run_in_guest(kernel, _job(tmp_path), lambda _: None)


def test_a_guest_that_just_ends_is_no_success(tool: Tool, kernel: Kernel, tmp_path: Path) -> None:
    """Without an exit code nothing was proven."""
    with pytest.raises(RigError, match="stopped before the command had ended"):
        run_in_guest(kernel, _job(tmp_path), lambda _: None)


def test_qemus_own_refusal_is_told(tool: Tool, kernel: Kernel, tmp_path: Path) -> None:
    """QEMU says why it does not start on standard error."""
    tool("qemu-system-x86_64", "raise SystemExit('qemu: -m 2048: cannot allocate memory')")
    with pytest.raises(RigError, match="exit code 1: qemu: -m 2048: cannot allocate memory"):
        run_in_guest(kernel, _job(tmp_path), lambda _: None)


def test_a_reader_that_fails_ends_the_guest(tool: Tool, kernel: Kernel, tmp_path: Path) -> None:
    """As when output is piped into `head`: no QEMU stays behind."""
    pid = tmp_path / "pid"
    tool(
        "qemu-system-x86_64",
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); print('x', flush=True); time.sleep(60)",
    )

    def refuse(_: bytes) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_in_guest(kernel, _job(tmp_path), refuse)
    assert not Path("/proc", pid.read_text()).exists()


def test_the_script_survives_quoting(kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words with blanks, quotes and dollars reach the guest's shell as they are; a shell says so."""
    words = ["printf", "%s|", "it's", "$HOME `id`", "a\nb", ""]
    job = Job(words, tmp_path, tmp_path / "log", environment={"AUTHRIG_WORD": "two words; $x"})
    variables = build_script(kernel, job, ".exit").partition("# Runs in the guest")[0]
    script = f'{variables}\neval "$COMMAND"; printf %s "$AUTHRIG_WORD/$SHARED/$EXIT_CODE"'
    printed = subprocess.run(["/bin/sh", "-euc", script], capture_output=True, check=True, text=True).stdout
    assert printed == f"it's|$HOME `id`|a\nb||two words; $x/{tmp_path}/.exit"


def test_what_the_command_needs_is_kept_in_sight(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment, its Python, the checkout, the working directory and the kernel."""
    monkeypatch.chdir(tmp_path)
    script = build_script(kernel, Job(["true"], tmp_path, tmp_path / "log"), ".exit")
    shown = f'{script.partition("# Runs in the guest")[0]}\nprintf %s "$KEEP"'
    kept = subprocess.run(["/bin/sh", "-euc", shown], capture_output=True, check=True, text=True).stdout.split("\n")
    here = Path(__file__).resolve().parents[3]
    assert {str(Path(sys.prefix).resolve()), str(here), str(tmp_path), str(kernel.root)} <= set(kept)


@pytest.mark.needs("qemu-system-x86_64", "busybox", "depmod", "udevadm")
def test_a_real_kernel_runs_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One boot: exit code, output to the last byte, device nodes, memory file systems, read-only host, shared folder."""
    try:
        kernel = find_kernel(default_cache())
    except RigError as error:
        if os.environ.get("AUTHRIG_REQUIRE_TOOLS") == "1":
            raise
        pytest.skip(str(error))
    shared = tmp_path / "shared, too"
    shared.mkdir()
    monkeypatch.chdir(tmp_path)
    host_file = tmp_path / "host file"
    host_file.write_text("from the host")
    command = f"""
        set -eu
        test "$AUTHRIG_VM" = 1
        test -c /dev/uhid && test -c /dev/video0 && test -d /sys/devices/platform/vhci_hcd.0
        test "$(cat ./'host file')" = 'from the host'
        echo changed 2>/dev/null >{shlex.quote(__file__)} && exit 9
        for folder in "$HOME" "$TMPDIR" /tmp; do echo scratch >"$folder/scratch"; done
        echo 'from the guest' >{shlex.quote(str(shared / "made"))}
        python -c 'import authrig, sys; sys.stdout.write("x" * 300_000 + "the end")'
        exit 42
    """
    printed = list[bytes]()
    job = Job(["sh", "-c", command], shared, shared / "console.log", timeout=110)
    assert run_in_guest(kernel, job, printed.append) == 42, b"".join(printed)[-500:]
    assert b"".join(printed) == b"x" * 300_000 + b"the end"
    assert (shared / "made").read_text() == "from the guest\n"
    assert host_file.read_text() == "from the host"
    assert "authrig: ready after" in (shared / "console.log").read_text()
