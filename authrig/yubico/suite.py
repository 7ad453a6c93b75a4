"""Gets the suite: the source distribution of python-fido2, in the version that is installed, unpacked."""

import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

from authrig.errors import RigError


def fetch(folder: Path) -> Path:
    """The folder of the unpacked source distribution, below ``folder``; fetched if it is not there yet.

    Raises:
        RigError: if it cannot be fetched.
    """
    requirement = f"fido2=={version('fido2')}"
    unpacked = folder / requirement.replace("==", "-")
    if (unpacked / "tests" / "device" / "conftest.py").exists():
        return unpacked
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "fido2"]
    command += ["--dest", str(folder), requirement]
    fetched = subprocess.run(command, capture_output=True, text=True, check=False)
    archive = unpacked.with_name(f"{unpacked.name}.tar.gz")
    if fetched.returncode != 0 or not archive.exists():
        raise RigError(f"Yubico's tests: pip could not fetch the source of {requirement}: {fetched.stderr.strip()}")
    with tarfile.open(archive) as archived:
        archived.extractall(folder, filter="data")
    return unpacked
