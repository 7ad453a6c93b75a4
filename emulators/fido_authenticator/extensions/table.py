"""Every extension that a profile may advertise, by its identifier, in the order in which their hooks run."""

from emulators.fido_authenticator.extensions.cred_blob import CredBlob
from emulators.fido_authenticator.extensions.cred_protect import CredProtect
from emulators.fido_authenticator.extensions.extension import Extension
from emulators.fido_authenticator.extensions.hmac_secret import HmacSecret
from emulators.fido_authenticator.extensions.hmac_secret_mc import HmacSecretMc
from emulators.fido_authenticator.extensions.large_blob_key import LargeBlobKey
from emulators.fido_authenticator.extensions.min_pin_length import MinPinLength, PinComplexityPolicy
from emulators.fido_authenticator.extensions.preview_sign import PreviewSign
from emulators.fido_authenticator.extensions.third_party_payment import ThirdPartyPayment
from emulators.fido_authenticator.extensions.uvm import Uvm

EXTENSIONS: dict[str, Extension] = {
    extension.identifier: extension
    for extension in (
        CredProtect(),
        CredBlob(),
        LargeBlobKey(),
        HmacSecret(),
        HmacSecretMc(),
        MinPinLength(),
        PinComplexityPolicy(),
        ThirdPartyPayment(),
        Uvm(),
        PreviewSign(),
    )
}
