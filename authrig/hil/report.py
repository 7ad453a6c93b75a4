"""The report of a suite, in the manner of a conformance tool: passed, failed, not applicable, and why.

``SuiteReport`` is a pytest plugin that gathers the cases of a run; what a case is about it reads from the properties
that ``hil_tests/conftest.py`` writes down, so it works with pytest-xdist too.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Final, Literal

import pytest

Outcome = Literal["passed", "failed", "not applicable"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("passed", "failed", "not applicable")


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a suite.

    ``needs`` are the capabilities that it wants; ``why`` is a sentence, empty where it passed; ``exchange`` is what host
    and device said to each other, of a failed case; ``evidence`` the folder in which more of it is kept.
    """

    name: str
    area: str
    title: str
    clause: str
    needs: str
    outcome: Outcome
    why: str = ""
    exchange: tuple[str, ...] = ()
    evidence: str = ""
    seconds: float = 0.0


class SuiteReport:
    """Gathers cases; ``on_case`` is told of each as it ends, with how many there will be in all."""

    def __init__(self, on_case: Callable[[Case, int], None] | None = None) -> None:
        self.cases: list[Case] = []
        self.listed: list[Case] = []
        """All cases that were found, run or not; a case without an outcome yet counts as not applicable."""
        self._on_case = on_case
        self._reports: dict[str, list[pytest.TestReport]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know what there is."""
        self.listed = [_case(item.nodeid, dict(item.user_properties), "not applicable") for item in session.items]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of a test; the last one ends the case."""
        phases = self._reports.setdefault(report.nodeid, [])
        phases.append(report)
        if report.when == "teardown":
            del self._reports[report.nodeid]
            case = _finished(phases)
            self.cases.append(case)
            if self._on_case is not None:
                self._on_case(case, len(self.listed))


def _finished(phases: Sequence[pytest.TestReport]) -> Case:
    failed = next((phase for phase in phases if phase.failed), None)
    skipped = next((phase for phase in phases if phase.skipped), None)
    outcome: Outcome = "failed" if failed else "not applicable" if skipped else "passed"
    ended = failed or skipped
    why = "" if ended is None else _sentence(ended)
    return _case(
        phases[-1].nodeid, dict(phases[-1].user_properties), outcome, why, sum(phase.duration for phase in phases)
    )


def _case(node: str, properties: dict[Any, Any], outcome: Outcome, why: str = "", seconds: float = 0.0) -> Case:
    """The case of a test of pytest; one that does not say its area is of that of its file."""
    test, bracket, parameters = _writable(node).partition("[")
    file, _, name = test.rpartition("::")
    name += bracket + parameters
    exchange = str(properties.get("exchange", ""))
    return Case(
        name=name,
        area=str(properties.get("area", file or "other")),
        title=str(properties.get("title", name)),
        clause=str(properties.get("clause", "")),
        needs=str(properties.get("needs", "")),
        outcome=outcome,
        why=_writable(why),
        exchange=tuple(exchange.splitlines()),
        evidence=str(properties.get("authrig-evidence", "")),
        seconds=seconds,
    )


def _writable(text: str) -> str:
    """The half of a character, as names of files may have, is no text that a page or a document can hold."""
    return text.encode("utf-8", "backslashreplace").decode()


def _sentence(report: pytest.TestReport) -> str:
    """What ended a test, in a line."""
    long = report.longrepr
    if isinstance(long, tuple):
        return str(long[2]).removeprefix("Skipped: ")
    crash = getattr(long, "reprcrash", None)
    text = str(crash.message if crash is not None else long).strip()
    return text.splitlines()[0].removeprefix("Failed: ") if text else "no reason was given"


def by_area(cases: Sequence[Case]) -> dict[str, Counter[Outcome]]:
    """How many of each area ended how, in the order of the cases."""
    areas: dict[str, Counter[Outcome]] = {}
    for case in cases:
        areas.setdefault(case.area, Counter())[case.outcome] += 1
    return areas


def as_json(suite: str, cases: Sequence[Case]) -> dict[str, Any]:
    """What a script wants to know."""
    counts = Counter(case.outcome for case in cases)
    return {
        "suite": suite,
        "passed": not counts["failed"],
        "counts": {outcome: counts[outcome] for outcome in OUTCOMES},
        "areas": {area: {outcome: found[outcome] for outcome in OUTCOMES} for area, found in by_area(cases).items()},
        "cases": [asdict(case) for case in cases],
    }


def as_page(suite: str, cases: Sequence[Case], rig: str) -> str:
    """One HTML page, no script, nothing loaded from anywhere; ``rig`` says what it ran on."""
    import jinja2  # noqa: PLC0415 - only where a page is wanted

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("authrig.hil"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template("suite.html.j2").render(
        suite=suite,
        rig=rig,
        cases=cases,
        areas=by_area(cases),
        outcomes=OUTCOMES,
        counts=Counter(case.outcome for case in cases),
        version=version("authrig"),
        made=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def as_list(cases: Sequence[Case]) -> str:
    """The cases in Markdown: by area, each with its clause and what it needs; variants of one case stand in one row."""
    rows: dict[str, dict[str, tuple[Case, int, set[str]]]] = {}
    for case in cases:
        test = case.name.partition("[")[0]
        _, count, needs = rows.setdefault(case.area, {}).get(test, (case, 0, set()))
        rows[case.area][test] = (case, count + 1, needs | set(filter(None, case.needs.split(", "))))
    lines = []
    for area, tests in rows.items():
        total = sum(count for _, count, _ in tests.values())
        lines += [f"## {area} ({total})", "", "| case | clause | needs |", "|---|---|---|"]
        for test, (case, count, needs) in tests.items():
            times = f" ({count} variants)" if count > 1 else ""
            name = test.removeprefix("test_").replace("_", " ")
            title = case.title.replace("|", "\\|")
            lines.append(f"| **{name}**{times}: {title} | {case.clause} | {', '.join(sorted(needs))} |")
        lines.append("")
    return "\n".join(lines)
