"""A host in front of the key.

It sends CTAP2 requests as maps, proves user verification where the key wants it, and deletes again what a test left.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import pytest
from fido2.cose import CoseKey
from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.ctap2.base import Ctap2, Info
from fido2.ctap2.credman import CredentialManagement
from fido2.ctap2.pin import ClientPin, PinProtocol, PinProtocolV1, PinProtocolV2
from fido2.hid import CTAPHID
from fido2.webauthn import AuthenticatorData, PublicKeyCredentialDescriptor

from authrig.ports.host_random import random_bytes

RP_ID: Final = "login.example.invalid"
OTHER_RP_ID: Final = "other.example.invalid"
CLIENT_DATA_HASH: Final = bytes(range(32))
MAKE_CREDENTIAL, GET_ASSERTION, GET_NEXT_ASSERTION, CLIENT_PIN = 0x01, 0x02, 0x08, 0x06
CREDENTIAL_MANAGEMENT, SELECTION, LARGE_BLOBS, CONFIG, BIO_ENROLLMENT = 0x0A, 0x0B, 0x0C, 0x0D, 0x09
ERR: TypeAlias = CtapError.ERR
P: TypeAlias = ClientPin.PERMISSION
PROTOCOLS: Final[dict[int, type[PinProtocolV1]]] = {1: PinProtocolV1, 2: PinProtocolV2}
EACH_PROTOCOL: Final = pytest.mark.parametrize(
    "number",
    [pytest.param(n, marks=pytest.mark.hil("fido", caps=[f"pinUvAuthProtocol{n}"])) for n in (1, 2)],
    ids=["protocol 1", "protocol 2"],
)

Members = dict[int, Any]


def creation(changes: Mapping[int, Any] | None = None) -> Members:
    """The parameters of an authenticatorMakeCredential with ``changes``; None takes a member out (CTAP 2.3 §6.1)."""
    return _changed(
        {
            0x01: CLIENT_DATA_HASH,
            0x02: {"id": RP_ID, "name": "Example"},
            0x03: {"id": b"alice", "name": "alice", "displayName": "Alice"},
            0x04: [{"type": "public-key", "alg": -7}],
        },
        changes,
    )


def assertion(changes: Mapping[int, Any] | None = None) -> Members:
    """The parameters of an authenticatorGetAssertion, likewise (CTAP 2.3 §6.2)."""
    return _changed({0x01: RP_ID, 0x02: CLIENT_DATA_HASH}, changes)


def _changed(members: Members, changes: Mapping[int, Any] | None) -> Members:
    return {key: value for key, value in {**members, **(changes or {})}.items() if value is not None}


def descriptor(credential_id: bytes) -> dict[str, Any]:
    """A PublicKeyCredentialDescriptor."""
    return {"id": credential_id, "type": "public-key"}


@contextmanager
def refused(*expected: CtapError.ERR) -> Iterator[None]:
    """The key must refuse what is asked within, with one of these codes (CTAP 2.3 §8.2)."""
    names = " or ".join(code.name for code in expected)
    try:
        yield
    except CtapError as error:
        if error.code not in expected:
            pytest.fail(f"expected {names}, found {getattr(error.code, 'name', error.code)}", pytrace=False)
    else:
        pytest.fail(f"expected {names}, found success", pytrace=False)


@dataclass(frozen=True, slots=True)
class Registered:
    """What an authenticatorMakeCredential came to."""

    response: Members
    auth_data: AuthenticatorData

    @property
    def id(self) -> bytes:
        """The credential's."""
        assert self.auth_data.credential_data is not None
        return self.auth_data.credential_data.credential_id

    @property
    def public_key(self) -> CoseKey:
        """The credential's."""
        assert self.auth_data.credential_data is not None
        return self.auth_data.credential_data.public_key


