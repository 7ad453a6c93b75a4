import json
from pathlib import Path
from typing import Any

import pytest

from offline_qr.ocra import parse_suite

PUBLISHED: dict[str, Any] = json.loads((Path(__file__).parents[1] / "data/ocra_rfc6287.json").read_text())
KEY = b"12345678901234567890"


@pytest.mark.parametrize("vector", PUBLISHED["vectors"], ids=lambda vector: vector["id"])
def test_the_codes_of_the_rfc(vector: dict[str, Any]) -> None:
    """RFC 6287 Appendix C, all 70."""
    code = parse_suite(vector["suite"]).compute(
        bytes.fromhex(vector["key_hex"]),
        vector["question"],
        counter=vector.get("counter"),
        pin_hash=bytes.fromhex(vector["pin_hash_hex"]) if "pin_hash_hex" in vector else None,
        session=bytes.fromhex(vector["session_hex"]) if "session_hex" in vector else None,
        time_step=int(vector["timestep_hex"], 16) if "timestep_hex" in vector else None,
    )
    assert code == vector["expected"]
