"""Requests as typed values: each is read once, strictly, from the CBOR map that follows the command byte.

A wrong type is CBOR_UNEXPECTED_TYPE, an absent required member MISSING_PARAMETER, a wrong size INVALID_LENGTH; members
that a request does not know are ignored, as newer hosts may send them (CTAP 2.3 §8).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.status import CtapError, Status

T = TypeVar("T", int, bool, bytes, str)

Members = Mapping[Any, CborValue]
"""A decoded CBOR map."""

PUBLIC_KEY = "public-key"
"""The one credential type that WebAuthn knows."""

MAX_NAME_BYTES = 64
"""Names are kept up to this many bytes of UTF-8 (WebAuthn §6.4.1)."""


def members(parameters: bytes) -> Members:
    """The CBOR map that is all of ``parameters``."""
    return as_map(cbor.decode(parameters))


def as_map(value: CborValue) -> Members:
    """``value``, which must be a map."""
    if type(value) is not dict:
        raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
    return value


def as_list(value: CborValue) -> list[CborValue]:
    """``value``, which must be an array."""
    if type(value) is not list:
        raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
    return value


def optional(values: Members, key: int | str, kind: type[T]) -> T | None:
    """The member ``key``, None if absent; exactly of ``kind``, so that a boolean is no integer."""
    if key not in values:
        return None
    value = values[key]
    if type(value) is not kind:
        raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
    return value


def required(values: Members, key: int | str, kind: type[T]) -> T:
    """The member ``key``, exactly of ``kind``."""
    value = optional(values, key, kind)
    if value is None:
        raise CtapError(Status.MISSING_PARAMETER)
    return value


def required_member(values: Members, key: int | str) -> CborValue:
    """The member ``key`` of any type."""
    if key not in values:
        raise CtapError(Status.MISSING_PARAMETER)
    return values[key]


def truncate_name(name: str | None) -> str | None:
    """``name`` cut to ``MAX_NAME_BYTES`` bytes of UTF-8 without splitting a character."""
    if name is None:
        return None
    encoded = name.encode()
    return name if len(encoded) <= MAX_NAME_BYTES else encoded[:MAX_NAME_BYTES].decode(errors="ignore")


def _client_data_hash(values: Members, key: int) -> bytes:
    client_data_hash = required(values, key, bytes)
    if len(client_data_hash) != 32:
        raise CtapError(Status.INVALID_LENGTH)
    return client_data_hash


@dataclass(frozen=True, slots=True)
class UserEntity:
    """PublicKeyCredentialUserEntity: ``id`` is 1 to 64 bytes that name the user for the relying party."""

    id: bytes
    name: str | None = None
    display_name: str | None = None

    @classmethod
    def from_cbor(cls, value: CborValue) -> "UserEntity":
        """Read the map; names longer than ``MAX_NAME_BYTES`` are cut."""
        values = as_map(value)
        user_id = required(values, "id", bytes)
        if not 1 <= len(user_id) <= 64:
            raise CtapError(Status.INVALID_LENGTH)
        name, display_name = optional(values, "name", str), optional(values, "displayName", str)
        return cls(user_id, truncate_name(name), truncate_name(display_name))

    def to_cbor(self, *, names: bool) -> dict[str, CborValue]:
        """The map: only the id, or with ``names`` all that is known."""
        entity: dict[str, CborValue] = {"id": self.id}
        if names and self.name is not None:
            entity["name"] = self.name
        if names and self.display_name is not None:
            entity["displayName"] = self.display_name
        return entity


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """PublicKeyCredentialRpEntity."""

    id: str
    name: str | None = None

    @classmethod
    def from_cbor(cls, value: CborValue) -> "RelyingParty":
        """Read the map."""
        values = as_map(value)
        return cls(required(values, "id", str), truncate_name(optional(values, "name", str)))


def _descriptors(values: Members, key: int) -> tuple[bytes, ...] | None:
    """The ids of a list of PublicKeyCredentialDescriptor, those of unknown types left out; None if there is no list."""
    if key not in values:
        return None
    ids = []
    for item in as_list(values[key]):
        descriptor = as_map(item)
        credential_id, kind = required(descriptor, "id", bytes), required(descriptor, "type", str)
        if kind == PUBLIC_KEY:
            ids.append(credential_id)
    return tuple(ids)


def _algorithms(values: Members, key: int) -> tuple[int, ...]:
    """The COSE algorithms of pubKeyCredParams in the host's order of preference, those of unknown types left out."""
    algorithms = []
    for item in as_list(required_member(values, key)):
        parameters = as_map(item)
        algorithm, kind = required(parameters, "alg", int), required(parameters, "type", str)
        if kind == PUBLIC_KEY:
            algorithms.append(algorithm)
    return tuple(algorithms)


def _formats(values: Members, key: int) -> tuple[str, ...]:
    """attestationFormatsPreference: statement formats, the host's favourite first; no list is an empty one."""
    names = as_list(values[key]) if key in values else []
    if not all(type(name) is str for name in names):
        raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
    return tuple(cast("list[str]", names))


def _options(values: Members, key: int) -> dict[str, bool]:
    """The options map; options that nobody knows are ignored, but every value must be a boolean."""
    if key not in values:
        return {}
    options = as_map(values[key])
    return {name: required(options, name, bool) for name in options if type(name) is str}


def _extensions(values: Members, key: int) -> dict[str, CborValue]:
    if key not in values:
        return {}
    extensions = as_map(values[key])
    if not all(type(name) is str for name in extensions):
        raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
    return cast("dict[str, CborValue]", extensions)


