"""The languages of the pages: one table of messages each, and which one a visitor gets."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("i18n")
COOKIE = "authrig_language"
DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """A language: its BCP 47 ``tag``, its ``name`` in itself, and the messages by their dotted keys."""

    tag: str
    name: str
    messages: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """The message ``key`` with ``values`` in its places.

        Raises:
            KeyError: if there is no such message, or a place has no value.
        """
        return self.messages[key].format_map(values)

    def has(self, key: str) -> bool:
        """Whether there is such a message."""
        return key in self.messages


@cache
def languages() -> Mapping[str, Language]:
    """All languages by their tags, the default one first."""
    tables = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
    tags = sorted(tables, key=lambda tag: tag != DEFAULT)
    return {tag: Language(tag, tables[tag]["language"]["name"], dict(_flat(tables[tag]))) for tag in tags}


def choose(wanted: str | None, accept: str) -> Language:
    """The language for a visitor.

    Args:
        wanted: what the visitor chose before, if that was ever.
        accept: the header ``Accept-Language`` (RFC 9110 §12.5.4); whatever is not understood in it is passed over.
    """
    known = languages()
    if wanted is not None and wanted in known:
        return known[wanted]
    ranges = [_range(part) for part in accept[:1000].split(",")]
    for tag, weight in sorted(ranges, key=lambda row: -row[1]):
        primary = tag.partition("-")[0]
        if weight > 0 and primary in known:
            return known[primary]
    return known[DEFAULT]


def _range(text: str) -> tuple[str, float]:
    tag, _, parameter = text.partition(";")
    name, _, value = parameter.strip().partition("=")
    if not name:
        return tag.strip().lower(), 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        weight = 0.0
    return tag.strip().lower(), weight if 0 <= weight <= 1 else 0.0


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in table.items():
        rows += _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [(prefix + name, value)]
    return rows
