import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.env import SeededRandom, SimulatedClock
from emulators.hwtoken.layout import Entry
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.parts import Parts
from emulators.hwtoken.personalities.base import Confirmation, Rejected
from emulators.hwtoken.personalities.otq1 import Otq1Personality, Otq1Proposal
from emulators.hwtoken.profile import load_profile
from emulators.hwtoken.rtc import TokenClock
from emulators.hwtoken.screens import ErrorKind
from offline_qr import base45_strict, otq1

SERIAL, SEED = "QT1-00000042", bytes(range(32))
KEYS = otq1.derive_keys(SERIAL, SEED)
VECTORS = json.loads((Path(__file__).parents[3] / "data/otq1_vectors.json").read_text("utf-8"))["vectors"]
ISSUED = 1_767_225_600


def token(*, now: float = ISSUED, has_clock: bool = True) -> Otq1Personality:
    """The personality in a token whose clock, where it has one, shows ``now``."""
    memory = TokenMemory()
    memory.provision(SERIAL, SEED)
    clock = TokenClock(SimulatedClock(now), memory, present=has_clock)
    return Otq1Personality(Parts(memory, clock, SeededRandom(1), load_profile()))


def propose(data: bytes, *, now: float = ISSUED, has_clock: bool = True) -> Otq1Proposal:
    """What that token proposes for a challenge."""
    proposal = token(now=now, has_clock=has_clock).propose(data)
    assert isinstance(proposal, Otq1Proposal)
    return proposal


def message(*fields: otq1.Field, keys: otq1.Keys = KEYS, serial: str = SERIAL, **header: Any) -> bytes:
    """What the camera reads of a genuine challenge."""
    values: dict[str, Any] = {
        "type": otq1.MessageType.LOGIN,
        "issued_at": ISSUED,
        "ttl": 180,
        "challenge_id": bytes(12),
    } | header
    return otq1.encode(otq1.Challenge(otq1.Header(key_id=otq1.key_id(serial), **values), fields), keys).encode()


SERVICE = otq1.Field(otq1.Tag.SERVICE, "e-Banking")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_worked_examples_are_shown_and_answered(vector: dict[str, Any]) -> None:
    """Every field in the order received, and the published code."""
    proposal = propose(vector["text"].encode())
    fields = [otq1.Field(tag, value, label) for tag, label, value in vector["fields"]]
    sent = [Entry(field.display_label, field.value) for field in fields]
    assert list(proposal.entries) == (sent or [Entry("Details", "none given")])
    assert proposal.answer(Confirmation()).digits == vector["code8"]
    assert proposal.challenge.header.challenge_id.hex() == vector["challenge_id"]


def test_the_device_has_its_own_labels() -> None:
    """A well-known tag cannot be called otherwise by a server."""
    proposal = propose(message(SERVICE, otq1.Field(0, "42", "Ticket")))
    assert proposal.entries == (Entry("Service", "e-Banking"), Entry("Ticket", "42"))
    assert (proposal.title, proposal.answer(Confirmation()).purpose) == ("Login", "Type it to log in")


def test_without_a_clock_the_time_of_issue_comes_first() -> None:
    """The user is the clock; the token itself accepts any time."""
    proposal = propose(message(SERVICE, issued_at=2**32 - 1), has_clock=False)
    assert proposal.entries == (Entry("Issued", "2106-02-07 06:28 UTC"), Entry("Service", "e-Banking"))
    proposal.check_time()


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (ISSUED - 121, ErrorKind.NOT_YET_VALID),
        (ISSUED - 120, None),
        (ISSUED, None),
        (ISSUED + 180 + 120, None),
        (ISSUED + 180 + 120.5, ErrorKind.EXPIRED),
        (2**33, ErrorKind.EXPIRED),
    ],
)
def test_a_challenge_lives_for_its_time_and_two_minutes_of_drift(now: float, kind: ErrorKind | None) -> None:
    """At both ends."""
    proposal = propose(message(SERVICE), now=now)
    if kind is None:
        proposal.check_time()
    else:
        with pytest.raises(Rejected) as rejected:
            proposal.check_time()
        assert rejected.value.kind is kind


