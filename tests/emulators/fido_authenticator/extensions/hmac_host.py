"""What a host sends for hmac-secret, step by step, so that each step can be wrong."""

from collections.abc import Mapping
from typing import Any

from fido2.webauthn import AuthenticatorData

from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import GET_ASSERTION, assertion, call, descriptor
from tests.emulators.fido_authenticator.pin_host import PinHost

SALT_1, SALT_2 = b"\x01" * 32, b"\x02" * 32


class HmacHost:
    """A host that has agreed on a secret with the key."""

    def __init__(self, host: PinHost) -> None:
        self.host = host
        self.key_agreement, self.secret = host.pin._get_shared_secret()  # type: ignore[no-untyped-call] # its own

    def input(self, salts: bytes, changes: Mapping[int, Any] | None = None) -> dict[int, Any]:
        """The extension input for ``salts``; ``changes`` replaces members, None removes them."""
        protocol = self.host.protocol
        encrypted = protocol.encrypt(self.secret, salts)
        members = {
            1: self.key_agreement,
            2: encrypted,
            3: protocol.authenticate(self.secret, encrypted),
            4: protocol.VERSION,
            **(changes or {}),
        }
        return {key: value for key, value in members.items() if value is not None}

    def outputs(self, data: bytes, identifier: str) -> list[bytes]:
        """The decrypted outputs in authenticator data, 32 bytes each."""
        extensions = AuthenticatorData(data).extensions
        assert extensions is not None
        plain = self.host.protocol.decrypt(self.secret, extensions[identifier])
        return [plain[at : at + 32] for at in range(0, len(plain), 32)]

    def ask(self, credential_id: bytes, value: object, changes: Mapping[int, Any] | None = None) -> tuple[Status, Any]:
        """A getAssertion with the input ``value``, without verification."""
        request = assertion({3: [descriptor(credential_id)], 4: {"hmac-secret": value}, **(changes or {})})
        return call(self.host.authenticator, GET_ASSERTION, request)

    def secrets(self, credential_id: bytes, salts: bytes, *, verified: bool = False) -> list[bytes]:
        """The outputs for ``salts``, with or without the PIN."""
        changes: dict[int, Any] = {}
        if verified:
            token = self.host.token(self.host.pin.PERMISSION.GET_ASSERTION, "example.com")
            changes = {6: self.host.protocol.authenticate(token, bytes(range(32))), 7: self.host.protocol.VERSION}
        status, response = self.ask(credential_id, self.input(salts), changes)
        assert status is Status.SUCCESS
        return self.outputs(response[2], "hmac-secret")
