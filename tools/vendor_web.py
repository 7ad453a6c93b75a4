"""Fetch what the pages take from npm, in the versions and with the hashes that stand here; `--check` only compares.

    python tools/vendor_web.py          # npm packs each package; its files are written anew
    python tools/vendor_web.py --check  # are the files in the tree those of the packages?

To move to another version: change it here with its hash (`npm view NAME@VERSION dist.integrity`), run this, which says
what the hashes of the files should be, and run the tests.
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
class File:
    """One file of a package.

    Args:
        member: its name in the archive.
        name: its name in the folder.
        sha256: of what is in it.
    """

    member: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Package:
    """One package of npm.

    Args:
        name: as npm knows it.
        version: exactly this one.
        integrity: the SHA-512 of its archive, as npm writes it.
        folder: where its files go.
        files: those that are kept.
    """

    name: str
    version: str
    integrity: str
    folder: Path
    files: tuple[File, ...]


PACKAGES = (
    Package(
        "zxing-wasm",  # MIT; the WebAssembly holds zxing-cpp, Apache-2.0
        "3.1.4",
        "sha512-1+v8p7sauddySVNG+ye7GD/0TS95BG2ycdkrC+EnBrFBFkHeIghzUt2yVjtx3NucJeNrQnhT8yGAIz60Vx9o0w==",
        SHIPPED / "zxing-wasm",
        (
            File("package/LICENSE", "LICENSE", "fb506e4ade12d7a9efa67c9d76a9a28c8e15d347ca49a69e48e29b40b34ad2ab"),
            File(
                "package/dist/es/share.js",
                "es/share.js",
                "08868fb770b0a4e4b9eb3d717015cd5fbf3ceb06492d4cb2d2dd2739db11890f",
            ),
            File(
                "package/dist/es/reader/index.js",
                "es/reader/index.js",
                "d90c69a827aff3b7c8c8ca310efebe91671ef076f7a0ec83722bfc542814f484",
            ),
            File(
                "package/dist/reader/zxing_reader.wasm",
                "zxing_reader.wasm",
                "e8af31edb56d0522f4de74495839385ef019ba8bc90d38e5ecb2f18795d86fb2",
            ),
        ),
    ),
    Package(
        "jsqr",  # Apache-2.0
        "1.4.0",
        "sha512-dxLob7q65Xg2DvstYkRpkYtmKm2sPJ9oFhrhmudT1dZvNFFTlroai3AWSpLey/w5vMcLBXRgOJsbXpdN9HzU/A==",
        SHIPPED / "jsqr",
        (
            File("package/LICENSE", "LICENSE", "c6596eb7be8581c18be736c846fb9173b69eccf6ef94c5135893ec56bd92ba08"),
            File("package/dist/jsQR.js", "jsQR.js", "bc40c8a15196236b2314db0856f72ca0b49980cd5413b8c852a7349f5fee0859"),
        ),
    ),
    Package(
        "axe-core",  # MPL-2.0; for tests only, not in the wheel
        "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        FOR_TESTS / "axe-core",
        (
            File("package/LICENSE", "LICENSE", "af175b9d96ee93c21a036152e1b905b0b95304d4ae8c2c921c7609100ba8df7e"),
            File(
                "package/LICENSE-3RD-PARTY.txt",
                "LICENSE-3RD-PARTY.txt",
                "4f8563870d0fca38bbc3e00b6f670cb7fa9f380ba9f26a7f7d1184a6b18b1653",
            ),
            File(
                "package/axe.min.js", "axe.min.js", "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
            ),
        ),
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
    """The files that are kept, by where they go.

    Raises:
        SystemExit: if one is not what its hash says.
    """
    kept: dict[Path, bytes] = {}
    wrong: list[str] = []
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for each in package.files:
            file = tar.extractfile(each.member)
            assert file is not None, each.member
            content = kept[package.folder / each.name] = file.read()
            if (found := hashlib.sha256(content).hexdigest()) != each.sha256:
                wrong.append(f"{package.name}: {each.member} has the SHA-256 {found}, expected {each.sha256}")
    if wrong:
        sys.exit("\n".join(wrong))
    return kept


def differing(package: Package) -> list[Path]:
    """The files in the tree that are not what their hashes say; this asks nobody."""
    return [
        package.folder / each.name
        for each in package.files
        if not (path := package.folder / each.name).is_file()
        or hashlib.sha256(path.read_bytes()).hexdigest() != each.sha256
    ]


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file differs")
    check: bool = parser.parse_args().check
    for package in PACKAGES:
        for path, content in contents(package, fetch(package)).items():
            if not check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    different = [path for package in PACKAGES for path in differing(package)]
    for path in different:
        print(f"{path.relative_to(ROOT)} differs from its package")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
