"""The discoverable credentials in a key file, as far as their owner may see them: never a private key."""

from pathlib import Path
from typing import Any

from authrig.errors import RigError
from authrig.keys.key_file import KeyFile
from emulators.fido_authenticator.credentials import Credential
from emulators.fido_authenticator.store import StoreError


def list_credentials(path: Path) -> list[dict[str, Any]]:
    """The credentials by relying party, newest first, each as JSON would hold it; byte strings in hexadecimal.

    Raises:
        RigError: if the file is not a usable key file.
    """
    key = KeyFile.open(path)
    try:
        return [_plain(credential) for rp_id in key.store.rp_ids() for credential in key.store.credentials(rp_id)]
    except StoreError as error:
        raise RigError(str(error)) from error
    finally:
        key.close()


def _plain(credential: Credential) -> dict[str, Any]:
    user = credential.user
    return {
        "rp_id": credential.rp_id,
        "rp_name": credential.rp_name,
        "user": user and {"id": user.id.hex(), "name": user.name, "display_name": user.display_name},
        "id": credential.id.hex(),
        "algorithm": credential.algorithm,
        "discoverable": credential.discoverable,
        "extensions": sorted(credential.extensions),
    }
