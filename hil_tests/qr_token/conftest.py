"""The fixtures of the suite: a token, and the issuer that asks it."""

import pytest

from authrig.hil.session import lend_qr_token
from authrig.hil.wants import read_wants
from authrig.ports.qr_token import QrToken
from authrig.rig import Rig
from hil_tests.qr_token.issuer import Issuer


@pytest.fixture
def issuer(request: pytest.FixtureRequest, rig: Rig) -> Issuer:
    """The server's side of the token that was lent; the token is on, with its PIN typed."""
    lent = lend_qr_token(rig, read_wants(request.node))
    if lent.seed is None:
        pytest.skip(f"wants the seed of {lent.port.name}: seed_hex in the rig file")
    return Issuer(lent, lent.seed, rig.bench.clock)


@pytest.fixture
def token(issuer: Issuer) -> QrToken:
    """The token."""
    return issuer.token
