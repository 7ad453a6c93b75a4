import subprocess
import sys
from pathlib import Path


def test_the_packages_import_each_other_only_along_the_arrows() -> None:
    """The contracts in pyproject.toml hold; import-linter names the offending import if not."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    judged = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout
