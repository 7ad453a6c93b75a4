"""``python -m authrig.yubico.run``: Yubico's device tests against a new emulated key, held to the ledger."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import msgspec

from authrig.errors import RigError
from authrig.keys.control import ControlServer
from authrig.keys.key_file import KeyFile
from authrig.keys.port import Port
from authrig.keys.wires import wire
from authrig.yubico import ledger, plugin
from authrig.yubico.suite import fetch
from emulators.fido_authenticator.ctaphid import CtapHid
from emulators.fido_authenticator.profile import DEFAULT
from emulators.fido_authenticator.user import HandUser

LEDGER = Path(__file__).with_name("ledger.toml")


def run(folder: Path, profile: str, selection: list[str]) -> list[ledger.Result]:
    """Run the tests that ``selection`` (arguments of pytest) picks against a new key of ``profile``.

    ``folder`` keeps the suite for the next time.

    Raises:
        RigError: if the suite cannot be fetched, or ended without results.
    """
    suite = fetch(folder)
    with tempfile.TemporaryDirectory() as scratch:
        results = Path(scratch) / "results.json"
        key = KeyFile.create(Path(scratch) / "yubico.key", profile)
        port = Port(CtapHid(key.authenticator(HandUser())), wire("pty"))
        port.power_on()
        try:
            with ControlServer({1: port}) as server:
                code = _pytest(suite, server.url, results, selection)
        finally:
            port.power_off()
            key.close()
        if not results.exists():
            raise RigError(f"Yubico's tests: pytest ended with code {code} before any test")
        return msgspec.json.decode(results.read_bytes(), type=list[ledger.Result])


def _pytest(suite: Path, url: str, results: Path, selection: list[str]) -> int:
    """Run pytest on the suite in a process of its own, so that it is exactly what Yubico runs."""
    command = [sys.executable, "-m", "pytest", "tests/device", "-p", "authrig.yubico.plugin", "-p", "no:cacheprovider"]
    command += ["--quiet", "--tb=short", "--controller", url, "--pico-port", "1", *selection]
    environment = {**os.environ, plugin.CONTROL: url, plugin.RESULTS: str(results), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=suite, env=environment, check=False).returncode


def main(argv: list[str] | None = None) -> int:
    """Exit code 0 if the run is as the ledger says, 1 if not, 2 if there was no run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/yubico"), help="where the suite is kept")
    parser.add_argument("--profile", default=DEFAULT, help="the product to test (default: %(default)s)")
    parser.add_argument("--ledger", type=Path, default=LEDGER, help="what may not pass (default: that of %(default)s)")
    parser.add_argument("selection", nargs="*", help="arguments for pytest, after --; the ledger is then not consulted")
    args = parser.parse_args(argv)
    try:
        known = ledger.load(args.ledger)
        results = run(args.folder, args.profile, args.selection)
    except RigError as error:
        sys.stderr.write(f"authrig: {error}\n")
        return 2
    counts = Counter(result.outcome for result in results)
    sys.stdout.write(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) + "\n")
    if args.selection:
        return 1 if counts["failed"] else 0
    news = ledger.compare(known, results)
    sys.stdout.writelines(f"{sentence}\n" for sentence in news)
    return 1 if news else 0


if __name__ == "__main__":
    sys.exit(main())
