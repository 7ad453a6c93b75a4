"""Logins that begin at an OpenID Connect provider: a kept library's on loopback, and one that lies."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server_stub.errors import ServerError
from server_stub.run import run_server
from server_stub.settings import OidcProvider, Settings
from tests.server_stub.oidc_providers import (
    SECRET,
    SECRET_ENCODED,
    Liar,
    consent,
    jwk,
    library_provider,
    lying_provider,
)
from tests.server_stub.test_jose import encode
from tests.server_stub.world import Browser, World, code_of, next_of, own_world

OFFLINE_QR = "AIRLOCK_2FA_OFFLINE_QR_CODE_RETRIEVAL_REQUIRED"
PROVIDER_IS_OLD = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")
"""The library's provider uses what Authlib deprecates."""
POLICIES = """
[applications.desk]
title = "Desk"
target = "/desk/"

[applications.door]
title = "Door"
target = "/door/"

[flows.outside-then-token]
ways = [["OIDC", "OFFLINE_QR"], ["PASSWORD"]]

[flows.outside]
ways = [["OIDC"]]

[[policies]]
name = "identity from outside, token from us"
priority = 1
applications = ["desk"]
flow = "outside-then-token"

[[policies]]
name = "identity from outside is enough"
priority = 2
applications = ["door"]
flow = "outside"
"""


@dataclass
class Scene:
    """A server that knows a provider that can be made to lie."""

    world: World
    liar: Liar

    def browser(self, application: str = "desk") -> Browser:
        """Somebody who has to say who they are."""
        return at_the_desk(self.world, application)

    def visit(self, browser: Browser, person: str) -> dict[str, str]:
        """Off to the one that lies and back."""
        return self.liar.visit(off(browser, "liar"), person, self.world.clock.time())

    def login(self, browser: Browser, person: str) -> httpx.Response:
        """All of it."""
        return back(browser, "liar", **self.visit(browser, person))

    def why(self) -> str:
        """What the log says of the last refusal."""
        return why(self.world)


def why(world: World) -> str:
    """What the log says of the last refusal."""
    refused = [row for row in world.audit() if row["event"] == "oidc" and row["outcome"] == "refused"]
    return str(refused[-1]["detail"]["why"])


def off(browser: Browser, provider: str) -> str:
    """Where the browser is sent."""
    response = browser.post(f"/oidc/{provider}/authorization/retrieve")
    assert response.status_code == 200, response.text
    assert next_of(response) == "OIDC_RESPONSE_REQUIRED"
    return str(response.json()["data"]["attributes"]["authorizationUri"])


def back(browser: Browser, provider: str, **answer: str) -> httpx.Response:
    """What the browser came back with."""
    return browser.post(f"/oidc/{provider}/response/check", answer)


def settings_in(folder: Path, *providers: OidcProvider) -> Settings:
    """A server's."""
    (folder / "policies.toml").write_text(POLICIES)
    (folder / "secret").write_text(SECRET + "\n")
    return Settings(
        data_dir=folder / "data",
        policies_file=folder / "policies.toml",
        address_failure_limit=100_000,
        cloud_timeout=30.0,
        oidc_providers=tuple(replace(each, client_secret_file=folder / "secret") for each in providers),
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, new_database_url: Callable[[], str]) -> Iterator[Scene]:
    """One server and its providers for most tests here."""
    with lying_provider() as liar:
        providers = (
            OidcProvider(name="liar", issuer=liar.url, client_id="authrig", title="The one that lies"),
            OidcProvider(
                name="mail", issuer=liar.url, client_id="authrig", username_claim="email", scope="openid email"
            ),
            OidcProvider(name="gone", issuer="http://127.0.0.1:9", client_id="authrig"),
        )
        settings = settings_in(tmp_path_factory.mktemp("oidc"), *providers)
        with own_world(settings, database_url=new_database_url()) as world:
            yield Scene(world, liar)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, new_database_url: Callable[[], str]) -> Iterator[World]:
    """A server that believes a kept library's provider; both have the same clock, which nobody moves."""
    with library_provider() as issuer:
        provider = OidcProvider(name="library", issuer=issuer, client_id="authrig")
        settings = settings_in(tmp_path_factory.mktemp("library"), provider)
        with own_world(settings, database_url=new_database_url()) as world:
            yield world


def at_the_desk(world: World, application: str = "desk") -> Browser:
    """Somebody who has to say who they are."""
    browser = world.browser()
    assert "OIDC" in browser.access(application).json()["meta"]["allowedFirstSteps"]
    return browser


