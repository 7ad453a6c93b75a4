import argparse
import sys
from pathlib import Path

import pytest

from authrig.commands import vm
from authrig.errors import RigError
from authrig.vm.kernel import Kernel
from authrig.vm.machine import Job


def _vm(*words: str) -> int:
    """What the command line does with ``words``."""
    parser = argparse.ArgumentParser()
    vm.add_parser(parser.add_subparsers())
    args = parser.parse_args(["vm", *words])
    return int(args.run(args))


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Job]:
    """What would be run, with a guest that prints and returns 3."""
    jobs = list[Job]()

    def run(kernel: Kernel, job: Job, output: object) -> int:
        jobs.append(job)
        assert callable(output)
        output(b"printed\n")
        return 3

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("authrig.vm.kernel.find_kernel", lambda cache: Kernel("6.12", cache))
    monkeypatch.setattr("authrig.vm.machine.run_in_guest", run)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    return jobs


def test_a_command_is_run_with_its_own_options(jobs: list[Job], capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """What follows `--` is the command's, dashes and all; its output and exit code come back."""
    assert _vm("run", "--timeout", "5", "--cpus", "1", "--shared", "out/here", "--", "ls", "--timeout", "-l") == 3
    assert (jobs[0].command, jobs[0].timeout, jobs[0].cpus) == (["ls", "--timeout", "-l"], 5.0, 1)
    assert jobs[0].shared.is_dir()
    assert jobs[0].console == Path("out/here/console.log")
    assert capfdbinary.readouterr().out == b"printed\n"


def test_the_rigs_own_variables_are_passed_on(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTHRIG_* reach the guest, others do not; without a terminal the guest's programs print no colours."""
    monkeypatch.setenv("AUTHRIG_REQUIRE_TOOLS", "1")
    monkeypatch.setenv("SECRET", "x")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    _vm("run", "--", "true")
    assert jobs[0].environment == {"TERM": "dumb", "AUTHRIG_REQUIRE_TOOLS": "1"}


def test_no_command_is_explained(jobs: list[Job]) -> None:
    """One sentence with an example."""
    with pytest.raises(RigError, match=r"needs a command: authrig vm run -- "):
        _vm("run", "--")
    assert jobs == []


def test_a_guest_without_a_processor_is_refused(jobs: list[Job]) -> None:
    """Before QEMU says it in its own words."""
    with pytest.raises(RigError, match="--cpus: expected at least one processor, found 0"):
        _vm("run", "--cpus", "0", "--", "true")
    assert jobs == []


def test_a_shared_folder_that_is_a_file(jobs: list[Job], tmp_path: Path) -> None:
    """It is named."""
    (tmp_path / "file").write_text("")
    with pytest.raises(RigError, match="cannot make the shared folder file: File exists"):
        _vm("run", "--shared", "file", "--", "true")


def test_a_shared_folder_of_somebody_else(jobs: list[Job], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named before anything boots."""
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(RigError, match=r"the shared folder out/vm may not be written by this user: .*--shared"):
        _vm("run", "--", "true")
    assert jobs == []


def test_prepare_prints_the_release(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The release on standard output for scripts, the progress on standard error for people."""
    monkeypatch.setattr(
        "authrig.vm.kernel.prepare_kernel", lambda cache, tell: (tell("working"), Kernel("6.12", cache))[1]
    )
    assert _vm("prepare") == 0
    assert capsys.readouterr().out == "6.12\n"
