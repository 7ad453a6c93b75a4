"""A credential, and the sealed form of one that lives in its own id and so costs the key no storage."""

import hmac
from dataclasses import dataclass, field
from hashlib import sha256
from typing import cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from emulators.env import Random
from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.messages import UserEntity

_VERSION = b"\x01"
_NONCE_BYTES = 12

_SHORT = {"credProtect": 1, "hmac-secret": 2, "thirdPartyPayment": 3, "previewSign": 4}
"""Identifiers as they stand in a sealed credential: relying parties like ids to be short. A number never changes."""
_LONG = {number: identifier for identifier, number in _SHORT.items()}


@dataclass(frozen=True, slots=True)
class Credential:
    """A key pair for one relying party. ``user`` is None for a sealed credential, which remembers no user.

    ``extensions`` is what extensions keep with the credential, by their identifiers.
    """

    id: bytes
    rp_id: str
    algorithm: int
    private_key: bytes = field(repr=False)
    user: UserEntity | None = None
    rp_name: str | None = None
    discoverable: bool = False
    extensions: dict[str, CborValue] = field(default_factory=dict, repr=False)

    def to_bytes(self) -> bytes:
        """All of it but the id, for a store."""
        user = self.user
        return cbor.encode(
            {
                1: self.rp_id,
                2: self.algorithm,
                3: self.private_key,
                **({4: user.to_cbor(names=True)} if user else {}),
                **({5: self.rp_name} if self.rp_name is not None else {}),
                6: self.discoverable,
                **({7: self.extensions} if self.extensions else {}),
            }
        )

    @classmethod
    def from_bytes(cls, credential_id: bytes, data: bytes) -> "Credential":
        """What ``to_bytes`` wrote.

        Raises:
            CtapError: if ``data`` is not what ``to_bytes`` writes.
        """
        values = cast("dict[int, CborValue]", cbor.decode(data))
        return cls(
            id=credential_id,
            rp_id=cast("str", values[1]),
            algorithm=cast("int", values[2]),
            private_key=cast("bytes", values[3]),
            user=UserEntity.from_cbor(values[4]) if 4 in values else None,
            rp_name=cast("str | None", values.get(5)),
            discoverable=cast("bool", values[6]),
            extensions=cast("dict[str, CborValue]", values.get(7, {})),
        )


def derive_secret(private_key: bytes, purpose: bytes) -> bytes:
    """32 secret bytes that a credential with ``private_key`` has for ``purpose``, and nothing needs to keep."""
    return hmac.digest(private_key, b"Authrig " + purpose, "sha256")


class Sealer:
    """Seals credentials into their ids under the device key, bound to the relying party's id."""

    def __init__(self, device_key: bytes) -> None:
        self._aead = AESGCM(device_key)

    def seal(self, random: Random, credential: Credential, rp_id_hash: bytes | None = None) -> Credential:
        """``credential`` with the id from which alone it can be opened again: version, nonce, ciphertext, tag.

        U2F, which knows a relying party by its ``rp_id_hash`` alone, gives that.
        """
        nonce = random.token_bytes(_NONCE_BYTES)
        secret: list[object] = [credential.algorithm, credential.private_key]
        if credential.extensions:
            secret.append({_SHORT.get(name, name): value for name, value in credential.extensions.items()})
        sealed = self._aead.encrypt(nonce, cbor.encode(secret), _VERSION + (rp_id_hash or _hash(credential.rp_id)))
        return Credential(
            id=_VERSION + nonce + sealed,
            rp_id=credential.rp_id,
            algorithm=credential.algorithm,
            private_key=credential.private_key,
            extensions=credential.extensions,
        )

    def open(self, credential_id: bytes, rp_id: str) -> Credential | None:
        """The credential in ``credential_id``; None if this key did not seal it for ``rp_id``."""
        return self.open_by_hash(credential_id, _hash(rp_id), rp_id)

    def open_by_hash(self, credential_id: bytes, rp_id_hash: bytes, rp_id: str = "") -> Credential | None:
        """As ``open``, for the relying party whose id has this SHA-256 hash."""
        if credential_id[:1] != _VERSION or len(credential_id) < 1 + _NONCE_BYTES + 16:
            return None
        nonce, sealed = credential_id[1 : 1 + _NONCE_BYTES], credential_id[1 + _NONCE_BYTES :]
        try:
            secret = self._aead.decrypt(nonce, sealed, _VERSION + rp_id_hash)
        except InvalidTag:
            return None
        algorithm, private_key, *rest = cast("list[CborValue]", cbor.decode(secret))
        extensions = cast("dict[int | str, CborValue]", rest[0]) if rest else {}
        return Credential(
            id=credential_id,
            rp_id=rp_id,
            algorithm=cast("int", algorithm),
            private_key=cast("bytes", private_key),
            extensions={_name(key): value for key, value in extensions.items()},
        )


def _name(key: int | str) -> str:
    # A number that only a newer Authrig gives out stays a number, which no extension reads.
    return key if isinstance(key, str) else _LONG.get(key, str(key))


def _hash(rp_id: str) -> bytes:
    return sha256(rp_id.encode()).digest()
