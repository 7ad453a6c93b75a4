"""The flows on devices that stand for real ones: nobody asks the token, and the scanner is a camera before paper."""

from pathlib import Path

import pytest

import hil_tests
from authrig.attached import token_hands
from authrig.bench import scanners, tokens
from emulators.camera_scanner.sources.synthetic import SyntheticCamera
from emulators.env import Env, SeededRandom
from tests.hil_tests.paper import paper
from tests.hil_tests.token_bench import SEED, SERIAL, token_bench

pytest_plugins = ["pytester"]

PROFILE = "dot_matrix_128x64"
RIG = """
version = 1
[devices.server]
kind = "server"
emulated = {{}}
[devices.token]
kind = "qr-token"
attached = {{ serial = "{serial}", seed_hex = "{seed}" }}
capabilities = ["clock"]
picture = {{ by = "console", serial_port = "{console}" }}
keys = {{ by = "relays", serial_port = "{relays}", ok = 1, cancel = 2 }}
power = {{ by = "relay", serial_port = "{relays}", channel = 3 }}
display = {{ by = "camera", camera = "eye", kind = "dot-matrix", profile = "{profile}", corners = {corners} }}
[devices.reader]
kind = "scanner"
attached = {{ camera = "lens" }}
picture = {{ by = "e-paper", url = "{paper}" }}
[devices.eye]
kind = "camera"
emulated = {{}}
[devices.lens]
kind = "camera"
emulated = {{}}
"""


def test_on_attached_devices(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Login, payment and badge with their attacks: relays press and switch, a camera reads the codes."""
    monkeypatch.setattr(token_hands, "SECONDS_TO_LOOK", 0.1)
    monkeypatch.setattr(token_hands, "FEWEST_LOOKS", 3)
    lens = SyntheticCamera(SeededRandom(7), "desk")
    with token_bench(PROFILE, Env.simulated(1)) as bench, paper(lens.show) as url:
        monkeypatch.setattr(tokens, "camera", lambda *_: bench.camera)
        monkeypatch.setattr(scanners, "camera", lambda *_: lens)
        corners = [list(corner) for corner in bench.camera.corners]
        rig = pytester.path / "rig.toml"
        rig.write_text(
            RIG.format(
                serial=SERIAL,
                seed=SEED.hex(),
                console=bench.console,
                relays=bench.relays,
                profile=PROFILE,
                corners=corners,
                paper=url,
            ),
            "utf-8",
        )
        suite = Path(next(iter(hil_tests.__path__))) / "test_flows.py"
        found = pytester.runpytest_inprocess(
            *(str(suite), "--import-mode=importlib", "-p", "no:cacheprovider", "-k", "not fido", "--hil-seed", "7"),
            *(
                "--hil-clock",
                "simulated",
                "--hil",
                "attached",
                "--rig",
                str(rig),
                "--hil-artifacts",
                str(pytester.path),
            ),
        ).parseoutcomes()
    assert (found.get("passed"), found.get("failed", 0), found.get("errors", 0)) == (3, 0, 0)
