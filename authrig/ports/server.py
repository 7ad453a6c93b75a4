"""Clients of the verification server: a person's browser, an administrator, and a bank that wants an approval.

They speak the server's REST (docs/reference/rest.md) and nothing else, so the same calls can be pointed at any server
that answers in that shape.
"""

import base64
import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import httpx

from authrig.errors import Deviation, RigError

TIMEOUT_SECONDS = 15.0
PUBLIC = "/auth/rest/public/authentication"
PROTECTED = "/auth/rest/protected"
APPROVAL = "/transaction-approval/rest/transaction-approval"


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer, with what a flow wants to know of it."""

    status: int
    body: dict[str, Any]

    @property
    def attributes(self) -> dict[str, Any]:
        """``data.attributes``, or an empty dictionary where the answer has none."""
        data = self.body.get("data")
        return dict(data.get("attributes", {})) if isinstance(data, dict) else {}

    def attribute(self, name: str) -> Any:
        """The attribute ``name``.

        Raises:
            Deviation: if the answer has none, as an error answer has not.
        """
        if name not in self.attributes:
            raise Deviation("the server's answer", f"an attribute {name}", self.outcome)
        return self.attributes[name]

    @property
    def outcome(self) -> str:
        """What the server said in one word: the code of an error, else the next step, else ``DONE``."""
        errors = self.body.get("errors")
        if errors:
            return str(errors[0]["code"])
        step = self.next_step
        return step if step is not None else "DONE"

    @property
    def next_step(self) -> str | None:
        """The step that the server asks for next, wherever the answer says so; None where nothing is left to do."""
        for place in (self.attributes, self.body.get("meta", {})):
            for key in ("nextAuthStep", "nextStep"):
                if place.get(key) is not None:
                    return str(place[key])
        return None


@cache
def _tls_context() -> ssl.SSLContext:
    """One for all: making it reads every root certificate, which takes longer than a login."""
    return ssl.create_default_context()


class _Client:
    """A connection that keeps its cookies, as a browser does."""

    def __init__(self, base_url: str, headers: dict[str, str]) -> None:
        self._http = httpx.Client(
            base_url=base_url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False, verify=_tls_context()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the session on the server stays as it is."""
        self._http.close()

    def request(self, method: str, path: str, body: object = None) -> Answer:
        """Send ``body`` as JSON and return the answer, an error answer too.

        Raises:
            RigError: if the server cannot be reached or does not answer in JSON.
        """
        try:
            response = self._http.request(method, path, json={} if body is None and method != "GET" else body)
        except httpx.HTTPError as error:
            raise RigError(f"the server at {self._http.base_url} does not answer {method} {path}: {error}") from error
        try:
            return Answer(response.status_code, response.json())
        except ValueError as error:
            raise RigError(
                f"the server answered {method} {path} with status {response.status_code} and no JSON"
            ) from error


