from importlib.resources import files

import pytest

from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.profile import ProfileError

DEFAULT = (files("emulators.fido_authenticator") / "profiles" / f"{profiles.DEFAULT}.toml").read_bytes()


def test_the_default_profile_marks_a_test_device() -> None:
    """Nobody can take its AAGUID for a product's."""
    profile = profiles.load()
    assert profile.name == "authrig-2.3" == profiles.DEFAULT
    assert profile.aaguid.bytes == b"authrig-test-key"
    assert profiles.load() is profile


@pytest.mark.parametrize("name", profiles.names())
def test_every_shipped_profile_loads(name: str) -> None:
    """The file is named as the profile."""
    assert profiles.load(name).name == name


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b"wink = true", b'wink = "yes"', r"Expected `bool`, got `str` - at `\$.ctaphid.wink`"),
        (b"rk = true", b"rk = 1", r"Expected `bool`, got `int`"),
        (b"[limits]", b"[limits]\nmax_fun = 3", r"unknown field `max_fun` - at `\$.limits`"),
        (b"schema = 1", b"schema = 2", r"Expected `int` <= 1 - at `\$.schema`"),
        (b"max_msg_size = 7609", b"max_msg_size = 7610", r"Expected `int` <= 7609"),
        (b"keepalive = 0.1", b"keepalive = 0", r"Expected `float` > 0"),
        (b"vendor_id = 0x1209", b"vendor_id = 0x11209", r"Expected `int` <= 65535"),
        (b"aaguid = ", b"aaguide = ", "unknown field `aaguide`|missing required field `aaguid`"),
        (b'7465-73742d6b6579"', b'7465"', "Invalid UUID - at `\\$.aaguid`"),
        (b"[limits]", b"[limits", "mine.toml: "),
        (b"Authrig", b"\xff", "mine.toml: "),
    ],
)
def test_a_wrong_profile_is_refused_with_a_sentence(old: bytes, new: bytes, sentence: str) -> None:
    """The file, the place, the expected and the found are named."""
    assert old in DEFAULT
    with pytest.raises(ProfileError, match=sentence) as refused:
        profiles.parse(DEFAULT.replace(old, new, 1), "mine.toml")
    assert str(refused.value).startswith("mine.toml: ")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    """A path is no name either."""
    for name in ("yubikey-99", "../profiles/authrig-2.3", ""):
        with pytest.raises(ProfileError, match=r"one of .*authrig.* found"):
            profiles.load(name)
