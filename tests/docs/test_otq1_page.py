import doctest
import re
import runpy
from pathlib import Path

import pytest
import segno

from offline_qr import base45_strict
from offline_qr.otq1 import (
    LABELS,
    Command,
    Profile,
    Tag,
    compute_code,
    compute_decline_code,
    decode,
    derive_keys,
    encode,
)
from offline_qr.otq1.header import SUITES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/otq1.md"


@pytest.fixture
def page() -> str:
    """The page as a reader gets it."""
    return PAGE.read_text(encoding="utf-8")


def test_the_worked_example_is_what_the_code_computes(page: str) -> None:
    """Every value on the page, so that firmware can be checked against it."""
    block = re.search(r"```text\n(.*?)```", page, re.DOTALL)
    assert block
    shown = dict(re.split(r" += ", line, maxsplit=1) for line in block[1].splitlines())
    keys = derive_keys(shown["serial"], bytes.fromhex(shown["seed"]))
    challenge = decode(shown["text"], keys, shown["serial"])
    message = base45_strict.decode(shown["text"].removeprefix("OTQ1:").encode())
    qr = segno.make(encode(challenge, keys), error="m", boost_error=False, micro=False)
    computed = {
        "serial": "QT1-00000042",
        "seed": bytes(range(32)).hex(),
        "qr-seal": keys.qr_seal.hex(),
        "ocra-txn": keys.ocra_txn.hex(),
        "decline": keys.decline.hex(),
        **{f"field {field.tag}": field.value for field in challenge.fields},
        "challenge id": challenge.header.challenge_id.hex(),
        "header": challenge.header.pack().hex(),
        "body": challenge.body.hex(),
        "message": message.hex(),
        "text": encode(challenge, keys),
        "question": challenge.question,
        "code": compute_code(challenge, keys),
        "decline code": compute_decline_code(challenge, keys),
        "QR version": str(qr.version),
    }
    assert shown == computed


def test_the_python_example_runs() -> None:
    """As typed, with the answers as printed."""
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert (result.failed, result.attempted) == (0, 9)


def test_the_tables_are_those_of_the_code(page: str) -> None:
    """Tags with their labels, and suites."""
    tags = re.search(r"\| tag \| English label .*?\n\n", page, re.DOTALL)
    assert tags
    pairs = re.findall(r"\| (\d+) \| ([^|]+) (?=\|)", tags[0])
    assert {int(tag): label for tag, label in pairs} == {**LABELS, Tag.CUSTOM: "(the field's own)"}
    suites = re.findall(r"\| (\d) \| `(OCRA-1:[^`]+)`", page)
    assert {int(number): suite for number, suite in suites} == {number: suite.text for number, suite in SUITES.items()}


def test_commands_and_profiles_are_those_of_the_code(page: str) -> None:
    """By number and name."""
    commands = re.findall(r"\| (\d) \| (clock sync|counter sync|PIN unlock|wipe) \|", page)
    assert [(int(number), name.upper().replace(" ", "_")) for number, name in commands] == [
        (command.value, command.name) for command in Command
    ]
    profiles = re.findall(r"\| (\d) \| ([ABC]): ", page)
    assert [int(number) for number, _ in profiles] == [profile.value for profile in Profile]


def test_the_vectors_and_the_c_header_are_what_the_tool_makes(page: str) -> None:
    """Nobody edits them by hand, and nobody forgets to make them anew; the page says how many there are."""
    tool = runpy.run_path(str(ROOT / "tools/otq1_vectors.py"))
    assert tool["VECTORS"].read_text(encoding="utf-8") == tool["make_json"]()
    assert tool["C_HEADER"].read_text(encoding="utf-8") == tool["make_c_header"]()
    assert f"{len(tool['make_vectors']())} messages" in page
