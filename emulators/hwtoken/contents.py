"""What stands in a token's memory, as one value: each change makes another value, which is stored whole."""

from typing import Annotated

import msgspec

Serial = Annotated[str, msgspec.Meta(pattern="^[!-~]{1,64}$")]
Key = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
ShortId = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2}){1,32}$")]
Hex = Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{2})*$", max_length=1024)]
Counter = Annotated[int, msgspec.Meta(ge=0)]
Text = Annotated[str, msgspec.Meta(max_length=2048)]


class StoredPin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A PIN as it is stored: 16 random bytes, and HMAC-SHA-256 of the PIN under them."""

    salt: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    mac: Key

    def __repr__(self) -> str:
        return "StoredPin()"


class Rtc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last time that the token's clock was set: what it was set to, and when that was; both seconds since 1970."""

    value: float
    set_at: float


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account on one server: of another protocol than OTQ1, or a further one of OTQ1.

    ``values`` are that personality's own; they may be secret, so no text shows them.
    """

    personality: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]{1,20}$")]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    values: dict[str, Text]
    counter: Counter = 0

    def __repr__(self) -> str:
        return f"Slot({self.personality!r}, {self.name!r})"


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that survives a battery change. Byte strings are hex."""

    serial: Serial
    seed: Key | None = None
    """OTQ1's; None until activation."""
    shown: tuple[ShortId, ...] = ()
    """Ids of the last challenges whose codes were shown, oldest first."""
    factory_key: Key | None = None
    """The X25519 private key that the maker put in, for activation profile B."""
    verify_key: Key | None = None
    """The server's Ed25519 public key: only signed messages count."""
    factory_verify_key: Key | None = None
    """The one that the maker put in. It comes back when the token is wiped, and judges every activation."""
    label: str | None = None
    """The account's name since activation; None before."""
    counter: Counter = 0
    """The counter that the next code under OTQ1's suite 3 uses."""
    sequence: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    """That of the last admin message obeyed."""
    pin: StoredPin | None = None
    duress_pin: StoredPin | None = None
    pin_tries_spent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    code_tries_spent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    """Wrong activation codes."""
    rtc: Rtc | None = None
    """None: the clock has not been set since the maker set it."""
    slots: Annotated[tuple[Slot, ...], msgspec.Meta(max_length=64)] = ()
    zeroised: bool = False
    """The case was opened, so every key was erased. The serial stays, and nothing can be done with the token again."""

    def __repr__(self) -> str:
        return f"Contents({self.serial!r}, activated={self.seed is not None})"
