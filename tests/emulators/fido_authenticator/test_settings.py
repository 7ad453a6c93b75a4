import pytest
from msgspec.structs import replace

from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.settings import Settings
from emulators.fido_authenticator.store import MemoryStore, Put, StoreError


def test_settings_come_from_the_profile_until_they_are_changed() -> None:
    """And survive in the store."""
    profile, store = profiles.load(), MemoryStore()
    factory = Settings.load(store, profile)
    assert (factory.always_uv, factory.min_pin_length, factory.force_pin_change) == (False, 4, False)
    changed = replace(factory, always_uv=True, min_pin_length=6, min_pin_length_rp_ids=("a.example",))
    store.commit(changed.put())
    assert Settings.load(store, profile) == changed
    assert Settings.of(profile) == factory


@pytest.mark.parametrize("record", [b"", b"\x80", b"\xc1", b"\x81\xa9always_uv\x05"])
def test_damaged_settings_are_refused_by_name(record: bytes) -> None:
    """Rather than a key that forgets its policy."""
    store = MemoryStore()
    store.commit(Put("settings", record))
    with pytest.raises(StoreError, match="record settings of the key's memory is damaged"):
        Settings.load(store, profiles.load())
