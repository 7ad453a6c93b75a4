import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("authrig", "emulators", "hil_tests", "offline_qr", "server_stub")


def test_the_wheel_holds_every_file_of_every_package(tmp_path: Path) -> None:
    """Nothing that works in a checkout is missing for those who install: profiles, fonts, templates, type marks."""
    build = [
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if not name.startswith("authrig-")}
    tracked = subprocess.run(
        ["git", "ls-files", *PACKAGES], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert packed >= {name for name in tracked if (ROOT / name).exists()}
    assert {f"{package}/py.typed" for package in PACKAGES} <= packed
