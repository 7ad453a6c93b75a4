"""Two recordings of the same tests, field by field: what the one device said and the other did not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from authrig.errors import RigError
from authrig.evidence.event_log import NAME, read_log
from authrig.evidence.meaning import Exchange, exchanges

NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. ``where`` is the exchange, ``field`` its member; an exchange that one side lacks has no ``field``."""

    test: str
    where: str
    field: str
    first: str
    second: str

    @property
    def sentence(self) -> str:
        """For people."""
        what = f"{self.where}, {self.field}" if self.field else self.where
        return f"{self.test}: {what}: {self.first} | {self.second}"


def compare(first: Path, second: Path) -> tuple[int, list[Difference]]:
    """Compare two folders of evidence, of one test each or of a run; how many tests both have, and what differs.

    Raises:
        RigError: if one has no event log, or one that cannot be read, or if they have no test in common.
    """
    one, other = _logs(first), _logs(second)
    both = [test for test in one if test in other]
    if not both:
        raise RigError(f"{first} and {second} have no test in common: expected the same suite in both")
    differences = []
    for test in sorted({*one, *other}):
        if test not in both:
            there, missing = ("recorded", NOTHING) if test in one else (NOTHING, "recorded")
            differences.append(Difference(test, "the test", "", there, missing))
        else:
            differences += compare_logs(test, exchanges(read_log(one[test])), exchanges(read_log(other[test])))
    return len(both), differences


def _logs(folder: Path) -> dict[str, Path]:
    """The logs below a folder, by the name of their test; a folder that is one test's has no name."""
    if (folder / NAME).is_file():
        return {"": folder / NAME}
    found = {path.parent.name: path for path in sorted(folder.glob(f"*/{NAME}"))}
    if not found:
        raise RigError(f"{folder}: expected evidence, a folder with {NAME} or with folders that have one, found none")
    return found


def compare_logs(test: str, first: Sequence[Exchange], second: Sequence[Exchange]) -> Iterator[Difference]:
    """What differs between two recordings of ``test``. Exchanges of the same name are laid side by side, in their order."""
    names = [each.name for each in first], [each.name for each in second]
    for kind, a_from, a_to, b_from, b_to in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        if kind == "equal":
            for one, other in zip(first[a_from:a_to], second[b_from:b_to], strict=True):
                yield from _fields(test, one, other)
        else:
            yield from (Difference(test, each.name, "", str(each), NOTHING) for each in first[a_from:a_to])
            yield from (Difference(test, each.name, "", NOTHING, str(each)) for each in second[b_from:b_to])


def _fields(test: str, first: Exchange, second: Exchange) -> Iterator[Difference]:
    for path in dict.fromkeys((*first.fields, *second.fields)):
        one, other = first.fields.get(path, NOTHING), second.fields.get(path, NOTHING)
        if one != other:
            yield Difference(test, first.name, path, one, other)
