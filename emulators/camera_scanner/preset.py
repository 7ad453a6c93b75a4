"""Presets: how a camera sees a code at a desk, a kiosk or a dark door. Each is a TOML file in ``presets/``."""

import tomllib
from importlib.resources import files
from typing import Annotated, Literal

import msgspec

_PRESETS = files("emulators.camera_scanner") / "presets"

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Degrees = Annotated[float, msgspec.Meta(ge=0, le=60)]


class PresetError(ValueError):
    """A preset that does not exist or does not say what a preset must say."""


class Scene(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the camera looks at."""

    surface: Literal["wood", "office", "hall"]
    carrier: Literal["phone", "laptop", "badge", "paper"]
    code_share: Annotated[float, msgspec.Meta(ge=0.05, le=0.95)]
    """The side of the picture of the code, with its quiet zone, over the shorter side of the frame."""


class Pose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the camera is; each picture draws its own pose from within these bounds."""

    tilt: Degrees
    """At most this many degrees up or down."""
    pan: Degrees
    """At most this many degrees to the left or right."""
    roll: Degrees
    """At most this many degrees about the line of sight."""
    shift: Share
    """At most this share of the frame off its middle."""
    tremor: Annotated[float, msgspec.Meta(ge=0, le=20)]
    """Pixels by which the hand wanders about its mean, as a standard deviation."""


class Light(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the light does."""

    brightness: Annotated[float, msgspec.Meta(gt=0, le=2)]
    contrast: Share
    vignette: Share
    glare: Share
    flicker: Share = 0
    drift: Share = 0
    """How far the camera hunts for the right exposure."""


class Lens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the lens and the shutter do, in pixels of a frame 480 pixels high."""

    blur: Annotated[float, msgspec.Meta(ge=0, le=20)]
    """Standard deviation of the blur."""
    motion: Annotated[float, msgspec.Meta(ge=0, le=40)]
    """Length of the longest smear."""
    rolling: Annotated[float, msgspec.Meta(ge=-40, le=40)] = 0
    """By how much the last row stands beside the first."""


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the sensor and its driver do."""

    frames_per_second: Annotated[float, msgspec.Meta(gt=0, le=240)]
    noise: Annotated[float, msgspec.Meta(ge=0, le=100)]
    """Standard deviation, in gray levels."""
    jpeg: Annotated[int, msgspec.Meta(ge=0, le=100)]
    """Quality of the compression; 0 for none."""
    moire: Share = 0
    mirrored: bool = False
    """Whether the driver turns the picture as in a mirror."""


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about one way of looking at a code."""

    description: str
    scene: Scene
    pose: Pose
    light: Light
    lens: Lens
    sensor: Sensor


def preset_names() -> tuple[str, ...]:
    """The names of the presets that come with this package, sorted."""
    return tuple(
        sorted(entry.name.removesuffix(".toml") for entry in _PRESETS.iterdir() if entry.name.endswith(".toml"))
    )


def load_preset(name: str) -> Preset:
    """The preset called ``name``.

    Raises:
        PresetError: if there is none of that name, or its file is wrong.
    """
    if name not in preset_names():
        raise PresetError(f"no camera preset is called {name!r}; there are {', '.join(preset_names())}")
    return parse_preset((_PRESETS / f"{name}.toml").read_text("utf-8"), name)


def parse_preset(text: str, name: str) -> Preset:
    """A preset from TOML ``text``; unknown, missing and out-of-range settings are refused.

    Raises:
        PresetError: naming ``name`` and the setting that is wrong.
    """
    try:
        return msgspec.convert(tomllib.loads(text), Preset)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise PresetError(f"camera preset {name}: {error}") from error
