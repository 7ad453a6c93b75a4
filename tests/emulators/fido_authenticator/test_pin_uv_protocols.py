import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fido2.ctap2.pin import PinProtocol, PinProtocolV1, PinProtocolV2

from emulators.env import Env
from emulators.fido_authenticator.pin_uv_protocols import PROTOCOLS, sealed_for_holder

HOSTS: dict[int, type[PinProtocol]] = {1: PinProtocolV1, 2: PinProtocolV2}


@pytest.mark.parametrize("protocol", [1, 2])
def test_a_signature_holds_for_its_key_and_message_only(protocol: int) -> None:
    """python-fido2 signs; a shorter signature, as of the other protocol, is none."""
    verify, signature = PROTOCOLS[protocol].verify, HOSTS[protocol]().authenticate(bytes(32), b"message")
    assert verify(bytes(32), b"message", signature)
    assert not verify(bytes(31) + b"x", b"message", signature)
    assert not verify(bytes(32), b"massage", signature)
    assert not verify(bytes(32), b"message", HOSTS[3 - protocol]().authenticate(bytes(32), b"message"))
    assert not verify(bytes(32), b"message", b"")


def test_the_holder_of_the_persistent_token_can_read_what_is_sealed_for_it() -> None:
    """HKDF and AES done by hand here, so that both sides are not the same code."""
    token, random = bytes(range(32)), Env.simulated(1).random
    sealed = sealed_for_holder(token, b"encIdentifier", b"0123456789abcdef", random)
    assert sealed != sealed_for_holder(token, b"encIdentifier", b"0123456789abcdef", random)
    prk = hmac.digest(bytes(32), token, hashlib.sha256)
    key = hmac.digest(prk, b"encIdentifier\x01", hashlib.sha256)[:16]
    decryptor = Cipher(algorithms.AES(key), modes.CBC(sealed[:16])).decryptor()
    assert decryptor.update(sealed[16:]) + decryptor.finalize() == b"0123456789abcdef"
