"""Fetch what the pages take from npm, in the versions and with the hashes that stand here; `--check` only compares.

    python tools/vendor_web.py          # npm packs each package; its files are written anew
    python tools/vendor_web.py --check  # are the files in the tree those of the packages?

To move to another version: change it here with its hash (`npm view NAME@VERSION dist.integrity`), run this, run the tests.
"""

import argparse
import base64
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "server_stub/web/static/vendor"
FOR_TESTS = ROOT / "tests/server_stub/web/vendor"


@dataclass(frozen=True)
class Package:
    """One package of npm.

    Args:
        name: as npm knows it.
        version: exactly this one.
        integrity: the SHA-512 of its archive, as npm writes it.
        folder: where its files go.
        files: their names in the archive, each with its name in the folder.
    """

    name: str
    version: str
    integrity: str
    folder: Path
    files: dict[str, str]


PACKAGES = (
    Package(
        "zxing-wasm",  # MIT; the WebAssembly holds zxing-cpp, Apache-2.0
        "3.1.4",
        "sha512-1+v8p7sauddySVNG+ye7GD/0TS95BG2ycdkrC+EnBrFBFkHeIghzUt2yVjtx3NucJeNrQnhT8yGAIz60Vx9o0w==",
        SHIPPED / "zxing-wasm",
        {
            "package/LICENSE": "LICENSE",
            "package/dist/es/share.js": "es/share.js",
            "package/dist/es/reader/index.js": "es/reader/index.js",
            "package/dist/reader/zxing_reader.wasm": "zxing_reader.wasm",
        },
    ),
    Package(
        "jsqr",  # Apache-2.0
        "1.4.0",
        "sha512-dxLob7q65Xg2DvstYkRpkYtmKm2sPJ9oFhrhmudT1dZvNFFTlroai3AWSpLey/w5vMcLBXRgOJsbXpdN9HzU/A==",
        SHIPPED / "jsqr",
        {"package/LICENSE": "LICENSE", "package/dist/jsQR.js": "jsQR.js"},
    ),
    Package(
        "axe-core",  # MPL-2.0; for tests only, not in the wheel
        "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        FOR_TESTS / "axe-core",
        {
            "package/LICENSE": "LICENSE",
            "package/LICENSE-3RD-PARTY.txt": "LICENSE-3RD-PARTY.txt",
            "package/axe.min.js": "axe.min.js",
        },
    ),
)


def fetch(package: Package) -> bytes:
    """The package's archive.

    Raises:
        SystemExit: if it is not the one whose hash stands here.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{package.name}@{package.version}"
        command = ["npm", "pack", "--silent", "--pack-destination", folder, wanted]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        archive = next(Path(folder).glob("*.tgz")).read_bytes()
    found = "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode()
    if found != package.integrity:
        sys.exit(f"{wanted} has the hash {found}, expected {package.integrity}")
    return archive


def contents(package: Package, archive: bytes) -> dict[Path, bytes]:
    """The files that are kept, by where they go."""
    kept: dict[Path, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member, name in package.files.items():
            file = tar.extractfile(member)
            assert file is not None, member
            kept[package.folder / name] = file.read()
    return kept


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    check: bool = parser.parse_args().check
    different = []
    for package in PACKAGES:
        for path, content in contents(package, fetch(package)).items():
            if check:
                different += [] if path.is_file() and path.read_bytes() == content else [path.relative_to(ROOT)]
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    for path in different:
        print(f"{path} differs from its package")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
