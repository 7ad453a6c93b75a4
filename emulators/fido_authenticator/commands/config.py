"""authenticatorConfig, CTAP 2.3 §6.11: one function for each subcommand."""

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.messages import ConfigRequest, Members, as_list, optional
from emulators.fido_authenticator.pin_uv_auth import Permission
from emulators.fido_authenticator.state import Response, State, Steps
from emulators.fido_authenticator.status import CtapError, Status

CONFIG: Final = 0x0D

_TOGGLE_ALWAYS_UV: Final = 0x02
_PREFIX: Final = b"\xff" * 32


def config(state: State, request: ConfigRequest) -> Steps:
    """Change a setting of the key."""
    yield from ()
    # Step 2: the subcommand.
    subcommand = _SUBCOMMANDS.get(request.subcommand)
    if subcommand is None or request.subcommand not in state.profile.config_commands:
        raise CtapError(Status.INVALID_PARAMETER)
    # Steps 3 and 4: whoever holds an unprotected key may set it up; but where verification is demanded always, only
    # that demand can be taken back without it.
    unproven = state.settings.always_uv and request.subcommand == _TOGGLE_ALWAYS_UV
    if state.protected or (state.settings.always_uv and not unproven):
        parameters = b"" if request.parameters is None else cbor.encode(request.parameters)
        signed = _PREFIX + bytes((CONFIG, request.subcommand)) + parameters
        state.pin_uv.verify_token(request.pin_uv_auth, signed, Permission.ACFG)
    # Step 5.
    return subcommand(state, request.parameters or {})


def _enable_enterprise_attestation(state: State, parameters: Members) -> Response:
    """§6.11.1."""
    del parameters
    if "ep" not in state.profile.options:
        raise CtapError(Status.INVALID_PARAMETER)
    state.set(replace(state.settings, enterprise_attestation=True))
    return {}


def _toggle_always_uv(state: State, parameters: Members) -> Response:
    """§6.11.2."""
    del parameters
    if "alwaysUv" not in state.profile.options:
        raise CtapError(Status.INVALID_PARAMETER)
    state.set(replace(state.settings, always_uv=not state.settings.always_uv))
    return {}


def _set_min_pin_length(state: State, parameters: Members) -> Response:
    """§6.11.4."""
    settings, pin = state.settings, state.profile.pin
    # Steps 1 and 3: the minimum can only grow; a reset takes it back.
    minimum = optional(parameters, 0x01, int)
    if minimum is None:
        minimum = settings.min_pin_length
    if not settings.min_pin_length <= minimum <= pin.max_length:
        raise CtapError(Status.PIN_POLICY_VIOLATION)
    # Steps 4 to 6: a new PIN, on demand or because the old one no longer does.
    force = optional(parameters, 0x03, bool) or False
    if force and not state.pin.is_set:
        raise CtapError(Status.PIN_NOT_SET)
    complexity = optional(parameters, 0x04, bool) or False
    if complexity and pin.complexity_policy is None:
        raise CtapError(Status.INVALID_PARAMETER)
    # Nobody knows any more whether the PIN that is set is a weak one.
    newly_complex = complexity and not settings.pin_complexity_policy
    if state.pin.is_set:
        force = force or newly_complex or state.pin.length < minimum
    changed = replace(
        settings,
        min_pin_length=minimum,
        min_pin_length_rp_ids=_who_may_know(state, parameters),
        pin_complexity_policy=settings.pin_complexity_policy or complexity,
        force_pin_change=settings.force_pin_change or force,
    )
    # Step 7: as long as a change is demanded, nobody keeps a token.
    if changed.force_pin_change:
        state.set(changed, *state.new_persistent_token())
        state.pin_uv.reset_tokens()
    else:
        state.set(changed)
    return {}


def _who_may_know(state: State, parameters: Members) -> tuple[str, ...]:
    """Steps 2 and 8: the relying parties that may learn the minimum; an empty list changes nothing."""
    rp_ids = _texts(parameters, 0x02) if 0x02 in parameters else ()
    if 0x02 in parameters and {"minPinLength", "pinComplexityPolicy"}.isdisjoint(state.profile.extensions):
        raise CtapError(Status.INVALID_PARAMETER)
    if len(rp_ids) > state.profile.pin.max_rp_ids:
        raise CtapError(Status.KEY_STORE_FULL)
    return rp_ids or state.settings.min_pin_length_rp_ids


def _texts(parameters: Members, key: int) -> tuple[str, ...]:
    texts = as_list(parameters[key])
    if not all(type(text) is str for text in texts):
        raise CtapError(Status.CBOR_UNEXPECTED_TYPE)
    return tuple(text for text in texts if isinstance(text, str))


def _enable_long_touch_for_reset(state: State, parameters: Members) -> Response:
    """CTAP 2.3: from now on only a touch of five seconds resets the key."""
    del parameters
    if state.profile.long_touch_for_reset is None:
        raise CtapError(Status.INVALID_PARAMETER)
    state.set(replace(state.settings, long_touch_for_reset=True))
    return {}


_SUBCOMMANDS: Final[dict[int, Callable[[State, Members], Response]]] = {
    0x01: _enable_enterprise_attestation,
    _TOGGLE_ALWAYS_UV: _toggle_always_uv,
    0x03: _set_min_pin_length,
    0x04: _enable_long_touch_for_reset,
}