@pytest.fixture
def scene(shared: Scene) -> Scene:
    """The shared one, and the provider honest again; it is asked anew."""
    fresh = Liar(key=shared.liar.key, url=shared.liar.url)
    shared.liar.__dict__.update(fresh.__dict__)
    shared.world.clock.advance(3600)
    return shared


@PROVIDER_IS_OLD
def test_a_login_begins_at_the_library_and_goes_on_with_the_token(library: World) -> None:
    """The identity is the provider's, the second step is ours."""
    person, browser = library.person(), at_the_desk(library)
    device = library.device(person)
    listed = browser.client.get("/auth/rest/public/authentication/oidc/providers").json()["data"]
    assert [(each["id"], each["attributes"]["title"]) for each in listed] == [("library", "library")]
    answer = back(browser, "library", **consent(off(browser, "library"), person.name))
    assert next_of(answer) == OFFLINE_QR
    assert browser.session().status_code == 401
    assert next_of(browser.otp(device.code(browser.qr()))) is None
    told = browser.session().json()["data"]["attributes"]
    assert told["username"] == person.name
    assert [step["method"] for step in told["steps"]] == ["OIDC", "OFFLINE_QR"]


@PROVIDER_IS_OLD
def test_a_code_is_good_once(library: World) -> None:
    """Neither in the same session, nor by another browser, nor at the provider."""
    person, browser = library.person(), at_the_desk(library)
    library.device(person)
    answer = consent(off(browser, "library"), person.name)
    assert next_of(back(browser, "library", **answer)) == OFFLINE_QR
    assert code_of(back(browser, "library", **answer)) == "UNEXPECTED_CALL"
    thief = at_the_desk(library)
    assert code_of(back(thief, "library", **answer)) == "UNEXPECTED_CALL"
    state = dict(parse_qsl(urlsplit(off(thief, "library")).query))["state"]
    assert code_of(back(thief, "library", code=answer["code"], state=state)) == "OIDC_RESPONSE_WRONG"
    assert why(library) == "the provider does not take the code: invalid_grant"


