"""The power goes at every write of everything that a token keeps, before the write and right after it.

Each story is told once in peace. The token is deterministic, so in a story that is cut the memory must be what it was
before or after the write where the power went, and no code may have been seen whose story had a write to come.
"""

import functools
from collections.abc import Callable
from typing import Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import SeededRandom
from emulators.hwtoken.contents import Contents, Slot
from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import PowerLost, RamStore, TokenMemory
from emulators.hwtoken.personalities import tiqr as tiqr_personality
from emulators.hwtoken.personalities.ocra_keypad import ocra_slot
from emulators.hwtoken.personalities.otp import otp_slot
from emulators.hwtoken.personalities.powerauth import powerauth_slot
from emulators.hwtoken.screens import Code, Error, Idle, Locked, Notice, Off, Screen, Typing
from offline_qr import otpauth, otq1, powerauth, tiqr
from tests.emulators.hwtoken.token_bench import KEYS, PIN, SEED, SERIAL, Bench

FACTORY_KEY = bytes(range(1, 33))
LETTER = otq1.make_activation_code("1234567890123456")
HOTP = "otpauth://hotp/Shop:bob?secret=JBSWY3DPEHPK3PXP&issuer=Shop&counter=4"
OTHER_HOTP = "otpauth://hotp/Club:bob?secret=JBSWY3DPEHPK3PXA&issuer=Club&counter=0"
TIQR = tiqr.Metadata(
    tiqr.Service("Example", "tiqr.example.org", "https://tiqr.example.org/auth", "https://tiqr.example.org/enrol"),
    tiqr.Identity("alice", "Alice"),
)
ACCOUNT = otq1.Account("Bank of Tests")


