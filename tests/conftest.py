"""What all tests share: the ``needs`` marker, which says what a test cannot do without."""

import ctypes.util
import os
import shutil
import tempfile
from importlib.util import find_spec

import pytest
from _pytest import pytester as own_pytester
from hypothesis import settings

from tests.imports import ForgetTests

REQUIRE_TOOLS = "AUTHRIG_REQUIRE_TOOLS"


def _missing(tool: str) -> str | None:
    """A sentence that says what is missing, or None where ``tool`` is there: a name on PATH, "lib:name" or "py:name"."""
    kind, _, name = tool.rpartition(":")
    if kind == "py":
        return None if find_spec(name) else f"needs the Python package {name}, which is not installed"
    if kind == "lib":
        return None if ctypes.util.find_library(name) else f"needs the shared library lib{name}, which is not installed"
    return None if shutil.which(tool) else f"needs the command {tool}, which is not on PATH"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and keep the leases of workers apart: their benches have devices of the same names."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is not None:
        os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix=f"authrig-{worker}-")
    # How long one example takes says nothing on a machine that is busy with other tests.
    # The gate asks the same questions each time, so that what it refuses is of the change; new ones are asked elsewhere.
    settings.register_profile("authrig", deadline=None, derandomize=os.environ.get(REQUIRE_TOOLS) == "1")
    settings.load_profile("authrig")
    config.addinivalue_line(
        "markers",
        "needs(tool, ...): commands, lib:NAME or py:NAME, without which the test is skipped; CI makes that a failure",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, or in CI fail, what lacks a tool."""
    for marker in item.iter_markers("needs"):
        for sentence in filter(None, map(_missing, marker.args)):
            if os.environ.get(REQUIRE_TOOLS) == "1":
                pytest.fail(f"{sentence}, and {REQUIRE_TOOLS}=1 asks for every tool", pytrace=False)
            pytest.skip(sentence)


@pytest.fixture
def _imports_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_pytester, "SysModulesSnapshot", ForgetTests)


@pytest.fixture
def pytester(_imports_stay: None, pytester: pytest.Pytester) -> pytest.Pytester:
    """Pytest's own, but what its runs import in this process stays."""
    return pytester
