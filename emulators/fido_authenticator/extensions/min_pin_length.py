"""minPinLength and pinComplexityPolicy: which PINs the key takes, for chosen relying parties (CTAP 2.3 §12.4, §12.6)."""

from emulators.fido_authenticator.cbor import CborValue
from emulators.fido_authenticator.extensions.extension import Creation, Extension, requested


class MinPinLength(Extension):
    """Tells the minimum PIN length to the relying parties that authenticatorConfig has listed."""

    identifier = "minPinLength"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Tell it, or nothing."""
        if requested(value) and _may_know(creation):
            creation.outputs[self.identifier] = creation.state.settings.min_pin_length


class PinComplexityPolicy(Extension):
    """Tells the same relying parties whether the key refuses simple PINs."""

    identifier = "pinComplexityPolicy"

    def make_credential(self, creation: Creation, value: CborValue) -> None:
        """Tell it, or nothing."""
        if requested(value) and _may_know(creation):
            creation.outputs[self.identifier] = creation.state.settings.pin_complexity_policy


def _may_know(creation: Creation) -> bool:
    return creation.request.rp.id in creation.state.settings.min_pin_length_rp_ids
