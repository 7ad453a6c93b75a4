"""Runs of pytest in the process of a test: what they import stays.

Python imports a module once, and programs rely on it: two of one name are two types of one name, two registries, a
library that refuses to be loaded twice. ``pytester`` forgets whatever is imported while it is there, tests and
libraries alike, and only for the sake of the tests: of those the next run may have others by the same name.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType


class ForgetTests:
    """Takes the place of pytester's own way to forget (``_pytest.pytester.SysModulesSnapshot``)."""

    def __init__(self, preserve: Callable[[str], bool] | None = None) -> None:
        del preserve
        self._before = dict(sys.modules)

    def restore(self) -> None:
        """Forget the modules of tests that came since then, and put back what was there by the same name."""
        for name, module in list(sys.modules.items()):
            if name in self._before:
                sys.modules[name] = self._before[name]
            elif _holds_tests(module):
                del sys.modules[name]


def _holds_tests(module: ModuleType) -> bool:
    return Path(getattr(module, "__file__", None) or "").name.startswith(("test_", "conftest"))
