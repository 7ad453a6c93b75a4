import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.hwtoken.memory import RamStore, TokenMemory
from emulators.hwtoken.power import CURVE, Battery
from emulators.hwtoken.screens import Code, Error, ErrorKind, Idle, Off, Review, Scanning, State
from offline_qr import otq1
from tests.emulators.hwtoken.token_bench import KEYS, PIN, SERIAL, Bench


@given(st.floats(0, 1), st.floats(0, 1))
def test_less_charge_is_never_more_voltage(one: float, other: float) -> None:
    """And both ends are those of the curve."""
    low, high = sorted((one, other))
    assert CURVE[-1][1] <= Battery(charge=low).volts <= Battery(charge=high).volts <= CURVE[0][1]


def test_a_camera_empties_a_battery_and_a_drawer_does_not() -> None:
    """Three hours of scanning use more than three years in the dark."""
    scanning, dark = Battery(), Battery()
    scanning.drain(3 * 3600, State.SCANNING)
    dark.drain(3 * 365 * 86400, State.OFF)
    assert scanning.charge < dark.charge
    assert not dark.is_low


def test_a_low_battery_warns_on_the_idle_screen() -> None:
    """Codes are still made, as long as the memory can be written."""
    bench = Bench().set_pin()
    bench.token.battery.set_charge(0.12)
    idle = bench.restart()
    assert isinstance(idle, Idle)
    assert idle.note == "Battery low"
    bench.scan(bench.challenge())
    assert isinstance(bench.confirm(), Code)


def test_a_brown_out_shows_no_code_and_loses_nothing() -> None:
    """The write pulls the voltage down: dark before the code; with a new battery everything is as before."""
    store = RamStore()
    bench = Bench(memory=TokenMemory(store)).set_pin()
    before = store.load()
    bench.scan(bench.challenge())
    bench.token.battery.set_charge(0.06)
    assert bench.confirm() == Off()
    assert not any(isinstance(screen, Code) for screen in bench.history)
    assert store.load() == before
    bench.token.battery.set_charge(1.0)
    assert isinstance(bench.restart(), Idle)


def test_a_dead_battery_takes_the_clock_and_leaves_the_keys() -> None:
    """Dark, and it cannot be switched on; with a new one it shows times of issue instead of judging them."""
    bench = Bench().set_pin()
    bench.token.battery.set_charge(0.01)
    bench.token.tick()
    assert bench.screen() == Off()
    bench.token.power_on()
    assert bench.screen() == Off()
    bench.token.battery.set_charge(1.0)
    bench.restart()
    review = bench.scan(bench.challenge())
    assert isinstance(review, Review)
    assert review.lines[0].text == "Issued"
    assert bench.memory.identity is not None


def test_scanning_drains_only_until_the_token_goes_dark() -> None:
    """A late tick does not count the whole night as scanning."""
    bench = Bench().set_pin()
    bench.ok()
    assert bench.screen() == Scanning()
    bench.clock.advance(8 * 3600)
    bench.token.tick()
    assert bench.screen() == Off()
    assert bench.token.battery.charge > 0.99


def test_power_can_go_at_any_write_of_a_token() -> None:
    """PIN, challenge with counter, unlock: cut before each write in turn; no code is seen whose write was cut."""
    for writes in range(8):
        store = RamStore()
        bench = Bench(memory=TokenMemory(store)).set_pin()
        bench.token.cut_power_at_write(writes)
        for suite in (1, 3):
            if bench.restart(None) == Off() or isinstance(bench.type(PIN), Off):
                break
            challenge = bench.challenge(suite=suite)
            counter = bench.memory.contents.counter
            bench.scan(challenge)
            screen = bench.confirm()
            kept = TokenMemory(store).contents
            if isinstance(screen, Code):
                inputs = otq1.Inputs(counter=counter) if suite == 3 else otq1.NO_INPUTS
                assert screen.digits == otq1.compute_code(challenge, KEYS, inputs)
                assert challenge.header.challenge_id.hex() in kept.shown
                assert kept.counter == counter + (suite == 3)
            else:
                assert screen == Off()
                assert challenge.header.challenge_id.hex() not in kept.shown
        again = Bench(memory=TokenMemory(store))
        assert isinstance(again.restart(), Idle)


def test_opening_the_case_erases_everything_at_once() -> None:
    """In the middle of a review too."""
    store = RamStore()
    bench = Bench(memory=TokenMemory(store)).set_pin()
    bench.scan(bench.challenge())
    bench.token.tamper()
    assert bench.screen() == Off()
    bench.token.power_on()
    screen = bench.screen()
    assert isinstance(screen, Error)
    assert screen.kind is ErrorKind.TAMPERED
    data = store.load()
    assert data is not None
    assert bytes(range(32)).hex().encode() not in data
    assert SERIAL.encode() in data


def test_an_empty_battery_does_not_save_the_keys_from_an_opened_case() -> None:
    """The circuit that erases has a charge of its own."""
    bench = Bench().set_pin()
    bench.token.battery.set_charge(0.0)
    bench.token.tamper()
    assert bench.memory.contents.zeroised


@pytest.mark.parametrize(("bits", "year"), [(31, 2038), (32, 2106)])
def test_a_register_that_ends_begins_again_in_1970(bits: int, year: int) -> None:
    """A second before it is right; a second after, every challenge is from the future."""
    bench = Bench().set_pin()
    bench.token.clock.bits = bits
    bench.clock.set_time(2**bits - 1)
    assert bench.token.clock.now() == 2**bits - 1, year
    bench.clock.set_time(2**bits + 1)
    assert bench.token.clock.now() == 1


def test_a_crystal_drifts_from_when_it_is_told_to() -> None:
    """20 ppm are 1.728 seconds a day, and what has passed stays as it was."""
    bench = Bench().set_pin()
    bench.clock.advance(86400)
    bench.token.clock.drift(20)
    assert bench.token.clock.now() == bench.clock.time()
    bench.clock.advance(86400)
    assert bench.token.clock.now() == pytest.approx(bench.clock.time() + 1.728)
