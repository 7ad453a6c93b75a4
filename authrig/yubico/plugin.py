"""A pytest plugin for Yubico's suite: lets python-fido2 find the rig's keys, and writes down how each test ended.

python-fido2 looks for HID device nodes, which a key on a pseudo-terminal has none of. So its functions that find a
device ask the control API instead; opening one stays python-fido2's own.
"""

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import fido2.hid
import pytest
from fido2.hid.base import HidDescriptor

from emulators.fido_authenticator.ctaphid import REPORT_BYTES

CONTROL = "AUTHRIG_CONTROL_URL"
RESULTS = "AUTHRIG_RESULTS"


def list_descriptors() -> list[HidDescriptor]:
    """The keys of the rig that have power."""
    with urllib.request.urlopen(os.environ[CONTROL], timeout=5) as answer:  # noqa: S310 - the rig's own URL
        ports = json.load(answer)["ports"]
    return [_descriptor(port) for port in ports if port["power"]]


def get_descriptor(path: str) -> HidDescriptor:
    """The key at ``path``.

    Raises:
        OSError: if there is none.
    """
    for descriptor in list_descriptors():
        if descriptor.path == path:
            return descriptor
    raise FileNotFoundError(path)


def _descriptor(port: dict[str, Any]) -> HidDescriptor:
    return HidDescriptor(
        path=port["address"],
        vid=port["vendor_id"],
        pid=port["product_id"],
        report_size_in=REPORT_BYTES,
        report_size_out=REPORT_BYTES,
        product_name=port["product"],
        serial_number=port["serial_number"] or None,
    )


if CONTROL in os.environ:
    # The suite binds these names when it is imported, and plugins are imported first.
    fido2.hid.list_descriptors = list_descriptors
    fido2.hid.get_descriptor = get_descriptor


class Recorder:
    """How each test ended, for the ledger: a test that failed anywhere failed, else it was skipped or passed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outcomes: dict[str, tuple[str, str]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take note of a phase of a test."""
        outcome, _ = self._outcomes.get(report.nodeid, ("passed", ""))
        if report.failed or (report.skipped and outcome == "passed"):
            self._outcomes[report.nodeid] = (report.outcome, _reason(report))
        else:
            self._outcomes.setdefault(report.nodeid, ("passed", ""))

    def pytest_sessionfinish(self) -> None:
        """Write them down."""
        rows = [{"test": test, "outcome": outcome, "reason": why} for test, (outcome, why) in self._outcomes.items()]
        self._path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _reason(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    # pytest marks the lines of the error itself.
    return next((line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")), "")


def pytest_configure(config: pytest.Config) -> None:
    """Record, if somebody wants to know."""
    if RESULTS in os.environ:
        config.pluginmanager.register(Recorder(Path(os.environ[RESULTS])), "authrig-recorder")
