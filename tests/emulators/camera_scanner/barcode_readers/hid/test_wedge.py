import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.camera_scanner.barcode_readers.emulated.code import Code
from emulators.camera_scanner.barcode_readers.emulated.trigger import Pace
from emulators.camera_scanner.barcode_readers.hid.layout import load_layout
from emulators.camera_scanner.barcode_readers.hid.mangling import typed_text
from emulators.camera_scanner.barcode_readers.hid.wedge import KeyboardWedge, WedgeSettings
from emulators.camera_scanner.barcode_readers.modes import TriggerMode
from emulators.env import Env, SimulatedClock
from tests.emulators.camera_scanner.barcode_readers.hid.reports import reports_of, strokes_of

CAPS_LOCK, NO_LAMP = b"\x02", b"\x00"


def typed(wedge: KeyboardWedge, layout: str = "us", *, caps_lock: bool = False) -> str:
    """What a host gets for the reports that wait."""
    return typed_text(strokes_of(reports_of(wedge)), load_layout(layout), caps_lock=caps_lock)


def test_a_code_is_typed_and_ended_with_enter() -> None:
    """Each key goes down and up again, with Shift where it must."""
    wedge = KeyboardWedge(Env.simulated(1))
    wedge.show(Code(b"aB"))
    assert [report.hex() for report in reports_of(wedge)] == [
        "0000040000000000",
        "0000000000000000",
        "0200050000000000",
        "0000000000000000",
        "0000280000000000",
        "0000000000000000",
    ]
    (read,) = wedge.take_reads()
    assert read.code.data == b"aB"


@pytest.mark.parametrize("layout", ["us", "uk", "de", "de-ch", "fr"])
def test_a_host_with_the_same_layout_gets_the_text(layout: str) -> None:
    """With what is set to stand around it."""
    wedge = KeyboardWedge(Env.simulated(1), WedgeSettings(layout, prefix="<", suffix="\t", aim_id=True))
    wedge.show(Code(b"AQB1:NCFOXN%TSMAHN-H"))
    assert typed(wedge, layout) == "<]Q1AQB1:NCFOXN%TSMAHN-H\t"


def test_caps_lock_is_pressed_away_and_back() -> None:
    """Where the host's lamp tells of it; the host's news of our own keys change nothing."""
    clock = SimulatedClock()
    wedge = KeyboardWedge(Env(clock, Env.simulated(1).random))
    wedge.receive(CAPS_LOCK)
    for _ in range(2):
        wedge.show(None)
        wedge.show(Code(b"AbC"))
        wedge.receive(NO_LAMP)
        wedge.receive(CAPS_LOCK)
        assert typed(wedge, caps_lock=True) == "AbC\r"
    wedge.receive(NO_LAMP)
    clock.advance(1)
    wedge.show(None)
    wedge.show(Code(b"AbC"))
    assert typed(wedge) == "AbC\r"


def test_two_codes_at_once_under_caps_lock() -> None:
    """The second is taken before the host has told of the first one's keys."""
    wedge = KeyboardWedge(Env.simulated(1))
    wedge.receive(CAPS_LOCK)
    wedge.show(Code(b"A"))
    wedge.receive(NO_LAMP)
    wedge.show(Code(b"B"))
    assert typed(wedge, caps_lock=True) == "A\rB\r"


def test_a_wedge_that_does_not_heed_caps_lock_types_other_letters() -> None:
    """As cheap ones do."""
    wedge = KeyboardWedge(Env.simulated(1), WedgeSettings(heed_caps_lock=False))
    wedge.receive(CAPS_LOCK)
    wedge.show(Code(b"AbC"))
    assert typed(wedge, caps_lock=True) == "aBc\r"


def test_the_pace_is_kept() -> None:
    """One report each interval of the reader's clock, and it says when the next is due."""
    clock = SimulatedClock()
    wedge = KeyboardWedge(Env(clock, Env.simulated(1).random), WedgeSettings(suffix="", interval=0.02))
    wedge.show(Code(b"a"))
    assert wedge.take_report() is not None
    assert wedge.take_report() is None
    assert wedge.next_report() == pytest.approx(0.02)
    clock.advance(0.02)
    assert wedge.take_report() == bytes(8)
    assert wedge.next_report() is None


def test_a_button_may_be_needed() -> None:
    """As with the readers on a serial line."""
    wedge = KeyboardWedge(Env.simulated(1), pace=Pace(TriggerMode.MANUAL))
    wedge.show(Code(b"a"))
    assert typed(wedge) == ""
    wedge.press()
    assert typed(wedge) == "a\r"


def test_what_was_for_a_host_that_left_is_forgotten() -> None:
    """And so is its Caps Lock."""
    wedge = KeyboardWedge(Env.simulated(1))
    wedge.receive(CAPS_LOCK)
    wedge.show(Code(b"a"))
    wedge.host_left()
    wedge.show(Code(b"b"))
    assert typed(wedge) == "b\r"


@given(st.lists(st.one_of(st.binary(max_size=80).map(Code), st.binary(max_size=3)), max_size=20))
def test_any_codes_and_reports(events: list[Code | bytes]) -> None:
    """Nothing breaks it, and in the end all keys are up."""
    wedge = KeyboardWedge(Env.simulated(1), WedgeSettings(encoding="utf-8"))
    for event in events:
        wedge.receive(event) if isinstance(event, bytes) else wedge.show(event)
    reports = reports_of(wedge)
    assert all(len(report) == 8 for report in reports)
    assert not reports or reports[-1] == bytes(8)
