"""What the pages about the bench say is so."""

import re
from pathlib import Path

import pytest

from authrig.cli import build_parser
from authrig.control import api
from authrig.control.guard import Guard
from authrig.control.happenings import KEPT, Kind
from authrig.control.open_bench import OpenBench
from tests.authrig.control.conftest import rig_file_of

ROOT = Path(__file__).parents[3]
SEAMS, REFERENCE, HOW_TO = (
    (ROOT / "docs" / name).read_text("utf-8")
    for name in ("explanation/seams.md", "reference/control-api.md", "how-to/run-a-bench.md")
)


def test_every_seam_is_where_the_page_says() -> None:
    """Each name in the table stands in its file."""
    rows = re.findall(r"^\| [^|]* \| [^|]* \| (.*) \| `(\S+\.py)` \| `\S+` \|$", SEAMS, re.MULTILINE)
    assert len(rows) > 15
    for seam, file in rows:
        source = (ROOT / file).read_text("utf-8")
        for name in re.findall(r"`(\w+)`", seam):
            assert re.search(rf"\b{name}\b", source), f"{name} is not in {file}"


def test_the_example_loses_reports(capsys: pytest.CaptureFixture[str]) -> None:
    """As its comment says."""
    (example,) = re.findall(r"```python\n(.*?)```", SEAMS, re.DOTALL)
    exec(compile(example, "seams.md", "exec"), {"__name__": "example"})  # noqa: S102 - the example is our own text
    assert example.endswith(f"# {capsys.readouterr().out}")


def test_every_call_is_in_the_reference() -> None:
    """By method and path, and no other is."""
    bench = OpenBench(rig_file_of({"key": {"kind": "fido", "emulated": {}}}))
    routes = api.ControlApi(bench, Guard(), 1).app.routes
    served = {
        (method, re.sub(r"\{(\w+)\}", lambda name: name[1].upper(), route.path))  # type: ignore[attr-defined]  # each is a Route
        for route in routes
        for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]  # as above
    }
    calls = {("GET", path) for path in api.FILES} | {
        ("POST", "/login"),
        ("GET", "/USB/WHAT/POSITION"),
        ("GET", "/controller/SECRET/USB/WHAT/POSITION"),
    }
    documented = set(re.findall(r"`(GET|POST|DELETE) (/(?:devices|events|controller)[^`]*?)`", REFERENCE))
    assert served - calls == {call for call in documented if "usbN" not in call[1]}
    assert f"The last {KEPT:,} are kept" in REFERENCE
    assert all(f"`{kind}`" in REFERENCE for kind in Kind.__args__)  # type: ignore[attr-defined]  # Literal has them


@pytest.mark.parametrize("command", ["rig up", "rig top"])
def test_every_option_is_on_a_page(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The how-to or the list of commands has it."""
    with pytest.raises(SystemExit):
        build_parser().parse_args([*command.split(), "--help"])
    options = set(re.findall(r"--[a-z]+", capsys.readouterr().out)) - {"--help"}
    pages = HOW_TO + (ROOT / "docs/reference/cli.md").read_text("utf-8")
    assert all(option in pages for option in options)
