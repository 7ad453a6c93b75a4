import numpy as np
import pytest

from emulators.camera_scanner.corpus import CONDITIONS, corpus, damaged, sample
from tests.codes import read_patiently


def test_the_same_number_is_the_same_picture() -> None:
    """To the byte, whichever were made before."""
    one, other = sample(40), sample(40)
    assert np.array_equal(one.image, other.image)
    assert (one.payloads, one.condition) == (other.payloads, other.condition)
    assert np.array_equal(damaged(3), damaged(3))
    assert not np.array_equal(damaged(3), damaged(7))


def test_conditions_take_turns() -> None:
    """Sixteen of them, and each picture says what is in it."""
    assert len(CONDITIONS) == 16
    assert [picture.condition for picture in corpus(17)] == [*CONDITIONS, CONDITIONS[0]]
    assert len(sample(CONDITIONS.index("several")).payloads) == 2


@pytest.mark.parametrize("condition", ["clean", "rotate", "inverted", "several"])
def test_where_nothing_is_wrong_everything_is_read(condition: str) -> None:
    """All codes, byte for byte."""
    picture = sample(16 + CONDITIONS.index(condition))
    assert sorted(read.data for read in read_patiently(picture.image)) == sorted(picture.payloads)


def test_nothing_wrong_is_read_and_damage_is_never_read() -> None:
    """On a small part of what `make bench` reports."""
    for number in range(16):
        picture = sample(number)
        assert {read.data for read in read_patiently(picture.image)} <= set(picture.payloads)
    for number in range(16):
        assert read_patiently(damaged(number), thorough=True) == ()


def test_what_is_out_of_focus_is_read_where_there_is_time() -> None:
    """A blur of more than half a module: not at the first looks, but once the lens is undone."""
    blurred = [sample(CONDITIONS.index("blur") + len(CONDITIONS) * number) for number in range(1500, 1510)]
    quick = [{read.data for read in read_patiently(one.image)} for one in blurred]
    patient = [{read.data for read in read_patiently(one.image, thorough=True)} for one in blurred]
    meant = [set(one.payloads) for one in blurred]
    assert sum(map(set.__eq__, quick, meant)) < sum(map(set.__eq__, patient, meant))
    assert all(found <= right for found, right in zip(patient, meant, strict=True))