class Browser(_Client):
    """A person who logs in; every method is one request of the login REST and returns its answer."""

    def __init__(self, public_url: str) -> None:
        super().__init__(public_url, {"X-Same-Domain": "1"})

    def access(self, application: str, target: str | None = None) -> Answer:
        """Ask for ``application``: the answer names the first step, or that the person is in."""
        body = {} if target is None else {"target": target}
        return self.request("POST", f"{PUBLIC}/applications/{application}/access/", body)

    def check_username(self, username: str) -> Answer:
        """Say who it is, to be proven by the next step."""
        return self.request("POST", f"{PUBLIC}/username/check/", {"username": username})

    def check_device_token(self) -> Answer:
        """Be recognised by the cookie of a remembered device."""
        return self.request("POST", f"{PUBLIC}/device-token/check/")

    def check_sso_ticket(self, ticket: str) -> Answer:
        """Hand over a ticket that another system signed."""
        return self.request("POST", f"{PUBLIC}/sso-ticket/check/", {"ticket": ticket})

    def retrieve_oidc_authorization(self, provider: str) -> Answer:
        """Get the address of an OpenID Connect provider for this login."""
        return self.request("POST", f"{PUBLIC}/oidc/{provider}/authorization/retrieve/")

    def check_oidc_response(self, provider: str, **parameters: str) -> Answer:
        """Hand over what the provider sent the browser back with: ``state``, ``code``, perhaps ``iss``."""
        return self.request("POST", f"{PUBLIC}/oidc/{provider}/response/check/", parameters)

    def remember_device(self, display_name: str) -> Answer:
        """Have this browser remembered."""
        path = f"{PROTECTED}/self-service/remembered-devices/"
        return self.request("POST", path, {"displayName": display_name})

    def devices(self) -> Answer:
        """List the devices to choose from."""
        return self.request("POST", f"{PUBLIC}/airlock-2fa/devices/retrieve/")

    def select_device(self, device: str) -> Answer:
        """Choose a device by its id."""
        return self.request("POST", f"{PUBLIC}/airlock-2fa/devices/{device}/select/")

    def poll(self) -> Answer:
        """Ask the app; from the second call on, whether it was answered."""
        return self.request("POST", f"{PUBLIC}/airlock-2fa/status/poll/")

    def check_password(self, username: str | None, password: str) -> Answer:
        """Type a password; ``username`` is None where a badge has already said who it is."""
        named = {} if username is None else {"username": username}
        return self.request("POST", f"{PUBLIC}/password/check/", {**named, "password": password})

    def check_badge(self, badge: bytes) -> Answer:
        """Hand over the bytes that the scanner read."""
        return self.request("POST", f"{PUBLIC}/badge/check/", {"badge": base64.b64encode(badge).decode()})

    def retrieve_offline_qr_code(self, *, image: bool = True) -> Answer:
        """Get the challenge as a QR code; without ``image`` only its text."""
        return self.request("POST", f"{PUBLIC}/airlock-2fa/offline-qr-code/retrieve/", {"image": image})

    def check_otp(self, otp: str) -> Answer:
        """Type the digits that the token shows."""
        return self.request("POST", f"{PUBLIC}/airlock-2fa/otp/check/", {"otp": otp})

    def retrieve_fido_challenge(self) -> Answer:
        """Get the WebAuthn request options."""
        return self.request("POST", f"{PUBLIC}/fido/challenge/retrieve/")

    def check_fido_assertion(self, credential: dict[str, Any]) -> Answer:
        """Hand over an AuthenticationResponseJSON."""
        return self.request("POST", f"{PUBLIC}/fido/assertion/check/", {"credential": credential})

    def retrieve_fido_registration_challenge(self, display_name: str) -> Answer:
        """Get the WebAuthn creation options for a new key."""
        path = f"{PROTECTED}/self-service/fido/registration/challenge/retrieve/"
        return self.request("POST", path, {"displayName": display_name})

    def check_fido_registration(self, credential: dict[str, Any]) -> Answer:
        """Hand over a RegistrationResponseJSON."""
        path = f"{PROTECTED}/self-service/fido/registration/check/"
        return self.request("POST", path, {"credential": credential})

    def session(self) -> Answer:
        """Who is logged in, and by which steps."""
        return self.request("GET", f"{PROTECTED}/session/")


