"""Another system, which the server believes: it signs tickets."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server_stub.settings import Settings
from tests.server_stub.test_jose import sign

KEY = ec.generate_private_key(ec.SECP256R1())
NUMBERS = itertools.count()


def trusting(settings: Settings, folder: Path) -> Settings:
    """``settings`` of a server that believes it."""
    path = folder / "portal.pem"
    path.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return replace(settings, sso_issuers=(("portal", path),))


def sign_ticket(username: str, now: float, **change: Any) -> str:
    """A ticket that says who somebody is, good for a minute and once; ``change`` makes a wrong one."""
    claims = {"iss": "portal", "sub": username, "aud": "authrig", "exp": now + 60, "jti": f"ticket-{next(NUMBERS)}"}
    return sign(KEY, claims | change)
