"""Several OTQ1 accounts on one token, each with its own server, and tiqr accounts that only the user can tell apart."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emulators.env import SeededRandom
from emulators.hwtoken.display import render
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.personalities import tiqr as tiqr_personality
from emulators.hwtoken.screens import Code, Error, ErrorKind, Menu, Notice, Review, Screen, Typing
from offline_qr import otq1, tiqr
from tests.emulators.hwtoken.token_bench import SEED, SERIAL, Bench

CODES = tuple(otq1.make_activation_code(str(digit) * 16) for digit in (1, 2, 3))
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(32))
SALT = bytes(16)
UNLOCK = otq1.Command.PIN_UNLOCK


def kind_of(screen: Screen) -> ErrorKind:
    """Which error is on the panel."""
    assert isinstance(screen, Error), screen
    return screen.kind


def texts(screen: Screen) -> list[str]:
    """The lines of a review."""
    assert isinstance(screen, Review), screen
    return [line.text for line in screen.lines]


def activate(bench: Bench, code: str, label: str, *, signed: bool = False) -> otq1.Keys:
    """Activate one more account by a letter; its keys."""
    verify_key = SIGNER.public_key().public_bytes_raw() if signed else None
    header = bench.header(otq1.MessageType.ACTIVATION)
    activation = otq1.activate_by_code(header, SERIAL, code, SALT, otq1.Account(label, verify_key))
    bench.scan(otq1.encode_activation(activation))
    bench.type(code)
    bench.confirm()
    assert bench.code() == activation.compute_code()
    bench.ok()
    return activation.keys


@pytest.fixture
def bench() -> Bench:
    """A token with room for several accounts, a PIN, and one account."""
    return Bench("qr-reader-colour").set_pin()


def test_each_server_has_its_own_key_and_the_review_says_whose_it_is(bench: Bench) -> None:
    """The code is that of the account on the panel; with one account nothing is said of it."""
    first = otq1.derive_keys(SERIAL, SEED)
    assert "Account" not in texts(bench.scan(bench.challenge()))
    bench.confirm()
    bench.ok()
    keys = {"First account": first, "Bank": activate(bench, CODES[0], "Bank")}
    keys["Insurance"] = activate(bench, CODES[1], "Insurance", signed=True)
    for name, its in keys.items():
        flags = otq1.Flags.SIGNED if name == "Insurance" else otq1.Flags.NONE
        challenge = bench.challenge(flags=flags)
        text = otq1.encode(challenge, its, signing_key=bytes(32)) if flags else otq1.encode(challenge, its)
        assert texts(bench.scan(text))[:2] == ["Account", name]
        bench.confirm()
        assert bench.code() == otq1.compute_code(challenge, its)
        bench.ok()


def test_a_message_that_no_account_opens_is_damaged(bench: Bench) -> None:
    """Also where one account would have wanted a signature; and an unsigned one to that account is refused."""
    keys = activate(bench, CODES[0], "Bank", signed=True)
    stranger = otq1.derive_keys(SERIAL, bytes(32))
    assert kind_of(bench.scan(otq1.encode(bench.challenge(), stranger))) is ErrorKind.DAMAGED
    bench.cancel()
    assert kind_of(bench.scan(otq1.encode(bench.challenge(), keys))) is ErrorKind.DAMAGED
    assert not any(isinstance(screen, Review) for screen in bench.history[-3:])


def test_counters_and_sequences_are_each_account_s_own(bench: Bench) -> None:
    """Suite 3 counts in the account that answers, and an order to it is obeyed once."""
    keys = activate(bench, CODES[0], "Bank")
    for counter in (0, 1):
        challenge = bench.challenge(suite=3)
        bench.scan(otq1.encode(challenge, keys))
        bench.confirm()
        assert bench.code() == otq1.compute_code(challenge, keys, otq1.Inputs(counter=counter))
        bench.ok()
    order = otq1.encode_admin(bench.admin(5, otq1.Command.COUNTER_SYNC, 40), keys)
    assert texts(bench.scan(order))[:2] == ["Account", "Bank"]
    bench.confirm()
    bench.ok()
    assert kind_of(bench.scan(order)) is ErrorKind.ALREADY_DONE
    contents = bench.memory.contents
    assert (contents.counter, contents.sequence) == (0, 0)
    assert (contents.slots[0].counter, contents.slots[0].values["sequence"]) == (40, "5")


@pytest.mark.parametrize(("command", "argument"), [(UNLOCK, 0), (otq1.Command.CLOCK_SYNC, None)])
def test_only_the_first_server_changes_what_all_share(
    bench: Bench, command: otq1.Command, argument: int | None
) -> None:
    """Another bank neither unlocks the PIN nor sets the clock."""
    keys = activate(bench, CODES[0], "Bank")
    screen = bench.scan(otq1.encode_admin(bench.admin(1, command, argument), keys))
    assert kind_of(screen) is ErrorKind.UNSUPPORTED


def test_a_further_server_wipes_its_own_account_only(bench: Bench) -> None:
    """The first one wipes the token."""
    keys = activate(bench, CODES[0], "Bank")
    assert "this account" in texts(bench.scan(otq1.encode_admin(bench.admin(1, otq1.Command.WIPE), keys)))
    assert isinstance(bench.confirm(), Code)
    assert bench.memory.contents.slots == ()
    assert bench.memory.identity is not None
    bench.ok()
    bench.scan(bench.admin(1, otq1.Command.WIPE))
    bench.confirm()
    assert bench.memory.identity is None


def test_there_is_room_for_so_many_and_each_of_one_name(bench: Bench) -> None:
    """The same letter, the same name and one too many are refused; a model with one account takes no second."""
    activate(bench, CODES[0], "Bank")
    header = bench.header(otq1.MessageType.ACTIVATION)
    for code, label in ((CODES[0], "Other"), (CODES[1], "Bank")):
        again = otq1.activate_by_code(header, SERIAL, code, SALT, otq1.Account(label))
        bench.scan(otq1.encode_activation(again))
        assert kind_of(bench.type(code)) is ErrorKind.ALREADY_DONE
        bench.cancel()
    small = Bench("qr-reader-keypad").set_pin()
    text = otq1.encode_activation(otq1.activate_by_code(header, SERIAL, CODES[0], SALT, otq1.Account("Bank")))
    assert kind_of(small.scan(text)) is ErrorKind.ALREADY_DONE


def test_an_account_can_be_looked_at_and_removed(bench: Bench) -> None:
    """After typing a word; the others stay."""
    keys = activate(bench, CODES[0], "Bank")
    activate(bench, CODES[1], "Insurance")
    listed = bench.choose("Accounts")
    assert listed == Menu(("First account", "Bank", "Insurance", "Back"), 0, "Accounts")
    bench.cancel()
    bench.ok()
    about = bench.ok()
    assert about == Notice("Account", ("Bank", "OTQ1", "Counter 0"))
    assert render(about, bench.profile).any()
    bench.ok()
    for typed, left in (("1111", 2), ("9999", 1)):
        bench.choose("Accounts")
        bench.cancel()
        bench.ok()
        bench.cancel()
        assert isinstance(bench.ok(), Typing)
        bench.type(typed)
        assert len(bench.memory.contents.slots) == left
    assert kind_of(bench.scan(otq1.encode(bench.challenge(), keys))) is ErrorKind.DAMAGED


def test_a_tiqr_login_for_any_user_lets_the_user_choose() -> None:
    """Two accounts of one server: the list is on the panel, and the code is that of the chosen one."""
    server = tiqr.Service("Example", "tiqr.example.org", "https://tiqr.example.org/a", "https://tiqr.example.org/e")
    random, memory = SeededRandom(5), TokenMemory()
    memory.manufacture("QT1-1")
    enrolled = [
        tiqr_personality.enrol(tiqr.Metadata(server, tiqr.Identity(name.lower(), name)), "2749", random)
        for name in ("Alice", "Bob")
    ]
    memory.update(slots=tuple(slot for slot, _ in enrolled))
    bench = Bench("tiqr-phone", memory)
    bench.token.power_on()
    challenge = tiqr.AuthenticationChallenge("tiqr.example.org", "ab" * 16, "0123456789", "Library")
    assert bench.scan(challenge.text) == Menu(("Alice at Example", "Bob at Example"), 0, "Account")
    bench.cancel()
    assert "Bob at Example" in texts(bench.ok())
    bench.confirm()
    bench.type("2749")
    assert bench.code() == challenge.respond(enrolled[1][1].secret)
