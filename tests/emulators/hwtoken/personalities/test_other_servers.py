"""tiqr, LinOTP and PowerAuth: each challenge made by the server's half of the protocol, each answer judged by it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from emulators.env import SeededRandom
from emulators.hwtoken.contents import Slot
from emulators.hwtoken.display import render
from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.personalities import lseqr as lseqr_personality
from emulators.hwtoken.personalities import tiqr as tiqr_personality
from emulators.hwtoken.personalities.powerauth import powerauth_slot
from emulators.hwtoken.screens import Error, ErrorKind, Review, Screen, Typing
from offline_qr import lseqr, powerauth, tiqr
from tests.emulators.hwtoken.token_bench import Bench

RANDOM = SeededRandom(5)
PIN = "2749"
METADATA = tiqr.Metadata(
    tiqr.Service("Example", "tiqr.example.org", "https://tiqr.example.org/auth", "https://tiqr.example.org/enrol"),
    tiqr.Identity("alice", "Alice"),
)
SERVER_KEY = bytes(range(32))


def bench_with(*slots: Slot, model: str = "polyglot") -> Bench:
    """A token with these accounts, on."""
    memory = TokenMemory()
    memory.manufacture("QT1-1")
    memory.update(slots=slots)
    bench = Bench(model, memory)
    bench.token.power_on()
    return bench


def texts(screen: Screen) -> list[str]:
    """The lines of a review."""
    assert isinstance(screen, Review), screen
    return [line.text for line in screen.lines]


def kind_of(screen: Screen) -> ErrorKind:
    """Which error is on the panel."""
    assert isinstance(screen, Error), screen
    return screen.kind


@pytest.mark.parametrize("model", ["polyglot", "tiqr-phone"])
def test_a_tiqr_login_has_a_pin_that_only_the_server_can_check(model: str) -> None:
    """Any PIN gives six digits; only one of them is right."""
    slot, registration = tiqr_personality.enrol(METADATA, PIN, RANDOM)
    challenge = tiqr.AuthenticationChallenge("tiqr.example.org", "ab" * 16, "0123456789", "Library", "alice")
    codes = []
    for pin in (PIN, "1111"):
        bench = bench_with(slot, model=model)
        assert texts(bench.scan(challenge.text))[:2] == ["Log in to", "Library"]
        assert isinstance(bench.confirm(), Typing)
        bench.type(pin)
        codes.append(bench.code())
    right = challenge.respond(registration.secret)
    assert codes[0] == right
    assert codes[1] != right
    assert len(codes[1]) == len(right)


def test_tiqr_challenges_that_are_not_for_this_token_are_named() -> None:
    """Another user, another server, an enrolment."""
    slot, _ = tiqr_personality.enrol(METADATA, PIN, RANDOM)
    for server, user in (("tiqr.example.org", "bob"), ("tiqr.example.com", "alice")):
        challenge = tiqr.AuthenticationChallenge(server, "ab" * 16, "0123456789", "Library", user)
        assert kind_of(bench_with(slot).scan(challenge.text)) is ErrorKind.NOT_FOR_THIS_TOKEN
    assert kind_of(bench_with(slot).scan("tiqrenroll://https://example.org/m")) is ErrorKind.UNSUPPORTED
    assert kind_of(bench_with(slot).scan("tiqrauth://x")) is ErrorKind.DAMAGED


def paired() -> tuple[Slot, lseqr.PairingResponse]:
    """A pairing: what the token keeps, and what LinOTP reads of its answer."""
    public_key = X25519PrivateKey.from_private_bytes(SERVER_KEY).public_key().public_bytes_raw()
    url = lseqr.PairingUrl(0, public_key, "QR0001", callback_url="https://linotp.example.org/validate/pair")
    slot, answer = lseqr_personality.pair(url, "alice", 3, RANDOM)
    return slot, lseqr.open_response(answer, SERVER_KEY)


@pytest.mark.parametrize("signed", [False, True])
def test_a_linotp_challenge_is_answered_and_one_without_a_signature_is_warned_of(*, signed: bool) -> None:
    """A strict model puts the warning on a page of its own, before the message."""
    slot, response = paired()
    kind = lseqr.ContentType.PAIR if signed else lseqr.ContentType.FREE
    challenge = lseqr.Challenge(kind, 77, "QR0001" if signed else "Pay 100 to Bob", signed=signed)
    text, exchange = lseqr.issue(
        challenge,
        user_token_id=3,
        user_public_key=response.user_public_key,
        server_key=SERVER_KEY,
        ephemeral_key=RANDOM.token_bytes(32),
    )
    bench = bench_with(slot)
    first = texts(bench.scan(text))
    assert (first[0] == "Warning") is not signed
    assert ("Pay 100 to Bob" in first) is False
    bench.confirm()
    assert bench.code() == exchange.tan()
    assert kind_of(bench_with().scan(text)) is ErrorKind.NOT_FOR_THIS_TOKEN
    assert kind_of(bench_with(slot).scan(text[:-3])) is ErrorKind.DAMAGED


def test_a_powerauth_operation_is_signed_and_its_code_is_good_once() -> None:
    """Two factors in sixteen digits, which fit the panel; the counter moves; a forger is told nothing."""
    server = ec.generate_private_key(ec.SECP256R1())
    keys = powerauth.CodeKeys(bytes(16), bytes(range(16)))
    counter = bytes(range(16, 32))
    server_keys = {powerauth.KeyType.PERSONAL: server.public_key()}
    slot = powerauth_slot("Bank", server_keys=server_keys, keys=keys, counter=counter, pin=PIN, random=RANDOM)
    data = powerauth.parse_operation_data("A1*A100CZK*ICZ2730300000001165254011")
    operation = powerauth.Operation(
        "5ff1b1ed", "Payment", "Please confirm", data, bytes(16), powerauth.KeyType.PERSONAL
    )
    bench = bench_with(slot)
    for _ in range(2):
        assert "Payment" in texts(bench.scan(powerauth.encode(operation, server)))
        bench.confirm()
        bench.type(PIN)
        assert render(bench.screen(), bench.profile).any()
        after = powerauth.verify_code(bench.code(), operation.signed_data, keys, counter, look_ahead=1)
        assert after is not None
        counter = after
        bench.ok()
    forged = powerauth.encode(operation, ec.generate_private_key(ec.SECP256R1()))
    assert kind_of(bench.scan(forged)) is ErrorKind.DAMAGED


def test_a_wrong_powerauth_pin_gives_a_wrong_code() -> None:
    """Which only the server can tell."""
    server = ec.generate_private_key(ec.SECP256R1())
    keys = powerauth.CodeKeys(bytes(16), bytes(range(16)))
    server_keys = {powerauth.KeyType.MASTER: server.public_key()}
    slot = powerauth_slot("Bank", server_keys=server_keys, keys=keys, counter=bytes(16), pin=PIN, random=RANDOM)
    data = powerauth.parse_operation_data("A2")
    operation = powerauth.Operation("1", "Login", "", data, bytes(16), powerauth.KeyType.MASTER, flags="F")
    bench = bench_with(slot)
    assert texts(bench.scan(powerauth.encode(operation, server)))[0] == "Warning"
    bench.confirm()
    bench.type("1111")
    assert powerauth.verify_code(bench.code(), operation.signed_data, keys, bytes(16)) is None


def test_what_says_nothing_is_not_signed() -> None:
    """Neither an operation without a word in it, nor a challenge with an empty message."""
    server = ec.generate_private_key(ec.SECP256R1())
    keys = powerauth.CodeKeys(bytes(16), bytes(range(16)))
    server_keys = {powerauth.KeyType.MASTER: server.public_key()}
    bank = powerauth_slot("Bank", server_keys=server_keys, keys=keys, counter=bytes(16), pin=PIN, random=RANDOM)
    data = powerauth.parse_operation_data("A2")
    operation = powerauth.Operation("1", "", "", data, bytes(16), powerauth.KeyType.MASTER)
    slot, response = paired()
    text, _ = lseqr.issue(
        lseqr.Challenge(lseqr.ContentType.FREE, 77, " "),
        user_token_id=3,
        user_public_key=response.user_public_key,
        server_key=SERVER_KEY,
        ephemeral_key=RANDOM.token_bytes(32),
    )
    for challenge in (powerauth.encode(operation, server), text):
        assert kind_of(bench_with(bank, slot).scan(challenge)) is ErrorKind.UNSUPPORTED


def test_two_linotp_servers_may_give_a_pairing_the_same_number() -> None:
    """Each challenge is opened by the pairing that it was made for."""
    keys, slots, responses = (SERVER_KEY, bytes(range(1, 33))), [], []
    for number, key in enumerate(keys):
        public_key = X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
        url = lseqr.PairingUrl(0, public_key, f"QR000{number}", callback_url="https://linotp.example.org/validate/pair")
        slot, answer = lseqr_personality.pair(url, "alice", 3, RANDOM)
        slots.append(slot)
        responses.append(lseqr.open_response(answer, key))
    for key, response in zip(keys, responses, strict=True):
        text, exchange = lseqr.issue(
            lseqr.Challenge(lseqr.ContentType.FREE, 77, "Pay 100 to Bob"),
            user_token_id=3,
            user_public_key=response.user_public_key,
            server_key=key,
            ephemeral_key=RANDOM.token_bytes(32),
        )
        bench = bench_with(*slots)
        bench.scan(text)
        bench.confirm()
        assert bench.code() == exchange.tan()
