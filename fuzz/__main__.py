"""``python -m fuzz``: every target in turn, from the seeds and from what earlier runs found."""

import argparse
import subprocess
import sys
from pathlib import Path

from fuzz.seeds import SEEDS

HANGS_AFTER = 1
LONGEST_INPUT = 8192
_TIMED_OUT = 70  # libFuzzer's exit code


def main() -> int:
    """Exit code 0 if nothing was found, 1 if something was; the input that did it is kept and named."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"some of {', '.join(SEEDS)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together (default: %(default)s)")
    parser.add_argument(
        "--folder", type=Path, default=Path("out/fuzz"), help="where inputs are kept (default: %(default)s)"
    )
    args = parser.parse_args()
    unknown = set(args.targets) - set(SEEDS)
    if unknown:
        parser.error(f"expected some of {', '.join(SEEDS)}, found {', '.join(sorted(unknown))}")
    targets = args.targets or list(SEEDS)
    return max(_fuzz(target, max(1, args.seconds // len(targets)), args.folder / target) for target in targets)


def _fuzz(target: str, seconds: int, folder: Path) -> int:
    corpus, findings = folder / "corpus", folder / "findings"
    for wanted in (corpus, findings):
        wanted.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS[target]()):
        (corpus / f"seed-{number}").write_bytes(seed)
    sys.stdout.write(f"fuzzing {target} for {seconds} s; what breaks it is kept in {findings}\n")
    sys.stdout.flush()
    options = [f"-max_total_time={seconds}", f"-timeout={HANGS_AFTER}", f"-max_len={LONGEST_INPUT}"]
    options += [f"-artifact_prefix={findings}/", "-print_final_stats=1", "-use_value_profile=1"]
    done = _run_one(target, *options, str(corpus))
    if done.returncode == 0:
        return 0
    found = [finding for finding in sorted(findings.iterdir()) if _repeats(target, finding)]
    sys.stdout.writelines(f"{target}: broken by {finding}\n" for finding in found)
    # An end without any finding is one that the fuzzer did not choose.
    return 1 if found or done.returncode != _TIMED_OUT else 0


def _repeats(target: str, finding: Path) -> bool:
    """Whether an input breaks the target again, alone: on a busy machine the clock runs out for innocent ones."""
    if _run_one(target, f"-timeout={HANGS_AFTER}", str(finding)).returncode != 0:
        return True
    finding.unlink()
    return False


def _run_one(target: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "fuzz.run_one", target, *arguments], check=False)


if __name__ == "__main__":
    sys.exit(main())
