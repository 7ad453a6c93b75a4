"""What all suites share: what the report of a run gets to know about each case."""

from collections.abc import Generator
from typing import Final

import pytest

pytest.register_assert_rewrite("hil_tests.fido.hid", "hil_tests.fido.host")

FAILED: Final = pytest.StashKey[bool]()
"""Whether the test itself failed, for fixtures that hand over what happened."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Write down what each case is: JUnit files and the report of ``authrig test`` show it."""
    for item in items:
        clauses = [str(mark.args[0]) for mark in item.iter_markers("clause")]
        if not clauses or not isinstance(item, pytest.Function):
            item.user_properties.append(("area", item.path.stem.removeprefix("test_")))
            continue
        capabilities = {word for mark in item.iter_markers("hil") for word in mark.kwargs.get("caps", ())}
        if item.get_closest_marker("hil_destructive") is not None:
            capabilities.add("(erases the device)")
        item.user_properties += [
            ("area", (item.module.__doc__ or item.module.__name__).partition(":")[0]),
            ("title", (item.function.__doc__ or "").splitlines()[0]),
            ("clause", clauses[0]),
            ("needs", ", ".join(sorted(capabilities))),
        ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> "Generator[None, pytest.TestReport, pytest.TestReport]":
    """Remember a failure, before the devices are taken back."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report
