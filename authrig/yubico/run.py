"""``python -m authrig.yubico.run``: Yubico's device tests against a new emulated key, held to the ledger."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import msgspec

from authrig.errors import RigError
from authrig.keys.control import ControlServer
from authrig.keys.key_file import KeyFile
from authrig.yubico import ledger, plugin
from authrig.yubico.cables import TRANSPORTS, Cable
from authrig.yubico.reader import SMART_CARD, Reader
from authrig.yubico.suite import fetch
from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.user import Finger, FingerSample, HandUser

WAYS = (*TRANSPORTS, SMART_CARD)
"""How a key can be plugged in."""
LEDGER = Path(__file__).with_name("ledger.toml")


def run(folder: Path, profile: str, selection: Sequence[str], transport: str = "pty") -> list[ledger.Result]:
    """Run the tests that ``selection`` (arguments of pytest) picks against a new key of ``profile``.

    ``folder`` keeps the suite for the next time; ``transport`` is one of ``WAYS``.

    Raises:
        RigError: if the suite cannot be fetched, the key cannot be plugged in, or pytest ended without results.
    """
    suite = fetch(folder)
    with tempfile.TemporaryDirectory() as scratch, closing(_way(transport)) as way:
        results = Path(scratch) / "results.json"
        key = way.fit(KeyFile.create(Path(scratch) / "yubico.key", profile))
        port = way.port(key, _tester())
        arguments = [*selection, *_enterprise(key.profile), *way.arguments]
        try:
            port.power_on()
            with ControlServer({1: port}) as server:
                settings = {**way.settings(server.url), plugin.RESULTS: str(results)}
                code = _pytest(suite, server.url, settings, arguments)
        finally:
            port.power_off()
            key.close()
        if not results.exists():
            raise RigError(f"Yubico's tests: pytest ended with code {code} before any test")
        return msgspec.json.decode(results.read_bytes(), type=list[ledger.Result])


def _way(transport: str) -> Cable | Reader:
    return Reader() if transport == SMART_CARD else Cable(transport)


def _tester() -> HandUser:
    """Touches when the suite tells the rig to; a finger to enroll the suite asks of a human, so that comes by itself."""
    user = HandUser()
    user.on_request = lambda request: isinstance(request, FingerSample) and user.answer(Finger("index"))
    return user


def _enterprise(profile: Profile) -> list[str]:
    """The relying party that the suite may try vendor-facilitated enterprise attestation with."""
    return [f"--ep-rp-id={rp_id}" for rp_id in profile.attestation.enterprise_rp_ids[:1]]


def _pytest(suite: Path, url: str, settings: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run pytest on the suite in a process of its own, so that it is exactly what Yubico runs."""
    command = [sys.executable, "-m", "pytest", "-p", "authrig.yubico.plugin", "-p", "no:cacheprovider"]
    command += ["-p", "no:schemathesis"]  # where it is installed it takes longer to import than many a test to run
    command += ["--quiet", "--tb=short", "--controller", url, "--pico-port", "1", *arguments]
    environment = {**os.environ, **settings, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=suite, env=environment, check=False).returncode


def main(argv: list[str] | None = None) -> int:
    """Exit code 0 if every run is as the ledger says, 1 if not, 2 if one did not take place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("out/yubico"), help="where the suite is kept")
    parser.add_argument("--ledger", type=Path, default=LEDGER, help="what may not pass (default: %(default)s)")
    parser.add_argument(
        "--transport",
        choices=WAYS,
        help="how the key is plugged in (default: pty, and smartcard for the runs of the ledger that are about cards)",
    )
    parser.add_argument("--fetch", action="store_true", help="only get the suite, for a place without a network")
    parser.add_argument("--profile", help="test only a key of this profile, and do not consult the ledger")
    parser.add_argument("selection", nargs="*", help="with --profile: arguments for pytest, after --")
    args = parser.parse_args(argv)
    try:
        if args.fetch:
            fetch(args.folder)
            return 0
        if args.profile is not None:
            return _show(
                run(args.folder, args.profile, args.selection or ["tests/device"], args.transport or TRANSPORTS[0])
            )
        news = []
        for planned in ledger.load(args.ledger).run:
            if args.transport is not None and planned.card != (args.transport == SMART_CARD):
                continue
            transport = args.transport or (SMART_CARD if planned.card else TRANSPORTS[0])
            _require_pyscard(transport)
            results = run(args.folder, planned.profile, planned.select, transport)
            _show(results)
            news += [f"profile {planned.profile}, {transport}: {each}" for each in ledger.compare(planned, results)]
    except RigError as error:
        sys.stderr.write(f"authrig: {error}\n")
        return 2
    sys.stdout.writelines(f"{sentence}\n" for sentence in news)
    return 1 if news else 0


def _require_pyscard(transport: str) -> None:
    if transport == SMART_CARD and find_spec("smartcard") is None:
        raise RigError("the suite reaches a card through pyscard, which is not installed: pip install pyscard")


def _show(results: Sequence[ledger.Result]) -> int:
    counts = Counter(result.outcome for result in results)
    sys.stdout.write(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) + "\n")
    sys.stdout.flush()
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
