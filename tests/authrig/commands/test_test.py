import json
import subprocess
import sys
from pathlib import Path

import pytest

from authrig.cli import main


def _authrig(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "import sys, authrig.cli; sys.exit(authrig.cli.main())", "test", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose own settings of pytest would stop everything, as would those of the user's environment."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-v")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", "utf-8")
    return tmp_path


def test_a_suite_sums_up_by_area(folder: Path) -> None:
    """A table, a JUnit file with the clauses, a page; exit code 0; the user's settings of pytest do not matter."""
    done = _authrig(
        "fido",
        "--only",
        "test_ping or test_wink",
        "--junit",
        "out/junit.xml",
        "--artifacts",
        "kept\udcff",
        "--report",
        "out/page.html",
        "--evidence",
        "always",
        "--hil-report",
        "out/run.html",
        folder=folder,
    )
    assert done.returncode == 0, done.stderr
    assert "HID channel" in done.stdout
    assert "Emulated devices: --seed " in done.stdout
    assert "CTAP 2.3 §11.2.9.1.2" in (folder / "out/junit.xml").read_text("utf-8")
    assert "authenticatorGetInfo" in (folder / "out/run.html").read_text("utf-8")
    assert "9 passed, 0 failed, 0 not applicable" in (folder / "out/page.html").read_text("utf-8")


def test_a_failure_is_told_with_its_exchange(folder: Path) -> None:
    """The key after the BioPass refuses what it should ignore, as published of it: exit code 1, and the reason."""
    rig = folder / "rig.toml"
    rig.write_text('version = 1\n[devices.key]\nkind = "fido"\nemulated = { profile = "feitian-biopass" }\n', "utf-8")
    done = _authrig("fido", "--rig", "rig.toml", "--json", "--only", "test_unknown_extension_is_ignored", folder=folder)
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert document["counts"] == {"passed": 0, "failed": 2, "not applicable": 0}
    for case in document["cases"]:
        assert "UNSUPPORTED_OPTION" in case["why"]
        assert any("UNSUPPORTED_OPTION" in line for line in case["exchange"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("fidoo",), "there is no suite 'fidoo': expected one of "),
        (("../fido",), "there is no suite '../fido'"),
        (("fido", "--rig", "missing.toml"), "missing.toml"),
    ],
)
def test_what_is_not_there_is_a_sentence(
    words: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything runs."""
    assert main(["test", *words]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--only", "nothing_like_that"), "the suite fido has no case that is named like that"),
        (("--hil", "imagined"), "imagined"),
        (("--hil", "attached"), "nothing was tested: wants 1 attached fido, and the rig has 0"),
    ],
)
def test_what_cannot_run_is_a_sentence(folder: Path, words: tuple[str, ...], sentence: str) -> None:
    """Exit code 2."""
    done = _authrig("fido", *words, folder=folder)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
