"""The suite can fail: what keys on the market do otherwise is found, each by a case that passes without it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emulators.fido_authenticator.quirks import Quirk

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/fido-suite.md"
FOUND_BY: dict[Quirk, str] = {
    Quirk.REFUSES_UNKNOWN_EXTENSIONS: "test_get_assertion.py::test_unknown_extension_is_ignored",
    Quirk.REFUSES_UNKNOWN_ALGORITHMS: "test_make_credential.py::test_first_algorithm_that_the_key_has_is_used",
    Quirk.REFUSES_EMPTY_DISPLAY_NAME: "test_make_credential.py::test_empty_display_name_is_taken",
    Quirk.REFUSES_SILENT_ASSERTIONS: "test_get_assertion.py::test_silent_assertion",
    Quirk.OMITS_SINGLE_CREDENTIAL: "test_get_assertion.py::test_credential_is_named_also_when_it_is_the_only_one",
    Quirk.OMITS_USER_WITH_ALLOW_LIST: (
        "test_get_assertion.py::test_discoverable_credential_names_its_user_also_with_an_allow_list"
    ),
    Quirk.TOUCH_BEFORE_NO_CREDENTIALS: "test_get_assertion.py::test_no_credential_is_told_without_a_touch",
    Quirk.ATTESTED_DATA_IN_ASSERTIONS: ("test_get_assertion.py::test_authenticator_data_names_the_relying_party"),
    Quirk.PROTECTS_BY_DEFAULT: "test_extensions.py::test_nothing_is_protected_unasked",
    Quirk.ADDS_UNKNOWN_EXTENSION: "test_make_credential.py::test_user_was_present",
    Quirk.ALWAYS_ENTERPRISE_ATTESTATION: "test_make_credential.py::test_nobody_gets_enterprise_attestation_unasked",
    Quirk.CANCEL_AS_HID_ERROR: "test_timing.py::test_cancelled_command_is_answered",
}


def _run(quirks: dict[str, str]) -> tuple[set[str], str]:
    """The cases of the table that fail on keys with these quirks, and how the run ended."""
    command = [sys.executable, "-m", "pytest", "-p", "quirky_keys", "-n", "0", "-q", "-rf", "--hil-evidence", "off"]
    done = subprocess.run(
        [*command, *(f"hil_tests/fido/{case}" for case in FOUND_BY.values())],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "AUTHRIG_TEST_QUIRKS": json.dumps(quirks)},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    failed = set(re.findall(r"^FAILED hil_tests/fido/(\S+)", done.stdout, re.MULTILINE))
    return failed, done.stdout.splitlines()[-1] if done.stdout else done.stderr


def test_every_quirk_has_its_case() -> None:
    """A new quirk wants a case that finds it."""
    assert set(FOUND_BY) == set(Quirk)


@pytest.mark.timeout(300)
def test_each_case_fails_on_a_key_with_its_quirk() -> None:
    """On a key with the quirk, and no other."""
    failed, ended = _run({case.partition("::")[2]: quirk for quirk, case in FOUND_BY.items()})
    assert failed == set(FOUND_BY.values()), ended


@pytest.mark.timeout(300)
def test_no_case_fails_on_a_key_without() -> None:
    """The same cases pass on the key as it is."""
    failed, ended = _run({})
    assert not failed, ended
    assert ended.startswith(f"{len(FOUND_BY)} passed"), ended


def test_the_table_in_the_docs_is_this_one() -> None:
    """Each row names the quirk and the case."""
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| `(\S+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert rows == {str(quirk): case for quirk, case in FOUND_BY.items()}
