"""Writes a first rig file from what is attached: something to edit, that is right as it stands."""

import json
from collections.abc import Iterator

from authrig.attached.inventory import Attachment

_HEAD = """\
# What `authrig rig scan` found. docs/reference/rig-file.md says what can stand here; `authrig rig check FILE` checks it.
version = 1
"""
_KINDS = {"fido": "fido", "camera": "camera"}


def first_rig_file(found: tuple[Attachment, ...]) -> str:
    """The text of a rig file: an entry for each key and camera, serial lines as comments, the rest emulated."""
    parts = [_HEAD, _emulated("server", "server")]
    for kind in ("fido", "camera"):
        attached = [one for one in found if _KINDS.get(one.sort) == kind]
        parts += [_attached(f"{kind}-{number}", kind, one) for number, one in enumerate(attached, 1)]
    if not any(one.sort == "fido" for one in found):
        parts.append(_emulated("fido-1", "fido"))
    parts += [_emulated("token-1", "qr-token"), _emulated("scanner-1", "scanner")]
    parts += [
        f"# A serial line, for the console of a token, a barcode reader or a relay board: {one.sentence}\n"
        + "".join(f"#   /dev/serial/by-id/{link}\n" for link in one.by_id)
        for one in found
        if one.sort == "serial"
    ]
    return "\n".join(parts)


def _emulated(name: str, kind: str) -> str:
    return f'[devices.{name}]\nkind = "{kind}"\nemulated = {{}}\n'


def _attached(name: str, kind: str, one: Attachment) -> str:
    match = ", ".join(_criteria(one))
    if not match:
        return f"# Nothing tells this one from others: {one.sentence}\n"
    lines = [f"# {one.sentence}", f"[devices.{name}]", f'kind = "{kind}"', f"attached = {{ match = {{ {match} }} }}"]
    if kind == "fido":
        lines += ['touch = "person"', "destructive = false  # true lets tests erase it"]
    return "\n".join(lines) + "\n"


def _criteria(one: Attachment) -> Iterator[str]:
    """By what to recognise it: its serial number where it has one, else the socket that it is in."""
    if one.vendor is not None and one.product is not None:
        yield f"vendor = 0x{one.vendor:04x}"
        yield f"product = 0x{one.product:04x}"
    if one.serial:
        yield f"serial = {_quoted(one.serial)}"
    elif one.usb_path:
        yield f"usb_path = {_quoted(one.usb_path)}"
    elif one.by_id:
        yield f"by_id = {_quoted(one.by_id[0])}"


def _quoted(text: str) -> str:
    """As a basic string of TOML, whose escapes are those of JSON."""
    return json.dumps(text)
