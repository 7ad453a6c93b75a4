import json

import pytest

from authrig.hil.report import Case, SuiteReport, as_json, as_list, as_page, by_area

pytest_plugins = ["pytester"]

SUITE = """
    import pytest

    def describe(request, **properties):
        request.node.user_properties += list(properties.items())

    @pytest.fixture(autouse=True)
    def case(request):
        describe(request, area="Doors", title="A door & its lock", clause="D 1 §2", needs="hinges")
        yield
        describe(request, exchange="knock\\n<who is there>")

    def test_open(): pass

    @pytest.mark.parametrize("n", [1, 2])
    def test_shut(n): assert n == 1, "it is ajar"

    def test_window(): pytest.skip("the house has no windows")

    @pytest.fixture
    def broken(): raise OSError("the bell is gone")

    def test_bell(broken): pass
"""


@pytest.fixture
def report(pytester: pytest.Pytester) -> SuiteReport:
    """The report of a small suite."""
    report = SuiteReport()
    pytester.makepyfile(SUITE)
    pytester.inline_run("-p", "no:terminal", plugins=[report])
    return report


def test_cases_end_in_one_of_three_ways(report: SuiteReport) -> None:
    """A failure in a fixture is one too; a skip is not applicable, and says why."""
    assert {case.name: (case.outcome, case.why.splitlines()[:1]) for case in report.cases} == {
        "test_open": ("passed", []),
        "test_shut[1]": ("passed", []),
        "test_shut[2]": ("failed", ["AssertionError: it is ajar"]),
        "test_window": ("not applicable", ["the house has no windows"]),
        "test_bell": ("failed", ["OSError: the bell is gone"]),
    }


def test_what_a_case_is_about_comes_with_it(report: SuiteReport) -> None:
    """Area, title, clause, needs, and what was said."""
    case = next(case for case in report.cases if case.outcome == "failed")
    assert (case.area, case.title, case.clause, case.needs) == ("Doors", "A door & its lock", "D 1 §2", "hinges")
    assert case.exchange == ("knock", "<who is there>")


def test_each_case_is_told_as_it_ends(pytester: pytest.Pytester) -> None:
    """With how many there are, for a progress bar."""
    told: list[tuple[str, int]] = []
    pytester.makepyfile("def test_a(): pass\ndef test_b(): pass")
    pytester.inline_run("-p", "no:terminal", plugins=[SuiteReport(lambda case, total: told.append((case.name, total)))])
    assert told == [("test_a", 2), ("test_b", 2)]


def test_the_page_shows_all_and_escapes(report: SuiteReport) -> None:
    """Nothing that a device says becomes markup."""
    page = as_page("house", report.cases, "Rig: <none>")
    assert "&lt;who is there&gt;" in page
    assert "<who" not in page
    assert "2 passed, 2 failed, 1 not applicable" in page
    assert "the house has no windows" in page
    assert "http" not in page.partition("<body>")[0]


def test_the_document_counts(report: SuiteReport) -> None:
    """By outcome and by area, and each case whole."""
    document = json.loads(json.dumps(as_json("house", report.cases)))
    assert document["passed"] is False
    assert document["counts"] == document["areas"]["Doors"] == {"passed": 2, "failed": 2, "not applicable": 1}
    assert len(document["cases"]) == 5
    assert by_area(report.cases)["Doors"]["failed"] == 2


def test_the_list_has_a_row_for_each_case() -> None:
    """Variants share one, with the needs of all of them."""
    cases = [
        Case(f"test_shut_door[{n}]", "Doors", "It | shuts.", "D §2", needs, "not applicable")
        for n, needs in enumerate(("hinges", "hinges, lock"))
    ]
    assert as_list(cases).splitlines() == [
        "## Doors (2)",
        "",
        "| case | clause | needs |",
        "|---|---|---|",
        "| **shut door** (2 variants): It \\| shuts. | D §2 | hinges, lock |",
    ]
