"""CTAPHID reports as lines that a person can read: messages put together, CBOR keys named (CTAP 2.3 §6, §11.2).

It reads traffic and never answers it, so it takes whatever comes: what it cannot decode it shows in hexadecimal.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from fido2 import cbor
from fido2.ctap import CtapError
from fido2.ctap2.base import Ctap2
from fido2.webauthn import AuthenticatorData

from emulators.fido_authenticator.authenticator import KeepaliveStatus
from emulators.fido_authenticator.ctaphid import (
    CONTINUATION_DATA_BYTES,
    INITIAL_DATA_BYTES,
    REPORT_BYTES,
    Command,
    Direction,
    HidError,
)

CONTINUATION_HEADER = REPORT_BYTES - CONTINUATION_DATA_BYTES
INITIAL_HEADER = REPORT_BYTES - INITIAL_DATA_BYTES
INITIAL_FLAG = 0x80
INIT_ANSWER_BYTES = 17

COMMAND_NAMES: dict[int, str] = {
    Ctap2.CMD.MAKE_CREDENTIAL: "authenticatorMakeCredential",
    Ctap2.CMD.GET_ASSERTION: "authenticatorGetAssertion",
    Ctap2.CMD.GET_INFO: "authenticatorGetInfo",
    Ctap2.CMD.CLIENT_PIN: "authenticatorClientPIN",
    Ctap2.CMD.RESET: "authenticatorReset",
    Ctap2.CMD.GET_NEXT_ASSERTION: "authenticatorGetNextAssertion",
    Ctap2.CMD.BIO_ENROLLMENT: "authenticatorBioEnrollment",
    Ctap2.CMD.CREDENTIAL_MGMT: "authenticatorCredentialManagement",
    Ctap2.CMD.SELECTION: "authenticatorSelection",
    Ctap2.CMD.LARGE_BLOBS: "authenticatorLargeBlobs",
    Ctap2.CMD.CONFIG: "authenticatorConfig",
}
ASSERTION_RESPONSE = [
    "credential",
    "authData",
    "signature",
    "user",
    "numberOfCredentials",
    "userSelected",
    "largeBlobKey",
    "unsignedExtensionOutputs",
    "epAtt",
    "attStmt",
]
REQUEST_KEYS: dict[int, list[str]] = {
    Ctap2.CMD.MAKE_CREDENTIAL: [
        "clientDataHash",
        "rp",
        "user",
        "pubKeyCredParams",
        "excludeList",
        "extensions",
        "options",
        "pinUvAuthParam",
        "pinUvAuthProtocol",
        "enterpriseAttestation",
        "attestationFormatsPreference",
    ],
    Ctap2.CMD.GET_ASSERTION: [
        "rpId",
        "clientDataHash",
        "allowList",
        "extensions",
        "options",
        "pinUvAuthParam",
        "pinUvAuthProtocol",
        "enterpriseAttestation",
        "attestationFormatsPreference",
    ],
    Ctap2.CMD.CLIENT_PIN: [
        "pinUvAuthProtocol",
        "subCommand",
        "keyAgreement",
        "pinUvAuthParam",
        "newPinEnc",
        "pinHashEnc",
        "(7)",
        "(8)",
        "permissions",
        "rpId",
    ],
}
RESPONSE_KEYS: dict[int, list[str]] = {
    Ctap2.CMD.MAKE_CREDENTIAL: ["fmt", "authData", "attStmt", "epAtt", "largeBlobKey", "unsignedExtensionOutputs"],
    Ctap2.CMD.GET_ASSERTION: ASSERTION_RESPONSE,
    Ctap2.CMD.GET_NEXT_ASSERTION: ASSERTION_RESPONSE,
    Ctap2.CMD.GET_INFO: [
        "versions",
        "extensions",
        "aaguid",
        "options",
        "maxMsgSize",
        "pinUvAuthProtocols",
        "maxCredentialCountInList",
        "maxCredentialIdLength",
        "transports",
        "algorithms",
        "maxSerializedLargeBlobArray",
        "forcePINChange",
        "minPINLength",
        "firmwareVersion",
        "maxCredBlobLength",
        "maxRPIDsForSetMinPINLength",
        "preferredPlatformUvAttempts",
        "uvModality",
        "certifications",
        "remainingDiscoverableCredentials",
        "vendorPrototypeConfigCommands",
        "attestationFormats",
        "uvCountSinceLastPinEntry",
        "longTouchForReset",
        "encIdentifier",
        "transportsForReset",
        "pinComplexityPolicy",
        "pinComplexityPolicyURL",
        "maxPINLength",
        "encCredStoreState",
        "authenticatorConfigCommands",
    ],
    Ctap2.CMD.CLIENT_PIN: ["keyAgreement", "pinUvAuthToken", "pinRetries", "powerCycleState", "uvRetries"],
}


@dataclass(slots=True)
class _Message:
    """A message on its way: what has arrived of it, and how long it will be."""

    command: int
    length: int
    payload: bytes

    @property
    def complete(self) -> bool:
        return len(self.payload) >= self.length


class CtapTranscript:
    """Turns the reports of one conversation into lines; keepalives that say the same again are left out."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._last_line = ""
        self._partial: dict[tuple[Direction, bytes], _Message] = {}
        self._asked: dict[bytes, int] = {}

    def take_lines(self) -> list[str]:
        """The lines since the last time; a message that is not whole yet is not among them."""
        lines, self._lines = self._lines, []
        return lines

    def add(self, direction: Direction, report: bytes) -> None:
        """Add one 64-byte report."""
        channel = report[:4]
        if report[4] & INITIAL_FLAG:
            length = int.from_bytes(report[5:INITIAL_HEADER])
            payload = report[INITIAL_HEADER:][:length]
            message = _Message(report[4] & ~INITIAL_FLAG, length, payload)
        elif (pending := self._partial.pop((direction, channel), None)) is not None:
            payload = pending.payload + report[CONTINUATION_HEADER:]
            message = _Message(pending.command, pending.length, payload[: pending.length])
        else:
            self._say(f"{_arrow(direction)} continuation without a beginning: {report.hex()}")
            return
        if message.complete:
            for line in self._describe(direction, channel, message):
                self._say(line)
        else:
            self._partial[direction, channel] = message

    def _say(self, line: str) -> None:
        if "KEEPALIVE" not in line or line != self._last_line:
            self._lines.append(line)
        self._last_line = line

    def _describe(self, direction: Direction, channel: bytes, message: _Message) -> Iterator[str]:
        arrow, payload = _arrow(direction), message.payload
        command = message.command
        if command == Command.CBOR and payload:
            yield from self._describe_cbor(direction, channel, payload)
        elif command == Command.KEEPALIVE and payload:
            yield f"{arrow} KEEPALIVE {_name(KeepaliveStatus, payload[0])}"
        elif command == Command.ERROR and payload:
            yield f"{arrow} ERROR {_name(HidError, payload[0])}"
        elif command == Command.INIT and len(payload) == INIT_ANSWER_BYTES:
            yield f"{arrow} INIT: channel {payload[8:12].hex()}, capabilities 0x{payload[16]:02x}"
        else:
            yield f"{arrow} {_name(Command, command)} {_short(payload)}".rstrip()

    def _describe_cbor(self, direction: Direction, channel: bytes, payload: bytes) -> Iterator[str]:
        code, body = payload[0], payload[1:]
        if direction == "to_key":
            self._asked[channel] = code
            yield f"{_arrow(direction)} {COMMAND_NAMES.get(code, f'CBOR command 0x{code:02x}')}"
            yield from _fields(body, REQUEST_KEYS.get(code, []))
            return
        status = _name(CtapError.ERR, code)
        yield f"{_arrow(direction)} {'OK' if status == 'SUCCESS' else status}"
        yield from _fields(body, RESPONSE_KEYS.get(self._asked.get(channel, 0), []))


