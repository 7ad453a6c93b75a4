"""authenticatorClientPIN, CTAP 2.3 §6.5.5: one function for each subcommand."""

from collections.abc import Callable
from typing import TypeVar

from msgspec.structs import replace

from emulators.fido_authenticator.built_in_uv import BuiltInUv
from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.messages import ClientPinRequest
from emulators.fido_authenticator.pin_uv_auth import Permission
from emulators.fido_authenticator.pin_uv_protocols import SharedSecret
from emulators.fido_authenticator.state import PERSISTENT_TOKEN, Response, State, Steps
from emulators.fido_authenticator.status import CtapError, Status
from emulators.fido_authenticator.store import Change
from emulators.fido_authenticator.user import Prompt

T = TypeVar("T")

_KNOWN = sum(Permission)


def client_pin(state: State, request: ClientPinRequest) -> Steps:
    """Run the subcommand, if the key has what it is about: a PIN, a sensor, or anything that needs a shared secret."""
    subcommand = _SUBCOMMANDS.get(request.subcommand)
    if subcommand is None or not _offers(state, request.subcommand):
        raise CtapError(Status.INVALID_SUBCOMMAND)
    return subcommand(state, request)


def _offers(state: State, subcommand: int) -> bool:
    with_pin = "clientPin" in state.profile.options
    with_token = state.has("pinUvAuthToken")
    return {
        0x02: bool(state.profile.pin_uv_auth_protocols),
        0x06: with_token and state.built_in_uv is not None,
        0x07: state.built_in_uv is not None,
        0x09: with_token and with_pin,
    }.get(subcommand, with_pin)


def _get_pin_retries(state: State, request: ClientPinRequest) -> Steps:
    """§6.5.5.2. Of a PIN that is not there, real keys and Yubico's tests say PIN_NOT_SET; the text is silent."""
    del request
    yield from ()
    if not state.pin.is_set:
        raise CtapError(Status.PIN_NOT_SET)
    return {0x03: state.pin.retries, 0x04: state.pin.needs_power_cycle}


def _get_uv_retries(state: State, request: ClientPinRequest) -> Steps:
    """§6.5.5.3."""
    del request
    yield from ()
    return {0x05: _sensor(state).retries}


def _get_key_agreement(state: State, request: ClientPinRequest) -> Steps:
    """§6.5.5.4."""
    yield from ()
    return {0x01: state.pin_uv.public_key(state.pin_uv.check_protocol(request.protocol))}


def _set_pin(state: State, request: ClientPinRequest) -> Steps:
    """§6.5.5.5."""
    yield from ()
    # Steps 1 and 2.
    new_pin_enc, param = _required(request.new_pin_enc), _required(request.param)
    platform_key = _required(request.key_agreement)
    protocol = state.pin_uv.check_protocol(request.protocol)
    # Step 3.
    if state.pin.is_set:
        raise CtapError(Status.PIN_AUTH_INVALID)
    # Steps 4 and 5.
    secret = state.pin_uv.shared_secret(protocol, platform_key)
    if not secret.verify(new_pin_enc, param):
        raise CtapError(Status.PIN_AUTH_INVALID)
    # Steps 6 to 10.
    new = state.pin.check_new(_decrypted(secret, new_pin_enc), state.settings)
    # Steps 11 and 12.
    state.pin.set(new, *_entered(state))
    return {}


