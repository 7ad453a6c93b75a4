import re
import subprocess
from pathlib import Path

import pytest

from tests.vm.conftest import run, settle, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "plug-the-key-in.md"


def test_the_page_about_plugging_in_tells_the_truth(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its three examples run one after another and print what they say; its commands attach the key meanwhile."""
    page = PAGE.read_text(encoding="utf-8")
    attach = re.findall(r"^sudo (usbip .*)$", page, re.MULTILINE)
    listed = list[str]()

    def enter(_: str) -> None:
        for command in attach:
            run(*command.split())
        listed.append(wait_for(lambda: run("fido2-token", "-L")))

    monkeypatch.setattr("builtins.input", enter)
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 3
    namespace: dict[str, object] = {}
    for example in examples:
        exec(compile(example, str(PAGE), "exec"), namespace)  # noqa: S102 - the examples are our own text
    uhid, usbip, tcp = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"/dev/hidraw\d+", uhid)
    assert usbip == "('127.0.0.1', 3240) 1-1"
    assert re.fullmatch(r"\('127\.0\.0\.1', \d+\)", tcp)
    assert "vendor=0x1209, product=0x0001 (Authrig Authrig test key)" in listed[0]


def test_the_rule_is_valid_udev() -> None:
    """Udev itself reads it: the path is the one that the page prints, and its words are known."""
    printed = re.search(r"python -c '([^']+)'", PAGE.read_text(encoding="utf-8"))
    assert printed is not None
    rule = Path(run("python", "-c", printed[1]).strip())
    folder = Path("/run/udev/rules.d")
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / rule.name
    copy.write_bytes(rule.read_bytes())
    try:
        subprocess.run(["udevadm", "control", "--reload"], check=True)
        said = run("udevadm", "test", "/sys/devices/virtual/misc/uhid")
        run("udevadm", "trigger", "--sysname-match=uhid")
        settle()
        assert Path("/dev/uhid").stat().st_mode & 0o777 == 0o660
        assert Path("/dev/uhid").group() == "plugdev"
        assert "uaccess" in said
    finally:
        copy.unlink()
        subprocess.run(["udevadm", "control", "--reload"], check=True)
