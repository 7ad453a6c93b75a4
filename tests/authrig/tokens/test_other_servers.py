"""The app enrols and logs in over HTTP at servers that behave as tiqr's and LinOTP's (their own code does not run here)."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from authrig.cli import main
from authrig.pictures import print_code
from offline_qr import lseqr, tiqr
from tests.authrig.tokens.loopback import Got, Says, serving

PIN, TIQR_PIN = "2749", "8316"
OK = Says(body=b'{"responseCode":1}', headers={"X-TIQR-Protocol-Version": "2"})


@dataclass
class TiqrServer:
    """tiqr's rules: metadata and enrolment once each, by one-time keys; a login for an open session; three wrong PINs block."""

    url: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    secret: bytes = b""
    session: tiqr.AuthenticationChallenge | None = None
    logged_in: bool = False
    wrong: int = 0

    def enrolment(self) -> str:
        """The text of the QR code that the user scans."""
        self.keys = {"metadata": secrets.token_hex(16)}
        return tiqr.EnrolmentLink(f"{self.url}/metadata?key={self.keys['metadata']}").text

    def login(self) -> str:
        """The text of the QR code of a login."""
        self.session = tiqr.AuthenticationChallenge(
            "tiqr.example.org", secrets.token_hex(16), secrets.token_hex(5), "Library", "alice"
        )
        return self.session.text

    def answer(self, got: Got) -> Says:
        """As TestServer of tiqr-server-libphp does."""
        where = urlsplit(got.path)
        key = parse_qs(where.query).get("key", [""])[0]
        if (got.method, where.path) == ("GET", "/metadata") and self.keys.pop("metadata", None) == key:
            self.keys["enrol"] = secrets.token_hex(16)
            enrol = f"{self.url}/enrol?key={self.keys['enrol']}"
            service = tiqr.Service("Example", "tiqr.example.org", f"{self.url}/login", enrol)
            return Says(body=tiqr.Metadata(service, tiqr.Identity("alice", "Alice")).pack())
        if (got.method, where.path) == ("POST", "/enrol") and self.keys.pop("enrol", None) == key:
            assert got.headers["x-tiqr-protocol-version"] == "2"
            self.secret = tiqr.parse_registration(got.body).secret
            return OK
        if (got.method, where.path) == ("POST", "/login"):
            return self._judge(tiqr.parse_login(got.body))
        return Says(404)

    def _judge(self, login: tiqr.Login) -> Says:
        if self.session is None or login.session_key != self.session.session_key:
            return self._say(tiqr.Reply(tiqr.ReplyCode.INVALID_CHALLENGE))
        if login.response != self.session.respond(self.secret):
            self.wrong += 1
            if self.wrong >= 3:
                return self._say(tiqr.Reply(tiqr.ReplyCode.ACCOUNT_BLOCKED))
            return self._say(tiqr.Reply(tiqr.ReplyCode.INVALID_RESPONSE, attempts_left=3 - self.wrong))
        self.logged_in = True
        return self._say(tiqr.Reply(tiqr.ReplyCode.OK))

    @staticmethod
    def _say(reply: tiqr.Reply) -> Says:
        return Says(body=reply.pack(), headers={"X-TIQR-Protocol-Version": "2"})


class Phone:
    """An app without an account of its maker's, signed in."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._file, self._picture, self._capsys = str(folder / "phone.token"), folder / "qr.png", capsys
        main(["token", "new", self._file, "--profile", "phone-app"])
        capsys.readouterr()
        self("power", "on")
        self.type(PIN)
        self.type(PIN)
        self("press", "ok")

    def __call__(self, action: str, *more: str) -> dict[str, Any]:
        """What a command says."""
        main(["token", action, self._file, *more, "--json"])
        return dict(json.loads(self._capsys.readouterr().out))

    def scan(self, text: str) -> dict[str, Any]:
        """Hold a code before it."""
        self._picture.write_bytes(print_code(text))
        return self("scan", str(self._picture))

    def confirm(self) -> dict[str, Any]:
        """Read on, and confirm."""
        shown = self("screen")
        while shown["state"] == "review":
            shown = self("press", "ok")
        return shown

    def type(self, digits: str) -> dict[str, Any]:
        """Type and finish."""
        return self("type", digits)


@pytest.fixture
def phone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Phone:
    """Online, idle."""
    return Phone(tmp_path, capsys)


def enrol(phone: Phone, server: TiqrServer) -> None:
    """From the QR code to an account."""
    shown = phone.scan(server.enrolment())
    assert shown["lines"][1:3] == ["Service", "Example"]
    phone.confirm()
    phone.type(TIQR_PIN)
    assert phone.type(TIQR_PIN)["lines"] == ["New account", "Alice at Example", "It is enrolled."]


def test_tiqr_enrols_and_logs_in_over_http(phone: Phone) -> None:
    """A wrong PIN is the server's to find; the right one logs in, and nothing is typed on a page."""
    server = TiqrServer()
    with serving(server.answer) as server.url:
        enrol(phone, server)
        assert len(server.secret) == 32
        for pin, said in (
            ("1111", ["Login", "The PIN was wrong.", "2 tries left."]),
            (TIQR_PIN, ["Login", "You are logged in."]),
        ):
            phone.scan(server.login())
            phone.confirm()
            assert phone.type(pin)["lines"] == said
        assert server.logged_in
        used = phone.scan(tiqr.EnrolmentLink(f"{server.url}/metadata?key=used").text)
        assert used["state"] == "error"


def test_tiqr_without_its_server_shows_the_code_to_type(phone: Phone) -> None:
    """The connection is refused; the code is the one that the server would take."""
    server = TiqrServer()
    with serving(server.answer) as server.url:
        enrol(phone, server)
    phone.scan(server.login())
    phone.confirm()
    shown = phone.type(TIQR_PIN)
    assert shown["state"] == "code"
    assert server.session is not None
    assert shown["lines"][1].replace(" ", "") == server.session.respond(server.secret)


def test_linotp_pairs_and_answers_over_http(phone: Phone) -> None:
    """The pairing is posted and opened with the server's key; its challenge is answered."""
    key = bytes(range(32))
    public = X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
    paired: list[lseqr.PairingResponse] = []

    def answer(got: Got) -> Says:
        form = parse_qs(got.body.decode("ascii"))
        if (got.method, got.path) == ("POST", "/validate/pair"):
            paired.append(lseqr.open_response(form["pairing_response"][0], key))
            return Says(body=b'{"result": {"status": true, "value": false}}')
        return Says(404)

    with serving(answer) as url:
        phone.scan(lseqr.PairingUrl(0, public, "QR0001", callback_url=f"{url}/validate/pair").text)
        assert phone.confirm()["lines"][:2] == ["New pairing", "QR0001"]
    [pairing] = paired
    text, exchange = lseqr.issue(
        lseqr.Challenge(lseqr.ContentType.FREE, 77, "Pay 100 to Bob"),
        user_token_id=pairing.user_token_id,
        user_public_key=pairing.user_public_key,
        server_key=key,
        ephemeral_key=bytes(range(1, 33)),
    )
    assert "Pay 100 to Bob" in phone.scan(text)["lines"]
    assert phone.confirm()["lines"][1].replace(" ", "") == exchange.tan()
