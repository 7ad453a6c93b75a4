"""The security key beside the arithmetic that it cannot do without."""

from collections.abc import Iterator
from contextlib import contextmanager

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.harness import Row
from emulators.env import Env
from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.authenticator import Authenticator

CLIENT_DATA_HASH = bytes(32)
RP_ID = "localhost"


@contextmanager
def rows() -> Iterator[list[Row]]:
    """getAssertion, from the bytes of the request to those of the answer, beside one P-256 signature of 69 bytes."""
    authenticator = Authenticator(Env.real())
    make_credential = bytes([0x01]) + cbor.encode(
        {
            1: CLIENT_DATA_HASH,
            2: {"id": RP_ID, "name": RP_ID},
            3: {"id": b"user", "name": "user"},
            4: [{"type": "public-key", "alg": -7}],
        }
    )
    made = cbor.decode(_run(authenticator, make_credential))
    assert isinstance(made, dict)
    authenticator_data = made[2]
    assert isinstance(authenticator_data, bytes)
    credential_id = authenticator_data[55 : 55 + int.from_bytes(authenticator_data[53:55])]
    get_assertion = bytes([0x02]) + cbor.encode(
        {1: RP_ID, 2: CLIENT_DATA_HASH, 3: [{"type": "public-key", "id": credential_id}]}
    )
    key, algorithm = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256())
    signed = authenticator_data[:37] + CLIENT_DATA_HASH
    yield [
        Row(
            "getAssertion, in process",
            "bare P-256 signature",
            lambda: _run(authenticator, get_assertion),
            lambda: key.sign(signed, algorithm),
            target=8,
            batch=200,
        )
    ]


def _run(authenticator: Authenticator, request: bytes) -> bytes:
    """The CBOR of the answer to ``request``."""
    answer = authenticator.start(request).answer
    assert answer is not None
    assert answer[0] == 0, f"the key answered 0x{answer[0]:02x}"
    return answer[1:]
