"""What an event log says, without what is another each time: challenges, nonces, channels, counters, codes, signatures.

Two recordings of one test, of an emulated and of an attached device, then say the same where the devices do.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fido2 import cbor
from fido2.webauthn import AuthenticatorData

from authrig.evidence.ctap_lines import COMMAND_NAMES, REQUEST_KEYS, RESPONSE_KEYS
from authrig.evidence.event_log import Logged
from authrig.evidence.recorder import Event
from emulators.fido_authenticator.ctaphid import Command, HidError
from emulators.fido_authenticator.status import Status
from offline_qr import otq1

KEPT_BYTES: Final = frozenset({"aaguid", "rpIdHash"})
"""Members whose bytes are the same each time; of others only the length counts."""
SILENT_LAYERS: Final = frozenset({"image", "decoded"})
"""Pictures, and what was decoded from other lines of the log."""
_INITIAL = 0x80
_SEQUENCE, _INTEGER = 0x30, 0x02
_CURVES: Final = (32, 48)
"""Bytes of a number of P-256 and P-384."""
_LONGEST_ECDSA = 2 + 2 * (2 + 1 + 48)
_HEADER, _CONTINUATION = 7, 5
_SERIAL = re.compile(r"\b[A-Z][A-Z0-9]*-[0-9]{4,}\b")
_TIME = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}( UTC)?)?\b")
_DIGITS = re.compile(r"^[0-9]{3,8}( [0-9]{3,8})*$")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message, screen or move: ``name`` says which, ``fields`` have what it says, by path."""

    name: str
    fields: Mapping[str, str]

    def __str__(self) -> str:
        said = ", ".join(f"{path}={value}" for path, value in self.fields.items())
        return f"{self.name}: {said}" if said else self.name


def exchanges(log: Sequence[Logged]) -> list[Exchange]:
    """The exchanges of a log, in order. Keepalives are left out: how many come is a matter of time."""
    reports: dict[str, _Reports] = {}
    found: list[Exchange] = []
    for logged in log:
        event = logged.event
        if event.layer == "ctaphid":
            found += reports.setdefault(event.device, _Reports()).add(event)
        elif event.layer not in SILENT_LAYERS:
            found.append(_of_token_or_scanner(event))
    return found


def _of_token_or_scanner(event: Event) -> Exchange:
    if event.layer == "screen":
        return Exchange(f"screen {event.decoded.get('state')}", dict(_words("", event.decoded)))
    if event.layer == "picture":
        texts = [_described(str(text)) for text in event.decoded.get("texts", ())]
        return Exchange("picture", {"texts": " and ".join(texts)} if texts else {})
    fields = dict(_flat("", event.decoded))
    if event.data:
        fields["bytes"] = event.data.hex()
    return Exchange(event.layer, fields)