class Administrator(_Client):
    """Somebody with the administration token."""

    def __init__(self, internal_url: str, admin_token: str) -> None:
        super().__init__(internal_url, {"Authorization": f"Bearer {admin_token}"})

    def _must(self, method: str, path: str, body: object) -> Answer:
        answer = self.request(method, f"/admin/rest{path}", body)
        if answer.status >= 300:
            raise RigError(f"the server refused {method} /admin/rest{path}: {answer.status} {answer.outcome}")
        return answer

    def create_user(self, username: str, password: str, groups: tuple[str, ...] = ()) -> None:
        """Create a user."""
        self._must("POST", "/users", {"username": username, "password": password, "groups": list(groups)})

    def set_password(self, username: str, password: str) -> None:
        """Set a new password."""
        self._must("PUT", f"/users/{username}/password", {"password": password})

    def assign_qr_token(self, username: str, serial: str, seed: bytes, display_name: str) -> None:
        """Import a QR token's secret into the cloud and give the token to ``username``, and to nobody else.

        One that the cloud has already, as an attached token that serves a second test, changes hands.
        """
        for known in self.tokens():
            if known["attributes"]["serial"] == serial:
                for former in known["attributes"]["users"]:
                    self.take_token(former, known["id"])
                self.give_token(username, known["id"])
                return
        body = {"serial": serial, "seedHex": seed.hex(), "displayName": display_name}
        self._must("POST", f"/users/{username}/qr-tokens", body)

    def assign_token(self, username: str, kind: str, serial: str, seed: bytes, **more: str | int) -> str:
        """Import a token of any kind (``qr``, ``hotp``, ``totp``, ``app``) and give it to ``username``; its device id."""
        body = {"kind": kind, "serial": serial, "seedHex": seed.hex(), "displayName": serial, **more}
        answer = self._must("POST", f"/users/{username}/tokens", body)
        return str(answer.body["data"]["id"])

    def import_tokens(self, data: bytes, form: str = "csv", **more: str) -> None:
        """Import a maker's file, ``csv`` or ``pskc``, into stock."""
        body = {"format": form, "content": base64.b64encode(data).decode(), **more}
        self._must("POST", "/tokens/import", body)

    def tokens(self) -> list[dict[str, Any]]:
        """All tokens in the cloud: ``id`` and ``attributes`` of each."""
        return list(self._must("GET", "/tokens", None).body["data"])

    def give_token(self, username: str, device: str) -> None:
        """Assign a token from stock, or share one."""
        self._must("PUT", f"/users/{username}/tokens/{device}", {})

    def take_token(self, username: str, device: str) -> None:
        """Take a token from a user."""
        self._must("DELETE", f"/users/{username}/tokens/{device}", None)

    def set_token_state(self, device: str, state: str) -> None:
        """Make a token ``suspended`` or ``active``."""
        self._must("PUT", f"/tokens/{device}/state", {"state": state})

    def unlock_user(self, username: str) -> None:
        """Forgive wrong attempts in the IAM."""
        self._must("POST", f"/users/{username}/unlock", {})

    def unlock_token(self, username: str, device: str) -> None:
        """Forgive wrong codes in the cloud."""
        self._must("POST", f"/users/{username}/qr-tokens/{device}/unlock", {})

    def resync_token(self, username: str, device: str, first: str, second: str) -> None:
        """Find an OTP token again by two codes in a row."""
        self._must("POST", f"/users/{username}/tokens/{device}/resync", {"first": first, "second": second})

    def push_requests(self, username: str) -> list[dict[str, Any]]:
        """What the apps of a user show: ``id`` and ``attributes`` of each."""
        return list(self._must("GET", f"/users/{username}/push-requests", None).body["data"])

    def answer_push_request(self, push: str, button: str) -> None:
        """Press ``approve`` or ``deny`` on an app."""
        self._must("POST", f"/push-requests/{push}/answer", {"answer": button})

    def explain(self, **question: object) -> dict[str, Any]:
        """What the policies make of a login, and why; members as in docs/reference/rest.md."""
        return self._must("POST", "/policies/explain", question).attributes

    def verify_audit(self) -> dict[str, Any]:
        """Whether the chain of the audit log is whole."""
        return self._must("GET", "/audit/verify", None).attributes

    def audit_rows(self) -> list[dict[str, Any]]:
        """The whole audit log, oldest first."""
        rows: list[dict[str, Any]] = []
        while more := self._must("GET", f"/audit?after={rows[-1]['id'] if rows else 0}", None).body["data"]:
            rows += more
        return rows

    def make_badge(self, username: str, kind: str) -> str:
        """Make a badge, ``insecure`` or ``secure``; returns the text of its QR code."""
        return str(self._must("POST", f"/users/{username}/badges", {"kind": kind}).attribute("content"))

    def void_badge(self, username: str, badge: str) -> None:
        """Void one badge by its id."""
        self._must("DELETE", f"/users/{username}/badges/{badge}", None)

    def void_badges(self, username: str) -> None:
        """Void all badges of a user."""
        self._must("DELETE", f"/users/{username}/badges", None)


class Bank(_Client):
    """An application that wants a transaction approved, on the server's internal port."""

    def __init__(self, internal_url: str) -> None:
        super().__init__(internal_url, {"X-Same-Domain": "1"})

    def select(self, flow: str) -> Answer:
        """Begin the approval flow ``flow``."""
        return self.request("POST", f"{APPROVAL}/flows/{flow}/select")

    def identify(self, username: str) -> Answer:
        """Say who has to approve."""
        return self.request("POST", f"{APPROVAL}/user/identify/", {"username": username})

    def parameters(self, message_parameters: dict[str, str], method: str | None = None) -> Answer:
        """Say what is to be approved, and perhaps with what: ``AIRLOCK_2FA`` or ``FIDO``."""
        chosen = {} if method is None else {"method": method}
        return self.request("POST", f"{APPROVAL}/parameters/", {"messageParameters": message_parameters, **chosen})

    def retrieve_fido_challenge(self) -> Answer:
        """Get the options for the key that approves."""
        return self.request("POST", f"{APPROVAL}/fido/challenge/retrieve/")

    def check_fido_assertion(self, credential: dict[str, Any]) -> Answer:
        """Hand over what the key signed."""
        return self.request("POST", f"{APPROVAL}/fido/assertion/check/", {"credential": credential})

    def retrieve_offline_qr_code(self) -> Answer:
        """Get the challenge as a QR code."""
        return self.request("POST", f"{APPROVAL}/offline-qr-code/retrieve/")

    def check_otp(self, otp: str) -> Answer:
        """Hand over the digits that the token shows."""
        return self.request("POST", f"{APPROVAL}/otp/check/", {"otp": otp})

    def poll(self) -> Answer:
        """Ask the app; from the second call on, whether it was answered."""
        return self.request("POST", f"{APPROVAL}/status/poll/")
