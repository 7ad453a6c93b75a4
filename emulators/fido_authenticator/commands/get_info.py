"""authenticatorGetInfo, CTAP 2.3 §6.4."""

from collections.abc import Iterator
from typing import Final

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.messages import PUBLIC_KEY, EmptyRequest
from emulators.fido_authenticator.pin_uv_protocols import sealed_for_holder
from emulators.fido_authenticator.profile import U2F_V2
from emulators.fido_authenticator.state import PERSISTENT_TOKEN, Response, State, Steps

_MODALITIES: Final = {"fingerprint": 0x02, "passcode": 0x04}
"""User verification methods as FIDO's registry of predefined values numbers them (§3.1)."""


def get_info(state: State, request: EmptyRequest) -> Steps:
    """What the key is and can do: the profile, and the state where that shows."""
    del request
    yield from ()
    return describe(state)


def describe(state: State) -> Response:
    """The getInfo response. Members without content are left out, as hosts read absence as the default."""
    profile, settings = state.profile, state.settings
    info: dict[int, CborValue] = {
        # An authenticator whose alwaysUv is on answers no U2F (§7.2.4).
        0x01: [version for version in profile.versions if version != U2F_V2 or not settings.always_uv],
        0x02: list(profile.extensions),
        0x03: profile.aaguid.bytes,
        0x04: options(state),
        0x05: profile.limits.max_msg_size,
        0x06: list(profile.pin_uv_auth_protocols),
        0x07: profile.limits.max_credential_count_in_list,
        0x08: profile.limits.max_credential_id_length,
        0x09: list(profile.transports),
        0x0A: list(_algorithms(profile.algorithms)),
        0x0E: profile.firmware_version,
        0x14: max(0, profile.limits.max_discoverable_credentials - state.store.count()),
        0x16: list(profile.attestation_formats),
        0x1A: list(profile.transports_for_reset),
        0x1F: list(profile.config_commands),
        **_about_pin(state),
        **_about_built_in_uv(state),
        **_for_holder_of_persistent_token(state),
    }
    if profile.long_touch_for_reset is not None:
        info[0x18] = settings.long_touch_for_reset
    if state.has("largeBlobs"):
        info[0x0B] = profile.limits.max_serialized_large_blob_array
    for extension in state.extensions:
        extension.add_info(state, info)
    told = info if profile.info_members is None else profile.info_members
    return {key: value for key, value in info.items() if key in told and value not in ([], {})}


def options(state: State) -> dict[str, bool]:
    """The option IDs: those of the profile, with the values that they have now."""
    settings, uv = state.settings, state.uv_enabled
    now = {
        "clientPin": state.pin.is_set,
        "uv": uv,
        "bioEnroll": uv,
        "userVerificationMgmtPreview": uv,
        "alwaysUv": settings.always_uv,
        "ep": settings.enterprise_attestation,
        "makeCredUvNotRqd": state.has("makeCredUvNotRqd") and not settings.always_uv,
    }
    return {option: now.get(option, value) for option, value in state.profile.options.items()}


def _about_pin(state: State) -> dict[int, CborValue]:
    pin, settings = state.profile.pin, state.settings
    if "clientPin" not in state.profile.options:
        return {}
    about: dict[int, CborValue] = {0x0D: settings.min_pin_length}
    if state.has("setMinPINLength"):
        about[0x0C] = settings.force_pin_change
        about[0x10] = pin.max_rp_ids
    if pin.complexity_policy is not None:
        about[0x1B] = settings.pin_complexity_policy
    if pin.complexity_policy_url:
        about[0x1C] = pin.complexity_policy_url.encode()
    if pin.tells_max_length:
        about[0x1D] = pin.max_length
    return about


def _about_built_in_uv(state: State) -> dict[int, CborValue]:
    built_in_uv = state.built_in_uv
    if built_in_uv is None:
        return {}
    sensor = built_in_uv.sensor
    return {
        0x11: sensor.platform_attempts,
        0x12: _MODALITIES[sensor.kind],
        0x17: built_in_uv.count_since_pin,
    }


def _for_holder_of_persistent_token(state: State) -> dict[int, CborValue]:
    token = state.store.get(PERSISTENT_TOKEN)
    if token is None or not state.has("perCredMgmtRO"):
        return {}
    random = state.env.random
    return {
        0x19: sealed_for_holder(token, b"encIdentifier", state.identifier, random),
        0x1E: sealed_for_holder(token, b"encCredStoreState", state.store_state, random),
    }


def _algorithms(identifiers: tuple[int, ...]) -> Iterator[CborValue]:
    for identifier in identifiers:
        yield {"alg": identifier, "type": PUBLIC_KEY}
