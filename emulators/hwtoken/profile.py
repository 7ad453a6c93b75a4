"""A token model as data: what differs between products stands in ``profiles/*.toml``, never in an ``if``."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from emulators.hwtoken.font import cell_of, font_names

Pixels = Annotated[int, msgspec.Meta(ge=32, le=1024)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=3600)]
Personality = Literal["otq1", "tiqr", "lseqr", "powerauth", "otp", "ocra_keypad"]
"""The protocols that a token can speak. The first in a profile's list is what OK begins."""
Colour = Annotated[str, msgspec.Meta(pattern="^#[0-9a-f]{6}$")]

LONGEST_CODE = 9
"""Eight digits and the gap between two groups; no suite has more digits (RFC 6287, erratum 3730: ten are biased)."""

LONGEST_TITLE = 20
"""Characters in a title bar: the longest model name, or a title with its page number."""
LEAST_COLUMNS = 14
"""A line shorter than this would break most words."""


class ProfileError(ValueError):
    """A profile that does not exist or says something that no token understands."""


class Display(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="dot-matrix"):
    """A dot-matrix panel: its size in dots, and the font of each kind of text."""

    width: Pixels
    height: Pixels
    title_font: str
    label_font: str
    value_font: str
    code_font: str
    code_scale: Annotated[int, msgspec.Meta(ge=1, le=8)]

    def __post_init__(self) -> None:
        """Refuse fonts that do not exist and panels that could not hold a field, or the longest code with its purpose."""
        for font in (self.title_font, self.label_font, self.value_font, self.code_font):
            if font not in font_names():
                raise ValueError(f"expected one of the fonts {', '.join(font_names())}, found {font!r}")
        label_height, value_height = cell_of(self.label_font)[1], cell_of(self.value_font)[1]
        code_width, code_height = (side * self.code_scale for side in cell_of(self.code_font))
        needed = max(label_height + value_height, code_height + 2 * label_height)
        if self.body_height < needed:
            raise ValueError(f"expected {needed} rows of dots for the text with these fonts, found {self.body_height}")
        title_width = LONGEST_TITLE * cell_of(self.title_font)[0] + 4 * self.unit
        needed = max(LONGEST_CODE * code_width, title_width)
        if self.width < needed:
            raise ValueError(f"expected {needed} columns of dots for a code and a title, found {self.width}")
        for font in (self.label_font, self.value_font):
            if self.columns(font) < LEAST_COLUMNS:
                raise ValueError(f"expected room for {LEAST_COLUMNS} characters of {font}, found {self.columns(font)}")

    @property
    def unit(self) -> int:
        """Dots in one unit of space: gaps and icons grow with the panel."""
        return max(1, self.height // 64)

    @property
    def bar_height(self) -> int:
        """Rows of dots of the title bar, and of the bar with the words above the buttons."""
        return cell_of(self.title_font)[1] + self.unit

    @property
    def body_height(self) -> int:
        """Rows of dots between the two bars, without the gap of one unit at either side."""
        return self.height - 2 * self.bar_height - 2 * self.unit

    def columns(self, font: str) -> int:
        """Characters of ``font`` in one line, beside the margins; the right one has room for the mark of a broken word."""
        return (self.width - 8 * self.unit) // cell_of(font)[0]


class SevenSegment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="seven-segment"):
    """A display of so many digits, each of seven segments. It can review nothing: only what needs no review fits it."""

    digits: Annotated[int, msgspec.Meta(ge=6, le=16)]
    pitch = 12
    """Dots from one digit to the next."""

    @property
    def width(self) -> int:
        """Columns of dots, with a margin of 4."""
        return self.digits * self.pitch + 4

    @property
    def height(self) -> int:
        """Rows of dots, with a margin of 4."""
        return 24


SEGMENT_PERSONALITIES = frozenset({"otp", "ocra_keypad"})
"""Those whose codes stand for nothing that has to be read first."""


