"""Every extension that a profile may advertise, by its identifier."""

from emulators.fido_authenticator.extensions.cred_protect import CredProtect
from emulators.fido_authenticator.extensions.extension import Extension

EXTENSIONS: dict[str, Extension] = {extension.identifier: extension for extension in (CredProtect(),)}
