import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from authrig.cli import build_parser
from emulators.usb.usbip_server import UsbIpServer

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (HOW_TO / page).read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.needs("chromium")
def test_the_test_on_the_page_about_webcams_passes(tmp_path: Path) -> None:
    """As a user would run it: in a folder of its own, with nothing but the plugin."""
    (tmp_path / "test_page.py").write_text(_blocks("be-a-webcam.md", "python")[0])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_the_conftest_on_the_page_names_a_fixture_that_is_there(fake_webcam_of_session: object) -> None:
    """By the name that the page has."""
    assert hasattr(fake_webcam_of_session, "launch_options")
    assert "fake_webcam_of_session.launch_options" in _blocks("be-a-webcam.md", "python")[1]


def test_the_commands_on_the_page_are_commands() -> None:
    """The command line takes each of them."""
    lines = [line for line in _blocks("be-a-webcam.md", "console")[0].splitlines() if line.startswith("authrig ")]
    assert len(lines) == 5
    for line in lines:
        assert build_parser().parse_args(shlex.split(line, comments=True)[1:]).command == "webcam"


def test_the_examples_about_usb_devices_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other, with what stands in their comments; the bus takes a free port here."""
    served = list[UsbIpServer]()

    class OnAnyPort(UsbIpServer):
        def __init__(self) -> None:
            super().__init__(port=0)
            served.append(self)

    monkeypatch.setattr("builtins.input", lambda _: None)
    namespace: dict[str, object] = {}
    first, second = _blocks("usb-devices.md", "python")
    monkeypatch.setattr("emulators.usb.usbip_server.UsbIpServer", OnAnyPort)
    exec(compile(first, "usb-devices.md", "exec"), namespace)  # noqa: S102 - the examples are our own text
    monkeypatch.undo()
    namespace["UsbIpServer"] = UsbIpServer
    exec(compile(second, "usb-devices.md", "exec"), namespace)  # noqa: S102 - as above
    assert capsys.readouterr().out.splitlines() == [f"{served[0].address} 1-1", "1-1 9600"]
