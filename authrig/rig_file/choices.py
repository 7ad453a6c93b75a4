"""Which words may stand at a place of a rig file, for sentences that name them."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import inspect


def choices(into: Any, steps: Sequence[str], kind: object) -> str:
    """The words that may stand at ``steps`` within a device of this ``kind``; empty if it takes others than a few words."""
    nodes = [node for node in _alternatives(inspect.type_info(into)) if kind in (None, getattr(node, "tag", None))]
    for step in steps:
        nodes = [inner for node in nodes for inner in _inside(node, step)]
    words = list(dict.fromkeys(str(value) for node in nodes for value in _words(node)))
    if words and any(isinstance(node, inspect.StructType) for node in nodes):
        words.append("a table")
    return ", ".join(words)


def _alternatives(node: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(node, inspect.UnionType):
        for each in node.types:
            yield from _alternatives(each)
    elif isinstance(node, inspect.Metadata):
        yield from _alternatives(node.type)
    else:
        yield node


def _inside(node: inspect.Type, step: str) -> Iterator[inspect.Type]:
    """What stands at ``step`` of a table; the word that tells tables of several kinds apart is one of theirs."""
    if isinstance(node, inspect.StructType):
        if node.tag_field == step and node.tag is not None:
            yield inspect.LiteralType((node.tag,))
        for field in node.fields:
            if field.encode_name == step:
                yield from _alternatives(field.type)


def _words(node: inspect.Type) -> tuple[Any, ...]:
    return node.values if isinstance(node, inspect.LiteralType) else ()