def _change_pin(state: State, request: ClientPinRequest) -> Steps:
    """§6.5.5.6."""
    yield from ()
    # Steps 1 and 2.
    new_pin_enc, pin_hash_enc, param = map(_required, (request.new_pin_enc, request.pin_hash_enc, request.param))
    platform_key = _required(request.key_agreement)
    protocol = state.pin_uv.check_protocol(request.protocol)
    # Step 3.
    state.pin.check_not_blocked()
    # Steps 4 and 5.
    secret = state.pin_uv.shared_secret(protocol, platform_key)
    if not secret.verify(new_pin_enc + pin_hash_enc, param):
        raise CtapError(Status.PIN_AUTH_INVALID)
    # Steps 6 to 8.
    _compare(state, protocol, secret, pin_hash_enc)
    # Steps 9 to 14.
    new = state.pin.check_new(_decrypted(secret, new_pin_enc), state.settings)
    # Steps 15 to 20.
    settled = replace(state.settings, force_pin_change=False)
    state.pin.set(new, settled.put(), *_entered(state), *state.new_persistent_token())
    state.settings = settled
    state.pin_uv.reset_tokens()
    return {}


def _get_pin_token(state: State, request: ClientPinRequest) -> Steps:
    """§6.5.5.7.1, superseded by the subcommands with permissions."""
    yield from ()
    # Steps 1 to 4.
    pin_hash_enc, platform_key = _required(request.pin_hash_enc), _required(request.key_agreement)
    protocol = state.pin_uv.check_protocol(request.protocol)
    if request.permissions is not None or request.rp_id is not None:
        raise CtapError(Status.INVALID_PARAMETER)
    # Step 5.
    state.pin.check_not_blocked()
    # Steps 6 and 8 to 10; there is no display for step 7.
    secret = state.pin_uv.shared_secret(protocol, platform_key)
    _compare(state, protocol, secret, pin_hash_enc)
    # Step 11.
    if state.settings.force_pin_change:
        raise CtapError(Status.PIN_INVALID)
    if not state.has("pinUvAuthToken"):
        # A key from before permissions: its token does everything, above all for the preview commands.
        everything = Permission.MC | Permission.GA | Permission.CM | Permission.BE
        return {0x02: secret.encrypt(state.pin_uv.pin_token(protocol, everything).secret)}
    # Steps 12 to 15.
    permissions = Permission(0) if state.has("noMcGaPermissionsWithClientPin") else Permission.MC | Permission.GA
    return {0x02: secret.encrypt(state.pin_uv.new_token(protocol, permissions).secret)}


def _get_token_using_pin(state: State, request: ClientPinRequest) -> Steps:
    """§6.5.5.7.2, getPinUvAuthTokenUsingPinWithPermissions."""
    yield from ()
    # Steps 1 to 3.
    pin_hash_enc, platform_key = _required(request.pin_hash_enc), _required(request.key_agreement)
    permissions = _permissions(request)
    protocol = state.pin_uv.check_protocol(request.protocol)
    # Step 4.
    barred = state.has("noMcGaPermissionsWithClientPin")
    _check_authorized(
        permissions,
        {
            Permission.MC: not barred,
            Permission.GA: not barred,
            Permission.CM: state.has("credMgmt"),
            Permission.BE: "bioEnroll" in state.profile.options,
            Permission.LBW: state.has("largeBlobs"),
            Permission.ACFG: state.has("authnrCfg"),
            Permission.PCMR: state.has("perCredMgmtRO") and permissions == Permission.PCMR,
        },
    )
    # Step 5.
    state.pin.check_not_blocked()
    # Steps 6 and 8 to 10; there is no display for step 7.
    secret = state.pin_uv.shared_secret(protocol, platform_key)
    _compare(state, protocol, secret, pin_hash_enc)
    # Step 11.
    if state.settings.force_pin_change:
        raise CtapError(Status.PIN_POLICY_VIOLATION)
    # Steps 12 to 17.
    return _hand_out(state, request, secret, user_present=False)


