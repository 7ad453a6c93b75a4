import json
import tomllib
from pathlib import Path

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authrig.cli import main
from authrig.errors import RigError
from authrig.rig_file.entries import Controller, QrToken
from authrig.rig_file.reading import DEFAULT, load_rig_file
from authrig.rig_file.schema import json_schema

DESK = """
version = 1

[devices.key-a]
kind = "fido"
emulated = { profile = "yubikey-5.8", seed = 7, transport = "usbip" }
labels = ["left"]

[devices.key-b]
kind = "fido"
attached = { match = { vendor = 0x1050, serial = "1234" }, pin = "55555" }
touch = { by = "controller", url = "http://pico.lab", port = 6 }
destructive = true

[devices.token-1]
kind = "qr-token"
attached = { serial = "QT1-00000042" }
picture = "person"
keys = { by = "relays", serial_port = "/dev/serial/by-id/relay", ok = 1, cancel = 2 }
display = { by = "camera", camera = "cam", kind = "dot-matrix", corners = [[0, 0], [9, 0], [9, 9], [0, 9.5]] }

[devices.cam]
kind = "camera"
attached = { match = { by_id = "usb-Logitech_C920" } }

[benches]
desk = ["key-b", "token-1", "cam"]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test writes a rig file."""
    return tmp_path / "rig.toml"


def test_reads_devices_emulated_and_attached(path: Path) -> None:
    """What the file says comes out as values."""
    path.write_text(DESK, "utf-8")
    rig_file = load_rig_file(path)
    assert rig_file.devices["key-b"].touch == Controller(url="http://pico.lab", port=6)  # type: ignore[union-attr]  # it is a key
    assert isinstance(rig_file.devices["token-1"], QrToken)
    assert rig_file.benches == {"desk": ("key-b", "token-1", "cam")}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("version = 1", "version = 2", "version: expected 1, found 2"),
        ("version = 1", "", "version: expected 1, found none"),
        ('kind = "camera"', 'kind = "webcam"', "devices.cam.kind: expected one of fido, .*, found webcam"),
        ("[devices.cam]", '[devices."A cam"]', "devices: Expected .*, found 'A cam'"),
        ("seed = 7", "seed = -1", "devices.key-a.emulated.seed: Expected `int` >= 0, found -1"),
        ("seed = 7", 'seed = "x"', "devices.key-a.emulated.seed: Expected .*, got `str`"),
        ("emulated = {", "emulatd = {", "devices.key-a: .*unknown field `emulatd`"),
        (
            "emulated = {",
            "attached = { match = { serial = '1' } }\nemulated = {",
            "devices.key-a: expected .*, found both",
        ),
        (', serial = "1234"', ', sereal = "1234"', "devices.key-b.attached.match: .*`sereal`"),
        ('by_id = "usb-Logitech_C920"', "", "devices.cam.attached.match: expected at least one of .*, found none"),
        ('camera = "cam"', 'camera = "key-b"', "devices.token-1: expected a camera of this file, found 'key-b'"),
        ('"token-1", "cam"]', '"token-2"]', "benches.desk: expected a device of this file, found 'token-2'"),
        ('"cam"]', '"cam"]\nother = ["cam"]', "benches.other: the device cam is on the bench desk already"),
        ("[9, 9]", "[9, -9]", r"devices.token-1.display.corners.2.1: Expected `float` >= 0.0, found -9"),
        ("port = 6", "port = 0", "devices.key-b.touch.port: Expected `int` >= 1, found 0"),
        ('by = "controller"', 'by = "foot"', "devices.key-b.touch.by: expected one of controller, relay, found 'foot'"),
        ("version = 1", 'version = "1"', "version: expected 1, found '1'"),
        ("version = 1", "version = true", "version: expected 1, found True"),
        (
            'kind = "dot-matrix"',
            'kind = "e-ink"',
            "devices.token-1.display.kind: expected one of dot-matrix, seven-segment, found 'e-ink'",
        ),
        (
            'pin = "55555" }',
            f'pin = "55555" }}\nlabels = ["{"x" * 900}"]',
            r"devices.key-b.labels.0: .*, found 'x{63}\.\.\.$",
        ),
        ("[benches]", "[benches", r"Expected .* \(at line"),
    ],
)
def test_each_mistake_is_a_sentence(path: Path, old: str, new: str, sentence: str) -> None:
    """It names the file, the place, what was expected and what was found."""
    assert DESK.count(old) == 1
    path.write_text(DESK.replace(old, new), "utf-8")
    with pytest.raises(RigError, match=rf"the rig file .*rig\.toml is wrong: {sentence}"):
        load_rig_file(path)


@pytest.mark.parametrize(("name", "value"), [("pin", "314159x"), ("seed_hex", "c0ffee0123456789" * 3 + "x")])
def test_a_mistake_in_a_pin_or_a_seed_does_not_repeat_it(path: Path, name: str, value: str) -> None:
    """A run's words are kept by CI, and a wrong one is mostly right."""
    path.write_text(DESK.replace('"QT1-00000042"', f'"QT1-00000042", {name} = "{value}"'), "utf-8")
    with pytest.raises(RigError, match=rf"attached\.{name}: Expected .*, found {len(value)} characters$") as caught:
        load_rig_file(path)
    assert value[:6] not in str(caught.value)


