"""What the pages take from npm is what it was when it was looked at."""

import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from tools.vendor_web import FOR_TESTS, PACKAGES, SHIPPED, Package, contents, differing

NAMES = [each.name for each in PACKAGES]


@pytest.mark.parametrize("package", PACKAGES, ids=NAMES)
def test_files_are_what_their_hashes_say(package: Package) -> None:
    """Byte for byte; a change by hand, or a version without its hash, is noticed."""
    assert differing(package) == []


@pytest.mark.parametrize("package", PACKAGES, ids=NAMES)
def test_a_licence_is_kept(package: Package) -> None:
    """As it came."""
    licences = [each.name for each in package.files if each.name.startswith("LICENSE")]
    assert licences
    assert all((package.folder / name).stat().st_size > 500 for name in licences)


def test_nothing_else_is_there() -> None:
    """No file that nobody has a hash of."""
    pinned = {package.folder / each.name for package in PACKAGES for each in package.files}
    there = {path for folder in (SHIPPED, FOR_TESTS) for path in folder.rglob("*") if path.is_file()}
    assert there - pinned == {SHIPPED / "README.md"}
    text = (SHIPPED / "README.md").read_text("utf-8")
    assert all(f"{each.name} {each.version}" in text for each in PACKAGES if each.folder.is_relative_to(SHIPPED))


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    """One that is missing too."""
    package = PACKAGES[1]
    changed = Package(package.name, package.version, package.integrity, tmp_path, package.files)
    (tmp_path / "LICENSE").write_text("mine")
    assert differing(changed) == [tmp_path / "LICENSE", tmp_path / "jsQR.js"]


def test_an_archive_with_another_file_is_refused() -> None:
    """With both hashes, for who moves to another version."""
    archive = BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for each in PACKAGES[1].files:
            tar.addfile(tarfile.TarInfo(each.member), BytesIO(b""))
    with pytest.raises(SystemExit, match=r"LICENSE has the SHA-256 e3b0c442\w+, expected \w+\njsqr: package/dist"):
        contents(PACKAGES[1], archive.getvalue())
