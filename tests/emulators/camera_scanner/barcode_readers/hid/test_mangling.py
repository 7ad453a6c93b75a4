import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.hid.layout import Layout, layout_names, load_layout
from emulators.camera_scanner.barcode_readers.hid.mangling import mangled, survivors, typed_text
from emulators.camera_scanner.barcode_readers.hid.strokes import Typing, type_text
from tests.emulators.camera_scanner.barcode_readers.hid.kernel_keys import key_events
from tests.emulators.camera_scanner.barcode_readers.hid.xkb_host import XkbHost, sharp_s_has_capital

LAYOUTS = [load_layout(name) for name in layout_names()]
US, DE, FR, UK = (load_layout(name) for name in ("us", "de", "fr", "uk"))
ASCII = "".join(map(chr, range(0x20, 0x7F)))
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@pytest.mark.parametrize(
    ("reader", "host", "text", "arrives"),
    [
        (US, DE, "AQB1:YZ", "AQB1ÖZY"),
        (US, DE, "user@example.com", 'user"example.com'),
        (US, UK, '"@#~', '@"£¬'),
        (US, FR, "123 azq", '&é" qwa'),
        (DE, US, "YZ/+", "ZY&]"),
        (US, US, ASCII, ASCII),
    ],
)
def test_a_host_with_another_layout_mangles(reader: Layout, host: Layout, text: str, arrives: str) -> None:
    """As anybody has seen it who plugged an American reader into a German or French computer."""
    assert mangled(text, reader, host) == arrives


@pytest.mark.needs("lib:xkbcommon")
@pytest.mark.parametrize("host", LAYOUTS, ids=lambda layout: layout.name)
@pytest.mark.parametrize("caps_lock", [False, True])
def test_a_linux_host_mangles_in_the_same_way(host: Layout, *, caps_lock: bool) -> None:
    """Each key of every reader's layout, with and without Caps Lock, by libxkbcommon; and through dead keys."""
    for reader in LAYOUTS:
        xkb = XkbHost(host.xkb)
        if caps_lock:
            for down in (True, False):
                xkb.key(58, down=down)
        for character, typed in reader.strokes.items():
            # A space after each, so that no dead key waits for the next character.
            strokes = typed + US.strokes[" "]
            found = "".join(xkb.key(key, down=down) for key, down in key_events(strokes))
            if "\u0301" in found or (caps_lock and {"µ", "\u017f"} & set(typed_text(strokes, host))):
                continue  # j and acute become two characters in X11; mu and long s have no capital of their own
            expected = typed_text(strokes, host, caps_lock=caps_lock)
            if "ß" in found and caps_lock and not sharp_s_has_capital():
                expected = expected.replace("ẞ", "ß")
            assert found == expected, f"{character!r} of {reader.name}"


@given(st.text(ASCII), st.sampled_from(LAYOUTS))
def test_what_both_agree_about_arrives(text: str, layout: Layout) -> None:
    """All of ASCII, in any order, also through dead keys."""
    assert mangled(text, layout, layout) == text


@given(st.text(), st.sampled_from(LAYOUTS), st.sampled_from(LAYOUTS), st.sampled_from(Typing))
def test_any_text_is_typed(text: str, reader: Layout, host: Layout, typing: Typing) -> None:
    """No character breaks it, and none becomes more than two."""
    for caps_lock in (False, True):
        assert len(mangled(text, reader, host, typing=typing, caps_lock=caps_lock)) <= 2 * len(text)


@given(st.text(st.characters(codec="cp1252", exclude_categories=["Cc"])), st.sampled_from(LAYOUTS))
def test_alt_codes_do_not_depend_on_the_layout(text: str, host: Layout) -> None:
    """On Windows; a host that has no Alt codes types nothing."""
    strokes = type_text(text, US, Typing.ALT_CODES)
    assert typed_text(strokes, host, alt_codes=True) == text
    assert typed_text(strokes, host) == ""


def test_alt_codes_type_what_the_layout_has_not() -> None:
    """And the rest has its keys, so it is as quick as without."""
    strokes = type_text("aé", US, Typing.KEYS_AND_ALT_CODES)
    assert len(strokes) == 1 + len("0233")
    assert typed_text(strokes, US, alt_codes=True) == "aé"
    assert mangled("aé", US, US) == "a"


def test_control_characters_may_be_key_combinations() -> None:
    """GS, which stands between the fields of many codes, is Ctrl+] or nothing."""
    assert type_text("\x1d", US) == ()
    (stroke,) = type_text("\x1d", DE, Typing.KEYS_AND_CONTROL)
    assert (stroke.modifiers, stroke.key) == (0x01, 0x30)


def test_a_badge_arrives_only_where_the_layouts_agree() -> None:
    """Base45 has signs and both Y and Z: of the foreign layouts only the British one keeps it."""
    assert survivors(BASE45, US, UK) == BASE45
    assert survivors(BASE45, US, DE) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWX $%."
    assert not set("0123456789") & set(survivors(BASE45, US, FR))


def test_caps_lock_swaps_letters() -> None:
    """And base45 is all capitals, so a badge would arrive in small letters and be refused."""
    assert mangled("AQB1:Xy", US, US, caps_lock=True) == "aqb1:xY"
