import ctypes.util
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from emulators.camera_scanner import zbar
from emulators.camera_scanner.frames import Image

Draw = Callable[..., Image]


@pytest.fixture(autouse=True)
def _load_anew() -> Iterator[None]:
    """Each test finds the library, or does not, for itself, and so does what comes after it."""
    zbar._library.cache_clear()
    yield
    zbar._library.cache_clear()


@pytest.mark.needs("lib:zbar")
def test_zbar_hands_over_bytes_and_corners(draw: Draw) -> None:
    """Also from a view that is not contiguous, as a crop is."""
    assert zbar.available()
    wide = np.pad(draw(b"\x00\xff\x80", scale=6), ((0, 0), (0, 50)), constant_values=255)
    (symbol,) = zbar.find_symbols(wide[:, :-7])
    assert (symbol.data, symbol.symbology) == (b"\x00\xff\x80", "]Q1")
    assert np.array(symbol.points) == pytest.approx(np.array([(24, 24), (24, 150), (150, 150), (150, 24)]), abs=3)


@pytest.mark.needs("lib:zbar")
def test_other_symbologies_and_odd_pictures_give_nothing(draw: Draw) -> None:
    """Only QR codes are looked for; a picture of one pixel is a picture."""
    assert zbar.find_symbols(np.zeros((1, 1), np.uint8)) == ()
    assert zbar.find_symbols(np.zeros((1, 3000), np.uint8)) == ()
    bars = np.repeat(np.tile(np.array([0, 255, 255, 0, 255, 0, 0, 255], np.uint8), 30), 3)
    assert zbar.find_symbols(np.tile(bars, (200, 1))) == ()


@pytest.mark.needs("lib:zbar")
def test_many_pictures_leave_nothing_behind(draw: Draw) -> None:
    """Scanner and image are given back each time: a thousand codes of 30 kB do not add up to their 30 MB."""
    code = draw("hello")
    zbar.find_symbols(code)
    before = resident_kilobytes()
    for _ in range(1000):
        assert len(zbar.find_symbols(code)) == 1
    assert resident_kilobytes() - before < 8000


def resident_kilobytes() -> int:
    """What this process holds in memory now."""
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - not a file of ours
        return int(statm.read().split()[1]) * 4


def test_without_the_library_there_is_no_second_opinion(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no error: zbar is optional."""
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    assert not zbar.available()
    assert zbar.find_symbols(draw("hello")) == ()


def test_a_library_without_what_is_needed_is_not_used(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too old to be exact, or that cannot be loaded at all."""
    for name in (ctypes.util.find_library("c"), "libnothing.so.9"):
        zbar._library.cache_clear()
        monkeypatch.setattr(ctypes.util, "find_library", lambda _, name=name: name)
        assert not zbar.available()
        assert zbar.find_symbols(draw("hello")) == ()
