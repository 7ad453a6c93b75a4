"""A pytest plugin that plants a fault: emulated keys have the quirk that the test's name, or the environment, says."""

import json
import os

import msgspec
import pytest

from authrig.bench import keys
from emulators.fido_authenticator.profile import DEFAULT, Profile, load
from emulators.fido_authenticator.quirks import Quirk

QUIRKS: dict[str, str] = json.loads(os.environ["AUTHRIG_TEST_QUIRKS"])
"""By the name of a test, ``*`` for all."""
_planted: list[Quirk] = []


def _load(name: str = DEFAULT) -> Profile:
    return msgspec.structs.replace(load(name), quirks=frozenset(_planted))


pytest.MonkeyPatch().setattr(keys, "load", _load)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Plant the fault of this test."""
    _planted[:] = [Quirk(QUIRKS[name]) for name in (item.name, "*") if name in QUIRKS]
