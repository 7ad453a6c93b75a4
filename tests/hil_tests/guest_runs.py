"""Runs suites in the guest, one way after the other, and prints a row of docs/reference/suite-runs.md for each.

``authrig vm run --timeout 14000 -- python -m tests.hil_tests.guest_runs`` does all; names after it choose some.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

DESK = ("python", "-m", "tests.hil_tests.attached_desk")
WAYS: dict[str, Sequence[str]] = {
    "flows-uhid": ("authrig", "test", "flows", "--transport", "uhid"),
    "flows-usbip": ("authrig", "test", "flows", "--transport", "usbip"),
    "flows-attached": (*DESK, "--simulated", "authrig", "test", "flows"),
    "fido-uhid": ("authrig", "test", "fido", "--transport", "uhid"),
    "fido-usbip": ("authrig", "test", "fido", "--transport", "usbip"),
    "fido-attached": ("python", "tests/hil_tests/attached_bench.py", "authrig", "test", "fido"),
    "qr_token-console": (*DESK, "--simulated", "--token", "console", "authrig", "test", "qr_token"),
    "qr_token-camera": (*DESK, "--simulated", "--token", "keys", "authrig", "test", "qr_token"),
    "scanner-attached": (*DESK, "authrig", "test", "scanner"),
}
MOST_SECONDS = 3600
"""For one way; those after it get their turn."""


def main(names: Sequence[str]) -> int:
    """Run them; 1 if one of them did not end, or had a failure."""
    failed = False
    for name in names or list(WAYS):
        row, right = _row(name)
        sys.stdout.write(row + "\n")
        sys.stdout.flush()
        failed |= not right
    return int(failed)


def _row(name: str) -> tuple[str, bool]:
    command = [*WAYS[name], "--json", "--artifacts", f"/tmp/{name}"]  # noqa: S108 - the guest's own memory
    # A group of its own: what hangs behind the command has to end with it.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            said, _ = process.communicate(timeout=MOST_SECONDS)
            document = json.loads(said)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"| `{name}` | did not end within {MOST_SECONDS} s |", False
        except ValueError:
            return f"| `{name}` | could not run |", False
    counts, minutes = document["counts"], sum(case["seconds"] for case in document["cases"]) / 60
    for case in document["cases"]:
        if case["outcome"] == "failed":
            sys.stderr.write(f"{name}: {case['name']}: {case['why']}\n")
    numbers = " | ".join(str(counts[outcome]) for outcome in ("passed", "failed", "not applicable"))
    return f"| `{name}` | {numbers} | {minutes:.1f} |", not counts["failed"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
