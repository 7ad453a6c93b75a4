"""The app on a phone: pushes that one touch answers, enrolment and login over the network, and scanning while offline.

The test is the shell around the app: it does each errand and hands back what came of it.
"""

import json
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.network import (
    AnswerPush,
    CameBack,
    Done,
    FetchPushes,
    HttpGet,
    HttpPost,
    HttpReply,
    Push,
    Pushes,
    TooLate,
    Unreachable,
    Wanted,
)
from emulators.hwtoken.screens import Code, Error, ErrorKind, Idle, Notice, Off, Review, Screen, Typing, Waiting
from offline_qr import lseqr, otq1, tiqr
from tests.emulators.hwtoken.token_bench import KEYS, SEED, SERIAL, Bench

METADATA = tiqr.Metadata(
    tiqr.Service("Example", "tiqr.example.org", "https://tiqr.example.org/auth", "https://tiqr.example.org/enrol?k=1"),
    tiqr.Identity("alice", "Alice"),
)
ENROL = tiqr.EnrolmentLink("https://tiqr.example.org/metadata?k=1").text
SERVER_KEY = bytes(range(32))
TIQR_PIN = "8316"


class Phone(Bench):
    """An app that is signed in, and the shell that does its errands."""

    def __init__(self) -> None:
        memory = TokenMemory()
        memory.provision(SERIAL, SEED)
        super().__init__("phone-app", memory)
        self.set_pin()

    def wanted(self) -> Wanted:
        """The open errand."""
        errand = self.token.errand
        assert errand is not None, self.screen()
        return errand.wanted

    def has_no_errand(self) -> bool:
        """Whether nothing is to be done."""
        return self.token.errand is None

    def bring(self, came_back: CameBack) -> Screen:
        """Its result."""
        errand = self.token.errand
        assert errand is not None, self.screen()
        self.token.deliver(errand.number, came_back)
        return self.screen()

    def push(self, text: str = "Login: e-Banking\nFrom: Zurich", push_id: str = "p1", seconds: float = 60) -> Screen:
        """The server has one that waits."""
        assert self.wanted() == FetchPushes()
        return self.bring(Pushes((Push(push_id, text, self.clock.time() + seconds),)))

    def form(self) -> dict[str, str]:
        """What is posted."""
        wanted = self.wanted()
        assert isinstance(wanted, HttpPost)
        return dict(parse_qsl(wanted.body.decode(), keep_blank_values=True))


@pytest.fixture
def phone() -> Phone:
    """Online, idle."""
    return Phone()


def ok(body: bytes = b'{"responseCode":1}') -> HttpReply:
    """A tiqr server of protocol 2 is content."""
    return HttpReply(200, body, {"x-tiqr-protocol-version": "2"})


def kind_of(screen: Screen) -> ErrorKind:
    """Which error is on the panel."""
    assert isinstance(screen, Error), screen
    return screen.kind


def texts(screen: Screen) -> list[str]:
    """The lines of a review."""
    assert isinstance(screen, Review), screen
    return [line.text for line in screen.lines]


def test_one_touch_approves_a_push(phone: Phone) -> None:
    """What the server asks is on the panel; OK approves it, and no code is shown."""
    assert texts(phone.push()) == ["Login", "e-Banking", "From", "Zurich"]
    assert isinstance(phone.ok(), Waiting)
    assert phone.wanted() == AnswerPush("p1", approve=True)
    assert phone.bring(Done()) == Notice("Push", ("It is approved.",))
    assert isinstance(phone.ok(), Idle)
    assert not any(isinstance(screen, Code) for screen in phone.history)


def test_cancel_denies_a_push(phone: Phone) -> None:
    """The server hears of it."""
    phone.push()
    phone.cancel()
    assert phone.wanted() == AnswerPush("p1", approve=False)
    assert phone.bring(Done()) == Notice("Push", ("It is refused.",))


@pytest.mark.parametrize(("came_back", "kind"), [(TooLate(), "EXPIRED"), (Unreachable(), "NO_ANSWER")])
def test_an_answer_that_does_not_arrive_is_said(phone: Phone, came_back: CameBack, kind: str) -> None:
    """It is never called approved."""
    phone.push()
    phone.ok()
    assert kind_of(phone.bring(came_back)) is ErrorKind[kind]


def test_no_answer_in_time_is_said(phone: Phone) -> None:
    """And the errand is over: what comes later changes nothing."""
    phone.push()
    phone.ok()
    errand = phone.token.errand
    assert errand is not None
    phone.clock.advance(31)
    phone.token.tick()
    before = phone.screen()
    assert kind_of(before) is ErrorKind.NO_ANSWER
    phone.token.deliver(errand.number, Done())
    assert phone.screen() == before


