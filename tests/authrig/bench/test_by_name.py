from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from authrig.attached.inventory import Attachment
from authrig.bench import identity
from authrig.bench.bench import Bench, NoSuchDeviceError
from authrig.bench.identity import identity_of
from authrig.bench.leases import Leases
from authrig.errors import RigError
from authrig.ports.key import Key
from authrig.rig import Rig
from authrig.rig_file.entries import AttachedFido, AttachedScanner, AttachedToken, UsbMatch
from authrig.rig_file.reading import load_rig_file
from emulators.env import Env, SeededRandom
from tests.hil_tests.token_bench import SERIAL, token_bench

RIG = """
version = 1
devices.server = {{ kind = "server", emulated = {{}} }}
devices.old = {{ kind = "fido", emulated = {{ profile = "minimal-2.0" }} }}
devices.new = {{ kind = "fido", emulated = {{}} }}
devices.desk = {{ kind = "scanner", emulated = {{}} }}
devices.cam = {{ kind = "camera", emulated = {{}} }}
[devices.real]
kind = "qr-token"
attached = {{ serial = "{serial}", seed_hex = "{seed}" }}
picture = {{ by = "console", serial_port = "{line}" }}
keys = {{ by = "console", serial_port = "{line}" }}
display = {{ by = "console", serial_port = "{line}" }}
"""
Opened = Callable[..., Bench]


@pytest.fixture
def rig_file(tmp_path: Path) -> Iterator[Path]:
    """Emulated keys, scanner and camera, and a token on a line."""
    with token_bench("dot_matrix_128x64", Env.simulated(1)) as bench:
        path = tmp_path / "rig.toml"
        path.write_text(RIG.format(serial=SERIAL, seed=bytes(32).hex(), line=bench.console), "utf-8")
        yield path


@pytest.fixture
def opened(rig_file: Path, tmp_path: Path) -> Opened:
    """Makes a bench of that file."""

    def make(mode: str = "prefer-attached") -> Bench:
        leases = Leases(tmp_path / "leases")
        return Bench(load_rig_file(rig_file), SeededRandom(7), lambda _: None, mode, leases=leases)  # type: ignore[arg-type]  # one of the modes

    return make


def test_a_device_is_lent_by_the_name_that_the_rig_file_has_for_it(opened: Opened) -> None:
    """And not another one of its kind; asked for again it is the same one, until it is taken back."""
    with opened() as bench:
        old = bench.device("old")
        assert isinstance(old, Key)
        assert (old.name, "FIDO_2_1" in old.capabilities()) == ("old", False)
        assert bench.device("old") is old
        assert bench.device("new") is not old
        assert bench.qr_token("whoever's", "real").serial == SERIAL
        assert "synthetic" in bench.device("cam").name  # type: ignore[union-attr]  # it is a camera
        bench.take_back()
        assert bench.device("old") is not old


@pytest.mark.parametrize("name", ["nobody", "server", ""])
def test_a_name_that_is_none_is_a_sentence_with_those_that_are(opened: Opened, name: str) -> None:
    """A server is no device that is lent."""
    with opened() as bench, pytest.raises(NoSuchDeviceError, match=rf"\(old, new, desk, cam, real\), found '{name}'"):
        bench.device(name)


def test_a_device_is_lent_once(opened: Opened) -> None:
    """Whoever wants it besides is told; so is who wants one of the other mode, or another run."""
    with opened() as bench, opened() as other_run:
        bench.device("real")
        with pytest.raises(RigError, match="real is lent already"):
            bench.qr_token("QT1-00000001", "real")
        with pytest.raises(RigError, match="real is leased to another run"):
            other_run.device("real")
        assert isinstance(other_run.device("new"), Key)
    with opened("emulated") as bench, pytest.raises(RigError, match="real is attached, and only emulated devices are"):
        bench.device("real")
    with opened("attached") as bench, pytest.raises(RigError, match="new is emulated, and only attached devices are"):
        bench.device("new")


def test_a_device_that_cannot_be_opened_is_nobodys(opened: Opened, rig_file: Path) -> None:
    """Its lease is given back at once, so that somebody else may mend and take it."""
    text = rig_file.read_text("utf-8")
    rig_file.write_text(text.replace(SERIAL, "QT1-00000099"), "utf-8")
    with opened() as bench, pytest.raises(RigError, match="expected the token QT1-00000099, found 'QT1-00000042'"):
        bench.device("real")
    with opened() as bench:
        with pytest.raises(RigError, match="expected the token"):
            bench.device("real")
        with opened() as other_run, pytest.raises(RigError, match="expected the token"):
            other_run.device("real")


def test_a_rig_lends_ports_by_name(rig_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test does with rig.device and rig.give_qr_token."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with Rig(tmp_path, 7, load_rig_file(rig_file)) as rig:
        assert rig.device("real").capabilities() >= {"console", "words"}  # type: ignore[union-attr]  # it is a token
        rig.take_back()
        assert rig.give_qr_token(rig.enrol("alice"), "QT1-00000001", "real").name == "real"


def test_one_device_has_one_identity_by_whatever_it_is_matched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two rig files that know it by different words do not meet at it."""
    key = Attachment("fido", Path("/dev/hidraw3"), "Key", "1234", 0x1050, 0x0407, "1-2.3", ())
    monkeypatch.setattr(identity, "inventory", lambda: (key,))
    matches = (UsbMatch(serial="1234"), UsbMatch(usb_path="1-2.3"), UsbMatch(vendor=0x1050, product=0x0407))
    assert len({identity_of("a key", AttachedFido(match=match)) for match in matches}) == 1
    (tmp_path / "by-id").symlink_to("/dev/null")
    lines = (AttachedScanner(family="plain", port=port) for port in ("/dev/null", str(tmp_path / "by-id")))
    assert len({identity_of("a reader", line) for line in lines}) == 1
    assert identity_of("a", AttachedToken(serial="1")) != identity_of("a", AttachedToken(serial="2"))