def _get_token_using_uv(state: State, request: ClientPinRequest) -> Steps:
    """§6.5.5.7.3, getPinUvAuthTokenUsingUvWithPermissions."""
    # Steps 1 to 3.
    platform_key, permissions = _required(request.key_agreement), _permissions(request)
    protocol = state.pin_uv.check_protocol(request.protocol)
    # Step 4.
    _check_authorized(
        permissions,
        {
            Permission.CM: state.has("credMgmt"),
            Permission.BE: state.has("uvBioEnroll"),
            Permission.LBW: state.has("largeBlobs"),
            Permission.ACFG: state.has("uvAcfg"),
            Permission.PCMR: state.has("perCredMgmtRO") and permissions == Permission.PCMR,
        },
    )
    # Steps 5 to 7.
    sensor = _sensor(state)
    if not sensor.configured:
        raise CtapError(Status.NOT_ALLOWED)
    if sensor.retries == 0:
        raise CtapError(Status.UV_BLOCKED)
    secret = state.pin_uv.shared_secret(protocol, platform_key)
    # Steps 9 and 10; a time-out ends the command, and there is no display for step 8.
    internal_retry = sensor.sensor.platform_attempts <= 1
    verified = yield from sensor.perform(Prompt.TOKEN, request.rp_id or "", internal_retry=internal_retry)
    if not verified:
        raise CtapError(Status.UV_BLOCKED if sensor.retries == 0 else Status.UV_INVALID)
    # Steps 11 to 16: a finger on the sensor, or at the pad, is evidence of user interaction.
    return _hand_out(state, request, secret, user_present=True)


_SUBCOMMANDS: dict[int, Callable[[State, ClientPinRequest], Steps]] = {
    0x01: _get_pin_retries,
    0x02: _get_key_agreement,
    0x03: _set_pin,
    0x04: _change_pin,
    0x05: _get_pin_token,
    0x06: _get_token_using_uv,
    0x07: _get_uv_retries,
    0x09: _get_token_using_pin,
}


def _required(value: T | None) -> T:
    if value is None:
        raise CtapError(Status.MISSING_PARAMETER)
    return value


def _sensor(state: State) -> BuiltInUv:
    assert state.built_in_uv is not None
    return state.built_in_uv


def _entered(state: State) -> tuple[Change, ...]:
    """What a right PIN changes besides its own tries."""
    return () if state.built_in_uv is None else state.built_in_uv.pin_was_entered()


def _permissions(request: ClientPinRequest) -> Permission:
    """The permissions that are asked for; those that nobody has defined are ignored."""
    permissions = _required(request.permissions)
    if permissions <= 0:
        raise CtapError(Status.INVALID_PARAMETER)
    return Permission(permissions & _KNOWN)


def _check_authorized(permissions: Permission, authorized: dict[Permission, bool]) -> None:
    if any(permission in permissions and not granted for permission, granted in authorized.items()):
        raise CtapError(Status.UNAUTHORIZED_PERMISSION)


def _decrypted(secret: SharedSecret, ciphertext: bytes) -> bytes:
    try:
        return secret.decrypt(ciphertext)
    except ValueError as error:
        raise CtapError(Status.PIN_AUTH_INVALID) from error


def _compare(state: State, protocol: int, secret: SharedSecret, pin_hash_enc: bytes) -> None:
    """Pay for a try, then compare; afterwards a right PIN has all tries back, a wrong one a new key agreement key."""
    state.pin.spend_retry()
    try:
        matches = state.pin.matches(secret.decrypt(pin_hash_enc))
    except ValueError:
        matches = False
    if not matches:
        state.pin_uv.regenerate(protocol)
        raise state.pin.mismatch()
    state.pin.restore_retries(*_entered(state))


def _hand_out(state: State, request: ClientPinRequest, secret: SharedSecret, *, user_present: bool) -> Response:
    permissions = _permissions(request)
    if permissions == Permission.PCMR:
        token = state.store.get(PERSISTENT_TOKEN)
        assert token is not None, "a key with perCredMgmtRO makes one when it is new"
    else:
        protocol = state.pin_uv.check_protocol(request.protocol)
        token = state.pin_uv.new_token(protocol, permissions, request.rp_id, user_present=user_present).secret
    response: dict[int, CborValue] = {0x02: secret.encrypt(token)}
    return response
