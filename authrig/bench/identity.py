"""What tells an attached device from all others of this machine, whatever a rig file calls it, and by whatever it matches it."""

from pathlib import Path

from authrig.attached.inventory import find, inventory
from authrig.rig_file.entries import AttachedFido, AttachedScanner, AttachedToken


def identity_of(device: str, attached: AttachedFido | AttachedToken | AttachedScanner) -> str:
    """The same words in every run for the same device; ``device`` is for sentences.

    Raises:
        RigError: if it is not there, or more than one is.
    """
    match attached:
        case AttachedFido(match=match) if match.reader is not None:
            return f"reader {match.reader}"
        case AttachedFido(match=match):
            found = find("fido", match, inventory(), device)
            return f"fido {found.vendor} {found.product} {found.serial or found.usb_path or found.node}"
        case AttachedToken(serial=serial):
            return f"token {serial}"
        case AttachedScanner(port=port) if port is not None and "://" not in port:
            return f"line {Path(port).resolve()}"
        case _:
            return f"scanner {attached.port or attached.camera}"
