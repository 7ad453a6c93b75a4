import sys
from collections.abc import Iterator, Mapping
from threading import Event
from types import ModuleType
from typing import Any

import msgspec
import pytest
from fido2.ctap import STATUS, CtapDevice, CtapError
from fido2.ctap1 import Ctap1
from fido2.ctap2.base import Ctap2
from fido2.hid import CAPABILITY
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulators.env import Env, SimulatedClock
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.iso7816 import AID, Iso7816
from emulators.fido_authenticator.store import dump
from emulators.fido_authenticator.user import Act, AutomaticUser, HandUser, Prompt, ScriptedUser, User
from tests.emulators.fido_authenticator.ctap_requests import GET_INFO, HASH, SELECTION, creation, request

SELECT = b"\x00\xa4\x04\x00\x08" + AID + b"\x00"


class _Reader:
    """A PC/SC connection to a card, as pyscard would give it; time passes while the card is silent."""

    def __init__(self, card: Iso7816) -> None:
        self._card = card
        self.sent = 0

    def connect(self) -> None:
        pass

    def disconnect(self) -> None:
        pass

    def transmit(self, command: list[int], _protocol: int | None) -> tuple[list[int], int, int]:
        self.sent += 1
        answer = self._card.receive(bytes(command))
        while answer is None:
            deadline = self._card.next_deadline()
            assert deadline is not None
            assert isinstance(self._card.clock, SimulatedClock)
            self._card.clock.advance(max(0.0, deadline - self._card.clock.monotonic()))
            answer = self._card.poll()
        return list(answer[:-2]), answer[-2], answer[-1]


@pytest.fixture
def pcsc(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """python-fido2's smart-card client, without the library that talks to real readers."""
    for name, members in {
        "smartcard": ("System",),
        "smartcard.CardConnection": ("CardConnection",),
        "smartcard.CardConnectionDecorator": ("CardConnectionDecorator",),
        "smartcard.pcsc": (),
        "smartcard.pcsc.PCSCExceptions": ("ListReadersException",),
    }.items():
        module = ModuleType(name)
        for member in members:
            setattr(module, member, type(member, (Exception,), {}))
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, "fido2.pcsc", raising=False)
    from fido2 import pcsc  # noqa: PLC0415 - it can be imported only now

    yield pcsc
    sys.modules.pop("fido2.pcsc", None)


def _card(user: User | None = None, profile: profiles.Profile | None = None) -> Iso7816:
    return Iso7816(Authenticator(Env.simulated(1), profile, user=user))


def _selected(user: User | None = None, profile: profiles.Profile | None = None) -> Iso7816:
    card = _card(user, profile)
    assert card.receive(SELECT) == b"U2F_V2\x90\x00"
    return card


@pytest.mark.parametrize("extended", [False, True])
def test_python_fido2_registers_over_nfc(pcsc: Any, *, extended: bool) -> None:
    """Its PC/SC client finds a CTAP2 and U2F key, and does both, with chained short and with extended commands."""
    device: CtapDevice = pcsc.CtapPcscDevice(_Reader(_card()), "reader")
    device.use_ext_apdu = extended  # type: ignore[attr-defined] # of the class that the fixture imports
    assert device.capabilities == CAPABILITY.CBOR | CAPABILITY.NMSG
    ctap2 = Ctap2(device)
    exclude: list[Mapping[str, Any]] = [{"type": "public-key", "id": bytes([number]) * 60} for number in range(9)]
    made = ctap2.make_credential(HASH, {"id": "example.com"}, {"id": b"a", "name": "a"}, creation()[4], exclude)
    known = made.auth_data.credential_data
    assert known is not None
    signed = ctap2.get_assertion("example.com", HASH, [{"type": "public-key", "id": known.credential_id}])
    signed.verify(HASH, known.public_key)
    ctap1 = Ctap1(device)
    assert ctap1.get_version() == "U2F_V2"
    ctap1.register(HASH, HASH).verify(HASH, HASH)


def test_post_quantum_keys_go_through_in_portions(pcsc: Any) -> None:
    """An answer of 7.4 kB arrives whole, 256 bytes at a time."""
    profile = msgspec.structs.replace(profiles.load(), attestation=profiles.Attestation(kind="self"))
    reader = _Reader(_card(profile=profile))
    ctap2 = Ctap2(pcsc.CtapPcscDevice(reader, "reader"))
    before = reader.sent
    made = ctap2.make_credential(
        HASH, {"id": "example.com"}, {"id": b"a", "name": "a"}, [{"alg": -50, "type": "public-key"}]
    )
    assert len(made.att_stmt["sig"]) == 4627
    assert reader.sent - before >= 28