class Host:
    """``device`` is touched as it blinks; ``pin`` is the key's, if it has one."""

    def __init__(self, device: CtapDevice, pin: str) -> None:
        self.device = device
        self.pin = pin
        self._kept: list[bytes] = []

    @cached_property
    def ctap2(self) -> Ctap2:
        """python-fido2's own, which also checks that each response is canonical CBOR (§8)."""
        return Ctap2(self.device)

    @property
    def info(self) -> Info:
        """What getInfo says now."""
        return self.ctap2.get_info()

    def ask(self, command: int, members: Members | None = None) -> Members:
        """Send a request; returns the response's map.

        Raises:
            CtapError: what the key answers.
        """
        response = self.ctap2.send_cbor(command, members)
        return dict(response) if response else {}

    def ask_untouched(self, command: int, members: Members | None = None) -> Members:
        """As ``ask``, but where the key wants to be touched, the command is cancelled (§11.2.9.1.5).

        The test holds the finger back.
        """
        cancel = threading.Event()

        def heed(status: int) -> None:
            if status == STATUS.UPNEEDED:
                cancel.set()

        return dict(self.ctap2.send_cbor(command, members, event=cancel, on_keepalive=heed) or {})

    def ask_raw(self, request: bytes) -> tuple[int, bytes]:
        """Send the bytes as they are; returns the status and what follows it."""
        answer = self.device.call(CTAPHID.CBOR, request)
        return answer[0], answer[1:]

    def protocol(self, number: int | None = None) -> PinProtocol:
        """The PIN/UV auth protocol of this number, or the one that the key prefers."""
        return PROTOCOLS[number or self.ctap2.info.pin_uv_protocols[0]]()

    def pin_retries(self) -> int:
        """The tries that are left for the PIN (§6.5.5.2)."""
        return int(self.ask(CLIENT_PIN, {0x02: 0x01})[0x03])

    def key_agreement(self, number: int) -> CoseKey:
        """The key's own half of a shared secret (§6.5.5.4)."""
        return CoseKey.parse(self.ask(CLIENT_PIN, {0x01: number, 0x02: 0x02})[0x01])

    def token(self, permissions: P, rp_id: str | None = None, number: int | None = None) -> bytes:
        """A pinUvAuthToken got with the PIN (§6.5.5.7)."""
        return ClientPin(self.ctap2, self.protocol(number)).get_pin_token(self.pin, permissions, rp_id)

    def proof(self, permissions: P, rp_id: str | None, message: bytes) -> tuple[bytes, int]:
        """The pinUvAuthParam over ``message``, and the number of the protocol."""
        protocol = self.protocol()
        return protocol.authenticate(self.token(permissions, rp_id), message), protocol.VERSION

    def create(self, changes: Mapping[int, Any] | None = None, *, verified: bool = False) -> Members:
        """authenticatorMakeCredential, with a proof of verification if ``verified`` or where the key demands one."""
        members = creation(changes)
        if (verified or self._demands_proof(members.get(0x07, {}))) and 0x08 not in members:
            members[0x08], members[0x09] = self.proof(P.MAKE_CREDENTIAL, members[0x02]["id"], members[0x01])
        response = self.ask(MAKE_CREDENTIAL, members)
        if members.get(0x07, {}).get("rk"):
            self.keep(Registered(response, AuthenticatorData(response[0x02])).id)
        return response

    def register(self, changes: Mapping[int, Any] | None = None, *, verified: bool = False) -> Registered:
        """As ``create``, read."""
        response = self.create(changes, verified=verified)
        return Registered(response, AuthenticatorData(response[0x02]))

    def sign(self, changes: Mapping[int, Any] | None = None, *, verified: bool = False) -> Members:
        """authenticatorGetAssertion, with a proof of verification if ``verified``."""
        members = assertion(changes)
        if verified or self.info.options.get("alwaysUv"):
            members[0x06], members[0x07] = self.proof(P.GET_ASSERTION, members[0x01], members[0x02])
        return self.ask(GET_ASSERTION, members)

    def credential_management(self) -> CredentialManagement:
        """With a token of its own."""
        return CredentialManagement(self.ctap2, self.protocol(), self.token(P.CREDENTIAL_MGMT))

    def tidy(self) -> None:
        """Delete the discoverable credentials that were made here."""
        if not self._kept:
            return
        management = self.credential_management()
        for credential_id in self._kept:
            try:
                management.delete_cred(PublicKeyCredentialDescriptor.from_dict(descriptor(credential_id)))
            except CtapError as error:
                # The test may have deleted or overwritten it.
                if error.code != ERR.NO_CREDENTIALS:
                    raise
        self._kept.clear()

    def keep(self, credential_id: bytes) -> None:
        """Delete this discoverable credential too in the end: another host made it."""
        self._kept.append(credential_id)

    def _demands_proof(self, options: Mapping[str, bool]) -> bool:
        current = self.info.options
        if not current.get("clientPin"):
            return False
        return bool(options.get("rk") or current.get("alwaysUv") or not current.get("makeCredUvNotRqd"))


def check_signature(registered: Registered, response: Members) -> AuthenticatorData:
    """The assertion must be the credential's (§6.2.2 step 13); returns its authenticator data."""
    registered.public_key.verify(response[0x02] + CLIENT_DATA_HASH, response[0x03])
    return AuthenticatorData(response[0x02])


def user(name: str) -> dict[str, Any]:
    """A user entity."""
    return {"id": name.encode(), "name": name, "displayName": name.title()}


def random_id() -> bytes:
    """A credential id that no key has made."""
    return random_bytes(48)
