"""The users of the server under load: what their devices would say, at the least cost."""

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

from benchmarks.lean_http import Line, Served
from offline_qr import otq1

AUTHENTICATION = "/auth/rest/public/authentication"
SELF_SERVICE = "/auth/rest/protected/self-service"
PASSWORD = "correct horse battery staple"  # noqa: S105 - of a server that lives for a minute
SEED = bytes(range(32))
ECDSA = ec.ECDSA(hashes.SHA256())


class Refused(Exception):  # noqa: N818 - an answer
    """The server did not answer as it should."""


@dataclass
class Key:
    """A FIDO credential of ``name``, without the device around it."""

    private: ec.EllipticCurvePrivateKey
    credential_id: bytes
    user_id: bytes
    origin: str
    count: int = 0

    def attestation(self, challenge: str) -> dict[str, Any]:
        """RegistrationResponseJSON, attestation "none"."""
        numbers = self.private.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        credential = bytes(16) + struct.pack(">H", len(self.credential_id)) + self.credential_id + cbor.encode(cose)
        data = self._authenticator_data(0x45) + credential
        document = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": websafe_encode(self._client_data("webauthn.create", challenge)),
            "attestationObject": websafe_encode(document),
        }
        return self._credential(response)

    def assertion(self, challenge: str) -> bytes:
        """The body of an assertion check."""
        self.count += 1
        client_data, data = self._client_data("webauthn.get", challenge), self._authenticator_data(0x05)
        signature = self.private.sign(data + hashlib.sha256(client_data).digest(), ECDSA)
        response = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(self.user_id),
        }
        return json.dumps({"credential": self._credential(response)}).encode()

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = websafe_encode(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _authenticator_data(self, flags: int) -> bytes:
        return hashlib.sha256(b"localhost").digest() + struct.pack(">BI", flags, self.count)


class Person:
    """A user with a QR token and a FIDO key, and a line to the server."""

    def __init__(self, server: Served, name: str) -> None:
        self.name, self._serial = name, f"QT1-{int.from_bytes(name.encode()[-4:], 'big') % 10**8:08}"
        admin = Line(server.internal)
        self._admin(admin, server, "/users", {"username": name, "password": PASSWORD})
        token = {"serial": self._serial, "seedHex": SEED.hex(), "displayName": "token"}
        self._admin(admin, server, f"/users/{name}/qr-tokens", token)
        admin.close()
        self._keys = otq1.derive_keys(self._serial, SEED)
        self.line = Line(server.public)
        self.key = self._register(server)

    def begin(self, application: str, *, password: bool) -> None:
        """Ask for an application, and perhaps type the password."""
        self.line.post(f"{AUTHENTICATION}/applications/{application}/access/", b"{}")
        if password:
            body = json.dumps({"username": self.name, "password": PASSWORD}).encode()
            _good(self.line.post(f"{AUTHENTICATION}/password/check/", body))

    def fido(self) -> None:
        """The two requests of a login by key."""
        challenge = json.loads(_good(self.line.post(f"{AUTHENTICATION}/fido/challenge/retrieve/", b"{}")))
        body = self.key.assertion(challenge["data"]["attributes"]["publicKey"]["challenge"])
        _good(self.line.post(f"{AUTHENTICATION}/fido/assertion/check/", body))

    def ask_qr(self) -> bytes:
        """Ask for a QR code; the body with its code."""
        answer = _good(self.line.post(f"{AUTHENTICATION}/airlock-2fa/offline-qr-code/retrieve/", b'{"image":false}'))
        content = json.loads(answer)["data"]["attributes"]["content"]
        code = otq1.compute_code(otq1.decode(content, self._keys, self._serial), self._keys)
        return json.dumps({"otp": code}).encode()

    def answer_qr(self, body: bytes) -> None:
        """Type the code."""
        _good(self.line.post(f"{AUTHENTICATION}/airlock-2fa/otp/check/", body))

    def reconnect(self, server: Served) -> None:
        """Hang up, and come back on another connection."""
        self.line.close()
        self.line = Line(server.public)

    def _register(self, server: Served) -> Key:
        self.begin("self-service", password=True)
        answer = _good(
            self.line.post(f"{SELF_SERVICE}/fido/registration/challenge/retrieve/", b'{"displayName":"key"}')
        )
        options = json.loads(answer)["data"]["attributes"]["publicKey"]
        user_id = websafe_decode(options["user"]["id"])
        key = Key(ec.generate_private_key(ec.SECP256R1()), self.name.encode() * 4, user_id, server.origin)
        body = json.dumps({"credential": key.attestation(options["challenge"])}).encode()
        _good(self.line.post(f"{SELF_SERVICE}/fido/registration/check/", body))
        self.line.cookie = ""
        return key

    @staticmethod
    def _admin(line: Line, server: Served, path: str, body: object) -> None:
        _good(
            line.post(
                f"/admin/rest{path}", json.dumps(body).encode(), f"Authorization: Bearer {server.admin_token}\r\n"
            )
        )


def _good(answer: tuple[int, bytes]) -> bytes:
    status, body = answer
    if status >= 300:
        raise Refused(f"{status}: {body.decode()}")
    return body
