import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import serial

from emulators.camera_scanner.barcode_readers.hid.layout import layout_names, load_layout
from emulators.camera_scanner.barcode_readers.hid.mangling import mangled, survivors

PAGE = Path(__file__).parents[2] / "docs/how-to/barcode-reader.md"
TEXT = PAGE.read_text(encoding="utf-8")
LAYOUTS = {name: load_layout(name) for name in layout_names()}
ASCII = "".join(map(chr, range(0x21, 0x7F)))
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def mangling_table() -> str:
    """The characters that arrive as others somewhere, and below each what it becomes."""
    us = LAYOUTS["us"]
    troubled = [
        character for character in ASCII if any(mangled(character, us, h) != character for h in LAYOUTS.values())
    ]
    lines = [f"{'typed':<8}{''.join(troubled)}"]
    lines += [
        f"{name:<8}" + "".join(mangled(character, us, host) or "·" for character in troubled)
        for name, host in LAYOUTS.items()
        if host is not us
    ]
    return "\n".join(["```text", *lines, "```"])


def base45_table() -> str:
    """How much of base45 survives, for each pair."""
    rows = [f"| | {' | '.join(LAYOUTS)} |", "| --- |" + " --- |" * len(LAYOUTS)]
    rows += [
        f"| {name} | {' | '.join(str(len(survivors(BASE45, reader, host))) for host in LAYOUTS.values())} |"
        for name, reader in LAYOUTS.items()
    ]
    return "\n".join(rows)


@pytest.mark.parametrize(("name", "table"), [("mangling", mangling_table()), ("base45", base45_table())])
def test_the_tables_are_what_the_layouts_say(name: str, table: str) -> None:
    """A table that is out of date is printed here as it should be."""
    found = re.search(rf"<!-- {name}: .*? -->\n(.*?)\n?<!-- end -->", TEXT, re.DOTALL)
    assert found
    assert found[1] == table, f"it should be:\n{table}"


def test_the_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, as they stand on the page; they print a terminal and a bus."""
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(block, names)  # noqa: S102 - our own page
    assert re.fullmatch(r"/dev/pts/\d+\n1-1\n", capsys.readouterr().out)


def test_the_command_runs() -> None:
    """What is written to it is read at the terminal that it prints."""
    found = re.search(r"\$ echo '(.*?)' \| authrig (.*)\n/dev/pts/", TEXT)
    assert found
    program = Path(sys.executable).with_name("authrig")
    command = subprocess.Popen(
        [str(program), *found[2].split()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with command:
        assert command.stdin is not None
        assert command.stdout is not None
        command.stdin.write(f"{found[1]}\n")
        command.stdin.close()
        with serial.Serial(command.stdout.readline().strip(), 9600, timeout=30) as port:
            assert port.read(len(found[1]) + 1) == f"{found[1]}\r".encode()
        command.send_signal(signal.SIGINT)
    assert command.returncode == 0
