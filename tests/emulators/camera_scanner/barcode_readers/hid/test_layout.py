import unicodedata

import pytest

from emulators.camera_scanner.barcode_readers.hid.layout import Layout, layout_names, load_layout
from emulators.camera_scanner.barcode_readers.hid.mangling import typed_text
from tests.emulators.camera_scanner.barcode_readers.hid.kernel_keys import key_events
from tests.emulators.camera_scanner.barcode_readers.hid.xkb_host import XkbHost

NAMES = layout_names()
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


@pytest.fixture(params=NAMES)
def layout(request: pytest.FixtureRequest) -> Layout:
    """Each layout in turn."""
    return load_layout(request.param)


def test_the_layouts_are_there() -> None:
    """Those that the page names."""
    assert NAMES == ("de", "de-ch", "fr", "uk", "us")


@pytest.mark.needs("lib:xkbcommon")
def test_each_key_means_what_a_linux_host_takes_it_for(layout: Layout) -> None:
    """Dead keys too, which show what they are by the space after them."""
    space = load_layout("us").strokes[" "]
    host = XkbHost(layout.xkb)
    for stroke, character in layout.characters.items():
        dead = bool(unicodedata.combining(character))
        strokes = (stroke, *space) if dead else (stroke,)
        found = "".join(host.key(key, down=down) for key, down in key_events(strokes))
        assert found == (typed_text(strokes, layout) if dead else character), f"{stroke} on {layout.name}"


@pytest.mark.needs("lib:xkbcommon")
def test_each_character_is_typed_by_its_strokes(layout: Layout) -> None:
    """All of ASCII that can be printed, and what the layout has besides, on the host that the reader believes in."""
    assert set(PRINTABLE) <= set(layout.strokes)
    host = XkbHost(layout.xkb)
    for character, strokes in layout.strokes.items():
        found = "".join(host.key(key, down=down) for key, down in key_events(strokes))
        assert found == character.replace("\n", "\r"), f"{strokes} on {layout.name}"


def test_a_layout_that_is_not_there_is_named() -> None:
    """With those that are."""
    with pytest.raises(ValueError, match="no keyboard layout 'dvorak': expected one of de, de-ch, fr, uk, us"):
        load_layout("dvorak")