@pytest.mark.parametrize("keepalives", [True, False])
def test_a_host_waits_for_the_user(pcsc: Any, *, keepalives: bool) -> None:
    """With keepalives it asks again; without them the card is silent until the touch."""
    user = HandUser() if keepalives else ScriptedUser([Act(delay=2.5)])
    card = _card(user)
    device = pcsc.CtapPcscDevice(_Reader(card), "reader")
    device.use_nfcctap_getresponse = keepalives
    seen: list[int] = []

    def on_keepalive(status: int) -> None:
        seen.append(status)
        if isinstance(user, HandUser):
            user.touch()

    Ctap2(device).selection(on_keepalive=on_keepalive)
    assert seen == ([STATUS.UPNEEDED] if keepalives else [])
    assert card.clock.monotonic() == pytest.approx(0.0 if keepalives else 2.5)


def test_a_host_cancels(pcsc: Any) -> None:
    """GETRESPONSE with P1 0x11 ends the wait with KEEPALIVE_CANCEL."""
    event = Event()
    device = pcsc.CtapPcscDevice(_Reader(_card(AutomaticUser(None))), "reader")
    with pytest.raises(CtapError) as cancelled:
        Ctap2(device).selection(event=event, on_keepalive=lambda _: event.set())
    assert cancelled.value.code == CtapError.ERR.KEEPALIVE_CANCEL


@pytest.mark.parametrize(
    ("versions", "selected", "u2f", "ctap"),
    [
        (("FIDO_2_0",), b"FIDO_2_0\x90\x00", b"\x6d\x00", b"\x90\x00"),
        (("U2F_V2",), b"U2F_V2\x90\x00", b"\x90\x00", b"\x6e\x00"),
    ],
)
def test_the_applet_speaks_what_the_profile_says(
    versions: tuple[str, ...], selected: bytes, u2f: bytes, ctap: bytes
) -> None:
    """The version that SELECT answers, and the commands behind it."""
    card = _card(profile=msgspec.structs.replace(profiles.load(), versions=versions))
    assert card.receive(SELECT) == selected
    answers = [card.receive(b"\x00\x03\x00\x00"), card.receive(b"\x80\x10\x00\x00\x01\x04\x00")]
    assert [(answer or b"")[-2:] if (answer or b"")[-2] != 0x61 else b"\x90\x00" for answer in answers] == [u2f, ctap]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (b"\x00\xa4\x04\x00\x02\xa0\x00", "6a82"),
        (b"\x00\xa4\x00\x00\x02\x3f\x00", "6a86"),
        (b"\x00\xb0\x00\x00\x00", "6d00"),
        (b"\x80\x13\x00\x00\x00", "6d00"),
        (b"\x40\x01\x00\x00\x00", "6e00"),
        (b"\x00\xc0\x00\x00\x00", "6985"),
        (b"\x80\x11\x00\x00\x00", "6985"),
        (b"\x80\x12\x02\x00\x00", "6a86"),
        (b"\x80\x10\x00", "6700"),
        (b"\x80\x10\x00\x00\x05ab", "6700"),
        (b"\x80\x10\x00\x00", "039000"),
    ],
)
def test_each_mistake_has_its_status_word(command: bytes, expected: str) -> None:
    """Unknown applets, instructions and classes, wrong lengths, and questions that nothing preceded."""
    answer = _selected().receive(command)
    assert answer is not None
    assert answer.hex() == expected


def test_nothing_works_before_select_and_after_the_end() -> None:
    """NFCCTAP_CONTROL "end" closes the applet until it is selected again."""
    card = _card()
    info = b"\x80\x10\x00\x00\x01\x04\x00"
    assert card.receive(info) == b"\x6d\x00"
    card.receive(SELECT)
    assert (card.receive(info) or b"")[:1] == b"\x00"
    assert card.receive(b"\x80\x12\x01\x00") == b"\x90\x00"
    assert card.receive(info) == b"\x6d\x00"
    card.receive(SELECT)
    card.power_cycle()
    assert card.receive(info) == b"\x6d\x00"


def test_an_answer_comes_in_the_portions_that_the_host_asks_for() -> None:
    """61xx says how much is left, and 6100 that it is 256 bytes or more; the parts are the whole."""
    extended, short = _selected(), _selected()
    whole = extended.receive(b"\x80\x10\x00\x00\x00\x00\x01\x04\x00\x00")
    assert whole is not None
    assert whole.endswith(b"\x90\x00")
    got = short.receive(b"\x80\x10\x00\x00\x01\x04\x10")
    assert got is not None
    parts = b""
    while got[-2] == 0x61:
        left = len(whole) - 2 - len(parts) - len(got[:-2])
        assert got[-1] == (left if left < 256 else 0)
        parts += got[:-2]
        got = short.receive(b"\x00\xc0\x00\x00\x30")
        assert got is not None
    # Each card has an identifier of its own, encrypted anew for every getInfo.
    assert len(parts + got) == len(whole)
    assert (parts + got)[:40] == whole[:40]


