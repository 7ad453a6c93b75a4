import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulators.env import SeededRandom
from emulators.hwtoken.memory import PowerLost, RamStore, TokenMemory
from emulators.hwtoken.pin import PinLock, Verdict, is_weak
from emulators.hwtoken.profile import PinPolicy

POLICY = PinPolicy(least_digits=4, most_digits=8, tries=5)


class CutStore(RamStore):
    """Loses power at the write that ``cut`` counts down to: before it, or right after it."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = -1
        self.after = False

    def save(self, data: bytes) -> None:
        """Keep the data, or lose power."""
        self.cut -= 1
        if self.cut == -1 and not self.after:
            raise PowerLost
        super().save(data)
        if self.cut == -1:
            raise PowerLost


def lock_of(store: RamStore, policy: PinPolicy = POLICY) -> PinLock:
    """The lock of the token in ``store``."""
    memory = TokenMemory(store)
    if memory.serial is None:
        memory.provision("QT1-1", bytes(32))
    return PinLock(memory, policy, SeededRandom(1))


@pytest.mark.parametrize(
    "pin", ["0000", "1234", "4321", "8901", "1212", "123123", "1987", "2026", "2580", "98765432", "55555555"]
)
def test_a_weak_pin_is_refused_with_a_sentence(pin: str) -> None:
    """Runs, repetitions, years and favourites."""
    assert is_weak(pin)
    assert lock_of(RamStore()).refuse(pin) == "Too easy to guess. Choose another."


@pytest.mark.parametrize("pin", ["2749", "1357", "904152", "13254768"])
def test_an_ordinary_pin_may_be_chosen(pin: str) -> None:
    """Not every pattern is weak."""
    assert lock_of(RamStore()).refuse(pin) is None


@given(st.text("0123456789", min_size=4, max_size=8))
def test_any_digits_are_judged(pin: str) -> None:
    """Without an error, and the same each time."""
    assert is_weak(pin) is is_weak(pin)


def test_right_wrong_and_locked() -> None:
    """Five wrong ones and no PIN helps any more; a right one before gives all tries back."""
    lock = lock_of(RamStore())
    lock.choose("2749")
    assert [lock.check("1111") for _ in range(4)] == [Verdict.WRONG] * 4
    assert lock.check("2749") is Verdict.RIGHT
    assert lock.tries_left == 5
    assert [lock.check("1111") for _ in range(5)] == [Verdict.WRONG] * 4 + [Verdict.LOCKED]
    assert lock.check("2749") is Verdict.LOCKED
    assert lock.is_locked


def test_a_duress_pin_is_another_one() -> None:
    """Neither may be the other."""
    lock = lock_of(RamStore())
    lock.choose("2749")
    assert lock.refuse("2749") == "It is in use already. Choose another."
    lock.choose_duress("8316")
    assert lock.refuse("8316") == "It is in use already. Choose another."
    assert lock.check("8316") is Verdict.DURESS
    assert lock.check("2749") is Verdict.RIGHT


def test_the_last_wrong_try_wipes_a_model_that_does_so() -> None:
    """Seed and PIN are gone."""
    store = RamStore()
    lock = lock_of(store, PinPolicy(least_digits=4, most_digits=8, tries=2, wipe_when_spent=True))
    lock.choose("2749")
    assert [lock.check("1111") for _ in range(2)] == [Verdict.WRONG, Verdict.LOCKED]
    contents = TokenMemory(store).contents
    assert (contents.seed, contents.pin) == (None, None)


@pytest.mark.parametrize("cut", [0, 1])
@pytest.mark.parametrize("after", [False, True])
def test_cutting_the_power_gives_no_guesses_away(*, cut: int, after: bool) -> None:
    """Cut at either write of a check, before or after it reaches the memory: a wrong PIN never goes uncounted.

    A thief who cuts at the second write knows from a missing second write that the PIN was wrong, but paid for it.
    """
    store = CutStore()
    lock_of(store).choose("2749")
    guesses = 0
    for number in range(20):
        lock = lock_of(store)
        if lock.is_locked:
            break
        store.cut, store.after = cut, after
        try:
            verdict = lock.check(f"{number:04}")
        except PowerLost:
            verdict = None
        store.cut = -1
        # A cut before the first write reached the memory is a check that never compared anything.
        guesses += verdict is not None or after
    assert guesses == (0 if cut == 0 and not after else 5)


def test_no_text_shows_a_pin_or_its_mac() -> None:
    """Not even the stored form."""
    store = RamStore()
    lock = lock_of(store)
    lock.choose("2749")
    contents = TokenMemory(store).contents
    assert contents.pin is not None
    assert contents.pin.mac not in repr(contents) + repr(contents.pin)
    assert "2749" not in str(store.load())