class CutStore(RamStore):
    """Counts its writes; at number ``cut_at`` the power goes, before or after the bytes are kept."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0
        self.cut_at: int | None = None
        self.after = False
        self.was_cut = False

    def save(self, data: bytes) -> None:
        """Keep the data, or not."""
        cut = self.writes == self.cut_at
        if cut:
            self.cut_at, self.was_cut = None, True
        if not cut or self.after:
            self.writes += 1
            super().save(data)
        if cut:
            raise PowerLost


class Story(Protocol):
    """What somebody does with a token that has been set up."""

    def __call__(self, bench: Bench) -> object:
        """Do it. Where the token goes dark on the way, the rest is done to a dark token, which must not matter."""
        ...


def _ready(store: CutStore) -> Bench:
    memory = TokenMemory(store)
    memory.manufacture(SERIAL, factory_key=FACTORY_KEY)
    memory.update(seed=SEED.hex(), slots=(ocra_slot("Card", "OCRA-1:HOTP-SHA1-6:C-QN08", bytes(20)),))
    return Bench("qr-reader-colour", memory).set_pin()


def _not_activated(store: CutStore) -> Bench:
    memory = TokenMemory(store)
    memory.manufacture(SERIAL, factory_key=FACTORY_KEY)
    return Bench("qr-reader-colour", memory).set_pin()


def _new(store: CutStore) -> Bench:
    memory = TokenMemory(store)
    memory.provision(SERIAL, SEED)
    return Bench("qr-reader-colour", memory)


def _locked(store: CutStore) -> Bench:
    bench = _ready(store)
    bench.restart(None)
    for _ in range(5):
        bench.type("5555")
    return bench


def _almost_spent(store: CutStore) -> Bench:
    memory = TokenMemory(store)
    memory.provision(SERIAL, SEED)
    bench = Bench("qr-reader-keypad", memory).set_pin()
    bench.restart(None)
    for _ in range(4):
        bench.type("5555")
    return bench


@functools.cache
def _bank() -> tuple[Slot, str]:
    """An account of PowerAuth, and an operation that its server signed."""
    server = ec.generate_private_key(ec.SECP256R1())
    keys = powerauth.CodeKeys(bytes(16), bytes(range(16)))
    server_keys = {powerauth.KeyType.PERSONAL: server.public_key()}
    slot = powerauth_slot(
        "Bank", server_keys=server_keys, keys=keys, counter=bytes(16), pin=PIN, random=SeededRandom(5)
    )
    data = powerauth.parse_operation_data("A1*A100CZK*ICZ2730300000001165254011")
    operation = powerauth.Operation("5ff1b1ed", "Payment", "", data, bytes(16), powerauth.KeyType.PERSONAL)
    return slot, powerauth.encode(operation, server)


def _with_slots(store: CutStore) -> Bench:
    """A token of every protocol, with accounts of three of them."""
    memory = TokenMemory(store)
    memory.manufacture("QT1-1")
    tiqr_slot, _ = tiqr_personality.enrol(TIQR, PIN, SeededRandom(6))
    memory.update(slots=(_bank()[0], otp_slot(otpauth.parse(HOTP.encode())), tiqr_slot))
    bench = Bench("polyglot", memory)
    bench.token.power_on()
    return bench


def _passcode(bench: Bench) -> None:
    bench.choose("Shop: bob")
    bench.ok()


def _enrol_otp(bench: Bench) -> None:
    bench.scan(OTHER_HOTP)
    bench.confirm()


def _approve(bench: Bench) -> None:
    bench.scan(_bank()[1])
    bench.confirm()
    _type(bench, PIN)


def _type(bench: Bench, *answers: str) -> None:
    for answer in answers:
        if isinstance(bench.screen(), Typing):
            bench.type(answer)


def _first_pin(bench: Bench) -> None:
    bench.token.power_on()
    _type(bench, PIN, PIN)


def _pins(bench: Bench) -> None:
    bench.restart(None)
    _type(bench, "5555", "5556", PIN)


def _change_pin(bench: Bench) -> None:
    bench.choose("Change PIN")
    _type(bench, PIN, "8316", "8316")


def _duress_pin(bench: Bench) -> None:
    bench.choose("Duress PIN")
    _type(bench, PIN, "9731", "9731")


def _answer(message: Callable[[Bench], otq1.Challenge | otq1.AdminMessage | str]) -> Story:
    def story(bench: Bench) -> None:
        bench.scan(message(bench))
        bench.confirm()
        _type(bench, PIN)

    return story


@functools.cache
def _by_letter(header: otq1.Header) -> str:
    return otq1.encode_activation(otq1.activate_by_code(header, SERIAL, LETTER, bytes(16), ACCOUNT))


def _letter(bench: Bench) -> None:
    bench.scan(_by_letter(bench.header(otq1.MessageType.ACTIVATION)))
    _type(bench, LETTER)
    bench.confirm()


def _hpke(bench: Bench) -> str:
    public_key = X25519PrivateKey.from_private_bytes(FACTORY_KEY).public_key().public_bytes_raw()
    header = bench.header(otq1.MessageType.ACTIVATION)
    return otq1.encode_activation(otq1.activate_by_hpke(header, SERIAL, bytes(range(1, 33)), ACCOUNT, public_key))


def _preseeded(bench: Bench) -> str:
    header = bench.header(otq1.MessageType.ACTIVATION)
    return otq1.encode_activation(otq1.activate_preseeded(header, SERIAL, SEED, ACCOUNT))


def _last_pin(bench: Bench) -> None:
    _type(bench, "5555")


def _erase(bench: Bench) -> None:
    bench.choose("Erase all")
    _type(bench, "9999")


def _remove(bench: Bench) -> None:
    bench.choose("Accounts")
    bench.cancel()
    bench.ok()
    bench.cancel()
    bench.ok()
    _type(bench, "9999")


def _admin(command: otq1.Command, argument: int | None = None) -> Story:
    return _answer(lambda bench: bench.admin(7, command, argument))


STORIES: dict[str, tuple[Callable[[CutStore], Bench], Story]] = {
    "the first PIN": (_new, _first_pin),
    "two wrong PINs and the right one": (_ready, _pins),
    "another PIN": (_ready, _change_pin),
    "a duress PIN": (_ready, _duress_pin),
    "the last PIN, which wipes": (_almost_spent, _last_pin),
    "a login": (_ready, _answer(lambda bench: bench.challenge())),
    "a login with a counter": (_ready, _answer(lambda bench: bench.challenge(suite=3))),
    "a login with a PIN": (_ready, _answer(lambda bench: bench.challenge(flags=otq1.Flags.PIN_REQUIRED))),
    "activation by a letter": (_not_activated, _letter),
    "activation by HPKE": (_not_activated, _answer(_hpke)),
    "activation with the maker's seed": (_ready, _answer(_preseeded)),
    "a further account by a letter": (_ready, _letter),
    "a further account by HPKE": (_ready, _answer(_hpke)),
    "clock sync": (_ready, _admin(otq1.Command.CLOCK_SYNC)),
    "counter sync": (_ready, _admin(otq1.Command.COUNTER_SYNC, 99)),
    "PIN unlock": (_locked, _admin(otq1.Command.PIN_UNLOCK, 1)),
    "PIN forgotten": (_locked, _admin(otq1.Command.PIN_UNLOCK, 0)),
    "wipe": (_ready, _admin(otq1.Command.WIPE)),
    "an account removed": (_ready, _remove),
    "everything erased": (_ready, _erase),
    "an OTP account enrolled, and its first passcode": (_with_slots, _enrol_otp),
    "a passcode by counter": (_with_slots, _passcode),
    "a PowerAuth operation": (_with_slots, _approve),
}
ACKNOWLEDGED = (Code, Notice)
"""Screens that say that something is done."""


def _kept(store: CutStore) -> Contents:
    return TokenMemory(store).contents


@pytest.mark.parametrize("name", STORIES)
def test_the_power_can_go_at_every_write(name: str) -> None:
    """Before it and after it: the memory is whole, nothing that was said is lost, and the token boots."""
    prepare, story = STORIES[name]
    store = CutStore()
    bench = prepare(store)
    first, begun = store.writes, len(bench.history)
    states = [_kept(store)]
    seen: list[tuple[Screen, int]] = []
    bench.on_screen = lambda screen: seen.append((screen, store.writes))
    bench.memory.before_write = _recording(bench.memory.before_write, states, store)
    story(bench)
    states.append(_kept(store))
    last = store.writes
    assert last > first, "a story that writes nothing proves nothing"
    said = [writes for screen, writes in seen if isinstance(screen, ACKNOWLEDGED)]
    assert not said or said[-1] == last
    in_peace = bench.history[begun:]
    for cut_at in range(first, last):
        for after in (False, True):
            store = CutStore()
            bench = prepare(store)
            store.cut_at, store.after = cut_at, after
            story(_Careless(bench))
            assert store.was_cut
            assert bench.screen() == Off()
            shown = bench.history[begun:]
            assert shown == [*in_peace[: len(shown) - 1], Off()]
            assert sum(isinstance(screen, ACKNOWLEDGED) for screen in shown) == sum(writes <= cut_at for writes in said)
            assert _kept(store) == states[cut_at - first + 1 + after]
            assert bench.memory.contents == _kept(store)
            bench.token.power_on()
            assert isinstance(bench.screen(), Typing | Locked | Idle)
            again = Bench(bench.profile, TokenMemory(store))
            again.token.power_on()
            assert again.screen() == bench.screen()


def _recording(before: Callable[[], None] | None, states: list[Contents], store: CutStore) -> Callable[[], None]:
    def record() -> None:
        states.append(_kept(store))
        if before is not None:
            before()

    return record


class _Careless(Bench):
    """A hand that goes on as if nothing had happened, as far as a dark panel lets it."""

    def __init__(self, bench: Bench) -> None:
        self.__dict__ = bench.__dict__

    def choose(self, label: str) -> Screen:
        """Only where there is a menu."""
        return super().choose(label) if isinstance(self.screen(), Idle) else self.screen()


@given(st.lists(st.sampled_from(["none", "before", "after"]), min_size=1, max_size=14))
@settings(max_examples=60, deadline=None)
def test_a_thief_with_a_switch_wins_no_guess(cuts: list[str]) -> None:
    """Power cut at the first write of any guess, before or after it: five wrong PINs are answered at most."""
    store = CutStore()
    bench = _ready(store)
    answered = 0
    for cut in cuts:
        if not isinstance(bench.screen(), Typing):
            bench.restart(None)
        if isinstance(bench.screen(), Locked):
            break
        store.cut_at, store.after = None if cut == "none" else store.writes, cut == "after"
        spent = _kept(store).pin_tries_spent
        bench.type("5555")
        answered += isinstance(bench.screen(), Locked | Typing)
        assert _kept(store).pin_tries_spent == spent + (cut != "before")
    assert answered <= 5
    assert _kept(store).pin_tries_spent == min(5, sum(cut != "before" for cut in cuts))


def test_a_counter_serves_once_however_often_the_power_goes() -> None:
    """The codes that are seen under suite 3 are those of different counters."""
    store = CutStore()
    bench = _ready(store)
    used: list[int] = []
    for cut in (None, False, True, None, True, False, None):
        bench.restart()
        store.cut_at, store.after = (None, False) if cut is None else (store.writes, cut)
        challenge = bench.challenge(suite=3)
        bench.scan(challenge)
        bench.confirm()
        if isinstance(bench.screen(), Code):
            inputs = {otq1.compute_code(challenge, KEYS, otq1.Inputs(counter=counter)): counter for counter in range(9)}
            used.append(inputs[bench.code()])
    assert used == [0, 2, 4]
    assert _kept(store).counter == 5


def test_an_ocra_counter_moves_before_its_code_is_seen() -> None:
    """In a key slot as in the first account."""
    store = CutStore()
    memory = TokenMemory(store)
    memory.manufacture("CR-1")
    memory.update(slots=(ocra_slot("Card", "OCRA-1:HOTP-SHA1-6:C-QN08", bytes(20)),))
    bench = Bench("ocra-keypad", memory)
    counters = []
    for after in (None, False, True, None):
        bench.token.power_on()
        store.cut_at, store.after = (None, False) if after is None else (store.writes, after)
        bench.ok()
        bench.type("12345678")
        assert isinstance(bench.screen(), Off if after is not None else Code)
        counters.append(_kept(store).slots[0].counter)
        bench.hold(Button.CANCEL)
        bench.token.power_off()
    assert counters == [1, 1, 2, 3]


def test_no_story_ends_in_an_error() -> None:
    """In peace each does what it says."""
    for prepare, story in STORIES.values():
        bench = prepare(CutStore())
        story(bench)
        assert not isinstance(bench.screen(), Error), bench.screen()