def test_nobody_can_be_logged_in_as_somebody_else(scene: Scene) -> None:
    """A code of the attacker's in the victim's browser: the state is not the one that was given to it."""
    browser = scene.browser()
    right = scene.visit(browser, scene.world.person().name)
    refused = back(browser, "liar", code=right["code"], state="A" * 43)
    assert (refused.status_code, code_of(refused)) == (400, "OIDC_RESPONSE_WRONG")
    assert next_of(refused) == "OIDC_RESPONSE_REQUIRED", "and the login that was begun is not harmed"
    assert next_of(back(browser, "liar", **right)) != "OIDC_RESPONSE_REQUIRED"


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "issuer": ({"claims": {"iss": "https://evil.example"}}, "from another issuer"),
    "no issuer": ({"claims": {"iss": None}}, "from another issuer"),
    "audience": ({"claims": {"aud": "somebody"}}, "for somebody else"),
    "two audiences": ({"claims": {"aud": ["authrig", "x"]}}, "another client beside us"),
    "authorized party": ({"claims": {"azp": "x"}}, "another client beside us"),
    "nonce": ({"claims": {"nonce": "A" * 43}}, "its nonce is not ours"),
    "no nonce": ({"claims": {"nonce": None}}, "its nonce is not ours"),
    "nonce that is no text": ({"claims": {"nonce": ["x"]}}, "its nonce is not ours"),
    "expired": ({"claims": {"exp": 1}}, "expired"),
    "never expires": ({"claims": {"exp": None}}, "expired"),
    "from the future": ({"claims": {"iat": 9e9}}, "future"),
    "no time": ({"claims": {"iat": None}}, "when it was made"),
    "nobody": ({"claims": {"sub": None}}, "nobody"),
    "another key": ({"signer": ec.generate_private_key(ec.SECP256R1())}, "signature is wrong"),
    "a key that it does not have": ({"header": {"kid": "x"}, "keys": [{"kid": "y"}]}, "no such key"),
    "another algorithm": ({"header": {"alg": "PS256"}}, "not signed with ES256"),
    "no keys at all": ({"keys": []}, "no such key"),
    "no token": ({"token": "x"}, "base64url"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_is_wrong_in_one_thing_is_refused(scene: Scene, lie: str) -> None:
    """Each has its own sentence in the log; the same login works with the truth."""
    change, sentence = LIES[lie]
    person, browser = scene.world.person(), scene.browser()
    vars(scene.liar).update(change)
    refused = scene.login(browser, person.name)
    assert (refused.status_code, code_of(refused), next_of(refused)) == (
        400,
        "OIDC_RESPONSE_WRONG",
        "PASSWORD_REQUIRED",
    )
    assert sentence in scene.why()
    vars(scene.liar).update(vars(Liar(key=scene.liar.key, url=scene.liar.url)))
    scene.world.clock.advance(3600)
    assert scene.login(scene.browser("door"), person.name).status_code == 200


def test_an_unsigned_token_and_one_signed_with_a_public_key_are_refused(scene: Scene) -> None:
    """The two classics: alg none, and HS256 with the public key as the secret."""
    person, key = scene.world.person(), scene.liar.key.public_key()
    public = (
        key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
    )
    for algorithm, secret in (("none", b""), ("HS256", public[0]), ("HS256", public[1])):
        browser = scene.browser("door")
        answer = scene.visit(browser, person.name)
        scene.liar.header = {"alg": algorithm}
        signed = scene.liar.id_token().rpartition(".")[0]
        mac = HMAC(secret or b"x", SHA256())
        mac.update(signed.encode())
        scene.liar.token = f"{signed}.{encode(mac.finalize()) if secret else ''}"
        assert code_of(back(browser, "liar", **answer)) == "OIDC_RESPONSE_WRONG"
        assert scene.why() == "the ID token: the ticket is not signed with ES256"


def test_the_clock_of_a_provider_may_be_a_little_off(scene: Scene) -> None:
    """Thirty seconds either way."""
    person, now = scene.world.person(), scene.world.clock.time()
    scene.liar.claims = {"iat": now + 20, "exp": now + 300}
    assert scene.login(scene.browser("door"), person.name).status_code == 200
    scene.liar.claims = {"iat": now - 600, "exp": now - 20}
    assert scene.login(scene.browser("door"), person.name).status_code == 200
    scene.liar.claims = {"iat": now - 600, "exp": now - 40}
    assert code_of(scene.login(scene.browser("door"), person.name)) == "OIDC_RESPONSE_WRONG"


def test_two_providers_are_not_mixed_up(scene: Scene) -> None:
    """What one was asked the other cannot answer; nor may one say that it is the other (RFC 9207)."""
    person, browser = scene.world.person(), scene.browser("door")
    answer = scene.visit(browser, person.name)
    assert code_of(back(browser, "mail", **answer)) == "UNEXPECTED_CALL"
    refused = back(browser, "liar", **answer, iss="https://login.example.org")
    assert (code_of(refused), scene.why()) == ("OIDC_RESPONSE_WRONG", "the answer is from another provider")
    scene.liar.metadata = {"authorization_response_iss_parameter_supported": True}
    scene.world.clock.advance(3600)
    browser = scene.browser("door")
    answer = scene.visit(browser, person.name)
    assert code_of(back(browser, "liar", **answer)) == "OIDC_RESPONSE_WRONG", "it promised to say who it is"
    browser = scene.browser("door")
    assert back(browser, "liar", **scene.visit(browser, person.name), iss=scene.liar.url).status_code == 200


def test_who_is_unknown_here_is_not_let_in(scene: Scene) -> None:
    """However well the provider knows them."""
    refused = scene.login(scene.browser("door"), "nobody-at-all")
    assert (refused.status_code, code_of(refused)) == (403, "OIDC_USER_UNKNOWN")


def test_an_address_counts_only_when_it_is_verified(scene: Scene) -> None:
    """Whoever can type an address at the provider would otherwise be its owner here."""
    address = "alice@example.org"
    scene.world.admin.post("/admin/rest/users", json={"username": address, "password": "x"})

    def login(**claims: object) -> httpx.Response:
        browser = scene.browser("door")
        answer = scene.liar.visit(off(browser, "mail"), "1", scene.world.clock.time())
        scene.liar.claims = claims
        return back(browser, "mail", **answer)

    assert login(email=address, email_verified=True).status_code == 200
    for verified in (False, None, "true", 1):
        assert code_of(login(email=address, email_verified=verified)) == "OIDC_RESPONSE_WRONG"
    assert code_of(login(email_verified=True)) == "OIDC_RESPONSE_WRONG"


def test_who_says_no_at_the_provider_may_choose_another_way(scene: Scene) -> None:
    """Its error code is told, its prose is not."""
    person, browser = scene.world.person(), scene.browser()
    state = scene.visit(browser, person.name)["state"]
    refused = back(browser, "liar", state=state, error="access_denied")
    assert (code_of(refused), next_of(refused)) == ("OIDC_RESPONSE_WRONG", "PASSWORD_REQUIRED")
    assert next_of(browser.password(person.name)) is None


def test_a_login_at_the_provider_may_not_take_forever(scene: Scene) -> None:
    """It ends with the session."""
    browser = scene.browser()
    answer = scene.visit(browser, scene.world.person().name)
    scene.world.clock.advance(601)
    assert code_of(back(browser, "liar", **answer)) == "NOT_AUTHORIZED"


def test_new_keys_are_fetched_when_a_token_names_one(scene: Scene) -> None:
    """A provider may change its keys at any time; a stranger cannot make us ask at every request."""
    person, fresh = scene.world.person(), ec.generate_private_key(ec.SECP256R1())
    scene.liar.keys, scene.liar.header = [jwk(scene.liar.key, kid="old")], {"kid": "old"}
    assert scene.login(scene.browser("door"), person.name).status_code == 200
    scene.liar.keys, scene.liar.header, scene.liar.signer = [jwk(fresh, kid="new")], {"kid": "new"}, fresh
    assert code_of(scene.login(scene.browser("door"), person.name)) == "OIDC_RESPONSE_WRONG", "asked a moment ago"
    scene.world.clock.advance(11)
    assert scene.login(scene.browser("door"), person.name).status_code == 200
    assert scene.liar.requests.count("/keys") == 2
    assert scene.liar.requests.count("/.well-known/openid-configuration") == 1


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "another issuer": ({"metadata": {"issuer": "https://evil.example"}}, "names another issuer"),
    "plain http": ({"metadata": {"token_endpoint": "http://evil.example/token"}}, "not https"),
    "no keys": ({"metadata": {"jwks_uri": None}}, "makes no sense"),
    "no JSON": ({"answers": {"/.well-known/openid-configuration": (200, b"\xff")}}, "makes no sense"),
    "not found": ({"answers": {"/.well-known/openid-configuration": (404, b"")}}, "status 404"),
    "redirect": ({"answers": {"/.well-known/openid-configuration": (302, b"")}}, "status 302"),
    "huge": ({"answers": {"/.well-known/openid-configuration": (200, b" " * 300_000)}}, "too large"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_provider_that_makes_no_sense_is_unavailable(scene: Scene, how: str) -> None:
    """Nobody is sent anywhere, and the password is still a way."""
    change, sentence = BROKEN[how]
    vars(scene.liar).update(change)
    browser = scene.browser()
    refused = browser.post("/oidc/liar/authorization/retrieve")
    assert (refused.status_code, code_of(refused)) == (503, "OIDC_UNAVAILABLE")
    assert sentence in refused.text
    assert next_of(browser.password(scene.world.person().name)) is None


def test_a_provider_that_is_gone_or_unknown_is_one_sentence(scene: Scene) -> None:
    """And never a 500."""
    browser = scene.browser()
    assert code_of(browser.post("/oidc/gone/authorization/retrieve")) == "OIDC_UNAVAILABLE"
    assert code_of(browser.post("/oidc/x/authorization/retrieve")) == "OIDC_PROVIDER_UNKNOWN"
    answer = scene.visit(browser, "x")
    scene.liar.answers = {"/token": (500, b"<script>")}
    assert code_of(back(browser, "liar", **answer)) == "OIDC_RESPONSE_WRONG"
    assert scene.why() == "the provider does not take the code: no reason given"


def test_what_passes_between_us_and_a_provider_is_in_no_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Neither codes and tokens, nor what we prove ourselves with, at the most talkative level."""
    caplog.set_level(logging.DEBUG)
    person, browser = scene.world.person(), scene.browser("door")
    answer = scene.visit(browser, person.name)
    token = scene.liar.token = scene.liar.id_token()
    assert back(browser, "liar", **answer).status_code == 200
    logs = repr([(record.getMessage(), record.__dict__) for record in caplog.records])
    assert "/token" in logs, "that a provider was asked may be known"
    secrets = (SECRET, SECRET_ENCODED, answer["code"], answer["state"], token, scene.liar.asked["nonce"])
    assert [each for each in secrets if each in logs] == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"issuer": "http://login.example.org"}, "no https address"),
        ({"issuer": "https://x.example/?a=b"}, "no https address"),
        ({"issuer": "javascript:alert(1)"}, "no https address"),
        ({"name": "a/b"}, "expected up to 32"),
        ({"scope": "email"}, "does not have openid"),
        ({"client_secret_file": Path("/nowhere/secret")}, "cannot read the client secret"),
    ],
)
def test_a_provider_that_cannot_be_meant_is_one_sentence(
    settings: Settings, change: dict[str, Any], sentence: str
) -> None:
    """At the start."""
    provider = replace(OidcProvider(name="x", issuer="https://x.example", client_id="c"), **change)
    with pytest.raises(ServerError, match=sentence), run_server(replace(settings, oidc_providers=(provider,))):
        pytest.fail("it started")