class Accents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bars of a colour panel: as usual, with a code, and where something is wrong."""

    usual: Colour
    code: Colour
    warning: Colour


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the firmware does. Without ``has_rtc`` the token cannot tell whether a challenge is still alive."""

    scan_time_out_seconds: Seconds
    auto_off_seconds: Seconds
    has_rtc: bool
    digits_per_group: Annotated[int, msgspec.Meta(ge=2, le=8)]
    keypad: bool = False
    """Whether there are keys for digits; without, two buttons turn a wheel."""
    camera: bool = True
    network: bool = False
    """Whether it is an app with a network, until its user goes offline."""
    poll_seconds: Seconds = 5
    """How often an app that is online asks for pushes."""
    accounts: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1
    """OTQ1 accounts that fit, each with its own server."""
    strict: bool = False
    """Whether the user is warned, and must agree, before a challenge is shown that nobody signed."""


class PinPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The token's own PIN: it has to be set at first use, and is asked for when the token is switched on."""

    least_digits: Annotated[int, msgspec.Meta(ge=4, le=8)]
    most_digits: Annotated[int, msgspec.Meta(ge=4, le=8)]
    tries: Annotated[int, msgspec.Meta(ge=1, le=10)]
    wipe_when_spent: bool = False

    def __post_init__(self) -> None:
        """Refuse an empty range."""
        if self.least_digits > self.most_digits:
            raise ValueError(f"expected most_digits of {self.least_digits} or more, found {self.most_digits}")


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Colours (``#rrggbb``) of an enlarged picture of the device."""

    paper: Colour
    ink: Colour
    casing: Colour
    accents: Accents | None = None
    """None: the panel has one colour."""


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One token model."""

    name: Annotated[str, msgspec.Meta(pattern="^[ -~]{1,20}$")]
    display: Display | SevenSegment
    behaviour: Behaviour
    look: Look
    pin: PinPolicy | None = None
    personalities: Annotated[tuple[Personality, ...], msgspec.Meta(min_length=1)] = ("otq1",)
    firmware: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){2}$")] = "1.0.0"

    def __post_init__(self) -> None:
        """Refuse a display on which its user would confirm what cannot be read."""
        if isinstance(self.display, SevenSegment):
            unfit = set(self.personalities) - SEGMENT_PERSONALITIES
            if unfit or self.behaviour.camera:
                found = ", ".join(sorted(unfit)) or "a camera"
                raise ValueError(f"expected nothing to review on a seven-segment display, found {found}")

    @property
    def panel(self) -> Display:
        """The dot-matrix panel, on which there is something to review.

        Raises:
            TypeError: this model has another kind of display.
        """
        if not isinstance(self.display, Display):
            raise TypeError(f"expected a model with a dot-matrix panel, found {self.name}")
        return self.display


def profile_names() -> tuple[str, ...]:
    """The models that are shipped."""
    files = resources.files("emulators.hwtoken").joinpath("profiles").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def load_profile(name: str | Path = "dot_matrix_128x64") -> Profile:
    """The shipped model of that name, or the model that the file at a ``Path`` describes.

    Raises:
        ProfileError: if there is no such model, or its text is no profile: unknown and missing keys are errors.
    """
    if isinstance(name, Path):
        try:
            text = name.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise ProfileError(f"token profile {name}: cannot be read: {problem}") from problem
        return parse_profile(text, str(name))
    if name not in profile_names():
        raise ProfileError(f"expected one of the token models {', '.join(profile_names())}, found {name!r}")
    file = resources.files("emulators.hwtoken").joinpath("profiles", f"{name}.toml")
    return parse_profile(file.read_text("utf-8"), f"{name}.toml")


def parse_profile(text: str, source: str) -> Profile:
    """Read the TOML ``text`` of a profile; ``source`` names it in errors.

    Raises:
        ProfileError: with what was expected, what was found, and where.
    """
    try:
        return msgspec.convert(tomllib.loads(text), Profile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise ProfileError(f"token profile {source}: {problem}") from problem
