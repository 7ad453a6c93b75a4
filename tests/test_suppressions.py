import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("authrig", "benchmarks", "emulators", "fuzz", "hil_tests", "offline_qr", "server_stub", "tests", "tools")
RULE_WITHOUT_REASON = re.compile(r"# (noqa(: [A-Z]+\d+(, ?[A-Z]+\d+)*)?|type: ignore(\[[\w, -]+\])?)\s*$")


def test_every_exception_from_a_rule_has_its_reason_beside_it() -> None:
    """Whoever reads the line can judge whether it still holds (CONTRIBUTING.md, Habits)."""
    lines = {
        f"{path.relative_to(ROOT)}:{number}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if RULE_WITHOUT_REASON.search(line)
    }
    assert sorted(lines) == []
