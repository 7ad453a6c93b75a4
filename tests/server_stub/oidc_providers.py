"""Two OpenID Connect providers on loopback: a kept library's, and one of our own that can be made to lie."""

import base64
import hashlib
import json
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from tests.server_stub.test_jose import Private, encode, sign

CODE = "SplxlOBeZQQYbYS6WxSbIA"
SECRET = "p@ss word/%"
"""Must be escaped on its way."""
SECRET_ENCODED = "p%40ss%20word%2F%25"


@contextmanager
def library_provider() -> Iterator[str]:
    """The issuer of an oidc-provider-mock (Authlib): it lets in whoever its page is told."""
    with warnings.catch_warnings(record=True):  # Authlib deprecates its own JOSE module, and insists on saying so
        from oidc_provider_mock import run_server_in_thread  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types, and importing it warns
    with run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


def consent(uri: str, subject: str) -> dict[str, str]:
    """What a person does on the library's page: the parameters with which the browser is sent back."""
    response = httpx.post(uri, data={"sub": subject}, follow_redirects=False)
    assert response.status_code == 302, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))


def jwk(key: ec.EllipticCurvePrivateKey, **more: str) -> dict[str, str]:
    """A public P-256 key as JSON."""
    numbers = key.public_key().public_numbers()
    x, y = (encode(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y, **more}


@dataclass
class Liar:
    """A provider that does everything right but for what a test changes."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    url: str = ""
    asked: dict[str, str] = field(default_factory=dict)
    """The parameters with which the browser came."""
    subject: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    """Instead of the right ones; None leaves one out."""
    token: str | None = None
    """Instead of a right one."""
    signer: Private | None = None
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, str]] | None = None
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    """Instead of a right one, by path."""
    now: float = 0.0
    requests: list[str] = field(default_factory=list)
    redeemed: set[str] = field(default_factory=set)

    def visit(self, uri: str, subject: str, now: float) -> dict[str, str]:
        """A person goes to ``uri`` and logs in; what the browser is sent back with."""
        self.asked = dict(parse_qsl(urlsplit(uri).query))
        self.subject, self.now = subject, now
        return {"code": CODE, "state": self.asked["state"]}

    def id_token(self) -> str:
        """For who was here last."""
        right = {
            "iss": self.url,
            "sub": self.subject,
            "aud": self.asked["client_id"],
            "exp": self.now + 300,
            "iat": self.now,
            "nonce": self.asked["nonce"],
        }
        claims = {name: value for name, value in (right | self.claims).items() if value is not None}
        return sign(self.signer or self.key, claims, **self.header)

    def answer(self, path: str, headers: Any, body: str) -> tuple[int, bytes]:
        """What it says."""
        self.requests.append(path)
        if path in self.answers:
            return self.answers[path]
        if path == "/.well-known/openid-configuration":
            right = {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize?tenant=a",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
            }
            return 200, json.dumps(right | self.metadata).encode()
        if path == "/keys":
            return 200, json.dumps({"keys": [jwk(self.key)] if self.keys is None else self.keys}).encode()
        return self.redeem(headers, {name: values[0] for name, values in parse_qs(body).items()})

    def redeem(self, headers: Any, form: dict[str, str]) -> tuple[int, bytes]:
        """RFC 6749 §4.1.3 and RFC 7636 §4.6, as strict as they want it."""
        proof = encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        basic = base64.b64encode(f"authrig:{SECRET_ENCODED}".encode()).decode()
        good = (
            form.get("code") == CODE
            and self.asked["nonce"] not in self.redeemed
            and proof == self.asked["code_challenge"]
            and self.asked["code_challenge_method"] == "S256"
            and form.get("redirect_uri") == self.asked["redirect_uri"]
            and headers.get("Authorization") == f"Basic {basic}"
        )
        if not good:
            return 400, b'{"error": "invalid_grant", "error_description": "<script>alert(1)</script>"}'
        self.redeemed.add(self.asked["nonce"])
        answer = {"id_token": self.token or self.id_token(), "token_type": "bearer", "access_token": "unused"}
        return 200, json.dumps(answer).encode()


@contextmanager
def lying_provider() -> Iterator[Liar]:
    """A ``Liar`` that listens."""
    liar = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say("")

        def do_POST(self) -> None:
            self._say(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _say(self, body: str) -> None:
            status, answer = liar.answer(self.path, self.headers, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    liar.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
