"""Settings that are named by short tags, as Honeywell's, Newland's and DE2120 readers have them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

BAUD_RATES = {
    "0": 300,
    "1": 600,
    "2": 1200,
    "3": 2400,
    "4": 4800,
    "5": 9600,
    "6": 19200,
    "7": 38400,
    "8": 57600,
    "9": 115_200,
}
"""What the digit of the tag 232BAD stands for, in all three families."""


@dataclass(frozen=True, slots=True)
class Tag:
    """One setting."""

    name: str
    values: str
    """What may be set, as Honeywell writes it: "0-300000" a range, "0|2|3" a choice; else a regular expression."""
    default: str

    def takes(self, value: str) -> bool:
        """Whether ``value`` may be set."""
        limits = re.fullmatch(r"(\d+)-(\d+)", self.values)
        if limits is None:
            return re.fullmatch(self.values, value) is not None
        digits = re.fullmatch(r"[0-9]+", value) is not None and len(value) <= len(limits[2])
        return digits and int(limits[1]) <= int(value) <= int(limits[2])


class Outcome(Enum):
    """What became of a setting."""

    DONE = "done"
    UNKNOWN = "unknown tag"
    REFUSED = "value out of range"


class Question(Enum):
    """What a host wants to know of a setting."""

    CURRENT = "current value"
    DEFAULT = "factory default"
    POSSIBLE = "possible values"


class TagTable:
    """The current value of each tag; tags are told apart by their beginning, as those of the readers are."""

    def __init__(self, tags: tuple[Tag, ...]) -> None:
        # The longest first, so that no tag hides one that it begins.
        self._tags = {tag.name: tag for tag in sorted(tags, key=lambda tag: -len(tag.name))}
        self.values = {tag.name: tag.default for tag in tags}

    def reset(self, values: dict[str, str] | None = None) -> None:
        """Back to the factory's settings, except for ``values`` that are known and possible."""
        self.values = {name: tag.default for name, tag in self._tags.items()}
        for name, value in (values or {}).items():
            self.put(name + value)

    def split(self, text: str) -> tuple[str, str] | None:
        """The tag with which ``text`` begins, and the rest; None if it begins with none."""
        name = next((name for name in self._tags if text.startswith(name)), None)
        return None if name is None else (name, text[len(name) :])

    def put(self, text: str) -> Outcome:
        """Set a tag: its name and its value, such as "232BAD5"."""
        parts = self.split(text)
        if parts is None:
            return Outcome.UNKNOWN
        name, value = parts
        if not self._tags[name].takes(value):
            return Outcome.REFUSED
        self.values[name] = value
        return Outcome.DONE

    def ask(self, name: str, question: Question) -> str:
        """The answer to ``question`` about the tag ``name``, which there is."""
        tag = self._tags[name]
        return {
            Question.CURRENT: self.values[name],
            Question.DEFAULT: tag.default,
            Question.POSSIBLE: tag.values,
        }[question]
