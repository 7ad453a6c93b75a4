import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/fido-suite.md"
RIG = 'version = 1\n[devices.key]\nkind = "fido"\nemulated = {{ profile = "{profile}", transport = "{transport}" }}\n'
PRODUCTS = ("minimal-2.0", "u2f-only", "yubikey-5.8", "authrig-bio")


def _authrig_test(*words: str) -> subprocess.CompletedProcess[str]:
    program = "import sys, authrig.cli; sys.exit(authrig.cli.main())"
    command = [sys.executable, "-c", program, "test", "fido", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)


def _outcomes(tmp_path: Path, profile: str, transport: str = "in-process") -> dict[str, Any]:
    rig = tmp_path / "rig.toml"
    rig.write_text(RIG.format(profile=profile, transport=transport), "utf-8")
    done = _authrig_test("--rig", str(rig), "--json", "--seed", "7")
    assert done.stdout, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.timeout(600)
@pytest.mark.parametrize("profile", PRODUCTS)
def test_nothing_fails_on_a_key_that_keeps_to_the_specification(tmp_path: Path, profile: str) -> None:
    """Old or new, with little or much: what it cannot do is not applicable, the rest passes."""
    document = _outcomes(tmp_path, profile)
    assert not [case for case in document["cases"] if case["outcome"] == "failed"]
    assert document["counts"]["passed"] > 50
    assert document["counts"]["not applicable"]


@pytest.mark.timeout(600)
def test_the_default_key_passes_on_a_terminal(tmp_path: Path) -> None:
    """The same suite through a pseudo-terminal, where reports go through the kernel."""
    document = _outcomes(tmp_path, "authrig-2.3", "pty")
    assert not [case for case in document["cases"] if case["outcome"] == "failed"]
    assert document["counts"]["passed"] >= 300


def test_the_page_lists_the_suite() -> None:
    """Every case with its clause and what it needs, as `authrig test fido --list` prints them; 150 and more."""
    listed = _authrig_test("--list").stdout
    assert listed in PAGE.read_text("utf-8"), "write the output of `authrig test fido --list` into the page"
    assert listed.count("\n| **") >= 150


def test_each_case_names_its_clause() -> None:
    """No row without one."""
    for row in _authrig_test("--list").stdout.splitlines():
        if row.startswith("| **"):
            assert "§" in row.rsplit(" | ", 2)[1], row
