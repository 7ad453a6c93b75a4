from dataclasses import replace
from typing import Any

import pytest

from offline_qr.ocra import parse_suite
from offline_qr.otq1 import (
    DEFAULT_TTL,
    Challenge,
    Field,
    Flags,
    Header,
    Keys,
    MessageType,
    NotEncodable,
    Tag,
    compute_code,
    compute_decline_code,
    decode,
)

HEADER = Header(MessageType.TRANSACTION, bytes(4), bytes(12), issued_at=1_767_225_600, ttl=300)
CHALLENGE = Challenge(HEADER, (Field(Tag.AMOUNT, "CHF 1.00"), Field(Tag.TO_ACCOUNT, "CH93 0076")))


def test_the_published_questions_and_codes(vector: dict[str, Any], keys: Keys, serial: str) -> None:
    """What a user would type for each worked example."""
    challenge = decode(vector["text"], keys, serial)
    assert challenge.question == vector["question"]
    assert compute_code(challenge, keys) == vector["code8"]


def test_the_published_six_digit_codes_need_only_plain_ocra(vector: dict[str, Any], keys: Keys, serial: str) -> None:
    """Any OCRA implementation can check a code: key and question are all that it needs."""
    challenge = decode(vector["text"], keys, serial)
    key = keys.ocra_login if vector["type"] == 1 else keys.ocra_txn
    assert parse_suite("OCRA-1:HOTP-SHA256-6:QH64").compute(key, challenge.question) == vector["code6"]


def test_suite_2_gives_six_digits(keys: Keys) -> None:
    """For a login of low risk."""
    login = replace(CHALLENGE, header=replace(HEADER, type=MessageType.LOGIN, suite=2))
    assert compute_code(login, keys) == parse_suite("OCRA-1:HOTP-SHA256-6:QH64").compute(
        keys.ocra_login, login.question
    )
    assert len(compute_decline_code(login, keys)) == 8


def test_everything_that_is_shown_or_travels_is_in_the_question() -> None:
    """Change any part of a challenge, and the code is for another question."""
    header = HEADER
    changed = [
        replace(header, type=MessageType.LOGIN),
        replace(header, key_id=b"\0\0\0\1"),
        replace(header, challenge_id=bytes(11) + b"\1"),
        replace(header, issued_at=header.issued_at + 1),
        replace(header, ttl=301),
        replace(header, flags=Flags.PIN_REQUIRED),
        replace(header, type=MessageType.LOGIN, suite=2),
    ]
    amount, account = CHALLENGE.fields
    bodies = [
        (),
        (amount,),
        (account, amount),
        (replace(amount, value="CHF 1.01"), account),
        (replace(amount, tag=Tag.REFERENCE), account),
        (Field(Tag.CUSTOM, amount.value, "Amount"), account),
        (Field(Tag.CUSTOM, amount.value, "amount"), account),
    ]
    challenges = [CHALLENGE, *(replace(CHALLENGE, header=each) for each in changed)]
    challenges += [replace(CHALLENGE, fields=each) for each in bodies]
    assert len({challenge.question for challenge in challenges}) == len(challenges)


def test_login_transaction_and_decline_codes_come_from_separate_keys(keys: Keys) -> None:
    """A login code that was phished signs no payment, and a refusal is no consent."""
    login = replace(CHALLENGE, header=replace(HEADER, type=MessageType.LOGIN))
    suite = parse_suite("OCRA-1:HOTP-SHA256-8:QH64")
    assert compute_code(login, keys) == suite.compute(keys.ocra_login, login.question)
    assert compute_code(CHALLENGE, keys) == suite.compute(keys.ocra_txn, CHALLENGE.question)
    assert compute_decline_code(CHALLENGE, keys) == suite.compute(keys.decline, CHALLENGE.question)
    codes = {compute_code(CHALLENGE, keys), compute_decline_code(CHALLENGE, keys), compute_code(login, keys)}
    assert len(codes) == 3


def test_fields_that_do_not_go_together_make_no_challenge() -> None:
    """The sender hears of it before anything is sealed."""
    with pytest.raises(NotEncodable, match="stands once"):
        Challenge(HEADER, (Field(Tag.AMOUNT, "1"), Field(Tag.AMOUNT, "2")))
    with pytest.raises(NotEncodable, match="up to 8 fields"):
        Challenge(HEADER, (Field(Tag.CUSTOM, "v", "l"),) * 9)


def test_each_type_has_a_usual_life() -> None:
    """Three minutes to log in, five to check a payment."""
    assert DEFAULT_TTL == {MessageType.LOGIN: 180, MessageType.TRANSACTION: 300}
