"""What authenticatorConfig sets, kept until a reset (CTAP 2.3 §6.11)."""

from typing import Final

import msgspec

from emulators.fido_authenticator.profile import Profile
from emulators.fido_authenticator.store import Put, Store, StoreError

_RECORD: Final = "settings"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of a key; a profile says how it leaves the factory."""

    always_uv: bool
    enterprise_attestation: bool
    long_touch_for_reset: bool
    min_pin_length: int
    """Unicode code points."""
    pin_complexity_policy: bool
    min_pin_length_rp_ids: tuple[str, ...] = ()
    """The relying parties that may learn the minimum PIN length."""
    force_pin_change: bool = False

    @classmethod
    def of(cls, profile: Profile) -> "Settings":
        """Of a key that is new, or has been reset."""
        return cls(
            always_uv=profile.options.get("alwaysUv", False),
            enterprise_attestation=profile.options.get("ep", False),
            long_touch_for_reset=bool(profile.long_touch_for_reset),
            min_pin_length=profile.pin.min_length,
            pin_complexity_policy=bool(profile.pin.complexity_policy),
        )

    @classmethod
    def load(cls, store: Store, profile: Profile) -> "Settings":
        """As kept in ``store``.

        Raises:
            StoreError: if the record is damaged.
        """
        record = store.get(_RECORD)
        if record is None:
            return cls.of(profile)
        try:
            return msgspec.msgpack.decode(record, type=cls)
        except msgspec.DecodeError as error:
            raise StoreError(f"the record {_RECORD} of the key's memory is damaged: {error}") from error

    def put(self) -> Put:
        """The change that keeps these settings."""
        return Put(_RECORD, msgspec.msgpack.encode(self))
