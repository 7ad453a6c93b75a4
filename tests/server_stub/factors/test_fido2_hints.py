import typing

import fido2.utils
from fido2.webauthn import PublicKeyCredentialDescriptor

from server_stub.factors import fido2_hints


def test_the_hints_are_computed_once_and_are_the_same() -> None:
    """Doing it twice changes nothing."""
    for _ in range(2):
        fido2_hints.remember()
    ask = vars(fido2.utils)["get_type_hints"]
    first = ask(PublicKeyCredentialDescriptor)
    assert first == typing.get_type_hints(PublicKeyCredentialDescriptor)
    assert ask(PublicKeyCredentialDescriptor) is first
