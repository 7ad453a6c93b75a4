"""uvm: how the user was verified, and how well key and comparison are protected (WebAuthn L2 §10.3)."""

from typing import Final

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.extensions.extension import Assertion, Creation, Extension, requested
from emulators.fido_authenticator.messages import PinUvAuth
from emulators.fido_authenticator.profile import Profile

# FIDO Registry of Predefined Values §3.1 to §3.3: this key is a program.
_PRESENCE: Final = 0x01
_PASSCODE_EXTERNAL: Final = 0x800
_BUILT_IN = {"fingerprint": 0x02, "passcode": 0x04}
_KEY_PROTECTION_SOFTWARE: Final = 0x01
_MATCHER_PROTECTION_SOFTWARE: Final = 0x01


class Uvm(Extension):
    """Reports one factor: a PIN that the host sent, the key's own sensor or pad, or mere presence."""

    identifier = "uvm"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Report the factor."""
        if requested(value):
            creation.outputs[self.identifier] = _factors(
                creation.state.profile, creation.request.pin_uv_auth, user_verified=creation.user_verified
            )

    def get_assertion(self, assertion: Assertion, value: CborValue) -> None:
        """Report the factor."""
        if requested(value):
            assertion.outputs[self.identifier] = _factors(
                assertion.state.profile, assertion.request.pin_uv_auth, user_verified=assertion.user_verified
            )


def _factors(profile: Profile, auth: PinUvAuth, *, user_verified: bool) -> CborValue:
    sensor = profile.built_in_uv
    if not user_verified:
        method = _PRESENCE
    elif sensor is not None and (auth.param is None or "clientPin" not in profile.options):
        method = _BUILT_IN[sensor.kind]
    else:
        # A token does not say what it was given out for: where there is a PIN, it is taken for one of the PIN.
        method = _PASSCODE_EXTERNAL
    return [[method, _KEY_PROTECTION_SOFTWARE, _MATCHER_PROTECTION_SOFTWARE]]