def test_a_chain_that_is_interrupted_is_dropped() -> None:
    """A command of another kind in between starts afresh; a chain without end is refused before it fills the memory."""
    card = _selected()
    assert card.receive(b"\x90\x10\x00\x00\x01\x0b") == b"\x90\x00"
    assert card.receive(b"\x00\x03\x00\x00") == b"U2F_V2\x90\x00"
    assert (card.receive(b"\x80\x10\x00\x00\x01\x04\x00") or b"")[:1] == b"\x00"
    assert card.receive(b"\x10\xa4\x04\x00\x01\x00") == b"\x68\x84"
    assert card.receive(SELECT) == b"U2F_V2\x90\x00"
    answers = [card.receive(b"\x90\x10\x00\x00\xff" + bytes(255)) for _ in range(30)]
    assert answers == [b"\x90\x00"] * 29 + [b"\x67\x00"]
    assert card.receive(SELECT) == b"U2F_V2\x90\x00"


def test_a_new_command_takes_the_place_of_one_that_waits() -> None:
    """The user is no longer asked for the old one."""
    user = HandUser()
    card = _selected(user)

    def asked() -> list[Prompt]:
        return [user.pending.prompt] if user.pending else []

    assert card.receive(b"\x80\x10\x00\x00\x01\x0b\x00") is None
    assert asked() == [Prompt.SELECT]
    assert card.poll() is None
    assert card.receive(b"\x80\x11\x00\x00\x00") == b"\x69\x85"
    assert (card.receive(b"\x80\x10\x80\x00\x01\x0b\x00") or b"") == b"\x02\x91\x00"
    assert card.receive(SELECT) == b"U2F_V2\x90\x00"
    assert asked() == []
    assert card.next_deadline() is None
    assert card.receive(b"\x80\x10\x00\x00\x01\x0b\x00") is None
    card.power_cycle()
    assert asked() == []
    assert card.poll() is None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.binary(max_size=80)
        | st.builds(
            lambda cla, ins, p1, data: bytes((cla, ins, p1, 0, len(data))) + data,
            st.sampled_from([0x00, 0x10, 0x80, 0x90]),
            st.sampled_from([0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0xA4, 0xC0]),
            st.sampled_from([0, 0x80, 0x11, 3, 4, 7, 8]),
            st.sampled_from([b"", AID, request(GET_INFO), bytes([SELECTION]), bytes(64), bytes(66)]),
        ),
        max_size=12,
    )
)
@example([b"\x10\xa4\x04\x00\x01\x00"])
def test_nothing_that_a_reader_sends_breaks_the_card(commands: list[bytes]) -> None:
    """Every answer ends with a status word, nothing is written, and the next host is served."""
    card = _selected(AutomaticUser(None))
    before = dump(card.authenticator.store)
    for command in commands:
        answer = card.receive(command)
        assert answer is None or answer[-2] in {0x90, 0x91, 0x61, 0x67, 0x68, 0x69, 0x6A, 0x6D, 0x6E}
    assert dump(card.authenticator.store) == before
    assert card.receive(SELECT) == b"U2F_V2\x90\x00"


def test_time_passes_for_a_host_that_never_asks_again() -> None:
    """It takes keepalives and stays away: the wait ends by itself, and then the shell has nothing to do."""
    card = _selected(HandUser())
    assert card.receive(b"\x80\x10\x80\x00\x01" + bytes([SELECTION])) == b"\x02\x91\x00"
    assert isinstance(card.clock, SimulatedClock)
    card.clock.advance(31)
    assert card.poll() is None
    assert card.next_deadline() is None
    assert card.receive(b"\x80\x11\x00\x00\x00") == b"\x2f\x90\x00"


def test_the_key_works_on_while_a_host_stays_away() -> None:
    """What the touch begins, an RSA key for example, is done between two questions of the host, not in them."""
    user = HandUser()
    card = _selected(user)
    message = request(0x01, {**creation(), 4: [{"alg": -257, "type": "public-key"}]})
    wrapped = b"\x80\x10\x80\x00\x00" + len(message).to_bytes(2) + message + b"\x00\x00"
    assert card.receive(wrapped) == b"\x02\x91\x00"
    assert user.touch()
    assert card.poll() is None
    assert card.next_deadline() is None
    answer = card.receive(b"\x80\x11\x00\x00\x00\x00\x00")
    assert answer is not None
    assert (answer[0], answer[-2:]) == (0, b"\x90\x00")
