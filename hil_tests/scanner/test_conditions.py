"""Reading rates: by size, angle, sharpness and light, each against what is stated in conditions.py."""

import time

import pytest

from authrig.pictures import picture_from_png, print_code
from authrig.ports.scanner import Scanner
from hil_tests.scanner.conditions import CONDITIONS, MOST_SECONDS, PICTURES, Condition

pytestmark = pytest.mark.hil("scanner")


@pytest.mark.clause("ISO/IEC 18004 §12")
@pytest.mark.parametrize("condition", [pytest.param(each, id=each.name) for each in CONDITIONS])
def test_reading_rate(scanner: Scanner, condition: Condition) -> None:
    """As many of the pictures are read as have to be, and what is read is never something else."""
    read = 0
    for number in range(PICTURES):
        payload = f"BADGE {number:05} KIOSK"
        found = scanner.try_to_scan(condition.spoil(picture_from_png(print_code(payload)), number))
        assert found in (None, payload.encode())
        read += found is not None
    assert read / PICTURES >= condition.least, f"{read} of {PICTURES} were read"


@pytest.mark.clause("ISO/IEC 18004 §12")
def test_speed(scanner: Scanner) -> None:
    """A good code is read before its holder becomes impatient."""
    scanner.scan(picture_from_png(print_code("WARMING UP")))
    began = time.monotonic()
    scanner.scan(picture_from_png(print_code("A GOOD CODE")))
    assert time.monotonic() - began < MOST_SECONDS
