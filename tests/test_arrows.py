import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MACHINE = {"time", "random", "secrets", "uuid"}
MAY_ASK_IT = {
    "emulators/env.py": "it is the real world's end",
    "emulators/usb/hid_binding.py": "waits for the kernel",
    "emulators/usb/hidraw.py": "waits for the kernel and udev",
    "emulators/fido_authenticator/transports/smart_card.py": "waits until pcscd is back, also while the card's own clock stands still",
    "emulators/camera_scanner/deadline.py": "waits for a library's thread",
    "emulators/camera_scanner/sources/by_name.py": "waits for a camera",
    "emulators/camera_scanner/sources/screen.py": "waits for a screen",
    "emulators/camera_scanner/sources/webcam.py": "waits for a camera",
}


def test_the_packages_import_each_other_only_along_the_arrows() -> None:
    """The contracts in pyproject.toml hold; import-linter names the offending import if not."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    judged = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout


def test_devices_and_protocols_ask_nobody_but_env_for_time_and_chance() -> None:
    """Shells that wait for this machine ask it: each is here with what it waits for."""
    asking = set()
    for package in ("emulators", "offline_qr"):
        for path in (ROOT / package).rglob("*.py"):
            imports = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Import)]
            if MACHINE & {alias.name for node in imports for alias in node.names}:
                asking.add(path.relative_to(ROOT).as_posix())
    assert sorted(asking - MAY_ASK_IT.keys()) == []
