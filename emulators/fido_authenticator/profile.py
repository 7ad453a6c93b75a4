"""A product as data: what a key says about itself, its limits and its timing, read strictly from a TOML file."""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from emulators.fido_authenticator.quirks import Quirk

DEFAULT = "authrig-2.3"

U2F_V2 = "U2F_V2"
"""The version string of CTAP1."""

MAX_MESSAGE_BYTES = 7609
"""What one CTAPHID message can carry: no request and no response may be longer."""

_LONGEST_ATR = 33

_Byte = Annotated[int, msgspec.Meta(ge=0, le=0xFF)]
_Word = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]


class ProfileError(ValueError):
    """A profile cannot be used; the sentence names the file, what was expected and what was found."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much the key takes.

    Bytes of a CTAP message, entries of a list, bytes of a credential id, credentials, bytes of a credBlob and of the
    large-blob array.
    """

    max_msg_size: Annotated[int, msgspec.Meta(ge=1024, le=MAX_MESSAGE_BYTES)]
    max_credential_count_in_list: _Positive
    max_credential_id_length: _Positive
    max_discoverable_credentials: Annotated[int, msgspec.Meta(ge=0)]
    max_cred_blob_length: Annotated[int, msgspec.Meta(ge=32)] = 32
    max_serialized_large_blob_array: Annotated[int, msgspec.Meta(ge=1024)] = 4096


class Ctaphid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the answer to CTAPHID_INIT says."""

    device_version: tuple[_Byte, _Byte, _Byte]
    wink: bool


class Timing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long, in seconds.

    The key waits for its user; allows a reset after power-up; keeps the state of a stateful command; pauses between
    keepalives, and before the first one; waits for the next fragment of a message.
    """

    user_action: _Seconds
    reset_window: _Seconds
    stateful_command: _Seconds
    keepalive: _Seconds
    fragment: _Seconds
    first_keepalive: Annotated[float, msgspec.Meta(ge=0, le=0.1)] = 0.0


class Usb(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the key presents itself on USB."""

    vendor_id: _Word
    product_id: _Word
    manufacturer: str
    product: str
    serial_number: str = ""


class SmartCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the key presents itself in a card reader: its answer to reset (ISO 7816-3 §8), in hexadecimal.

    The default is what PC/SC readers say of a contactless card; its historical bytes announce command chaining and
    extended lengths, and say "Authrig".
    """

    atr: str = "3B8D80018073C021C05741757468726967DD"

    def __post_init__(self) -> None:
        try:
            atr = self.atr_bytes
        except ValueError as error:
            raise ValueError(f"atr: expected hexadecimal, found {self.atr}") from error
        if not 2 <= len(atr) <= _LONGEST_ATR or atr[0] not in (0x3B, 0x3F):
            raise ValueError(f"atr: expected 2 to {_LONGEST_ATR} bytes that begin with 3B or 3F, found {self.atr}")

    @property
    def atr_bytes(self) -> bytes:
        """As sent."""
        return bytes.fromhex(self.atr)


class Pin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which PINs the key takes, in Unicode code points, and whether it refuses weak ones (None: it does not know how).

    ``max_rp_ids`` is how many relying parties may be told the minimum length; ``tells_max_length``: getInfo tells the
    maximum, which keys before CTAP 2.2 do not.
    """

    min_length: Annotated[int, msgspec.Meta(ge=4, le=63)] = 4
    max_length: Annotated[int, msgspec.Meta(ge=8, le=63)] = 63
    complexity_policy: bool | None = None
    complexity_policy_url: str = ""
    tells_max_length: bool = False
    max_rp_ids: Annotated[int, msgspec.Meta(ge=0)] = 0


class BuiltInUv(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the key itself verifies its user: by an enrolled finger, or by a passcode on its own pad.

    ``retries`` mismatches in a row block it; of these ``attempts`` fit into one command, and a platform should try
    ``platform_attempts`` times. The last members are about fingers: how many the key keeps, samples that an enrollment
    takes, bytes of a friendly name.
    """

    kind: Literal["fingerprint", "passcode"]
    retries: Annotated[int, msgspec.Meta(ge=1, le=25)] = 5
    attempts: Annotated[int, msgspec.Meta(ge=1, le=5)] = 3
    platform_attempts: _Positive = 3
    sensor: Literal["touch", "swipe"] = "touch"
    max_templates: _Positive = 5
    samples: _Positive = 4
    max_name_bytes: _Positive = 64


class Attestation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the key vouches for a new credential.

    ``kind``: with a batch certificate of the test CA, or self: with the credential's own key. ``subject`` stands in the
    certificates' common name between "Authrig" and "TEST". ``enterprise_rp_ids`` are the relying parties that get
    vendor-facilitated enterprise attestation.
    """

    kind: Literal["batch", "self"]
    subject: str = "FIDO attestation"
    enterprise_rp_ids: tuple[str, ...] = ()


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product. ``options`` is what getInfo says of a key that is new; commands change the values of some later."""

    schema: Annotated[int, msgspec.Meta(ge=1, le=1)]
    name: str
    description: str
    source: str
    aaguid: UUID
    firmware_version: Annotated[int, msgspec.Meta(ge=0)]
    versions: tuple[str, ...]
    extensions: tuple[str, ...]
    algorithms: tuple[int, ...]
    unlisted_algorithms: tuple[int, ...] = ()
    """What the key signs with when asked, but does not say in getInfo: some hosts cannot read unknown identifiers."""
    transports: tuple[str, ...]
    attestation_formats: tuple[str, ...]
    attestation: Attestation
    quirks: frozenset[Quirk] = frozenset()
    options: dict[str, bool]
    pin_uv_auth_protocols: tuple[Literal[1, 2], ...] = ()
    pin: Pin = Pin()
    built_in_uv: BuiltInUv | None = None
    config_commands: tuple[Literal[1, 2, 3, 4], ...] = ()
    long_touch_for_reset: bool | None = None
    transports_for_reset: tuple[str, ...] = ()
    info_members: frozenset[int] | None = None
    """The getInfo members of a key that tells less than it could; None: all that have content."""
    limits: Limits
    ctaphid: Ctaphid
    timing: Timing
    usb: Usb
    smart_card: SmartCard = SmartCard()

    @property
    def has_u2f(self) -> bool:
        """Whether the key speaks CTAP1."""
        return U2F_V2 in self.versions

    @property
    def has_ctap2(self) -> bool:
        """Whether the key speaks CTAP2."""
        return any(version != U2F_V2 for version in self.versions)

    @property
    def all_algorithms(self) -> tuple[int, ...]:
        """What the key signs with, listed in getInfo or not."""
        return self.algorithms + self.unlisted_algorithms


def names() -> tuple[str, ...]:
    """The profiles that come with the package, sorted."""
    folder = files(__package__) / "profiles"
    return tuple(sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def load(name: str = DEFAULT) -> Profile:
    """The profile ``name`` of ``names()``.

    Raises:
        ProfileError: if there is no such profile.
    """
    if name not in names():
        raise ProfileError(f"expected a profile named one of {', '.join(names())}, found {name!r}")
    return parse((files(__package__) / "profiles" / f"{name}.toml").read_bytes(), f"profile {name}")


def parse(toml: bytes, source: str) -> Profile:
    """The profile in ``toml``; ``source`` names where it came from in an error.

    Raises:
        ProfileError: if something is missing, unknown, out of range, or not TOML.
    """
    try:
        return msgspec.toml.decode(toml, type=Profile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{source}: {error}") from error
