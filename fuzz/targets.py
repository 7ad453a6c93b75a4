"""What must hold for any input at each edge. A target raises if it does not; the fuzzer looks for an input that makes it.

The targets need no fuzzer, so that the tests run them on the seeds.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.ctaphid import BROADCAST, REPORT_BYTES, CtapHid, Direction, fragments
from emulators.fido_authenticator.iso7816 import AID, Iso7816
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Change, MemoryStore, Put, Save, dump

MAKE_CREDENTIAL, GET_ASSERTION, GET_INFO, CLIENT_PIN, RESET = 0x01, 0x02, 0x04, 0x06, 0x07
_INIT, _CBOR, _ERROR = 0x06, 0x10, 0x3F

_OK = b"\x90\x00"
_SELECT = b"\x00\xa4\x04\x00" + bytes((len(AID),)) + AID

_SPENT_ON_FAILURE = ("pin", "uv")
"""Records whose names begin so may change although the answer is an error: a failed attempt at a PIN is remembered."""


def new_key() -> Authenticator:
    """A key that is the same each time, touched as soon as it asks, with a credential on it."""
    store = MemoryStore()
    store.commit(*_factory())
    return Authenticator(Env.simulated("fuzz"), store=store)


@cache
def _factory() -> tuple[Change, ...]:
    """What makes an empty memory that of such a key: making a credential for every input would take most of the time."""
    key = Authenticator(Env.simulated("fuzz factory"))
    request = {
        1: bytes(32),
        2: {"id": "a.example"},
        3: {"id": b"ada", "name": "ada"},
        4: [{"alg": -7, "type": "public-key"}],
        7: {"rk": True},
    }
    answer = key.start(bytes((MAKE_CREDENTIAL,)) + cbor.encode(request)).answer
    assert answer is not None
    assert answer[0] == Status.SUCCESS
    records, credentials = dump(key.store)
    kept = (Save(credential) for of_rp in credentials.values() for credential in of_rp)
    return (*(Put(name, value) for name, value in records.items() if value is not None), *kept)


def _remembered(key: Authenticator) -> object:
    """All that the key must keep unchanged when it refuses."""
    records, credentials = dump(key.store)
    return {name: value for name, value in records.items() if not name.startswith(_SPENT_ON_FAILURE)}, credentials


def check_request(data: bytes) -> None:
    """Several requests in a row, each behind two bytes of length: every one is answered, and refused without a trace."""
    key = new_key()
    for request in _chunks(data):
        _check_one_request(key, request)


def _check_one_request(key: Authenticator, request: bytes) -> None:
    before = _remembered(key)
    answer = key.start(request).answer
    assert answer, "a key that is touched at once answers at once"
    Status(answer[0])  # an unknown status is a ValueError
    if answer[0] != Status.SUCCESS:
        assert len(answer) == 1, "an error has no parameters"
        assert _remembered(key) == before, f"{Status(answer[0]).name} left a trace"
    elif len(answer) > 1:
        assert cbor.encode(cbor.decode(answer[1:])) == answer[1:], "an answer is canonical"


def _chunks(data: bytes) -> Iterator[bytes]:
    while data:
        length = int.from_bytes(data[:2])
        yield data[2 : 2 + length]
        data = data[2 + length :]


def check_cbor(data: bytes) -> None:
    """What the strict decoder accepts is exactly what the encoder writes; all else is refused with a CTAP status."""
    refused = None
    try:
        value = cbor.decode(data)
    except CtapError as error:
        refused = error.status
    if refused is not None:
        assert refused in (Status.INVALID_CBOR, Status.CBOR_UNEXPECTED_TYPE)
    elif _encodable(value):
        assert cbor.encode(value) == data


def _encodable(value: object) -> bool:
    """The decoder knows null, which no answer of a key holds."""
    if isinstance(value, Mapping):
        return all(map(_encodable, value.values()))
    return all(map(_encodable, value)) if isinstance(value, list) else value is not None


@dataclass(slots=True)
class _Reassembly:
    """The messages that a host with a strict parser reads out of the key's reports."""

    partial: dict[bytes, tuple[int, int, bytearray, int]] = field(default_factory=dict)

    def add(self, report: bytes) -> None:
        assert len(report) == REPORT_BYTES
        channel, kind = report[:4], report[4]
        if kind & 0x80:
            assert channel not in self.partial, "the key began a message inside another one"
            self._append(channel, (kind & 0x7F, int.from_bytes(report[5:7]), bytearray(), 0), report[7:])
        else:
            assert channel in self.partial, "the key continued a message that it had not begun"
            partial = self.partial.pop(channel)
            assert kind == partial[3] - 1, "a fragment of the key is out of order"
            self._append(channel, partial, report[5:])

    def _append(self, channel: bytes, partial: tuple[int, int, bytearray, int], data: bytes) -> None:
        command, length, collected, count = partial
        collected += data
        if len(collected) < length:
            self.partial[channel] = (command, length, collected, count + 1)


