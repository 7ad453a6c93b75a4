"""Inputs from which the fuzzer starts: what real hosts send, so that it does not have to guess CBOR."""

from collections.abc import Mapping

from fido2 import cbor

from fuzz.targets import CLIENT_PIN, GET_ASSERTION, GET_INFO, MAKE_CREDENTIAL, RESET

_CREDENTIAL_MANAGEMENT, _SELECTION, _LARGE_BLOBS, _CONFIG, _BIO, _NEXT = 0x0A, 0x0B, 0x0C, 0x0D, 0x09, 0x08

_PARAM = bytes(32)
_POINT = {1: 2, 3: -25, -1: 1, -2: bytes(32), -3: bytes(32)}
_CREATION = {
    1: _PARAM,
    2: {"id": "a.example", "name": "A"},
    3: {"id": b"ada", "name": "ada", "displayName": "Ada"},
    4: [{"alg": -7, "type": "public-key"}],
}
_HMAC = {1: _POINT, 2: bytes(48), 3: bytes(32), 4: 2}

REQUESTS: tuple[tuple[int, Mapping[int, object] | None], ...] = (
    (GET_INFO, None),
    (RESET, None),
    (_NEXT, None),
    (_SELECTION, None),
    (MAKE_CREDENTIAL, _CREATION),
    (
        MAKE_CREDENTIAL,
        {**_CREATION, 5: [{"id": _PARAM, "type": "public-key"}], 7: {"rk": True}, 8: _PARAM, 9: 2, 10: 1},
    ),
    (MAKE_CREDENTIAL, {**_CREATION, 6: {"credProtect": 2, "hmac-secret": True, "largeBlobKey": True}, 7: {"rk": True}}),
    (
        MAKE_CREDENTIAL,
        {**_CREATION, 6: {"credBlob": b"x", "hmac-secret-mc": _HMAC, "minPinLength": True}, 11: ["packed"]},
    ),
    (GET_ASSERTION, {1: "a.example", 2: _PARAM, 5: {"up": False}}),
    (GET_ASSERTION, {1: "a.example", 2: _PARAM, 3: [{"id": _PARAM, "type": "public-key"}], 6: _PARAM, 7: 1}),
    (
        GET_ASSERTION,
        {1: "a.example", 2: _PARAM, 4: {"hmac-secret": _HMAC, "credBlob": True, "thirdPartyPayment": True}},
    ),
    (CLIENT_PIN, {1: 2, 2: 1}),
    (CLIENT_PIN, {1: 2, 2: 2}),
    (CLIENT_PIN, {1: 1, 2: 3, 3: _POINT, 4: bytes(16), 5: bytes(64)}),
    (CLIENT_PIN, {1: 2, 2: 4, 3: _POINT, 4: bytes(32), 5: bytes(80), 6: bytes(32)}),
    (CLIENT_PIN, {1: 2, 2: 9, 3: _POINT, 6: bytes(32), 9: 3, 10: "a.example"}),
    (_CREDENTIAL_MANAGEMENT, {1: 1, 3: 2, 4: _PARAM}),
    (_CREDENTIAL_MANAGEMENT, {1: 4, 2: {1: _PARAM}, 3: 2, 4: _PARAM}),
    (_LARGE_BLOBS, {1: 17, 3: 0}),
    (_LARGE_BLOBS, {2: bytes(17), 3: 0, 4: 17, 5: _PARAM, 6: 2}),
    (_CONFIG, {1: 3, 2: {1: 6, 2: ["a.example"], 3: True}, 3: 2, 4: _PARAM}),
    (_BIO, {1: 1, 2: 1, 4: 2, 5: _PARAM}),
    (_BIO, {6: True}),
)


def request_seeds() -> list[bytes]:
    """Each request alone, and all of them in a row; every one behind two bytes of length."""
    framed = [len(request).to_bytes(2) + request for request in _encoded()]
    return [*framed, b"".join(framed)]


def cbor_seeds() -> list[bytes]:
    """The parameters of each request."""
    return [request[1:] for request in _encoded() if len(request) > 1]


def report_seeds() -> list[bytes]:
    """Each request as a message on the first channel, one that stops half-way, time, a cancel, and raw reports."""
    messages = [
        bytes((0x06, 0x10)) + len(request).to_bytes(2) + request for request in _encoded() if len(request) < 0x400
    ]
    halves = [bytes((0x07, *message[1:])) for message in messages]
    ping, cancel, lock, wink = (bytes((0x06, command, 0, 1, 1)) for command in (0x01, 0x11, 0x04, 0x08))
    time, raw = b"\x01\x02\x00", b"\x00" + b"\xff" * 4 + b"\x86\x00\x08" + bytes(57)
    return [
        *(ping, cancel, lock, wink, raw, halves[4] + time, halves[4] + cancel),
        *messages,
        *halves,
        b"".join((*messages, halves[4], time, ping, cancel, lock, wink, raw, halves[4], cancel)),
    ]


def u2f_seeds() -> list[bytes]:
    """Version, register and authenticate, short and extended."""
    commands = [
        bytes((0, 3, 0, 0)),
        bytes((0, 3, 0, 0, 0, 0, 0)),
        bytes((0, 1, 0, 0, 0, 0, 64)) + bytes(64) + b"\0\0",
        bytes((0, 2, 7, 0, 0, 0, 73)) + bytes(64) + b"\x08" + bytes(8) + b"\0\0",
        bytes((0, 2, 3, 0, 73)) + bytes(64) + b"\x08" + bytes(8),
    ]
    framed = [len(command).to_bytes(2) + command for command in commands]
    return [*framed, b"".join(framed)]


def apdu_seeds() -> list[bytes]:
    """U2F's commands, and each request as extended, as short and as chained APDUs."""
    apdus = []
    for request in _encoded():
        apdus.append([b"\x80\x10\x80\0\0" + len(request).to_bytes(2) + request + b"\0\0", b"\x80\x11\0\0\0"])
        parts = [request[at : at + 64] for at in range(0, len(request), 64)]
        chained = [bytes((0x90, 0x10, 0x80, 0, len(part))) + part for part in parts[:-1]]
        last = bytes((0x80, 0x10, 0x80, 0, len(parts[-1]))) + parts[-1] + b"\0"
        apdus.append([*chained, last, b"\x00\xc0\0\0\0", b"\x80\x12\x01\0"])
    framed = [b"".join(len(apdu).to_bytes(2) + apdu for apdu in commands) for commands in apdus]
    return [*u2f_seeds(), *framed, b"".join(framed)]


def _encoded() -> list[bytes]:
    return [bytes((command,)) + (cbor.encode(parameters) if parameters else b"") for command, parameters in REQUESTS]


SEEDS = {"reports": report_seeds, "requests": request_seeds, "cbor": cbor_seeds, "apdus": apdu_seeds, "u2f": u2f_seeds}
