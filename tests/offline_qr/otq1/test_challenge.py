import hashlib
from dataclasses import replace
from typing import Any

import oath  # type: ignore[import-untyped] # oath ships no types
import pytest

from offline_qr.ocra import DataInputError, parse_suite
from offline_qr.otq1 import (
    DEFAULT_TTL,
    Challenge,
    Field,
    Flags,
    Header,
    Inputs,
    Keys,
    MessageType,
    NotEncodable,
    Tag,
    Unsupported,
    compute_code,
    compute_decline_code,
    compute_duress_code,
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
    """Three minutes to log in, five to check a payment, ten to activate."""
    assert [DEFAULT_TTL[kind] for kind in MessageType] == [180, 300, 600, 300, 180]


def asked(suite: int, **changes: Any) -> Challenge:
    """The payment under another suite."""
    return replace(CHALLENGE, header=replace(HEADER, suite=suite, **changes))


@pytest.mark.parametrize(
    ("suite", "inputs", "ocra", "plain"),
    [
        (1, Inputs(), "OCRA-1:HOTP-SHA256-8:QH64", {}),
        (3, Inputs(counter=7), "OCRA-1:HOTP-SHA256-8:C-QH64", {"C": 7}),
        (4, Inputs(pin="2580"), "OCRA-1:HOTP-SHA256-8:QH64-PSHA256", {"P": "2580"}),
        (5, Inputs(time_step=29_453_760), "OCRA-1:HOTP-SHA256-8:QH64-T1M", {"T_precomputed": 29_453_760}),
        (6, Inputs(), "OCRA-1:HOTP-SHA512-8:QH64", {}),
    ],
)
def test_another_implementation_of_ocra_agrees(
    suite: int, inputs: Inputs, ocra: str, plain: dict[str, Any], keys: Keys
) -> None:
    """The PyPI package ``oath``, from the question alone."""
    challenge = asked(suite)
    other = oath.str2ocrasuite(ocra)
    for key, code in (
        (keys.ocra_txn, compute_code(challenge, keys, inputs)),
        *([] if suite == 4 else [(keys.ocra_duress, compute_duress_code(challenge, keys, inputs))]),
    ):
        assert other(key, Q=challenge.question, **plain) == code


def test_the_server_needs_only_the_hash_of_the_pin(keys: Keys) -> None:
    """Suite 4, and a wrong PIN gives a code that looks like any other."""
    challenge = asked(4)
    right = compute_code(challenge, keys, Inputs(pin="2580"))
    assert compute_code(challenge, keys, Inputs(pin_hash=hashlib.sha256(b"2580").digest())) == right
    wrong = compute_code(challenge, keys, Inputs(pin="2581"))
    assert wrong != right
    assert len(wrong) == 8


def test_a_suite_gets_exactly_its_inputs(keys: Keys) -> None:
    """Nothing is taken to be zero and nothing is dropped."""
    for suite in (3, 4, 5):
        with pytest.raises(DataInputError, match="needs a"):
            compute_code(asked(suite), keys)
    with pytest.raises(DataInputError, match="takes no counter"):
        compute_code(asked(1), keys, Inputs(counter=1))


def test_a_duress_code_looks_like_a_code(keys: Keys) -> None:
    """Eight digits, or six under suite 2, and another one than the code."""
    login = Challenge(replace(HEADER, type=MessageType.LOGIN, suite=2), ())
    assert len(compute_duress_code(login, keys)) == 6
    assert compute_duress_code(CHALLENGE, keys) != compute_code(CHALLENGE, keys)
    with pytest.raises(Unsupported, match="only the server can tell a duress PIN"):
        compute_duress_code(asked(4), keys, Inputs(pin="2580"))


def test_inputs_do_not_print_the_pin() -> None:
    """Neither as typed nor hashed."""
    assert repr(Inputs(pin="2580", pin_hash=b"hash")) == "Inputs(counter=None, time_step=None)"


def test_only_logins_and_transactions_are_challenges() -> None:
    """The others have contents of their own."""
    for kind in (MessageType.ACTIVATION, MessageType.ADMIN, MessageType.DEMO):
        with pytest.raises(NotEncodable, match=f"found type {kind.value}"):
            Challenge(replace(HEADER, type=kind), ())
