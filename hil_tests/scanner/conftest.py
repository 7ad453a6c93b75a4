"""The fixtures of the suite."""

import pytest

from authrig.hil.wants import read_wants
from authrig.ports.scanner import Scanner
from authrig.rig import Rig


@pytest.fixture
def scanner(request: pytest.FixtureRequest, rig: Rig) -> Scanner:
    """The scanner on the desk, which can do what the test wants."""
    scanner = rig.scanner
    wanted = {word for kind, _, words in read_wants(request.node).kinds if kind == "scanner" for word in words}
    lacking = wanted - scanner.capabilities()
    if lacking:
        pytest.skip(f"wants scanner with {', '.join(sorted(lacking))}, which this one has not")
    return scanner
