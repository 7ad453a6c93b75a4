"""Gathers the tests of a run for ``--hil-report``."""

from pathlib import Path

import pytest

from authrig.errors import RigError
from authrig.evidence.run_report import read_page, tell_run, write_page
from authrig.hil.report import SuiteReport
from authrig.hil.session import rig_file_of


class RunPage(SuiteReport):
    """Writes the page when the run ends, whatever its outcome; on the worker processes of pytest-xdist it is not there.

    Raises:
        pytest.UsageError: if the page of the former run is none.
    """

    def __init__(self, config: pytest.Config, seed: int) -> None:
        super().__init__()
        self._path: Path = config.getoption("--hil-report")
        former = config.getoption("--hil-report-before")
        self._seed = seed
        self._said = str(self._path)
        try:
            self._former = None if former is None else read_page(former)
        except RigError as error:
            raise pytest.UsageError(str(error)) from error

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write it; that it cannot be written ends the run as a failure, and not before the tests' own results are told."""
        config = session.config
        try:
            run = tell_run(self.cases, self._seed, config.getoption("--hil"), rig_file_of(config))
            write_page(self._path, run, self._former)
        except RigError as error:
            self._said = f"no page on the run: {error}"
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where it is."""
        terminalreporter.write_line(f"authrig: {self._said}")
