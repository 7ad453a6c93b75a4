"""Flow 3: password, then a FIDO security key."""

from typing import Any

from authrig.demo.steps import enter_password
from authrig.evidence.recorder import Recorder
from authrig.ports.key import Key, KeyRefused
from authrig.ports.server import Browser
from authrig.rig import Person, Rig

APPLICATION = "vpn"
SECOND_STEP = "FIDO_AUTHENTICATION_CHALLENGE_RETRIEVAL_REQUIRED"
PHISHING_ORIGIN = "https://login.evil.example"
PHISHING_RP_ID = "evil.example"


def play(rig: Rig, recorder: Recorder) -> None:
    """Register and log in; attack from another relying party, and with another user's credential."""
    carol, mallory = rig.enrol("carol"), rig.enrol("mallory")
    carols_key, mallorys_key = rig.new_key("carol's key"), rig.new_key("mallory's key")
    carols = _register(rig, recorder, carol, carols_key)
    mallorys = _register(rig, recorder, mallory, mallorys_key)

    with rig.browser() as browser:
        enter_password(recorder, browser, APPLICATION, carol, SECOND_STEP)
        assertion = carols_key.get_assertion(rig.origin, _request(browser))
        carols_key.exhibit_traffic()
        recorder.expect("logs in with her key", "DONE", browser.check_fido_assertion(assertion).outcome)
        recorder.expect("the session belongs to", carol.username, str(browser.session().attributes.get("username")))

    _phish(rig, recorder, carol, carols_key, carols)

    with rig.browser() as browser:
        enter_password(recorder, browser, APPLICATION, carol, SECOND_STEP)
        asked = {**_request(browser), "allowCredentials": [mallorys]}
        assertion = mallorys_key.get_assertion(rig.origin, asked)
        mallorys_key.exhibit_traffic()
        outcome = browser.check_fido_assertion(assertion).outcome
        recorder.expect("mallory's credential in carol's login", "FIDO_ASSERTION_WRONG", outcome, evil=True)


def _register(rig: Rig, recorder: Recorder, person: Person, key: Key) -> dict[str, str]:
    """Register ``key`` in the self-service; returns the descriptor of the new credential."""
    with rig.browser() as browser:
        enter_password(recorder, browser, "self-service", person, "DONE")
        options = browser.retrieve_fido_registration_challenge(f"{person.username}'s key").attribute("publicKey")
        registration = key.make_credential(rig.origin, options)
        key.exhibit_traffic()
        outcome = browser.check_fido_registration(registration).outcome
        recorder.expect(f"{person.username} registers a key", "DONE", outcome)
        return {"type": "public-key", "id": registration["id"]}


def _request(browser: Browser) -> dict[str, Any]:
    """The WebAuthn request options that the server sends."""
    return dict(browser.retrieve_fido_challenge().attribute("publicKey"))


def _phish(rig: Rig, recorder: Recorder, victim: Person, key: Key, credential: dict[str, str]) -> None:
    """A site with another RP ID stands between the victim and the server, and relays the server's challenge."""
    with rig.browser() as browser:
        enter_password(recorder, browser, APPLICATION, victim, SECOND_STEP)
        relayed = {**_request(browser), "rpId": PHISHING_RP_ID}

        try:
            key.get_assertion(PHISHING_ORIGIN, relayed)
            answer = "an assertion"
        except KeyRefused as refusal:
            answer = refusal.status
        key.exhibit_traffic()
        recorder.expect("asks the key for her credential under another RP ID", "NO_CREDENTIALS", answer, evil=True)

        # The victim even registered at that site, and the thief puts the name of the right credential on the answer.
        registration = {
            "rp": {"id": PHISHING_RP_ID, "name": "Prize draw"},
            "user": {"id": "cHJpemU", "name": victim.username, "displayName": victim.username},
            "challenge": relayed["challenge"],
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        }
        bait = key.make_credential(PHISHING_ORIGIN, registration)
        asked = {**relayed, "allowCredentials": [{"type": "public-key", "id": bait["id"]}]}
        stolen = key.get_assertion(PHISHING_ORIGIN, asked)
        key.exhibit_traffic()
        renamed = {**stolen, "id": credential["id"], "rawId": credential["id"]}
        outcome = browser.check_fido_assertion(renamed).outcome
        recorder.expect("an assertion for another RP ID", "FIDO_ASSERTION_WRONG", outcome, evil=True)
