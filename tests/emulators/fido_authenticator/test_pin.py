from hypothesis import given
from hypothesis import strategies as st

from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.pin import RETRIES, Pin, is_weak
from emulators.fido_authenticator.settings import Settings
from emulators.fido_authenticator.status import CtapError
from emulators.fido_authenticator.store import MemoryStore


@given(pin=st.binary(max_size=70))
def test_a_new_pin_is_taken_whole_or_refused(pin: bytes) -> None:
    """Any bytes: what is taken is UTF-8, of a length that the profile allows, and without the padding."""
    profile = profiles.load()
    try:
        new = Pin(MemoryStore(), profile).check_new(pin.ljust(64, b"\0"), Settings.of(profile))
    except CtapError:
        return
    assert 4 <= len(new.decode()) <= 63
    assert new.ljust(64, b"\0") == pin.ljust(64, b"\0")


@given(guesses=st.lists(st.booleans(), max_size=20))
def test_tries_only_come_back_with_the_right_pin(guesses: list[bool]) -> None:
    """Compared with a count kept by hand."""
    store = MemoryStore()
    pin = Pin(store, profiles.load())
    pin.set(b"1234")
    left = RETRIES
    for right in guesses:
        if pin.needs_power_cycle:
            pin = Pin(store, profiles.load())
        if left == 0:
            break
        pin.spend_retry()
        left -= 1
        if right:
            pin.restore_retries()
            left = RETRIES
        assert pin.retries == left


def test_what_a_weak_pin_is() -> None:
    """A run up or down, or one character; anything else could be anybody's secret."""
    assert all(map(is_weak, ("1111", "3456", "9876", "dcba", "")))
    assert not any(map(is_weak, ("1112", "1357", "1122", "4711", "qwer")))
