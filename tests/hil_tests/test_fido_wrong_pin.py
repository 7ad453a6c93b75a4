import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_wrong_pin_in_the_rig_file_costs_one_try() -> None:
    """Case after case would block an attached key; every case fails instead, with the reason."""
    command = [sys.executable, "-m", "pytest", "-p", "wrong_pin", "-n", "0", "-q", "--hil-evidence", "off"]
    done = subprocess.run(
        [*command, "hil_tests/fido/test_client_pin.py", "-k", "test_right_pin or test_tokens_differ or test_retries"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert "tries: 1\n" in done.stdout, done.stdout
    assert "the PIN in the rig file is not the key's, and no more tries are spent on it" in done.stdout
    assert "5 errors" in done.stdout
