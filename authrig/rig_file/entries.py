"""What a rig file says, as values. The JSON Schema that is published is made from these Structs.

Each device has a ``kind`` and is either ``emulated`` or ``attached``. An attached one says by what it is recognised, and
what stands in for a hand: a person, a controller on the network, a relay on a serial line, the device's own console.
"""

from typing import Annotated, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""A name of a device or bench: lower-case letters, digits and hyphens."""
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
UsbId = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Url = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/\s]+")]
PortNumber = Annotated[int, msgspec.Meta(ge=1, le=9999)]
Channel = Annotated[int, msgspec.Meta(ge=1, le=64)]
Pixel = Annotated[float, msgspec.Meta(ge=0, le=16384)]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the file: what is not known in it is a mistake."""


class UsbMatch(_Entry, frozen=True):
    """By what an attached device is recognised; all that is given must hold, and exactly one device may match.

    ``usb_path`` is the kernel's name of the socket (1-2.3), ``by_id`` the name of the link below /dev/serial/by-id or
    /dev/v4l/by-id, and ``reader`` the name of a smart-card reader.
    """

    serial: Text | None = None
    vendor: UsbId | None = None
    product: UsbId | None = None
    usb_path: Text | None = None
    by_id: Text | None = None
    reader: Text | None = None

    def __post_init__(self) -> None:
        """Never the first one found: something must tell it from others."""
        if all(getattr(self, field) is None for field in self.__struct_fields__):
            raise ValueError(f"expected at least one of {', '.join(self.__struct_fields__)}, found none")


class Controller(_Entry, frozen=True, tag_field="by", tag="controller"):
    """A controller that answers ``GET /usbN/touch/on|off`` and ``/usbN/power/on|off``; ``port`` is N."""

    url: Url
    port: PortNumber


class Relay(_Entry, frozen=True, tag_field="by", tag="relay"):
    """One channel of a relay board or servo on a serial line (docs/reference/relay-protocol.md)."""

    serial_port: Text
    channel: Channel


class Hub(_Entry, frozen=True, tag_field="by", tag="hub"):
    """A socket of a USB hub that switches power, by the words of uhubctl: ``location`` is its own."""

    location: Text
    port: PortNumber


Person = Literal["person"]
"""Somebody who is told what to do, and types what was seen."""
Touch = Literal["automatic"] | Person | Controller | Relay
Power = Literal["none"] | Person | Controller | Relay | Hub


class _Device(_Entry, frozen=True):
    """What all devices have.

    ``labels`` are free words that tests choose by, ``capabilities`` what the device can do beyond what it says of
    itself, and ``destructive`` allows tests that erase it.
    """

    labels: tuple[Text, ...] = ()
    capabilities: tuple[Text, ...] = ()
    destructive: bool = False


class EmulatedFido(_Entry, frozen=True):
    """An emulated security key; ``file`` keeps it between runs, else it forgets everything."""

    profile: Text = "authrig-2.3"
    seed: Seed | None = None
    transport: Literal["in-process", "pty", "tcp", "uhid", "usbip"] = "in-process"
    file: Text | None = None


class AttachedFido(_Entry, frozen=True):
    """A security key at this machine; with ``reader`` in ``match`` over PC/SC, else over hidraw. ``pin`` is what it has."""

    match: UsbMatch
    pin: Text = "1234"

    def __repr__(self) -> str:
        return f"AttachedFido({self.match!r})"


class Fido(_Device, frozen=True, tag_field="kind", tag="fido"):
    """A FIDO security key."""

    emulated: EmulatedFido | None = None
    attached: AttachedFido | None = None
    touch: Touch = "automatic"
    power: Power = "none"


class Console(_Entry, frozen=True, tag_field="by", tag="console"):
    """The device's own serial console (docs/reference/token-console.md): a path below /dev, or a pyserial URL."""

    serial_port: Text


class Camera(_Entry, frozen=True, tag_field="by", tag="camera"):
    """A camera of this rig that looks at the display.

    ``corners`` are those of its row of digits in the frame, in pixels (x, y): top left, top right, bottom right, bottom
    left. The digits of a dot-matrix display look as on the token of ``profile``.
    """

    camera: Name
    corners: tuple[tuple[Pixel, Pixel], tuple[Pixel, Pixel], tuple[Pixel, Pixel], tuple[Pixel, Pixel]]
    kind: Literal["seven-segment", "dot-matrix"]
    digits: Annotated[int, msgspec.Meta(ge=4, le=10)] = 8
    profile: Text = "dot_matrix_128x64"


