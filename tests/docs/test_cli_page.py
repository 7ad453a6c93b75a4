import argparse
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from authrig.cli import build_parser

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*/*.md"))]
REFERENCE = ROOT / "docs" / "reference" / "cli.md"


def _actions(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """By name; an alias is not told."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            told = {each.dest for each in action._choices_actions}
            return {name: each for name, each in action.choices.items() if name in told}
    return {}


def _commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """All that do something, such as ``key run``."""
    actions = _actions(parser)
    if not actions:
        yield name, parser
    for each, below in actions.items():
        yield from _commands(below, f"{name} {each}".strip())


COMMANDS = dict(_commands(build_parser()))


def _spans(page: str) -> list[str]:
    """What is written as code: the lines of blocks, and words between backticks; a row's ``key run`` is ``authrig key run``."""
    blocks = re.findall(r"```.*?```", page.replace("\\\n", " "), re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page, flags=re.DOTALL))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_a_page_names_is_there(page: Path) -> None:
    """Behind the command that it is an option of."""
    unknown = []
    for span in _spans(page.read_text("utf-8")):
        for words in re.findall(r"\bauthrig ([a-z][^`#]*)", span):
            command = next((name for name in COMMANDS if re.match(rf"{name}\b", words)), None)
            said = re.split(r" -- | && | \| (?=[a-z])", words)[0]
            if command is not None:
                known = COMMANDS[command]._option_string_actions
                unknown += [
                    f"{command} {each}" for each in re.findall(r"(?<![\w-])--[a-z][\w-]*", said) if each not in known
                ]
    assert unknown == []


def test_the_reference_has_every_command() -> None:
    """So nobody has to find one by chance."""
    spans = [span.removeprefix("authrig ") for span in _spans(REFERENCE.read_text("utf-8"))]
    assert [name for name in COMMANDS if not any(re.match(rf"{name}\b", span) for span in spans)] == []


def test_every_option_has_words_in_help() -> None:
    """Whoever asks for help gets more than a name."""
    silent = [
        f"{name} {'/'.join(action.option_strings) or action.dest}"
        for name, parser in COMMANDS.items()
        for action in parser._actions
        if not action.help
    ]
    assert silent == []


def test_every_command_line_on_a_page_can_be_typed() -> None:
    """As it stands in a block of the console, with the values that it has there."""
    parser, typed = build_parser(), 0
    for page in PAGES:
        blocks = re.findall(
            r"```(?:console|sh|bash)?\n(.*?)```", page.read_text("utf-8").replace("\\\n", " "), re.DOTALL
        )
        for line in (line for block in blocks for line in block.splitlines()):
            if found := re.match(r"(?:\$ )?(?:\.venv/bin/)?authrig (.*)", line):
                parser.parse_args(shlex.split(re.split(r" \| | && | > |;", found[1])[0], comments=True))
                typed += 1
    assert typed > 50
