"""What a relying party must trust to accept a key's attestation, as files."""

import json
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from authrig.errors import RigError
from authrig.keys.description import MEMBERS
from authrig.keys.key_file import KeyFile
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.metadata import metadata_statement
from emulators.fido_authenticator.store import StoreError


def export_attestation(file: Path, folder: Path) -> list[Path]:
    """Write the certificates (PEM) and the metadata statement (JSON) of the key in ``file`` into ``folder``.

    Returns:
        The files that were written.

    Raises:
        RigError: if the key file cannot be used or the folder cannot be written.
    """
    key = KeyFile.open(file)
    try:
        contents = _contents(key.inspect())
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8")
    except StoreError as error:
        raise RigError(str(error)) from error
    except OSError as error:
        raise RigError(f"attestation: cannot write into {folder}: {error.strerror}") from error
    finally:
        key.close()
    return [folder / name for name in contents]


def _contents(authenticator: Authenticator) -> dict[str, str]:
    authority = authenticator.authority
    certificates = {"root": authority.root, "batch": authority.batch, "enterprise": authority.enterprise}
    files = {
        f"{name}.pem": load_der_x509_certificate(attester.certificate).public_bytes(Encoding.PEM).decode()
        for name, attester in certificates.items()
    }
    return {**files, "metadata.json": json.dumps(metadata_statement(authenticator, MEMBERS), indent=2) + "\n"}