def test_pushes_are_asked_for_now_and_then(phone: Phone) -> None:
    """Every five seconds on the idle screen; the same errand until it is done; the deadline says when."""
    first = phone.token.errand
    assert first is not None
    assert phone.token.errand == first
    phone.bring(Pushes(()))
    assert phone.has_no_errand()
    assert phone.token.next_deadline == phone.clock.monotonic() + 5
    phone.clock.advance(5)
    due = phone.token.next_deadline
    assert due is not None
    assert due > phone.clock.monotonic(), "a shell that sleeps until then would spin"
    again = phone.token.errand
    assert again is not None
    assert again.number != first.number
    phone.bring(Unreachable())
    assert isinstance(phone.screen(), Idle)


def test_a_push_that_says_nothing_or_hides_something_is_not_approved(phone: Phone) -> None:
    """Nor one that is over; each is looked at once, so that it does not come back every five seconds."""
    for text, kind in (("  \n", "UNSUPPORTED"), ("Pay\u202e 1", "UNRENDERABLE"), ("To: 東京", "UNRENDERABLE")):
        assert kind_of(phone.push(text, text)) is ErrorKind[kind]
        phone.cancel()
        phone.clock.advance(5)
        phone.push(text, text)
        assert isinstance(phone.screen(), Idle)
        phone.clock.advance(5)
    phone.push("Login: x", "old", seconds=-1)
    assert isinstance(phone.screen(), Idle)
    phone.clock.advance(5)
    phone.push("Login: x", "p9", seconds=10)
    phone.clock.advance(11)
    assert kind_of(phone.ok()) is ErrorKind.EXPIRED


def test_a_locked_app_shows_no_push(phone: Phone) -> None:
    """Before the PIN nothing is fetched."""
    phone.restart(None)
    assert isinstance(phone.screen(), Typing)
    assert phone.token.errand is None


def test_offline_it_scans_instead(phone: Phone) -> None:
    """Told so in its menu, it fetches nothing and shows codes; told again, it is online."""
    phone.choose("Go on or offline")
    idle = phone.screen()
    assert isinstance(idle, Idle)
    assert idle.note == "Offline"
    phone.clock.advance(60)
    assert phone.token.errand is None
    challenge = phone.challenge()
    phone.scan(challenge)
    phone.confirm()
    assert phone.code() == otq1.compute_code(challenge, KEYS)
    phone.ok()
    assert kind_of(phone.scan(ENROL)) is ErrorKind.UNSUPPORTED
    phone.cancel()
    phone.token.go_online(online=True)
    assert phone.wanted() == FetchPushes()


def enrol(phone: Phone) -> bytes:
    """Enrol at tiqr; the secret that the server got."""
    phone.scan(ENROL)
    assert phone.wanted() == HttpGet("https://tiqr.example.org/metadata?k=1")
    assert texts(phone.bring(HttpReply(200, METADATA.pack())))[:2] == ["Service", "Example"]
    phone.confirm()
    phone.type(TIQR_PIN)
    phone.type("1111")
    typing = phone.screen()
    assert isinstance(typing, Typing)
    assert typing.prompt == "They differ. Choose again."
    phone.type(TIQR_PIN)
    phone.type(TIQR_PIN)
    wanted = phone.wanted()
    assert isinstance(wanted, HttpPost)
    assert wanted.url == METADATA.service.enrollment_url
    assert "secret" not in repr(wanted)
    return tiqr.parse_registration(wanted.body).secret


def test_tiqr_enrols_and_logs_in_by_itself(phone: Phone) -> None:
    """The server's half of the protocol judges both posts; no code is typed."""
    secret = enrol(phone)
    assert phone.bring(ok()) == Notice("New account", ("Alice at Example", "It is enrolled."))
    phone.ok()
    challenge = tiqr.AuthenticationChallenge("tiqr.example.org", "ab" * 16, "0123456789", "Library", "alice")
    phone.scan(challenge.text)
    phone.confirm()
    phone.type(TIQR_PIN)
    wanted = phone.wanted()
    assert isinstance(wanted, HttpPost)
    assert (wanted.url, dict(wanted.headers)) == (METADATA.service.authentication_url, {"X-TIQR-Protocol-Version": "2"})
    login = tiqr.parse_login(wanted.body)
    assert (login.user_id, login.session_key) == ("alice", "ab" * 16)
    assert login.response == challenge.respond(secret)
    wrong = json.dumps({"responseCode": 201, "attemptsLeft": 1}).encode()
    assert phone.bring(ok(wrong)) == Notice("Login", ("The PIN was wrong.", "1 try left."))


