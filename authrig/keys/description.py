"""What a key says about itself (getInfo, CTAP 2.3 §6.4) in words, and how two keys differ in that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from fido2 import cbor

from authrig.errors import RigError
from authrig.keys.attached import call_attached, checked
from authrig.keys.key_file import KeyFile, load_profile
from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.profile import names

GET_INFO = b"\x04"

MEMBERS: dict[int, str] = {
    0x01: "versions",
    0x02: "extensions",
    0x03: "aaguid",
    0x04: "options",
    0x05: "maxMsgSize",
    0x06: "pinUvAuthProtocols",
    0x07: "maxCredentialCountInList",
    0x08: "maxCredentialIdLength",
    0x09: "transports",
    0x0A: "algorithms",
    0x0B: "maxSerializedLargeBlobArray",
    0x0C: "forcePINChange",
    0x0D: "minPINLength",
    0x0E: "firmwareVersion",
    0x0F: "maxCredBlobLength",
    0x10: "maxRPIDsForSetMinPINLength",
    0x11: "preferredPlatformUvAttempts",
    0x12: "uvModality",
    0x13: "certifications",
    0x14: "remainingDiscoverableCredentials",
    0x15: "vendorPrototypeConfigCommands",
    0x16: "attestationFormats",
    0x17: "uvCountSinceLastPinEntry",
    0x18: "longTouchForReset",
    0x19: "encIdentifier",
    0x1A: "transportsForReset",
    0x1B: "pinComplexityPolicy",
    0x1C: "pinComplexityPolicyURL",
    0x1D: "maxPINLength",
    0x1E: "encCredStoreState",
    0x1F: "authenticatorConfigCommands",
}
"""The members of getInfo by their keys."""

_FRESH_EACH_TIME = frozenset({"encIdentifier", "encCredStoreState"})


def describe(info: Mapping[Any, Any]) -> dict[str, Any]:
    """The getInfo map as JSON would hold it: members by name, the AAGUID and byte strings in hexadecimal.

    A member that CTAP 2.3 does not define keeps its number.
    """
    return {MEMBERS.get(key, str(key)): _plain(key, value) for key, value in info.items()}


def _plain(key: object, value: Any) -> Any:
    if key == 0x03 and isinstance(value, bytes) and len(value) == 16:
        return str(UUID(bytes=value))
    if key == 0x0A and isinstance(value, list):
        return [entry.get("alg") if isinstance(entry, dict) else entry for entry in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(name): _plain(None, member) for name, member in value.items()}
    return [_plain(None, item) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Difference:
    """A member that two keys do not agree on; None stands for a member that is not there."""

    member: str
    first: Any
    second: Any


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Where two descriptions differ, in the order of the specification; options one by one.

    Members that change with every answer differ only if one key has them and the other does not.
    """
    one, other = _flat(first), _flat(second)
    return [
        Difference(member, one.get(member), other.get(member))
        for member in dict.fromkeys((*one, *other))
        if one.get(member) != other.get(member)
    ]


def _flat(description: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for member, value in description.items():
        if isinstance(value, Mapping):
            flat |= {f"{member}.{name}": entry for name, entry in value.items()}
        else:
            flat[member] = "(fresh each time)" if member in _FRESH_EACH_TIME else value
    return flat


def describe_authenticator(authenticator: Authenticator) -> dict[str, Any]:
    """What an emulated key says about itself."""
    answer = authenticator.start(GET_INFO).answer
    name = f"a key of profile {authenticator.profile.name}"
    return describe(_map(checked(answer or b"", name), name))


def describe_source(source: str) -> dict[str, Any]:
    """What the key that ``source`` names says about itself: a profile, a key file, or a device such as /dev/hidraw0.

    Raises:
        RigError: if there is no such key, or it does not answer.
    """
    if source in names():
        return describe_authenticator(Authenticator(Env.simulated(0), load_profile(source)))
    path = Path(source)
    if path.is_char_device():
        return describe(_map(call_attached(path, GET_INFO), source))
    if not path.exists():
        raise RigError(f"expected a profile ({', '.join(names())}), a key file or a device, found {source}")
    key = KeyFile.open(path)
    try:
        return describe_authenticator(key.inspect())
    finally:
        key.close()


def _map(data: bytes, source: str) -> Mapping[Any, Any]:
    # An attached key may answer what our own strict reader refuses, and the user still wants to see it.
    try:
        info = cbor.decode(data)
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise RigError(f"{source}: expected CBOR from getInfo, found {data[:32].hex()}") from error
    if not isinstance(info, Mapping):
        raise RigError(f"{source}: expected a map from getInfo, found {type(info).__name__}")
    return info