def _arrow(direction: Direction) -> str:
    return "host → key " if direction == "to_key" else "key → host "


def _name(kind: type[IntEnum], code: int) -> str:
    """What ``kind`` calls ``code``, or the number where it has no name."""
    return kind(code).name if code in kind.__members__.values() else f"0x{code:02x}"


def _short(data: bytes) -> str:
    """``data`` in hexadecimal, cut in the middle when long."""
    return data.hex() if len(data) <= 32 else f"{data[:12].hex()}…{data[-4:].hex()} ({len(data)} bytes)"


def _fields(body: bytes, names: list[str]) -> Iterator[str]:
    """One line for each entry of the CBOR map ``body``, whose key n is called ``names[n - 1]``."""
    if not body:
        return
    try:
        decoded = cbor.decode(body)
    except Exception as error:  # noqa: BLE001 - fido2.cbor raises anything on bad input, and bad input is shown, not refused
        yield f"    not CBOR ({type(error).__name__}): {_short(body)}"
        return
    if not isinstance(decoded, Mapping):
        yield f"    {_value(decoded)}"
        return
    for key, value in decoded.items():
        name = names[key - 1] if isinstance(key, int) and 0 < key <= len(names) else f"({key})"
        yield f"    {name}: {_authenticator_data(value) if name == 'authData' else _value(value)}"


def _value(value: Any) -> str:
    """One CBOR value in one line."""
    if isinstance(value, bytes):
        return _short(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_value(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)


def _authenticator_data(value: Any) -> str:
    """Authenticator data, taken apart (WebAuthn §6.1)."""
    try:
        data = AuthenticatorData(value)
    except Exception as error:  # noqa: BLE001 - as above: shown, not refused
        return f"not authenticator data ({type(error).__name__}): {_value(value)}"
    flags = "|".join(flag.name or "" for flag in AuthenticatorData.FLAG if data.flags & flag)
    described = f"rpIdHash {_short(data.rp_id_hash)}, flags {flags or 'none'}, counter {data.counter}"
    attested = data.credential_data
    if attested is not None:
        described += f", AAGUID {attested.aaguid}, credential id {_short(attested.credential_id)}"
    return described
