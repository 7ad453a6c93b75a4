"""What a typed code says: the server's side of a code.

The server lists the inputs that it would accept, the likeliest first; ``judge`` compares the code with each. All are
compared, in constant time, so that the time taken does not tell which one was near.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from offline_qr.otq1.challenge import (
    NO_INPUTS,
    Challenge,
    Inputs,
    compute_code,
    compute_decline_code,
    compute_duress_code,
)
from offline_qr.otq1.header import PIN_SUITE
from offline_qr.otq1.keys import Keys

LOOK_AHEAD = 20
"""Counters that a server tries from the one that it expects (suite 3)."""
TIME_WINDOW = 2
"""Minutes before and after the expected one that a server tries (suite 5)."""
RESYNC_WINDOW = 1000
"""Counters that a server searches when two codes in a row are given."""


class Verdict(Enum):
    """What the user said."""

    APPROVED = "approved"
    DURESS = "duress"
    """Answer as for approved, and raise the alarm."""
    DECLINED = "declined"
    """The user reports the challenge as fraud."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, and the inputs under which the code was right (None where it declines or is wrong)."""

    verdict: Verdict
    inputs: Inputs | None = None


def counter_candidates(expected: int, look_ahead: int = LOOK_AHEAD) -> list[Inputs]:
    """For suite 3: the expected counter and those after it. After a match, expect the matching counter plus one."""
    return [Inputs(counter=counter) for counter in range(expected, min(expected + look_ahead, 2**64))]


def time_candidates(now: float, drift: int = 0, window: int = TIME_WINDOW) -> list[Inputs]:
    """For suite 5: the minute that the token's clock should show, then its neighbours, the nearest first.

    Args:
        now: the server's clock, in seconds since 1970.
        drift: how many minutes the token was ahead last time. After a match it is the matching step minus ``now // 60``.
        window: minutes to try on either side.
    """
    middle = int(now // 60) + drift
    offsets = sorted(range(-window, window + 1), key=lambda offset: (abs(offset), offset))
    return [Inputs(time_step=middle + offset) for offset in offsets if middle + offset >= 0]


def judge(challenge: Challenge, keys: Keys, code: str, candidates: Iterable[Inputs] = (NO_INPUTS,)) -> Judgement:
    """What ``code`` says as an answer to ``challenge``, which the server takes from its own record.

    The counting of attempts, the life of the challenge and the single use of its id are the caller's.
    """
    duress_key = challenge.header.suite != PIN_SUITE
    found = [
        Judgement(verdict, inputs)
        for inputs in candidates
        for verdict, expected in (
            (Verdict.APPROVED, compute_code(challenge, keys, inputs)),
            *(((Verdict.DURESS, compute_duress_code(challenge, keys, inputs)),) if duress_key else ()),
        )
        if _same(expected, code)
    ]
    if _same(compute_decline_code(challenge, keys), code):
        found.append(Judgement(Verdict.DECLINED))
    # By chance one code may say two things. What the user most likely meant comes first.
    found.sort(key=lambda judgement: list(Verdict).index(judgement.verdict))
    return found[0] if found else Judgement(Verdict.WRONG)


def resynchronise(
    first: tuple[Challenge, str], second: tuple[Challenge, str], keys: Keys, start: int, window: int = RESYNC_WINDOW
) -> int | None:
    """The counter to expect next, from the right codes of two challenges in a row (suite 3); None if none fits.

    Args:
        first: a challenge, and the code that the user typed.
        second: the challenge after it, and its code.
        keys: the token's keys.
        start: the first counter to try.
        window: how many to try.
    """
    for counter in range(start, min(start + window, 2**64 - 1)):
        answers = ((first, counter), (second, counter + 1))
        if all(_same(compute_code(challenge, keys, Inputs(counter=each)), code) for (challenge, code), each in answers):
            return counter + 2
    return None


def _same(expected: str, code: str) -> bool:
    return hmac.compare_digest(expected.encode(), code.encode("utf-8", "surrogatepass"))
