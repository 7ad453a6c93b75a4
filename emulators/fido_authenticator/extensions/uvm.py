"""uvm: how the user was verified, and how well key and comparison are protected (WebAuthn L2 §10.3)."""

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.extensions.extension import Assertion, Creation, Extension, requested

# FIDO Registry of Predefined Values §3.1 to §3.3: this key is a program.
_PRESENCE = 0x01
_PASSCODE_EXTERNAL = 0x800
_KEY_PROTECTION_SOFTWARE = 0x01
_MATCHER_PROTECTION_SOFTWARE = 0x01


class Uvm(Extension):
    """Reports one factor: a PIN that the host sent, or mere presence."""

    identifier = "uvm"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Report the factor."""
        if requested(value):
            creation.outputs[self.identifier] = _factors(user_verified=creation.user_verified)

    def get_assertion(self, assertion: Assertion, value: CborValue) -> None:
        """Report the factor."""
        if requested(value):
            assertion.outputs[self.identifier] = _factors(user_verified=assertion.user_verified)


def _factors(*, user_verified: bool) -> CborValue:
    method = _PASSCODE_EXTERNAL if user_verified else _PRESENCE
    return [[method, _KEY_PROTECTION_SOFTWARE, _MATCHER_PROTECTION_SOFTWARE]]
