"""What a host takes from a HID reader, for the tests."""

from emulators.camera_scanner.barcode_readers.hid.layout import Modifier, Stroke
from emulators.camera_scanner.barcode_readers.hid.reader import HidReader


def reports_of(reader: HidReader) -> list[bytes]:
    """The reports that wait."""
    return list(iter(reader.take_report, None))


def strokes_of(reports: list[bytes]) -> list[Stroke]:
    """What a boot keyboard's reports say: pairs of a key that goes down and comes up."""
    downs, ups = reports[::2], reports[1::2]
    assert len(downs) == len(ups)
    assert not any(any(up[1:]) for up in ups)
    return [Stroke(down[2], Modifier(down[0]), Modifier(up[0])) for down, up in zip(downs, ups, strict=True)]
