import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.otq1 import (
    Challenge,
    Field,
    Header,
    Inputs,
    Judgement,
    MessageType,
    Tag,
    Verdict,
    compute_code,
    compute_decline_code,
    compute_duress_code,
    counter_candidates,
    derive_keys,
    judge,
    key_id,
    resynchronise,
    time_candidates,
)

SERIAL = "QT1-00000042"
KEYS = derive_keys(SERIAL, bytes(range(32)))
HEADER = Header(MessageType.TRANSACTION, key_id(SERIAL), bytes(12), issued_at=1_767_225_600, ttl=300)
CHALLENGE = Challenge(HEADER, (Field(Tag.AMOUNT, "CHF 1.00"),))


def asked(suite: int, number: int = 0) -> Challenge:
    """A challenge under ``suite``."""
    return replace(CHALLENGE, header=replace(HEADER, suite=suite, challenge_id=bytes(11) + bytes([number])))


def test_what_a_user_can_say() -> None:
    """Yes, yes under duress, no, or nothing that makes sense."""
    for code, verdict in (
        (compute_code(CHALLENGE, KEYS), Verdict.APPROVED),
        (compute_duress_code(CHALLENGE, KEYS), Verdict.DURESS),
        (compute_decline_code(CHALLENGE, KEYS), Verdict.DECLINED),
        ("00000000", Verdict.WRONG),
        ("", Verdict.WRONG),
        ("Ä\ud800", Verdict.WRONG),
        (compute_code(CHALLENGE, KEYS) + " ", Verdict.WRONG),
    ):
        assert judge(CHALLENGE, KEYS, code).verdict is verdict


@pytest.mark.parametrize("ahead", [0, 1, 19, 20])
def test_a_counter_up_to_twenty_ahead_is_found(ahead: int) -> None:
    """The server then knows which one it was; one behind is a replay."""
    challenge = asked(3)
    code = compute_code(challenge, KEYS, Inputs(counter=100 + ahead))
    found = judge(challenge, KEYS, code, counter_candidates(100))
    expected = Judgement(Verdict.APPROVED, Inputs(counter=100 + ahead)) if ahead < 20 else Judgement(Verdict.WRONG)
    assert found == expected
    old = compute_code(challenge, KEYS, Inputs(counter=99))
    assert judge(challenge, KEYS, old, counter_candidates(100)).verdict is Verdict.WRONG


@pytest.mark.parametrize("off", [-3, -2, -1, 0, 1, 2, 3])
def test_a_clock_up_to_two_minutes_off_is_found(off: int) -> None:
    """In either direction; the drift is known from the step that fits."""
    challenge, now = asked(5), 1_767_225_659.9
    step = int(now // 60) + off
    found = judge(challenge, KEYS, compute_code(challenge, KEYS, Inputs(time_step=step)), time_candidates(now))
    assert found == (Judgement(Verdict.APPROVED, Inputs(time_step=step)) if abs(off) <= 2 else Judgement(Verdict.WRONG))
    assert time_candidates(now, drift=off)[0].time_step == step


def test_duress_is_heard_with_a_counter_too() -> None:
    """The same window applies."""
    challenge, inputs = asked(3), Inputs(counter=105)
    code = compute_duress_code(challenge, KEYS, inputs)
    assert judge(challenge, KEYS, code, counter_candidates(100)) == Judgement(Verdict.DURESS, inputs)


def test_the_servers_pin_is_part_of_the_code() -> None:
    """A wrong one is a wrong code, and a duress PIN is a second candidate."""
    challenge = asked(4)
    right, duress = (Inputs(pin_hash=hashlib.sha256(pin).digest()) for pin in (b"2580", b"0852"))
    code = compute_code(challenge, KEYS, Inputs(pin="2580"))
    assert judge(challenge, KEYS, code, [right]) == Judgement(Verdict.APPROVED, right)
    assert judge(challenge, KEYS, code, [duress]).verdict is Verdict.WRONG
    forced = compute_code(challenge, KEYS, Inputs(pin="0852"))
    assert judge(challenge, KEYS, forced, [right, duress]).inputs == duress


def test_two_codes_in_a_row_find_a_counter_that_is_far_away() -> None:
    """One code alone would be found by chance too often in so wide a window."""
    first, second = asked(3, 1), asked(3, 2)
    codes = [compute_code(each, KEYS, Inputs(counter=744 + at)) for at, each in enumerate((first, second))]
    assert resynchronise((first, codes[0]), (second, codes[1]), KEYS, start=5) == 746
    assert resynchronise((first, codes[0]), (second, codes[0]), KEYS, start=5) is None
    assert resynchronise((first, codes[0]), (second, codes[1]), KEYS, start=745) is None
    assert resynchronise((first, codes[0]), (second, codes[1]), KEYS, start=5, window=700) is None


def test_windows_end_where_numbers_do() -> None:
    """No counter above 2^64-1, no minute before 1970."""
    assert [each.counter for each in counter_candidates(2**64 - 2)] == [2**64 - 2, 2**64 - 1]
    assert [each.time_step for each in time_candidates(61)] == [1, 0, 2, 3]


@given(st.text(max_size=12))
def test_a_text_that_is_no_code_is_wrong(code: str) -> None:
    """Whatever was typed."""
    expected = {compute_code(CHALLENGE, KEYS), compute_duress_code(CHALLENGE, KEYS)}
    if code not in expected | {compute_decline_code(CHALLENGE, KEYS)}:
        assert judge(CHALLENGE, KEYS, code) == Judgement(Verdict.WRONG)
