"""authenticatorGetInfo, CTAP 2.3 §6.4."""

from collections.abc import Iterator

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.messages import PUBLIC_KEY, EmptyRequest
from emulators.fido_authenticator.state import Response, State, Steps


def get_info(state: State, request: EmptyRequest) -> Steps:
    """What the key is and can do: the profile, and the state where that shows."""
    del request
    yield from ()
    return describe(state)


def describe(state: State) -> Response:
    """The getInfo response. Members without content are left out, as hosts read absence as the default."""
    profile = state.profile
    info: dict[int, CborValue] = {
        0x01: list(profile.versions),
        0x02: list(profile.extensions),
        0x03: profile.aaguid.bytes,
        0x04: dict(profile.options),
        0x05: profile.limits.max_msg_size,
        0x07: profile.limits.max_credential_count_in_list,
        0x08: profile.limits.max_credential_id_length,
        0x09: list(profile.transports),
        0x0A: list(_algorithms(profile.algorithms)),
        0x0E: profile.firmware_version,
        0x14: max(0, profile.limits.max_discoverable_credentials - state.store.count()),
        0x16: list(profile.attestation_formats),
    }
    for extension in state.extensions:
        extension.add_info(state, info)
    return {key: value for key, value in info.items() if value not in ([], {})}


def _algorithms(identifiers: tuple[int, ...]) -> Iterator[CborValue]:
    for identifier in identifiers:
        yield {"alg": identifier, "type": PUBLIC_KEY}