@dataclass(frozen=True, slots=True)
class PinUvAuth:
    """The proof, made with a pinUvAuthToken, that the user was verified: absent members are None."""

    param: bytes | None = field(default=None, repr=False)
    protocol: int | None = None


@dataclass(frozen=True, slots=True)
class MakeCredentialRequest:
    """authenticatorMakeCredential, CTAP 2.3 §6.1."""

    client_data_hash: bytes
    rp: RelyingParty
    user: UserEntity
    algorithms: tuple[int, ...]
    exclude_list: tuple[bytes, ...] | None
    extensions: dict[str, CborValue]
    options: dict[str, bool]
    pin_uv_auth: PinUvAuth
    enterprise_attestation: int | None
    attestation_formats: tuple[str, ...]

    @classmethod
    def from_cbor(cls, parameters: bytes) -> "MakeCredentialRequest":
        """Read the request strictly."""
        values = members(parameters)
        return cls(
            client_data_hash=_client_data_hash(values, 0x01),
            rp=RelyingParty.from_cbor(required_member(values, 0x02)),
            user=UserEntity.from_cbor(required_member(values, 0x03)),
            algorithms=_algorithms(values, 0x04),
            exclude_list=_descriptors(values, 0x05),
            extensions=_extensions(values, 0x06),
            options=_options(values, 0x07),
            pin_uv_auth=PinUvAuth(optional(values, 0x08, bytes), optional(values, 0x09, int)),
            enterprise_attestation=optional(values, 0x0A, int),
            attestation_formats=_formats(values, 0x0B),
        )


@dataclass(frozen=True, slots=True)
class GetAssertionRequest:
    """authenticatorGetAssertion, CTAP 2.3 §6.2."""

    rp_id: str
    client_data_hash: bytes
    allow_list: tuple[bytes, ...] | None
    extensions: dict[str, CborValue]
    options: dict[str, bool]
    pin_uv_auth: PinUvAuth
    enterprise_attestation: int | None
    attestation_formats: tuple[str, ...]

    @classmethod
    def from_cbor(cls, parameters: bytes) -> "GetAssertionRequest":
        """Read the request strictly."""
        values = members(parameters)
        return cls(
            rp_id=required(values, 0x01, str),
            client_data_hash=_client_data_hash(values, 0x02),
            allow_list=_descriptors(values, 0x03),
            extensions=_extensions(values, 0x04),
            options=_options(values, 0x05),
            pin_uv_auth=PinUvAuth(optional(values, 0x06, bytes), optional(values, 0x07, int)),
            enterprise_attestation=optional(values, 0x08, int),
            attestation_formats=_formats(values, 0x09),
        )


@dataclass(frozen=True, slots=True)
class ClientPinRequest:
    """authenticatorClientPIN, CTAP 2.3 §6.5.5. Which members a subcommand needs, the subcommand says."""

    subcommand: int
    protocol: int | None = None
    key_agreement: Members | None = None
    param: bytes | None = field(default=None, repr=False)
    new_pin_enc: bytes | None = field(default=None, repr=False)
    pin_hash_enc: bytes | None = field(default=None, repr=False)
    permissions: int | None = None
    rp_id: str | None = None

    @classmethod
    def from_cbor(cls, parameters: bytes) -> "ClientPinRequest":
        """Read the request strictly."""
        values = members(parameters)
        return cls(
            protocol=optional(values, 0x01, int),
            subcommand=required(values, 0x02, int),
            key_agreement=as_map(values[0x03]) if 0x03 in values else None,
            param=optional(values, 0x04, bytes),
            new_pin_enc=optional(values, 0x05, bytes),
            pin_hash_enc=optional(values, 0x06, bytes),
            permissions=optional(values, 0x09, int),
            rp_id=optional(values, 0x0A, str),
        )


@dataclass(frozen=True, slots=True)
class ConfigRequest:
    """authenticatorConfig, CTAP 2.3 §6.11."""

    subcommand: int
    parameters: Members | None
    pin_uv_auth: PinUvAuth

    @classmethod
    def from_cbor(cls, parameters: bytes) -> "ConfigRequest":
        """Read the request strictly."""
        values = members(parameters)
        return cls(
            subcommand=required(values, 0x01, int),
            parameters=as_map(values[0x02]) if 0x02 in values else None,
            pin_uv_auth=PinUvAuth(optional(values, 0x04, bytes), optional(values, 0x03, int)),
        )


@dataclass(frozen=True, slots=True)
class BioEnrollmentRequest:
    """authenticatorBioEnrollment, CTAP 2.3 §6.7."""

    modality: int | None
    subcommand: int | None
    parameters: Members | None
    pin_uv_auth: PinUvAuth
    get_modality: bool

    @classmethod
    def from_cbor(cls, parameters: bytes) -> "BioEnrollmentRequest":
        """Read the request strictly."""
        values = members(parameters)
        return cls(
            modality=optional(values, 0x01, int),
            subcommand=optional(values, 0x02, int),
            parameters=as_map(values[0x03]) if 0x03 in values else None,
            pin_uv_auth=PinUvAuth(optional(values, 0x05, bytes), optional(values, 0x04, int)),
            get_modality=optional(values, 0x06, bool) or False,
        )


@dataclass(frozen=True, slots=True)
class EmptyRequest:
    """A command without parameters."""

    @classmethod
    def from_cbor(cls, parameters: bytes) -> "EmptyRequest":
        """Nothing may follow the command byte."""
        if parameters:
            raise CtapError(Status.INVALID_LENGTH)
        return cls()
