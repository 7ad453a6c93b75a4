"""The requests of the token's serial console, one Struct for each command (docs/reference/token-console.md)."""

from typing import Annotated, Literal

import msgspec

Id = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] | Annotated[str, msgspec.Meta(max_length=64)] | None
Row = Annotated[int, msgspec.Meta(ge=0, le=4095)]


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="cmd", kw_only=True):
    """What all have: ``id`` comes back with the answer."""

    id: Id = None


class Hello(Request, frozen=True, forbid_unknown_fields=True, tag="hello"):
    """Who are you."""


class Press(Request, frozen=True, forbid_unknown_fields=True, tag="press"):
    """Press and release one key."""

    button: Literal["ok", "cancel", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    held: bool = False


class ReadScreen(Request, frozen=True, forbid_unknown_fields=True, tag="screen"):
    """The panel in words, and its hash."""


class Png(Request, frozen=True, forbid_unknown_fields=True, tag="png"):
    """The panel, or the whole device, as a picture."""

    whole_device: bool = False


class ReadState(Request, frozen=True, forbid_unknown_fields=True, tag="state"):
    """Where the device is."""


class Counters(Request, frozen=True, forbid_unknown_fields=True, tag="counters"):
    """What it counts."""


class SelfTest(Request, frozen=True, forbid_unknown_fields=True, tag="self_test"):
    """Try the parts."""


class Power(Request, frozen=True, forbid_unknown_fields=True, tag="power"):
    """Switch on or off."""

    on: bool


class ScanText(Request, frozen=True, forbid_unknown_fields=True, tag="scan_text"):
    """What the camera's decoder would have read: one text for each code in view."""

    texts: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=8192)], ...], msgspec.Meta(min_length=1, max_length=8)
    ]


class ScanPng(Request, frozen=True, forbid_unknown_fields=True, tag="scan_png"):
    """A frame for the camera, in base64."""

    png: str


class Time(Request, frozen=True, forbid_unknown_fields=True, tag="time"):
    """Read the token's clock; ``advance`` lets so many seconds pass in a simulated world."""

    advance: Annotated[float, msgspec.Meta(ge=0, le=10**10)] | None = None


class Fault(Request, frozen=True, forbid_unknown_fields=True, tag="fault"):
    """Break something, or mend it. What is not named stays as it is."""

    battery: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    clock_jump: Annotated[float, msgspec.Meta(ge=-(10**10), le=10**10)] | None = None
    clock_drift_ppm: Annotated[float, msgspec.Meta(ge=-(10**6), le=10**6)] | None = None
    clock_lost: Literal[True] | None = None
    clock_bits: Literal[31, 32] | None = None
    cut_power_at_write: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    tamper: Literal[True] | None = None
    burnt_rows: tuple[Row, ...] | None = None
    dead_columns: tuple[Row, ...] | None = None
    stuck_segments: tuple[tuple[Row, Annotated[int, msgspec.Meta(ge=0, le=6)], bool], ...] | None = None
    contrast: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


AnyRequest = (
    Hello | Press | ReadScreen | Png | ReadState | Counters | SelfTest | Power | ScanText | ScanPng | Time | Fault
)
COMMANDS = tuple(kind.__struct_config__.tag for kind in AnyRequest.__args__)
OPEN = (Hello, Counters, SelfTest)
"""What a token in production mode answers too."""
