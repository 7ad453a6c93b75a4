import json
from pathlib import Path

import pytest

from authrig.cli import main

RIG = """
version = 1
[devices.server]
kind = "server"
emulated = {}
[devices.key-a]
kind = "fido"
emulated = {}
[devices.key-b]
kind = "fido"
attached = { match = { serial = "no such key" } }
[devices.token-1]
kind = "qr-token"
emulated = {}
[devices.token-2]
kind = "qr-token"
attached = { serial = "QT1-00000042" }
keys = { by = "console", serial_port = "/dev/no-such-line" }
[devices.token-3]
kind = "otp-token"
emulated = { profile = "otp-6digit" }
[devices.scanner-1]
kind = "scanner"
attached = { family = "plain", port = "/dev/no-such-line" }
[devices.cloud]
kind = "server"
attached = { public_url = "http://127.0.0.1:9", credentials_variable = "AUTHRIG_TEST_NO_SUCH" }
[devices.cam]
kind = "camera"
emulated = { preset = "no-such-place" }
[devices.other-server]
kind = "server"
emulated = { settings = "/no/such/settings.toml" }
"""


def test_each_device_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is missing is a sentence, and the others are looked at all the same."""
    path = tmp_path / "rig.toml"
    path.write_text(RIG, "utf-8")
    assert main(["doctor", "--rig", str(path), "--json"]) == 1
    found = {finding["name"]: finding["problem"] for finding in json.loads(capsys.readouterr().out)}
    assert [name for name, problem in found.items() if problem is None] == ["server", "key-a", "token-1", "token-3"]
    assert found["key-b"].startswith("key-b: expected one fido device with serial no such key, found none")
    assert found["token-2"].startswith("the console /dev/no-such-line cannot be opened")
    assert found["scanner-1"].startswith("the barcode reader /dev/no-such-line cannot be opened")
    assert "export AUTHRIG_TEST_NO_SUCH=" in found["cloud"]
    assert found["cam"].startswith("cam: no camera preset is called 'no-such-place'; there are ")
    assert "/no/such/settings.toml" in found["other-server"]


def test_a_rig_that_is_as_it_should_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, a line for each device."""
    path = tmp_path / "rig.toml"
    settings = tmp_path / "settings.toml"
    settings.write_text('rp_id = "localhost"\n', "utf-8")
    rig = RIG.split("[devices.key-b]", maxsplit=1)[0].replace(
        "emulated = {}", f'emulated = {{ settings = "{settings}" }}', 1
    )
    path.write_text(rig, "utf-8")
    assert main(["doctor", "--rig", str(path)]) == 0
    assert capsys.readouterr().out == "ok server (server, emulated)\nok key-a (fido, emulated)\n"
