"""The published worked examples of OTQ1."""

import json
from pathlib import Path
from typing import Any

import pytest

from offline_qr.otq1 import Keys, derive_keys

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data/otq1_vectors.json").read_text(encoding="utf-8")
)


@pytest.fixture(params=PUBLISHED["vectors"], ids=lambda vector: vector["name"])
def vector(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each published message in turn."""
    return dict(request.param)


@pytest.fixture
def published() -> dict[str, Any]:
    """What the published messages have in common."""
    return PUBLISHED


@pytest.fixture
def serial() -> str:
    """The token of the published messages."""
    return "QT1-00000042"


@pytest.fixture
def keys(serial: str) -> Keys:
    """Its keys."""
    return derive_keys(serial, bytes(range(32)))
