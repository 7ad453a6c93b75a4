"""What a run of the suite may not pass, test by test with the reason; whatever differs from it is news."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

import msgspec

from authrig.errors import RigError

Outcome = Literal["passed", "failed", "skipped"]


class Result(msgspec.Struct, frozen=True):
    """How one test ended; ``reason`` is why it was skipped, or the last line of its failure."""

    test: str
    outcome: Outcome
    reason: str = ""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tests that are known not to pass.

    ``test`` is a pattern with ``*`` for their names; ``reason`` stands somewhere in the suite's reason; ``why`` is ours.
    """

    test: str
    outcome: Literal["failed", "skipped"]
    reason: str
    why: str

    def names(self, result: Result) -> bool:
        """Whether this entry is about ``result``'s test."""
        # Test names hold brackets, which a pattern would take for a set of characters.
        return fnmatchcase(result.test, self.test.replace("[", "[[]"))

    def explains(self, result: Result) -> bool:
        """Whether ``result`` is what this entry expects."""
        return self.names(result) and result.outcome == self.outcome and self.reason in result.reason


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tests ``select`` against a new key of ``profile``: ``collected`` of them, all pass but the ``expected``.

    ``card``: the key is in a card reader, where CTAPHID is no topic.
    """

    profile: str
    collected: int
    card: bool = False
    select: tuple[str, ...] = ("tests/device",)
    expected: tuple[Expected, ...] = ()


class Ledger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All runs."""

    run: tuple[Run, ...]


def load(path: Path) -> Ledger:
    """The ledger in the TOML file ``path``.

    Raises:
        RigError: if it is not there or not a ledger.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Ledger)
    except (OSError, msgspec.DecodeError) as error:
        raise RigError(f"ledger {path}: {error}") from error


def compare(run: Run, results: Sequence[Result]) -> list[str]:
    """What differs from the ledger, a sentence each; empty if the run is as it should be."""
    news = []
    if len(results) != run.collected:
        news.append(f"expected {run.collected} tests, found {len(results)}")
    news += [
        f"{result.test}: {result.outcome}, which the ledger does not expect: {result.reason}"
        for result in results
        if result.outcome != "passed" and not any(entry.explains(result) for entry in run.expected)
    ]
    for entry in run.expected:
        about = [result for result in results if entry.names(result)]
        wrong = [result.test for result in about if not entry.explains(result)]
        if not about:
            news.append(f"ledger entry {entry.test}: there is no such test")
        elif len(wrong) == len(about):
            news.append(f"ledger entry {entry.test} ({entry.reason}): no longer holds for any test")
    return news
