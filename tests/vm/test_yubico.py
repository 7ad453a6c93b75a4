from pathlib import Path

import pytest

from authrig.yubico.ledger import load
from authrig.yubico.run import LEDGER, run

FOLDER = Path(__file__).parents[2] / "out" / "yubico"
"""Where `make test-vm` puts the suite before it boots: the guest has no network."""
PROFILE = "authrig-2.3"
CORE = ["tests/device", "--ignore=tests/device/test_sign_extension_v4.py"]
"""The suite without the 272 tests of a draft extension, which ask nothing more of a wire."""
WIRE = [f"tests/device/test_{name}.py" for name in ("hid", "info", "client", "clientpin", "config")]
"""Those that touch, unplug, reset and talk to the key in all ways."""


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("transport", "selection", "count"), [("uhid", CORE, 94), ("usbip", WIRE, 25)])
def test_yubicos_suite_finds_no_fault_over_hidraw(transport: str, selection: list[str], count: int) -> None:
    """Unmodified, with a key that python-fido2 finds by itself; what it skips stands in the ledger."""
    results = run(FOLDER, PROFILE, selection, transport)
    (ledger,) = (planned for planned in load(LEDGER).run if planned.profile == PROFILE and not planned.card)
    news = [
        result
        for result in results
        if result.outcome != "passed" and not any(entry.explains(result) for entry in ledger.expected)
    ]
    assert news == []
    assert len(results) == count