def check_reports(data: bytes) -> None:
    """Hosts that send whatever they like, and time that passes: the key never raises, and what it says is well-formed.

    Afterwards a host that behaves finds a key that answers.
    """
    key = new_key()
    clock = key.env.clock
    assert isinstance(clock, SimulatedClock)
    reassembly = _Reassembly()

    def watch(direction: Direction, report: bytes) -> None:
        if direction == "to_host":
            reassembly.add(report)

    hid = CtapHid(key, on_report=watch)
    for _ in range(2):
        hid.receive(_init(BROADCAST))
    at = 0
    while at < len(data):
        at = _act(hid, clock, data, at)
        hid.take_reports()
    # Whatever was under way ends by itself.
    clock.advance(60)
    hid.poll()
    hid.take_reports()
    assert not reassembly.partial, "the key left a message unfinished"
    hid.receive(_init(BROADCAST))
    (answer,) = hid.take_reports()
    assert answer[4] == 0x80 | _INIT
    hid.receive(fragments(int.from_bytes(answer[15:19]), _CBOR, bytes((GET_INFO,)))[0])
    assert hid.take_reports()[0][4] == 0x80 | _CBOR


def _init(channel: int) -> bytes:
    return fragments(channel, _INIT, b"fuzzfuzz")[0]


def _act(hid: CtapHid, clock: SimulatedClock, data: bytes, at: int) -> int:
    """One thing that a host does: the first byte says which; returns where the next begins."""
    kind, channel = data[at] & 3, (data[at] >> 2) & 3
    if kind == 0:  # a raw report, of any length
        hid.receive(data[at + 1 : at + 1 + REPORT_BYTES])
        return at + 1 + REPORT_BYTES
    if kind == 1:  # time
        clock.advance(int.from_bytes(data[at + 1 : at + 3]) / 1000)
        hid.poll()
        return at + 3
    # A well-formed message on one of the channels; of the last kind the tail is missing.
    command, length = int.from_bytes(data[at + 1 : at + 2]) & 0x7F, int.from_bytes(data[at + 2 : at + 4]) & 0x3FF
    reports = fragments(channel, command, data[at + 4 : at + 4 + length])
    for report in reports if kind == 2 else reports[:-1]:
        hid.receive(report)
    return at + 4 + length


def check_apdus(data: bytes) -> None:
    """A reader that sends whatever it likes: each APDU, behind two bytes of length, ends with a status word.

    Afterwards a reader that behaves finds a key that answers.
    """
    key = new_key()
    clock = key.env.clock
    assert isinstance(clock, SimulatedClock)
    card = Iso7816(key)
    assert card.receive(_SELECT) == b"U2F_V2" + _OK
    for apdu in _chunks(data):
        answer = card.receive(apdu)
        assert answer is not None, "a key that is touched at once answers at once"
        assert len(answer) >= 2
        assert answer[-2] & 0xF0 in (0x60, 0x90)
        clock.advance(0.01)
        card.poll()
    assert card.receive(_SELECT) == b"U2F_V2" + _OK


def check_u2f(data: bytes) -> None:
    """U2F's raw messages, as CTAPHID_MSG carries them: a status word, and nothing changes but counters."""
    key = new_key()
    before = _remembered(key)
    for command in _chunks(data):
        answer = key.u2f.answer(command)
        assert len(answer) >= 2
        if answer[-2:] != _OK:
            assert len(answer) == 2, "an error has no data"
            assert _remembered(key) == before
        before = _remembered(key)


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "reports": check_reports,
    "requests": check_request,
    "cbor": check_cbor,
    "apdus": check_apdus,
    "u2f": check_u2f,
}
