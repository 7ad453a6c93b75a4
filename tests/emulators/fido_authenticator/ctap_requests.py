"""Requests for a key under test, and a way to make them without any wire."""

from collections.abc import Mapping
from typing import Any

from fido2 import cbor

from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.status import Status

MAKE_CREDENTIAL, GET_ASSERTION, GET_INFO, RESET, GET_NEXT_ASSERTION, SELECTION = 0x01, 0x02, 0x04, 0x07, 0x08, 0x0B
HASH = bytes(range(32))


def descriptor(credential_id: bytes) -> dict[str, Any]:
    """A PublicKeyCredentialDescriptor."""
    return {"id": credential_id, "type": "public-key"}


def creation(
    changes: Mapping[int, Any] | None = None, *, rp_id: str = "example.com", user: bytes = b"ada"
) -> dict[int, Any]:
    """The parameters of a makeCredential; ``changes`` replaces members, None removes them."""
    parameters = {
        1: HASH,
        2: {"id": rp_id, "name": "Example"},
        3: {"id": user, "name": user.decode(), "displayName": user.decode().title()},
        4: [{"alg": -7, "type": "public-key"}],
        **(changes or {}),
    }
    return {key: value for key, value in parameters.items() if value is not None}


def assertion(changes: Mapping[int, Any] | None = None, *, rp_id: str = "example.com") -> dict[int, Any]:
    """The parameters of a getAssertion; ``changes`` replaces members, None removes them."""
    parameters = {1: rp_id, 2: HASH, **(changes or {})}
    return {key: value for key, value in parameters.items() if value is not None}


def request(command: int, parameters: Mapping[int, Any] | None = None) -> bytes:
    """The bytes of a request, encoded by python-fido2."""
    return bytes((command,)) + (cbor.encode(parameters) if parameters is not None else b"")


def call(
    authenticator: Authenticator, command: int, parameters: Mapping[int, Any] | None = None, channel: int = 0
) -> tuple[Status, Mapping[Any, Any]]:
    """The status and response of a command that the user answers at once."""
    answer = authenticator.start(request(command, parameters), channel).answer
    assert answer is not None, "the key waits for its user"
    response = cbor.decode(answer[1:]) if answer[1:] else {}
    assert isinstance(response, Mapping)
    return Status(answer[0]), response


def register(authenticator: Authenticator, changes: Mapping[int, Any] | None = None, **who: Any) -> bytes:
    """Make a credential that must succeed; returns its id."""
    status, response = call(authenticator, MAKE_CREDENTIAL, creation(changes, **who))
    assert status is Status.SUCCESS
    length = int.from_bytes(response[2][53:55])
    credential_id = response[2][55 : 55 + length]
    assert isinstance(credential_id, bytes)
    return credential_id