@pytest.mark.parametrize("came_back", [Unreachable(), HttpReply(502, b"<html>")])
def test_a_tiqr_login_without_an_answer_shows_the_code_to_type(phone: Phone, came_back: CameBack) -> None:
    """As if it had been offline."""
    secret = enrol(phone)
    phone.bring(ok())
    phone.ok()
    challenge = tiqr.AuthenticationChallenge("tiqr.example.org", "ab" * 16, "0123456789", "Library", "alice")
    phone.scan(challenge.text)
    phone.confirm()
    phone.type(TIQR_PIN)
    phone.bring(came_back)
    assert phone.code() == challenge.respond(secret)


def test_an_enrolment_that_is_refused_leaves_no_account(phone: Phone) -> None:
    """One without an answer leaves it, as the server may have it."""
    enrol(phone)
    phone.bring(ok(b'{"responseCode":101}'))
    assert kind_of(phone.screen()) is ErrorKind.ALREADY_DONE
    assert phone.memory.contents.slots == ()
    phone.cancel()
    enrol(phone)
    assert isinstance(phone.bring(Unreachable()), Notice)
    assert len(phone.memory.contents.slots) == 1


@pytest.mark.parametrize("came_back", [Unreachable(), HttpReply(404, b""), HttpReply(200, b"{}")])
def test_metadata_that_cannot_be_read_enrols_nobody(phone: Phone, came_back: CameBack) -> None:
    """No review, no secret."""
    phone.scan(ENROL)
    assert kind_of(phone.bring(came_back)) in {ErrorKind.NO_ANSWER, ErrorKind.DAMAGED}


def test_linotp_pairs_over_the_network(phone: Phone) -> None:
    """LinOTP's half opens the answer, and its challenge to the new key is answered."""
    public_key = X25519PrivateKey.from_private_bytes(SERVER_KEY).public_key().public_bytes_raw()
    url = lseqr.PairingUrl(0, public_key, "QR0001", callback_url="https://linotp.example.org/validate/pair")
    assert texts(phone.scan(url.text))[:2] == ["Pair as", "QR0001"]
    phone.confirm()
    response = lseqr.open_response(phone.form()["pairing_response"], SERVER_KEY)
    assert (response.serial, response.login) == ("QR0001", "")
    assert isinstance(phone.bring(HttpReply(200, b"")), Notice)
    phone.ok()
    text, exchange = lseqr.issue(
        lseqr.Challenge(lseqr.ContentType.FREE, 77, "Pay 100 to Bob"),
        user_token_id=response.user_token_id,
        user_public_key=response.user_public_key,
        server_key=SERVER_KEY,
        ephemeral_key=bytes(range(1, 33)),
    )
    phone.scan(text)
    phone.confirm()
    assert phone.code() == exchange.tan()


def test_a_pairing_without_an_address_or_that_is_refused_is_not_kept(phone: Phone) -> None:
    """Each with its own words."""
    public_key = X25519PrivateKey.from_private_bytes(SERVER_KEY).public_key().public_bytes_raw()
    assert kind_of(phone.scan(lseqr.PairingUrl(0, public_key, "QR0001").text)) is ErrorKind.UNSUPPORTED
    phone.cancel()
    url = lseqr.PairingUrl(0, public_key, "QR0001", callback_url="https://linotp.example.org/validate/pair")
    phone.scan(url.text)
    phone.confirm()
    assert kind_of(phone.bring(HttpReply(400, b""))) is ErrorKind.ALREADY_DONE
    assert phone.memory.contents.slots == ()


ANYTHING = st.one_of(
    st.just(Done()),
    st.just(TooLate()),
    st.just(Unreachable()),
    st.builds(HttpReply, st.sampled_from([200, 302, 500]), st.binary(max_size=60)),
    st.builds(lambda text, number: Pushes((Push(str(number), text, 4e9),)), st.text(max_size=40), st.integers(0, 3)),
)


@given(st.lists(st.tuples(st.sampled_from(["ok", "cancel", "wait", "scan", "bring", "late"]), ANYTHING), max_size=25))
@settings(max_examples=60, deadline=None)
def test_whatever_a_network_brings_the_app_shows_a_screen(steps: list[tuple[str, CameBack]]) -> None:
    """Results of the wrong kind, late ones and junk: approved is only what the server said is."""
    phone = Phone()
    for step, came_back in steps:
        match step:
            case "ok":
                phone.ok()
            case "cancel":
                phone.cancel()
            case "wait":
                phone.clock.advance(6)
            case "scan":
                phone.token.read(ENROL.encode())
            case "bring" if (errand := phone.token.errand) is not None:
                before = phone.screen()
                phone.token.deliver(errand.number, came_back)
                if phone.screen() == Notice("Push", ("It is approved.",)) and before != phone.screen():
                    assert came_back == Done()
                    assert errand.wanted == AnswerPush(getattr(errand.wanted, "push_id", ""), approve=True)
            case "late":
                before = phone.screen()
                phone.token.deliver(0, came_back)
                assert phone.screen() in {before, Off()}
