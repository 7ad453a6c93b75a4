"""What makeCredential and getAssertion do alike about the user: verification, then presence; and how long a list is."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from emulators.fido_authenticator.messages import PinUvAuth
from emulators.fido_authenticator.pin_uv_auth import Permission, PinUv, Token
from emulators.fido_authenticator.state import State, ask_presence
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.user import Answer, Prompt, UserRequest


@dataclass(slots=True)
class Authorization:
    """What is known of the user while one command runs. ``present``: shown by the verification itself."""

    pin_uv: PinUv
    token: Token | None = None
    verified: bool = False
    present: bool = False

    @property
    def shows_presence(self) -> bool:
        """Whether the user has been there, now or when the token was given out."""
        return self.present or (self.token is not None and self.token.shows_presence)

    def ask_presence(self, prompt: Prompt, rp_id: str, user_name: str) -> Generator[UserRequest, Answer, None]:
        """Wait for a touch unless the user has been there; it spends the token, whether or not this command came with it.

        (§6.1.2 steps 13 and 14, §6.2.2 steps 8 and 9: only verification by the key itself leaves the token alone.)
        """
        if self.present:
            return
        if not self.shows_presence:
            yield from _ask_consent(prompt, rp_id, user_name)
        self.present = True
        self.pin_uv.spend_tokens()


def _ask_consent(prompt: Prompt, rp_id: str, user_name: str = "") -> Generator[UserRequest, Answer, None]:
    """Wait for a touch; these two commands answer a user who stays away as one who refuses (§6.1.2 14.1.2.2)."""
    try:
        yield from ask_presence(prompt, rp_id, user_name)
    except CtapError as error:
        raise CtapError(Status.OPERATION_DENIED) from error


def check_proof(state: State, auth: PinUvAuth, prompt: Prompt, rp_id: str) -> Generator[UserRequest, Answer, None]:
    """Steps 1 and 2 of both commands: a proof of length zero asks, by a touch, which key is meant and if it has a PIN.

    Raises:
        CtapError: PIN_INVALID or PIN_NOT_SET after that touch; MISSING_PARAMETER for a proof without its protocol;
            INVALID_PARAMETER, or from a CTAP 2.0 key PIN_AUTH_INVALID, for a proof under a protocol that it does not have.
    """
    if auth.param is None:
        return
    options = state.profile.options
    if not auth.param and ("clientPin" in options or "pinUvAuthToken" in options):
        yield from _ask_consent(prompt, rp_id)
        raise CtapError(Status.PIN_INVALID if state.pin.is_set else Status.PIN_NOT_SET)
    if state.only_2_0 and auth.protocol not in (None, *state.profile.pin_uv_auth_protocols):
        # CTAP 2.0 §5.1 step 7 and §5.2 step 3.
        raise CtapError(Status.PIN_AUTH_INVALID)
    state.pin_uv.check_protocol(auth.protocol)


def wants_built_in_uv(state: State, auth: PinUvAuth, options: Mapping[str, bool]) -> bool:
    """The option "uv", which a proof overrides.

    Raises:
        CtapError: INVALID_OPTION, or from a CTAP 2.0 key UNSUPPORTED_OPTION, if the host asks for built-in
            verification, and there is none or it is not set up.
    """
    if auth.param is not None or not options.get("uv", False):
        return False
    if not state.uv_enabled:
        # CTAP 2.0 §5.1: an option that is known but not supported.
        raise CtapError(Status.UNSUPPORTED_OPTION if state.only_2_0 else Status.INVALID_OPTION)
    return True


def wants_enterprise_attestation(state: State, kind: int | None, rp_id: str) -> bool:
    """Whether the attestation is to name this one key: vendor-facilitated (1) or platform-managed (2).

    Raises:
        CtapError: INVALID_PARAMETER where that is not enabled; INVALID_OPTION for any other kind.
    """
    if kind is None:
        return False
    if not state.settings.enterprise_attestation:
        raise CtapError(Status.INVALID_PARAMETER)
    if kind not in (1, 2):
        raise CtapError(Status.INVALID_OPTION)
    return kind == 2 or rp_id in state.profile.attestation.enterprise_rp_ids


def verification_required(state: State, *, supported: bool) -> CtapError:
    """Why a command cannot go on unverified. ``supported``: a PIN that is not set yet will do."""
    takes_pin = "clientPin" in state.profile.options if supported else state.pin.is_set
    if takes_pin and not state.has("noMcGaPermissionsWithClientPin"):
        return CtapError(Status.PUAT_REQUIRED)
    return CtapError(Status.OPERATION_DENIED)


def check_always_uv(state: State, auth: PinUvAuth, *, uv: bool) -> bool:
    """Where alwaysUv is on: whether built-in verification is to be done, though no host asked for it.

    Raises:
        CtapError: PUAT_REQUIRED or OPERATION_DENIED if the user cannot be verified by this command.
    """
    if not state.protected:
        raise verification_required(state, supported=True)
    if auth.param is not None:
        return False
    if not uv and not state.uv_enabled:
        raise verification_required(state, supported=True)
    return True


@dataclass(frozen=True, slots=True)
class Purpose:
    """For what the user is verified: the ``message`` that a token signs, and what a display would show."""

    message: bytes
    permission: Permission
    prompt: Prompt
    rp_id: str
    user_name: str = ""


def verify_user(
    state: State, auth: PinUvAuth, purpose: Purpose, *, uv: bool
) -> Generator[UserRequest, Answer, Authorization]:
    """Step 11 of makeCredential, step 6 of getAssertion: by the proof, or by the key itself if ``uv``.

    Raises:
        CtapError: PIN_AUTH_INVALID for a proof that does not hold; PUAT_REQUIRED, PIN_BLOCKED or OPERATION_DENIED if
            built-in verification fails.
    """
    if not state.protected:
        if auth.param is not None and state.only_2_0:
            # CTAP 2.0 §5.1 step 5 and §5.2 step 1 know no key that has nothing to verify; later ones ignore the proof.
            raise CtapError(Status.PIN_AUTH_INVALID)
        return Authorization(state.pin_uv)
    if auth.param is not None:
        token = state.pin_uv.verify_token(auth, purpose.message, purpose.permission)
        token.check_rp_id(purpose.rp_id)
        if not token.user_verified:
            raise CtapError(Status.PIN_AUTH_INVALID)
        token.bind(purpose.rp_id)
        return Authorization(state.pin_uv, token, verified=True)
    if not uv:
        return Authorization(state.pin_uv)
    sensor = state.built_in_uv
    assert sensor is not None
    if not (yield from sensor.perform(purpose.prompt, purpose.rp_id, purpose.user_name, internal_retry=True)):
        if state.pin.is_set and not state.has("noMcGaPermissionsWithClientPin"):
            raise CtapError(Status.PUAT_REQUIRED)
        raise CtapError(Status.PIN_BLOCKED if sensor.retries == 0 else Status.OPERATION_DENIED)
    return Authorization(state.pin_uv, verified=True, present=True)


def check_list_length(state: State, credential_ids: tuple[bytes, ...]) -> None:
    """Refuse more entries than getInfo's maxCredentialCountInList."""
    if len(credential_ids) > state.profile.limits.max_credential_count_in_list:
        raise CtapError(Status.LIMIT_EXCEEDED)
