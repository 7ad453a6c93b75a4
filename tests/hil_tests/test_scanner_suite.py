"""The suite for scanners on a barcode reader at a serial line, and on a camera, both before an e-paper panel."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

import hil_tests
from authrig.bench import scanners
from authrig.pictures import picture_from_png
from authrig.ports import scanner as scanner_port
from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.gm65 import Gm65
from emulators.camera_scanner.decoders import read_codes
from emulators.camera_scanner.frames import Image
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import Env, SeededRandom
from emulators.usb.serial_pty import SerialPty

pytest_plugins = ["pytester"]

SUITE = Path(next(iter(hil_tests.__path__))) / "scanner"


@contextmanager
def _paper(shows: Callable[[Image], None]) -> Iterator[str]:
    """An e-paper panel in front of a scanner: the address to which pictures are put."""

    class Panel(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            shows(picture_from_png(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Panel) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def _run(pytester: pytest.Pytester, rig: str, only: str) -> dict[str, int]:
    path = pytester.path / "rig.toml"
    path.write_text("version = 1\n[devices.desk]\nkind = 'scanner'\n" + rig, "utf-8")
    words = ("--import-mode=importlib", "-p", "no:cacheprovider", "-k", only, "--rig", str(path), "--hil", "attached")
    return pytester.runpytest_inprocess(
        str(SUITE), *words, "--hil-seed", "7", "--hil-artifacts", str(pytester.path)
    ).parseoutcomes()


ONLY = "test_payload or test_utf_8 or same_code or next_code or nothing_is_read or half_the_size"


def test_on_a_barcode_reader_at_a_serial_line(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GM65 whose imager sees the panel: what it reads comes over the line, byte for byte."""
    monkeypatch.setattr(scanner_port, "SECONDS_TO_TRY", 1.0)
    with SerialPty(Gm65(Env.real())) as line:

        def show(picture: Image) -> None:
            reads = read_codes(picture)
            with line.using() as reader:
                reader.show(Code(reads[0].data) if reads else None)

        with _paper(show) as url:
            paper = f'picture = {{ by = "e-paper", url = "{url}" }}\ncapabilities = ["utf-8"]\n'
            found = _run(pytester, f'attached = {{ family = "gm65", port = "{line.path}" }}\n{paper}', ONLY)
    assert (found.get("passed"), found.get("failed", 0), found.get("skipped", 0)) == (15, 0, 0)


def test_on_a_camera(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that looks at the panel through a lens."""
    eye = SyntheticCamera(SeededRandom(7), "desk")
    monkeypatch.setattr(scanners, "camera", lambda *_: eye)
    monkeypatch.setattr(scanner_port, "FRAMES_TO_TRY", 10)
    with _paper(eye.show) as url:
        camera = 'attached = { camera = "cam" }\n[devices.cam]\nkind = "camera"\nemulated = {}\n'
        found = _run(pytester, f'picture = {{ by = "e-paper", url = "{url}" }}\n{camera}', ONLY)
    assert (found.get("passed"), found.get("failed", 0), found.get("skipped", 0)) == (15, 0, 0)