def _words(path: str, decoded: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The words of a screen, without codes, serial numbers and times."""
    for name, value in decoded.items():
        if isinstance(value, list):
            for number, line in enumerate(value):
                yield f"{path}{name}[{number}]", _masked(str(line))
        elif value is not None:
            yield path + name, _masked(str(value))


def _masked(text: str) -> str:
    if _DIGITS.match(text):
        return f"<{sum(character.isdigit() for character in text)} digits>"
    return _TIME.sub("<time>", _SERIAL.sub("<serial>", text))


def _described(text: str) -> str:
    """What a QR code is, where it is a challenge of ours: its header without what is unique in it."""
    try:
        header = otq1.read_header(text)
    except otq1.Otq1Error:
        return text
    return f"OTQ1 {header.type.name.lower()}, suite {header.suite}, flags {int(header.flags)}, ttl {header.ttl}"


class _Reports:
    """Puts the reports of one key together to messages (CTAP 2.3 §11.2.4)."""

    def __init__(self) -> None:
        self._partial: dict[tuple[str, bytes], tuple[int, int, bytes]] = {}
        self._asked: dict[bytes, int] = {}

    def add(self, event: Event) -> Iterator[Exchange]:
        """The message that this report completes, if it does."""
        report, channel = event.data, event.data[:4]
        if len(report) < _HEADER:
            yield Exchange("report", {"length": str(len(report))})
            return
        key = (event.direction, channel)
        if report[4] & _INITIAL:
            command, length, payload = report[4] & ~_INITIAL, int.from_bytes(report[5:7]), report[_HEADER:]
        elif key in self._partial:
            command, length, begun = self._partial.pop(key)
            payload = begun + report[_CONTINUATION:]
        else:
            yield Exchange(f"{_who(event)} continuation without a beginning", {})
            return
        if len(payload) < length:
            self._partial[key] = (command, length, payload)
        elif command != Command.KEEPALIVE:
            yield self._message(event, channel, command, payload[:length])

    def _message(self, event: Event, channel: bytes, command: int, payload: bytes) -> Exchange:
        who, name = _who(event), _name(Command, command)
        asks = event.direction == "to_device"
        if command == Command.CBOR and payload:
            if asks:
                self._asked[channel] = payload[0]
                about = COMMAND_NAMES.get(payload[0], f"0x{payload[0]:02x}")
                return Exchange(f"{who} {about}", dict(_cbor(payload[1:], REQUEST_KEYS.get(payload[0], []))))
            asked = self._asked.get(channel, 0)
            about = COMMAND_NAMES.get(asked, f"0x{asked:02x}")
            fields = {"status": _name(Status, payload[0]), **dict(_cbor(payload[1:], RESPONSE_KEYS.get(asked, [])))}
            return Exchange(f"{who} {about}", fields)
        if command == Command.INIT and not asks and len(payload) >= 17:
            return Exchange(f"{who} INIT", {"version": str(payload[12]), "capabilities": f"0x{payload[16]:02x}"})
        if command == Command.ERROR and payload:
            return Exchange(f"{who} ERROR", {"code": _name(HidError, payload[0])})
        if command == Command.MSG and len(payload) >= 2:
            apdu = {"apdu": payload[:4].hex()} if asks else {"status word": payload[-2:].hex()}
            return Exchange(f"{who} MSG", apdu | {"length": str(len(payload)) if asks else _length(payload[:-2])})
        return Exchange(f"{who} {name}", {"length": str(len(payload))})


def _who(event: Event) -> str:
    return "host" if event.direction == "to_device" else "key"


def _name(kind: Any, code: int) -> str:
    return str(kind(code).name) if code in kind.__members__.values() else f"0x{code:02x}"


def _cbor(body: bytes, names: list[str]) -> Iterator[tuple[str, str]]:
    if not body:
        return
    try:
        decoded = cbor.decode(body)
    except Exception as error:  # noqa: BLE001 - fido2.cbor raises anything on bad input, and bad input is shown
        yield "body", f"not CBOR ({type(error).__name__}), {len(body)} bytes"
        return
    if not isinstance(decoded, Mapping):
        yield "body", _leaf("", decoded)
        return
    for key, value in decoded.items():
        name = names[key - 1] if isinstance(key, int) and 0 < key <= len(names) else f"({key})"
        if name == "authData" and isinstance(value, bytes):
            yield from _authenticator_data(value)
        else:
            yield from _flat(name, value)


def _authenticator_data(value: bytes) -> Iterator[tuple[str, str]]:
    try:
        data = AuthenticatorData(value)
    except Exception as error:  # noqa: BLE001 - as above
        yield "authData", f"not authenticator data ({type(error).__name__}), {len(value)} bytes"
        return
    yield "authData.rpIdHash", data.rp_id_hash.hex()
    yield "authData.flags", f"0x{data.flags:02x}"
    attested = data.credential_data
    if attested is not None:
        yield "authData.aaguid", str(attested.aaguid)
        yield "authData.credentialId", f"<{len(attested.credential_id)} bytes>"
        yield from _flat("authData.publicKey", dict(attested.public_key))
    yield from _flat("authData.extensions", data.extensions or {})


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    """Each leaf with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), inner)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _flat(f"{path}[{number}]", inner)
    else:
        yield path, _leaf(path, value)


def _ecdsa_size(value: bytes) -> int | None:
    """Of each number of an ECDSA signature in DER; None if ``value`` is none.

    Its own length is another each time, as DER leaves leading zeros out, and adds one where a number looks negative.
    """
    rest, sizes = value[2:], []
    if not 8 <= len(value) <= _LONGEST_ECDSA or value[0] != _SEQUENCE or value[1] != len(rest):
        return None
    for _ in range(2):
        if len(rest) < 3 or rest[0] != _INTEGER or not 1 <= rest[1] <= len(rest) - 2:
            return None
        sizes.append(rest[1] - (rest[2] == 0))
        rest = rest[2 + rest[1] :]
    return None if rest else next((size for size in _CURVES if max(sizes) <= size), None)


def _length(value: bytes) -> str:
    """Of what may end in a signature: an answer of U2F, a certificate."""
    for start in range(max(0, len(value) - _LONGEST_ECDSA), len(value)):
        if (size := _ecdsa_size(value[start:])) is not None:
            return f"{start} and an ECDSA signature of 2x{size}"
    return str(len(value))


def _leaf(path: str, value: object) -> str:
    if isinstance(value, bytes):
        if path.rpartition(".")[2] in KEPT_BYTES:
            return value.hex()
        if (size := _ecdsa_size(value)) is not None:
            return f"<ECDSA signature of 2x{size} bytes>"
        return f"<{_length(value)} bytes>" if "x5c[" in path else f"<{len(value)} bytes>"
    return repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
