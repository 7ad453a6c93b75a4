from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from authrig.errors import RigError
from authrig.keys.key_file import KeyFile
from authrig.yubico.cables import Cable
from authrig.yubico.plugin import CONTROL
from emulators.fido_authenticator.profile import load
from emulators.fido_authenticator.transports.uhid import LONGEST_MESSAGE
from emulators.fido_authenticator.user import AutomaticUser


@pytest.fixture
def usbip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a script in the place of the command `usbip`."""
    folder = tmp_path / "sbin"
    folder.mkdir()
    monkeypatch.setattr("authrig.yubico.cables.SYSTEM_FOLDERS", str(folder))

    def make(script: str) -> None:
        (folder / "usbip").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "usbip").chmod(0o755)

    return make


@pytest.fixture
def key(tmp_path: Path) -> Iterator[KeyFile]:
    """A new key."""
    key = KeyFile.create(tmp_path / "new.key")
    yield key
    key.close()


def test_on_a_terminal_the_control_api_says_where_the_key_is(key: KeyFile) -> None:
    """There is no node to find, and the key is as its profile says."""
    with closing(Cable("pty")) as cable:
        assert cable.settings("http://here") == {CONTROL: "http://here"}
        assert cable.fit(key) is key


@pytest.mark.parametrize(("transport", "longest"), [("uhid", LONGEST_MESSAGE), ("usbip", load().limits.max_msg_size)])
def test_where_the_kernel_has_the_key_the_suite_finds_it_by_itself(key: KeyFile, transport: str, longest: int) -> None:
    """Messages are as long as the wire carries them; fragments and a reset may take their time."""
    with closing(Cable(transport)) as cable:
        assert cable.settings("http://here") == {}
        fitted = cable.fit(key).profile
    assert fitted.limits.max_msg_size == longest
    assert fitted.timing.fragment > key.profile.timing.fragment
    assert fitted.timing.reset_window > key.profile.timing.reset_window


def test_each_time_the_key_is_plugged_in_it_is_attached(
    key: KeyFile, tmp_path: Path, usbip: Callable[[str], None]
) -> None:
    """By the distribution's own command, with the address where the key is on offer."""
    log = tmp_path / "log"
    usbip(f'echo "$@" >>"{log}"')
    with closing(Cable("usbip")) as cable:
        port = cable.port(key, AutomaticUser())
        for _ in range(2):
            port.power_on()
            assert port.address is not None
            address, _, busid = port.address.partition("/")
            host, _, number = address.partition(":")
            port.power_off()
    assert log.read_text() == f"--tcp-port {number} attach --remote {host} --busid {busid}\n" * 2


def test_a_kernel_that_does_not_take_the_key_is_told_in_a_sentence(key: KeyFile, usbip: Callable[[str], None]) -> None:
    """With the command's own words; the key is unplugged again."""
    usbip("echo 'usbip: error: open vhci_driver' >&2; exit 1")
    with closing(Cable("usbip")) as cable:
        port = cable.port(key, AutomaticUser())
        with pytest.raises(RigError, match="usbip: error: open vhci_driver; is vhci-hcd loaded, and are you root"):
            port.power_on()
        assert port.address is None


def test_a_command_that_hangs_is_given_up(
    key: KeyFile, usbip: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time that it may take."""
    monkeypatch.setattr("authrig.yubico.cables._PATIENCE", 0.2)
    usbip("exec sleep 60")
    with closing(Cable("usbip")) as cable, pytest.raises(RigError, match=r"usbip did not attach .* within 0\.2 s"):
        cable.port(key, AutomaticUser()).power_on()
