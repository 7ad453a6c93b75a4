"""Where in a TOML file a mistake stands: what is wrong is often noticed long after the text was read."""

import re
import tomllib
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

Kind = TypeVar("Kind")
Step = str | int
_AT = re.compile(r" - at `\$\.?(\w+)?")
_MEMBER = re.compile(r"unknown field `(.+?)`")


class MistakeError(ValueError):
    """Something in a file that cannot be meant; ``path`` leads to it, name by name (a number in an array of tables)."""

    def __init__(self, sentence: str, *path: Step) -> None:
        super().__init__(sentence)
        self.path = path


def convert(value: Any, kind: type[Kind], *path: Step) -> Kind:
    """``value``, which stands at ``path``, as a ``kind``.

    Raises:
        MistakeError: if it is none.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        inner = _MEMBER.search(str(error)) or _AT.search(str(error))
        more = (inner[1],) if inner and inner[1] else ()
        raise MistakeError(str(error), *path, *more) from error


def with_line(text: str, error: ValueError) -> str:
    """What is wrong with the file ``text``, and in which line; tomllib's own mistakes say that already."""
    line = line_of(text, error.path) if isinstance(error, MistakeError) else None
    return f"{error} (line {line})" if line else str(error)


def line_of(text: str, path: Sequence[Step]) -> int | None:
    """The line, from 1 on, in which what stands at ``path`` begins, or the nearest thing around it; None without a path."""
    lines = text.splitlines(keepends=True)
    found = None
    begins = 1
    for number in range(1, len(lines) + 1):
        try:
            tree = tomllib.loads("".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value of several lines
        depth = _depth(tree, path)
        if depth > (found[0] if found else 0):
            found = depth, begins
        begins = number + 1
    return found[1] if found else None


def _depth(tree: Any, path: Sequence[Step]) -> int:
    """How many steps of ``path`` there are in ``tree``."""
    for depth, step in enumerate(path):
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)