@pytest.mark.parametrize(
    ("data", "kind", "sentence"),
    [
        (b"https://example.ch", ErrorKind.NOT_OURS, "This is a web address, not a challenge."),
        (b"AQB1:ABC", ErrorKind.NOT_OURS, "This is a badge, not a challenge."),
        (b"otq1:ABC", ErrorKind.NOT_OURS, "This is a garbled code, not a challenge."),
        (b"OTQ1:", ErrorKind.DAMAGED, "It was changed or cut. Scan again."),
        (message(SERVICE)[:-1], ErrorKind.DAMAGED, "It was changed or cut. Scan again."),
        (message(SERVICE) + b"0", ErrorKind.DAMAGED, "It was changed or cut. Scan again."),
        (message(SERVICE, serial="QT1-2"), ErrorKind.NOT_FOR_THIS_TOKEN, "It is meant for another token."),
        (
            message(SERVICE, keys=otq1.derive_keys(SERIAL, bytes(32))),
            ErrorKind.DAMAGED,
            "It was changed or cut. Scan again.",
        ),
        (b"OTQ1:" + b"XX" * 40, ErrorKind.DAMAGED, "It was changed or cut. Scan again."),
        (
            b"OTQ1:" + base45_strict.encode(b"\x02" + bytes(60)).encode(),
            ErrorKind.UNSUPPORTED,
            "It asks for what this token cannot do.",
        ),
        (
            message(SERVICE, flags=otq1.Flags.PIN_REQUIRED),
            ErrorKind.UNSUPPORTED,
            "It asks for what this token cannot do.",
        ),
        (
            message(SERVICE, flags=otq1.Flags.NUMERIC_DISPLAY),
            ErrorKind.UNSUPPORTED,
            "It asks for what this token cannot do.",
        ),
        (message(type=otq1.MessageType.TRANSACTION), ErrorKind.UNSUPPORTED, "It does not say what it is for."),
    ],
)
def test_what_is_no_challenge_for_this_token_is_named(data: bytes, kind: ErrorKind, sentence: str) -> None:
    """Each in its own words; none quotes what was scanned."""
    with pytest.raises(Rejected) as rejected:
        token().propose(data)
    assert (rejected.value.kind, rejected.value.sentence) == (kind, sentence)


def test_a_server_can_ask_to_confirm_each_field() -> None:
    """The one flag that this device knows."""
    asked = message(SERVICE, flags=otq1.Flags.CONFIRM_EACH_FIELD)
    assert propose(asked).one_entry_a_page
    assert not propose(message(SERVICE)).one_entry_a_page


MESSAGE = base45_strict.decode(message(SERVICE).removeprefix(b"OTQ1:"))


@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(max_size=100).map(str.encode),
        st.binary(max_size=150).map(lambda data: b"OTQ1:" + base45_strict.encode(data).encode()),
        st.text(st.sampled_from("0123456789ABCXYZ $%*+-./:"), max_size=200).map(lambda text: f"OTQ1:{text}".encode()),
        st.tuples(st.integers(0, len(MESSAGE) - 1), st.integers(1, 255)).map(
            lambda change: (
                b"OTQ1:"
                + base45_strict.encode(
                    MESSAGE[: change[0]] + bytes([MESSAGE[change[0]] ^ change[1]]) + MESSAGE[change[0] + 1 :]
                ).encode()
            )
        ),
    )
)
def test_any_bytes_that_are_no_challenge_are_rejected(data: bytes) -> None:
    """Random bytes, random text, well-formed base45, and a genuine message with one byte changed: never anything else."""
    with pytest.raises(Rejected) as rejected:
        token().propose(data)
    assert rejected.value.sentence.endswith(".")


def test_no_text_shows_a_key() -> None:
    """Neither of the personality nor of what it proposes."""
    proposal = propose(message(SERVICE))
    for secret in (SEED, KEYS.qr_seal, KEYS.ocra_login, KEYS.decline):
        assert secret.hex() not in repr(proposal) + repr(token())
        assert repr(secret) not in repr(proposal) + repr(token())
