"""The suite for QR tokens finds faults, and runs on a token that stands for a real one, by every end of its port."""

import subprocess
import sys
from pathlib import Path

import pytest

import hil_tests
from authrig.attached import token_hands
from authrig.bench import tokens
from authrig.cli import main
from emulators.env import Env
from emulators.hwtoken.answering import Answering
from emulators.hwtoken.pin import PinLock
from hil_tests.scanner.conditions import CONDITIONS
from tests.hil_tests.token_bench import token_bench

pytest_plugins = ["pytester"]

PAGE = Path(__file__).parents[2] / "docs/reference/qr-suites.md"
PROGRAM = "import sys, authrig.cli; sys.exit(authrig.cli.main())"
SUITE = Path(next(iter(hil_tests.__path__))) / "qr_token"


def _run(pytester: pytest.Pytester, only: str, *options: str) -> pytest.RunResult:
    """The cases with these words in their names, in this process, where the bench is."""
    return pytester.runpytest_inprocess(
        *(str(SUITE), "--import-mode=importlib", "-p", "no:cacheprovider", "-k", only, "--hil-seed", "7"),
        *("--hil-clock", "simulated", "--hil-artifacts", str(pytester.path / "kept"), *options),
    )


def test_by_its_console(pytester: pytest.Pytester) -> None:
    """Words, counters, faults and time come over the line; the same calls as on an emulated token."""
    with token_bench("qr-reader-keypad", Env.simulated(1)) as bench:
        rig = bench.by_console(pytester.path / "rig.toml")
        only = "test_login or test_transaction or scan_times_out or clock_that_jumped or low_battery or no_try_back or from_the_future"
        result = _run(pytester, only, "--rig", str(rig), "--hil", "attached", "--hil-require")
    outcomes = result.parseoutcomes()
    assert (outcomes.get("passed"), outcomes.get("failed", 0), outcomes.get("errors", 0)) == (9, 0, 0)


def test_by_camera_and_relays(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks the token: a camera reads its display, and relays turn the wheel to its PIN."""
    profile = "qr-reader-2button"
    monkeypatch.setattr(token_hands, "SECONDS_TO_LOOK", 0.1)
    with token_bench(profile, Env.simulated(1), with_pin=True) as bench:
        monkeypatch.setattr(tokens, "camera", lambda *_: bench.camera)
        rig = bench.by_camera(pytester.path / "rig.toml", profile)
        only = "test_login or counter_moves_on or each_field_on or groups_of_four"
        result = _run(pytester, only, "--rig", str(rig), "--hil", "attached")
    outcomes = result.parseoutcomes()
    assert (outcomes.get("passed"), outcomes.get("skipped"), outcomes.get("failed", 0)) == (2, 2, 0)


def test_the_emulated_and_the_attached_token_say_the_same(pytester: pytest.Pytester) -> None:
    """What ``authrig compare`` finds where both are of one model: nothing; of another model: its name, at least."""
    only = "test_transaction"
    with token_bench("qr-reader-keypad", Env.simulated(1)) as bench:
        rig = bench.by_console(pytester.path / "rig.toml")
        kept = ("--hil-evidence", "always", "--hil-artifacts")
        ended = _run(pytester, only, "--rig", str(rig), *kept, str(pytester.path / "attached")).parseoutcomes()
        assert (ended.get("passed"), ended.get("failed", 0)) == (1, 0)
    for profile in ("qr-reader-keypad", "qr-reader-colour"):
        rig = pytester.path / f"{profile}.toml"
        rig.write_text(
            f'version = 1\n[devices.t]\nkind = "qr-token"\nemulated = {{ profile = "{profile}" }}\n', "utf-8"
        )
        _run(pytester, only, "--rig", str(rig), *kept, str(pytester.path / profile))
    attached = str(pytester.path / "attached")
    assert main(["compare", str(pytester.path / "qr-reader-keypad"), attached]) == 0
    assert main(["compare", str(pytester.path / "qr-reader-colour"), attached]) == 1


@pytest.mark.parametrize(
    ("fault", "case"),
    [("digits the wrong way round", "test_transaction"), ("PINs cost no try", "switching_off_gives_no_try_back")],
)
def test_a_fault_is_found(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, fault: str, case: str) -> None:
    """A token that answers wrongly, or counts no PINs, fails the case that is about it."""
    if fault == "PINs cost no try":
        monkeypatch.setattr(PinLock, "tries_left", property(lambda _: 5))
        check = PinLock.check

        def forgetful(lock: PinLock, pin: str) -> object:
            verdict = check(lock, pin)
            lock._memory.update(pin_tries_spent=0)
            return verdict

        monkeypatch.setattr(PinLock, "check", forgetful)
    else:
        grouped = Answering._grouped
        monkeypatch.setattr(Answering, "_grouped", lambda token, digits: grouped(token, digits[::-1]))
    rig = pytester.path / "rig.toml"
    rig.write_text(
        'version = 1\n[devices.t]\nkind = "qr-token"\nemulated = { profile = "qr-reader-keypad" }\n', "utf-8"
    )
    result = _run(pytester, case, "--rig", str(rig))
    assert result.parseoutcomes()["failed"] == 1


@pytest.mark.parametrize("suite", ["qr_token", "scanner"])
def test_the_page_lists_the_suite(suite: str) -> None:
    """Every case with its clause and what it needs, as `authrig test SUITE --list` prints them."""
    command = [sys.executable, "-c", PROGRAM, "test", suite, "--list"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=110, check=True).stdout
    assert listed in PAGE.read_text("utf-8"), f"write the output of `authrig test {suite} --list` into the page"
    assert not [row for row in listed.splitlines() if row.startswith("| **") and " |  | " in row]


def test_the_page_has_the_reading_rates() -> None:
    """Each condition with its share, as conditions.py states it."""
    page = PAGE.read_text("utf-8")
    for condition in CONDITIONS:
        assert f"| {condition.name} | {condition.least:.0%} |" in page
