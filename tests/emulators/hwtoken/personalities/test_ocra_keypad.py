from typing import Any

import oath  # type: ignore[import-untyped] # oath ships no types
import pytest

from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.personalities.ocra_keypad import ocra_slot
from emulators.hwtoken.screens import Menu, Typing
from tests.emulators.hwtoken.token_bench import Bench

KEY = b"12345678901234567890123456789012"
PIN = "1234"


def bench_with(*suites: str, counter: int = 0) -> Bench:
    """A card reader with one account for each suite, on."""
    memory = TokenMemory()
    memory.manufacture("OC1-1")
    memory.update(
        slots=tuple(ocra_slot(f"Account {number}", suite, KEY, counter) for number, suite in enumerate(suites))
    )
    bench = Bench("ocra-keypad", memory)
    bench.token.power_on()
    return bench


@pytest.mark.parametrize(
    "suite",
    [
        "OCRA-1:HOTP-SHA1-6:QN08",
        "OCRA-1:HOTP-SHA256-8:QN08-PSHA1",
        "OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1",
        "OCRA-1:HOTP-SHA512-8:C-QN08",
        "OCRA-1:HOTP-SHA512-8:QN08-T1M",
    ],
)
def test_another_implementation_computes_the_same(suite: str) -> None:
    """The PyPI package oath, for each kind of input."""
    bench = bench_with(suite, counter=7)
    assert isinstance(bench.ok(), Typing)
    bench.type("12345678")
    if "PSHA1" in suite:
        assert isinstance(bench.screen(), Typing)
        bench.type(PIN)
    inputs: dict[str, Any] = {"Q": "12345678"}
    if "C-" in suite:
        inputs["C"] = 7
    if "PSHA1" in suite:
        inputs["P"] = PIN
    if "T1M" in suite:
        inputs["T_precomputed"] = int(bench.clock.time()) // 60
    assert bench.code() == oath.str2ocrasuite(suite)(KEY, **inputs)
    assert bench.memory.contents.slots[0].counter == (8 if "C-" in suite else 7)


def test_several_accounts_are_a_menu() -> None:
    """One at a time is begun."""
    bench = bench_with("OCRA-1:HOTP-SHA1-6:QN08", "OCRA-1:HOTP-SHA1-8:QN08")
    assert isinstance(bench.ok(), Menu)
    bench.cancel()
    bench.ok()
    bench.type("0000")
    assert len(bench.code()) == 8


@pytest.mark.parametrize(
    "suite", ["OCRA-1:HOTP-SHA1-6:QH40", "OCRA-1:HOTP-SHA1-6:QN08-S064", "OCRA-1:HOTP-SHA1-0:QN08"]
)
def test_only_what_a_keypad_can_type_is_taken(suite: str) -> None:
    """No letters, no session data, no hash to read aloud."""
    with pytest.raises(ValueError, match="expected a suite with a numeric question"):
        ocra_slot("Account", suite, KEY)
