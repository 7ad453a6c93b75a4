"""What a run keeps of its tests: logs that two runs write alike, captures, and a page that knows the run before."""

import json
import subprocess
from pathlib import Path

import pytest

from authrig.cli import main
from authrig.errors import RigError
from authrig.evidence.folder import keep
from authrig.evidence.recorder import Picture, Recorder
from authrig.evidence.run_report import read_page

pytest_plugins = ["pytester"]

TESTS = """
    import pytest
    from authrig.pictures import picture_from_png, print_code
    from emulators.hwtoken.keys import Button

    def test_token(qr_token):
        qr_token.scan(picture_from_png(print_code("https://example.ch/")))
        qr_token.press(Button.CANCEL)
        qr_token.wait(5)
        assert qr_token.press(Button.CANCEL).state == "off"

    def test_scanner(scanner, evidence):
        read = scanner.scan(picture_from_png(print_code("A BADGE")))
        evidence.expect("what was read", "A BADGE", read.decode())

    def test_key(key):
        assert key.capabilities()

    def test_flaky(key, evidence):
        evidence.expect("a step", "one", {found!r})

    def test_server(rig):
        rig.enrol("alice")
"""


def _run(pytester: pytest.Pytester, name: str, found: str, *options: str) -> Path:
    """The evidence of a run in which the flaky test found this."""
    pytester.makepyfile(test_it=TESTS.format(found=found))
    pytester.runpytest_subprocess(
        *("--hil-seed", "7", "--hil-clock", "simulated", "--hil-evidence", "always", "--hil-artifacts", name, *options)
    ).assert_outcomes(passed=4 + (found == "one"), failed=int(found != "one"))
    return pytester.path / name


def test_two_runs_with_one_seed(pytester: pytest.Pytester) -> None:
    """Token, scanner and key: the same bytes; the one that is not alike is compared by what it means."""
    first = _run(pytester, "first", "one", "--hil-report", "first.html")
    second = _run(pytester, "second", "two", "--hil-report", "second.html", "--hil-report-before", "first.html")
    for name in ("test_it.py_test_token", "test_it.py_test_scanner", "test_it.py_test_key"):
        assert (first / name / "events.jsonl").read_bytes() == (second / name / "events.jsonl").read_bytes()
        assert (first / name / "events.jsonl").stat().st_size > 500
    assert main(["compare", str(first), str(second)]) == 0

    about = json.loads((first / "test_it.py_test_token" / "about.json").read_text())
    assert (about["seed"], about["clock"], about["test"]) == (7, "simulated", "test_it.py::test_token")
    assert {"authrig", "python"} <= set(about["versions"])
    audit = (first / "test_it.py_test_server" / "audit.jsonl").read_text().splitlines()
    assert any("admin.user.add" in row for row in audit)
    assert not (first / "test_it.py_test_token" / "audit.jsonl").exists()

    page = (pytester.path / "second.html").read_text()
    assert "Since the run of" in page
    assert page.count("was passed") == 1
    assert "data:image/jpeg;base64," in page
    assert len(page) < 500_000
    assert "http://" not in page
    assert read_page(pytester.path / "second.html").tests["test_it.py: test_flaky"].outcome == "failed"


@pytest.mark.needs("tshark")
def test_a_keys_reports_open_in_wireshark(pytester: pytest.Pytester) -> None:
    """The capture has the name of the test in a comment, and names the commands."""
    folder = _run(pytester, "kept", "one") / "test_it.py_test_key"
    command = ["tshark", "-r", str(folder / "keys.pcapng"), "-T", "fields", "-e", "frame.comment"]
    comments = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "test_it.py::test_key" in comments
    assert "authenticatorGetInfo" in comments


def test_a_page_of_another_kind_is_refused(pytester: pytest.Pytester) -> None:
    """Before anything runs, with a sentence."""
    (pytester.path / "page.html").write_text("<html></html>")
    with pytest.raises(RigError, match="expected a page that --hil-report wrote"):
        read_page(pytester.path / "page.html")
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess("--hil-report", "new.html", "--hil-report-before", "page.html")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*expected a page that --hil-report wrote*"])


def test_a_page_that_cannot_be_written_fails_the_run(pytester: pytest.Pytester) -> None:
    """After the tests' own results, with a sentence."""
    (pytester.path / "file").write_text("")
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess("--hil-report", "file/page.html")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*no page on the run: file/page.html: cannot be written*", "*1 passed*"])


ODD = """
    import pytest

    @pytest.mark.parametrize("sign", ["<", ">", "x" * 30, "y" * 30 * 8], ids=str)
    def test_sign(key, evidence, sign):
        evidence.expect("a sign", sign, sign)

    def test_half_a_character(key, evidence):
        evidence.expect("what was read", "\\udcff", "\\udcff")
        raise ValueError("\\udcff")
"""


def test_every_test_has_a_folder_of_its_own(pytester: pytest.Pytester) -> None:
    """Whatever its parameters are; and half a character, as names of files may have, spoils no evidence and no page."""
    pytester.makepyfile(test_odd=ODD, test_also="def test_half_a_character(): pass")
    result = pytester.runpytest_subprocess(
        *("--hil-evidence", "always", "--hil-artifacts", "kept", "--hil-report", "a.html", "--tb=no", "-rN")
    )
    result.assert_outcomes(passed=5, failed=1)
    about = [json.loads(path.read_text())["test"] for path in (pytester.path / "kept").glob("*/about.json")]
    assert len(about) == len(set(about)) == 5
    steps = json.loads((pytester.path / "kept/test_odd.py_test_half_a_character/steps.json").read_text())
    assert steps[0]["found"] == "\udcff"
    tests = read_page(pytester.path / "a.html").tests
    assert len(tests) == 6
    assert tests["test_odd.py: test_half_a_character"].outcome == "failed"
    assert tests["test_also.py: test_half_a_character"].outcome == "passed"


def test_a_folder_has_nothing_of_an_earlier_run(tmp_path: Path) -> None:
    """Its pictures and rows are not this run's; what somebody else put there stays."""
    (tmp_path / "notes.txt").write_text("mine")
    before, after = Recorder(), Recorder()
    before.exhibit(Picture("a screen", b"png"))
    keep(before, tmp_path, "test_it", {}, [{"event": "somebody logged in"}])
    assert {"0001.png", "audit.jsonl"} <= {path.name for path in tmp_path.iterdir()}
    keep(after, tmp_path, "test_it", {})
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "events.jsonl", "steps.json", "about.json"}
