"""What is attached to this machine: security keys, serial lines and cameras, as Linux's /sys tells.

A device is recognised by what the rig file says of it, and never by being the first one found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from authrig.errors import RigError
from authrig.rig_file.entries import UsbMatch

Sort = Literal["fido", "serial", "camera"]

_FIDO_USAGE_PAGE = bytes.fromhex("06d0f1")
"""How the report descriptor of a security key begins (CTAP 2.3 §11.2.8.2)."""
_USB_SOCKET = re.compile(r"[0-9]+-[0-9]+(\.[0-9]+)*")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A device node and what is known of the device behind it; empty text and None where the kernel does not tell."""

    sort: Sort
    node: Path
    name: str
    serial: str
    vendor: int | None
    product: int | None
    usb_path: str
    by_id: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The device in few words."""
        ids = f" {self.vendor:04x}:{self.product:04x}" if self.vendor is not None and self.product is not None else ""
        serial = f", serial number {self.serial}" if self.serial else ""
        return f"{self.node}{ids} {self.name}{serial}"


def inventory(sys: Path = Path("/sys"), dev: Path = Path("/dev")) -> tuple[Attachment, ...]:
    """All that is attached, in the order of its nodes' names."""
    found = [*_keys(sys, dev), *_serial_lines(sys, dev), *_cameras(sys, dev)]
    return tuple(sorted(found, key=lambda one: (one.sort, len(one.node.name), one.node.name)))


def find(sort: Sort, match: UsbMatch, among: tuple[Attachment, ...], name: str) -> Attachment:
    """The one device of ``sort`` that ``match`` means; ``name`` is what the rig file calls it.

    Raises:
        RigError: if there is none, or more than one.
    """
    found = [one for one in among if one.sort == sort and _matches(one, match)]
    if len(found) == 1:
        return found[0]
    wanted = ", ".join(
        f"{field} {_readable(field, value)}"
        for field in match.__struct_fields__
        if (value := getattr(match, field)) is not None
    )
    seen = "; ".join(one.sentence for one in found or [one for one in among if one.sort == sort]) or "nothing"
    raise RigError(
        f"{name}: expected one {sort} device with {wanted}, found {len(found) or 'none'}"
        + (f": {seen}" if found else f"; attached: {seen}")
    )


def _readable(field: str, value: int | str) -> str:
    return f"{value:04x}" if field in {"vendor", "product"} else str(value)


def _matches(one: Attachment, match: UsbMatch) -> bool:
    return match.reader is None and all(
        wanted is None or found
        for wanted, found in (
            (match.serial, one.serial == match.serial),
            (match.vendor, one.vendor == match.vendor),
            (match.product, one.product == match.product),
            (match.usb_path, one.usb_path == match.usb_path),
            (match.by_id, match.by_id in one.by_id),
        )
    )


def _keys(sys: Path, dev: Path) -> Iterator[Attachment]:
    for entry in _entries(sys / "class/hidraw"):
        device = (entry / "device").resolve()
        if not _bytes(device / "report_descriptor").startswith(_FIDO_USAGE_PAGE):
            continue
        lines = _bytes(device / "uevent").decode("utf-8", errors="replace").split("\n")
        says = {key: _one_line(value) for key, _, value in (line.partition("=") for line in lines)}
        _, vendor, product = (int(part, 16) for part in says.get("HID_ID", "0:0:0").split(":"))
        yield Attachment(
            "fido",
            dev / entry.name,
            says.get("HID_NAME", ""),
            says.get("HID_UNIQ", ""),
            vendor,
            product,
            _usb_path(device),
            (),
        )


def _serial_lines(sys: Path, dev: Path) -> Iterator[Attachment]:
    for entry in _entries(sys / "class/tty"):
        # Terminals and the machine's own UARTs have no USB device behind them.
        if (entry / "device").exists() and (usb := _usb_device((entry / "device").resolve())) is not None:
            yield _of_usb("serial", dev / entry.name, usb, _links(dev / "serial/by-id", dev / entry.name))


def _cameras(sys: Path, dev: Path) -> Iterator[Attachment]:
    for entry in _entries(sys / "class/video4linux"):
        if _text(entry / "index") != "0":  # the second node of a webcam carries no pictures
            continue
        links = _links(dev / "v4l/by-id", dev / entry.name)
        usb = _usb_device((entry / "device").resolve())
        if usb is not None:
            yield _of_usb("camera", dev / entry.name, usb, links)
        else:
            yield Attachment("camera", dev / entry.name, _text(entry / "name"), "", None, None, "", links)


def _of_usb(sort: Sort, node: Path, usb: Path, by_id: tuple[str, ...]) -> Attachment:
    name = " ".join(filter(None, (_text(usb / "manufacturer"), _text(usb / "product"))))
    vendor, product = (int(_text(usb / file) or "0", 16) for file in ("idVendor", "idProduct"))
    return Attachment(sort, node, name, _text(usb / "serial"), vendor, product, usb.name, by_id)


def _usb_device(device: Path) -> Path | None:
    """The USB device that ``device`` is a part of."""
    return next((each for each in (device, *device.parents) if _USB_SOCKET.fullmatch(each.name)), None)


def _usb_path(device: Path) -> str:
    usb = _usb_device(device)
    return usb.name if usb is not None else ""


def _links(folder: Path, node: Path) -> tuple[str, ...]:
    return tuple(link.name for link in _entries(folder) if link.resolve() == node.resolve())


def _entries(folder: Path) -> list[Path]:
    """What is in a folder; nothing where there is none, as on a machine without such devices."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _text(file: Path) -> str:
    return _one_line(_bytes(file).decode("utf-8", errors="replace"))


def _one_line(text: str) -> str:
    """A device says of itself what it likes, and that is printed and written into files."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _bytes(file: Path) -> bytes:
    """What a file says; nothing where the device has no such file or is gone by now."""
    try:
        return file.read_bytes()
    except OSError:
        return b""
