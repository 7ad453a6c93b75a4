from pathlib import Path

import pytest

from authrig.errors import RigError
from authrig.yubico.ledger import Expected, Result, Run, compare, load
from authrig.yubico.run import LEDGER
from emulators.fido_authenticator.profile import names

SKIP = Expected("tests/test_a.py::*", "skipped", "no sensor", "it has none")


def _run(*expected: Expected, collected: int = 1) -> Run:
    return Run("authrig", collected, expected=expected)


def test_a_run_as_foreseen_is_no_news() -> None:
    """Passed tests, and a skip that an entry explains."""
    results = [
        Result("tests/test_a.py::one[x-y]", "skipped", "there is no sensor"),
        Result("tests/test_b.py::two", "passed"),
    ]
    assert compare(_run(SKIP, collected=2), results) == []


@pytest.mark.parametrize(
    ("result", "news"),
    [
        (
            Result("tests/test_b.py::two", "failed", "E boom"),
            "test_b.py::two: failed, which the ledger does not expect: E boom",
        ),
        (Result("tests/test_a.py::one", "failed", "no sensor"), "test_a.py::one: failed"),
        (Result("tests/test_a.py::one", "skipped", "bad mood"), "test_a.py::one: skipped"),
    ],
)
def test_what_no_entry_explains_is_news(result: Result, news: str) -> None:
    """Another test, another outcome, or another reason."""
    assert any(news in sentence for sentence in compare(_run(SKIP), [result]))


def test_an_entry_that_no_longer_holds_is_news() -> None:
    """A ledger only ever shrinks if somebody says that it can."""
    assert compare(_run(SKIP), [Result("tests/test_a.py::one", "passed")]) == [
        "ledger entry tests/test_a.py::* (no sensor): no longer holds for any test"
    ]
    assert compare(_run(SKIP), [Result("tests/test_b.py::two", "passed")]) == [
        "ledger entry tests/test_a.py::*: there is no such test"
    ]


def test_a_suite_that_shrinks_is_news() -> None:
    """Tests that were not collected did not pass."""
    assert compare(_run(collected=366), [Result("t", "passed")]) == ["expected 366 tests, found 1"]


def test_brackets_are_letters_of_a_name() -> None:
    """Parametrized tests can be named exactly."""
    entry = Expected("t.py::a[x]", "skipped", "", "")
    assert entry.explains(Result("t.py::a[x]", "skipped"))
    assert not entry.explains(Result("t.py::ax", "skipped"))


def test_the_checked_in_ledger_gives_reasons_for_real_profiles() -> None:
    """Every entry says why, and every run is of a profile that there is."""
    runs = load(LEDGER).run
    assert {run.profile for run in runs} <= set(names())
    assert all(entry.why and entry.reason for run in runs for entry in run.expected)


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    """One sentence."""
    (tmp_path / "ledger.toml").write_text("run = 7")
    with pytest.raises(RigError, match=r"ledger .*ledger\.toml"):
        load(tmp_path / "ledger.toml")
