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


@dataclass(frozen=True)
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

    def access(self, application: str) -> Answer:
        """Ask for ``application``: the answer names the first step, or that the person is in."""
        return self.request("POST", f"{PUBLIC}/applications/{application}/access/")

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
        """Import a QR token's secret into the cloud and give the token to ``username``."""
        body = {"serial": serial, "seedHex": seed.hex(), "displayName": display_name}
        self._must("POST", f"/users/{username}/qr-tokens", body)

    def make_badge(self, username: str, kind: str) -> str:
        """Make a badge, ``insecure`` or ``secure``; returns the text of its QR code."""
        return str(self._must("POST", f"/users/{username}/badges", {"kind": kind}).attribute("content"))


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

    def parameters(self, message_parameters: dict[str, str]) -> Answer:
        """Say what is to be approved."""
        return self.request("POST", f"{APPROVAL}/parameters/", {"messageParameters": message_parameters})

    def retrieve_offline_qr_code(self) -> Answer:
        """Get the challenge as a QR code."""
        return self.request("POST", f"{APPROVAL}/offline-qr-code/retrieve/")

    def check_otp(self, otp: str) -> Answer:
        """Hand over the digits that the token shows."""
        return self.request("POST", f"{APPROVAL}/otp/check/", {"otp": otp})