class Page(_Entry, frozen=True, tag_field="by", tag="page"):
    """A page that the rig serves on 127.0.0.1 at ``port``, open in a browser on the screen that the device looks at."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Paper(_Entry, frozen=True, tag_field="by", tag="e-paper"):
    """An e-paper panel that takes a PNG by HTTP PUT."""

    url: Url


class Buttons(_Entry, frozen=True, tag_field="by", tag="relays"):
    """A relay or servo for each key of the device."""

    serial_port: Text
    ok: Channel
    cancel: Channel


ShowsPicture = Console | Page | Paper | Person
PressesKeys = Console | Buttons | Person
ReadsDisplay = Console | Camera | Person


class EmulatedToken(_Entry, frozen=True):
    """An emulated token; ``preset`` is what its camera's lens, light and hand are like."""

    profile: Text = "dot_matrix_128x64"
    seed: Seed | None = None
    preset: Text = "desk"


class AttachedToken(_Entry, frozen=True):
    """A token on the bench: its serial number, its seed in hexadecimal where the rig has to enrol it, and its PIN.

    A token that has no PIN yet gets this one. ``factory_key_hex`` is the public key of the pair that its maker put in, to
    which a server seals an activation (OTQ1, activation profile B).
    """

    serial: Text
    pin: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4,8}$")] = "4711"
    seed_hex: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F]{2}){16,64}$")] | None = None
    factory_key_hex: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-fA-F]{64}$")] | None = None

    def __repr__(self) -> str:
        return f"AttachedToken({self.serial!r})"


class QrToken(_Device, frozen=True, tag_field="kind", tag="qr-token"):
    """An offline QR token."""

    emulated: EmulatedToken | None = None
    attached: AttachedToken | None = None
    picture: ShowsPicture = "person"
    keys: PressesKeys = "person"
    display: ReadsDisplay = "person"
    power: Power = "none"


class OtpToken(_Device, frozen=True, tag_field="kind", tag="otp-token"):
    """A token that shows one-time passwords at the press of a button; it has no camera."""

    emulated: EmulatedToken | None = None
    attached: AttachedToken | None = None
    keys: PressesKeys = "person"
    display: ReadsDisplay = "person"
    power: Power = "none"


class EmulatedScanner(_Entry, frozen=True):
    """A scanner with an emulated camera."""

    preset: Text = "badge-at-kiosk"
    seed: Seed | None = None


class AttachedScanner(_Entry, frozen=True):
    """A barcode reader on a serial line (``port``: a path below /dev or a pyserial URL), or a camera of this rig.

    Without ``baud_rate`` the line has the one that readers of the family have when they are new.
    """

    family: Literal["gm65", "newland", "zebra-ssi", "honeywell", "de2120", "plain"] | None = None
    port: Text | None = None
    baud_rate: Annotated[int, msgspec.Meta(ge=300, le=921600)] | None = None
    camera: Name | None = None

    def __post_init__(self) -> None:
        """One or the other."""
        if (self.camera is None) == (self.port is None) or (self.port is None) != (self.family is None):
            raise ValueError("expected either camera, or port and family")


class Scanner(_Device, frozen=True, tag_field="kind", tag="scanner"):
    """A scanner: something that reads a code held before it."""

    emulated: EmulatedScanner | None = None
    attached: AttachedScanner | None = None
    picture: Page | Paper | Person = "person"


class EmulatedCamera(_Entry, frozen=True):
    """An emulated camera."""

    preset: Text = "desk"
    seed: Seed | None = None


class AttachedCamera(_Entry, frozen=True):
    """A webcam at this machine; ``size`` is width and height in pixels."""

    match: UsbMatch
    size: tuple[Annotated[int, msgspec.Meta(ge=64, le=7680)], Annotated[int, msgspec.Meta(ge=64, le=4320)]] = (640, 480)


class CameraDevice(_Device, frozen=True, tag_field="kind", tag="camera"):
    """A camera."""

    emulated: EmulatedCamera | None = None
    attached: AttachedCamera | None = None


class EmulatedServer(_Entry, frozen=True):
    """Our own verification server, started for the run; ``settings`` is a file as ``authrig serve --config`` takes it."""

    settings: Text | None = None


class AttachedServer(_Entry, frozen=True):
    """A server that runs already.

    ``adapter`` says whose shape its REST has: ``authrig``, or ``module:Class`` for one of your own. The secret of its
    administrator stands in the environment variable ``credentials_variable``, never in the file.
    """

    public_url: Url
    internal_url: Url | None = None
    adapter: Text = "authrig"
    credentials_variable: Text = "AUTHRIG_ADMIN_TOKEN"


class Server(_Device, frozen=True, tag_field="kind", tag="server"):
    """A verification server."""

    emulated: EmulatedServer | None = None
    attached: AttachedServer | None = None


Device = Fido | QrToken | OtpToken | Scanner | CameraDevice | Server
KINDS = ("fido", "qr-token", "otp-token", "scanner", "camera", "server")


class RigFile(_Entry, frozen=True):
    """A whole file. ``benches`` group devices that are leased together."""

    version: Literal[1]
    devices: dict[Name, Device]
    benches: dict[Name, tuple[Name, ...]] = {}
