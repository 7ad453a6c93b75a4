import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.otq1 import WrongActivationCode, check_activation_code, group_activation_code, make_activation_code
from offline_qr.otq1.activation_code import _check_digit, seed_from_code

DIGITS = "1234567890123456"


def test_the_check_digit_is_that_of_the_standard() -> None:
    """ISO/IEC 7064 MOD 11,10, whose text has 0794 with the check digit 5 for an example."""
    assert _check_digit("0794") == "5"
    assert check_activation_code(make_activation_code(DIGITS)) == DIGITS


def test_a_code_is_grouped_to_be_read_and_read_however_it_is_grouped() -> None:
    """Spaces and hyphens do not count."""
    code = make_activation_code(DIGITS)
    assert group_activation_code(code) == f"1234 5678 9012 3456-{code[-1]}"
    for typed in (code, group_activation_code(code), " ".join(code), "-".join(code)):
        assert check_activation_code(typed) == DIGITS


@given(st.text("0123456789", min_size=16, max_size=16), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(digits: str, at: int, off: int) -> None:
    """Also where it is the check digit."""
    code = make_activation_code(digits)
    wrong = code[:at] + str((int(code[at]) + off) % 10) + code[at + 1 :]
    with pytest.raises(WrongActivationCode, match="mistyped"):
        check_activation_code(wrong)


@pytest.mark.parametrize("typed", ["", DIGITS, "1" * 18, "\u0661" * 17, "1234567890123456x", "\ud800"])
def test_what_is_no_code_is_refused_and_not_quoted(typed: str) -> None:
    """The sentence has a length only."""
    with pytest.raises(WrongActivationCode, match=f"17 digits, found {len(typed)} characters"):
        check_activation_code(typed)


def test_a_code_is_made_of_sixteen_digits() -> None:
    """By whoever draws them."""
    for digits in ("", "1" * 15, "1" * 17, "x" * 16, "\u0661" * 16):
        with pytest.raises(ValueError, match="16 digits"):
            make_activation_code(digits)


def test_token_and_salt_go_into_the_seed() -> None:
    """The same letter for another token, or with another QR code, gives another seed."""
    code = make_activation_code(DIGITS)
    seeds = {seed_from_code("QT1-1", code, bytes(16)), seed_from_code("QT1-2", code, bytes(16))}
    seeds.add(seed_from_code("QT1-1", code, bytes(15) + b"\1"))
    assert len(seeds) == 3
    with pytest.raises(ValueError, match="16 bytes, found 8"):
        seed_from_code("QT1-1", code, bytes(8))