def test_all_mistakes_between_devices_are_told_at_once(path: Path) -> None:
    """One need not mend and try again for each."""
    path.write_text(DESK.replace('camera = "cam"', 'camera = "eye"').replace('"key-b", ', '"key-z", '), "utf-8")
    with pytest.raises(RigError, match=r"(?s)found 'eye'\n.*found 'key-z'"):
        load_rig_file(path)


def test_a_file_that_cannot_be_read_is_a_sentence(path: Path) -> None:
    """No traceback."""
    with pytest.raises(RigError, match=r"cannot read the rig file .*: No such file or directory"):
        load_rig_file(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RigError, match="is wrong: expected text in UTF-8"):
        load_rig_file(path)
    path.write_text("version = 1", "utf-8")
    with pytest.raises(RigError, match="is wrong: devices: expected at least one device, found none"):
        load_rig_file(path)
    path.write_text(f"version = 1\nx = {'[' * 9000}{']' * 9000}", "utf-8")
    with pytest.raises(RigError, match="is wrong: it has too many brackets"):
        load_rig_file(path)


def test_words_are_named_where_few_may_stand(path: Path) -> None:
    """Of a key's transports and of who touches it."""
    for entry, sentence in (
        ('emulated = { transport = "usb" }', "emulated.transport: expected one of in-process, pty, .*, found 'usb'"),
        ('emulated = {}\ntouch = "foot"', "touch: expected one of automatic, person, a table, found 'foot'"),
    ):
        path.write_text(f'version = 1\n[devices.key]\nkind = "fido"\n{entry}\n', "utf-8")
        with pytest.raises(RigError, match=rf"devices\.key\.{sentence}"):
            load_rig_file(path)


def test_a_file_of_an_editor_of_windows(path: Path) -> None:
    """Its mark at the beginning and its ends of lines."""
    path.write_bytes(b"\xef\xbb\xbf" + DESK.replace("\n", "\r\n").encode())
    assert "key-a" in load_rig_file(path).devices


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=12,
    )
)
def test_nonsense_is_refused_and_never_a_traceback(document: object) -> None:
    """Whatever stands in a device's table."""
    from authrig.rig_file.reading import _rig_file  # noqa: PLC0415 - what load_rig_file does after it has read the file

    with pytest.raises(ValueError, match=":"):
        _rig_file({"version": 1, "devices": {"a": document}})


def test_the_published_schema_says_the_same(path: Path) -> None:
    """A validator that knows only the schema takes the desk and refuses an unknown member."""
    schema = json.loads(json.dumps(json_schema()))
    desk = tomllib.loads(DESK)
    jsonschema.validate(desk, schema)
    jsonschema.validate(json.loads(msgspec.json.encode(DEFAULT)), schema)
    desk["devices"]["cam"]["zoom"] = 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(desk, schema)


def test_authrig_rig_check(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lists the devices; a wrong file is exit code 2 and a sentence."""
    path.write_text(DESK, "utf-8")
    assert main(["rig", "check", str(path)]) == 0
    assert "key-b: fido, attached\n" in capsys.readouterr().out
    assert main(["rig", "check", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["devices"]["key-a"]["emulated"]["seed"] == 7
    path.write_text("version = 3", "utf-8")
    assert main(["rig", "check", str(path)]) == 2
    assert "version: expected 1, found 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"yubikey-5.8"', '"yubikey-9"', "devices.key-a.emulated.profile: expected one of authrig-2.3, "),
        (
            'by = "camera", ',
            'by = "camera", profile = "nobody\'s", ',
            "devices.token-1.display.profile: expected one of ",
        ),
        (
            'attached = { serial = "QT1-00000042" }',
            'emulated = { preset = "moon" }',
            "devices.token-1.emulated.preset: ",
        ),
        (
            'attached = { match = { by_id = "usb-Logitech_C920" } }',
            'emulated = { preset = "x" }',
            "cam.emulated.preset: ",
        ),
    ],
)
def test_authrig_rig_check_knows_the_models(
    path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, sentence: str
) -> None:
    """A name that no model has is told with those that there are; other devices of the file are lent nevertheless."""
    assert old in DESK
    path.write_text(DESK.replace(old, new), "utf-8")
    assert set(load_rig_file(path).devices) == {"key-a", "key-b", "token-1", "cam"}
    assert main(["rig", "check", str(path)]) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert not told.out


def test_authrig_rig_scan_overwrites_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it writes is a right rig file; what somebody wrote stays."""
    assert main(["rig", "scan", "--output", str(path)]) == 0
    load_rig_file(path)
    assert main(["rig", "scan", "--output", str(path)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_authrig_rig_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints what an editor wants."""
    assert main(["rig", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(json_schema()))
