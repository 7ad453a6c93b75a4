"""What a policy file cannot mean: what nobody could reach, be shown or fulfil. Each a sentence, before anybody logs in."""

import re
from collections.abc import Sequence

from offline_qr.otq1 import Tag
from server_stub.cloud.messages import DisplayField
from server_stub.factors.offline_qr import require_showable
from server_stub.factors.password import normalise
from server_stub.message_providers import FieldTemplate

_NAME = re.compile(r"[\w-][\w.-]{0,63}")
_TARGET = re.compile(r"/(?![/\\])[^\s\\\x00-\x20\x7f]*")
"""Browsers leave out tabs and line ends, and take a backslash for a slash: what they make of the rest is what it says."""


def check_name(kind: str, name: str) -> None:
    """Refuse a name that could not stand in a path.

    Raises:
        ValueError: with what is expected.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"the {kind} {name!r} is called by its name in paths, expected up to 64 letters, digits, . _ or -"
        )


def check_title(name: str, title: str) -> None:
    """Refuse what no token could show as the service that somebody logs in to.

    Raises:
        ValueError: with what is the matter.
    """
    try:
        require_showable([DisplayField(int(Tag.SERVICE), normalise(title).decode())])
    except ValueError as error:
        raise ValueError(f"the title of application {name!r}: {error}") from error


def is_target(text: str) -> bool:
    """Whether it leads to a path on this site, whatever browsers make of it."""
    return bool(_TARGET.fullmatch(text))


def check_criteria(policy: str, lists: dict[str, Sequence[object] | None], time: str | None) -> None:
    """Refuse criteria that never hold, so that the policy would silently never apply.

    Raises:
        ValueError: with which it is.
    """
    for name, listed in lists.items():
        if listed is not None and not listed:
            raise ValueError(f"policy {policy!r} has {name} = [], which never holds: name some, or leave it out")
    begin, _, end = (time or "").partition("-")
    if time and begin == end:
        raise ValueError(f"policy {policy!r} has the time {time}, which never comes: leave it out for the whole day")


def check_templates(templates: Sequence[FieldTemplate]) -> None:
    """Refuse fields that no device could show, whatever the parameters are.

    Raises:
        ValueError: with what is the matter.
    """
    shown = []
    for each in templates:
        filled = each.fill(lambda _: "1")
        if "{" in filled or "}" in filled:
            raise ValueError(f"the template {each.template!r} has a brace that is no place such as {{amount|amount}}")
        shown.append(DisplayField(each.tag, normalise(filled).decode(), each.label))
    require_showable(shown)
