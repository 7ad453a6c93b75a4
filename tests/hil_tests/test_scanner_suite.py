"""The suite for scanners on a barcode reader at a serial line, and on a camera, both before an e-paper panel."""

from pathlib import Path

import pytest

import hil_tests
from authrig.attached.token_hands import PaperPicture
from authrig.bench import scanners
from authrig.pictures import picture_from_png, print_code
from authrig.ports import scanner as scanner_port
from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.gm65 import Gm65
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import Env, SeededRandom
from emulators.usb.serial_pty import SerialPty
from tests.codes import read_patiently
from tests.hil_tests.paper import paper

pytest_plugins = ["pytester"]

SUITE = Path(next(iter(hil_tests.__path__))) / "scanner"


def _run(pytester: pytest.Pytester, rig: str, only: str) -> dict[str, int]:
    path = pytester.path / "rig.toml"
    path.write_text("version = 1\n[devices.desk]\nkind = 'scanner'\n" + rig, "utf-8")
    words = ("--import-mode=importlib", "-p", "no:cacheprovider", "-k", only, "--rig", str(path), "--hil", "attached")
    return pytester.runpytest_inprocess(
        str(SUITE), *words, "--hil-seed", "7", "--hil-artifacts", str(pytester.path)
    ).parseoutcomes()


ONLY = "test_payload or test_utf_8 or same_code or next_code or nothing_is_read or half_the_size"


def test_on_a_barcode_reader_at_a_serial_line(pytester: pytest.Pytester) -> None:
    """A GM65 whose imager sees the panel: what it reads comes over the line, byte for byte."""
    with SerialPty(Gm65(Env.real())) as line:

        def show(picture: Image) -> None:
            reads = read_patiently(picture)
            with line.using() as reader:
                reader.show(Code(reads[0].data) if reads else None)

        with paper(show) as url:
            reader_at = f'attached = {{ family = "gm65", port = "{line.path}" }}\ncapabilities = ["utf-8"]\n'
            found = _run(pytester, f'{reader_at}picture = {{ by = "e-paper", url = "{url}" }}\n', ONLY)
    assert (found.get("passed"), found.get("failed", 0), found.get("skipped", 0)) == (15, 0, 0)


def test_on_a_camera(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that looks at the panel through a lens."""
    eye = SyntheticCamera(SeededRandom(7), "desk")
    monkeypatch.setattr(scanners, "camera", lambda *_: eye)
    monkeypatch.setattr(scanner_port, "SECONDS_TO_LOOK", 0.3)
    with paper(eye.show) as url:
        camera = 'attached = { camera = "cam" }\n[devices.cam]\nkind = "camera"\nemulated = {}\n'
        found = _run(pytester, f'picture = {{ by = "e-paper", url = "{url}" }}\n{camera}', ONLY)
    assert (found.get("passed"), found.get("failed", 0), found.get("skipped", 0)) == (15, 0, 0)


def test_paper_is_white_again_when_the_device_has_looked() -> None:
    """What begins to scan next must not find what was read before."""
    seen: list[Image] = []
    with paper(seen.append) as url, PaperPicture(url).showing(picture_from_png(print_code("A BADGE"))):
        assert len(seen) == 1
    assert [int(picture.min()) for picture in seen] == [0, 255]
    assert seen[0].shape == seen[1].shape
