import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oath  # type: ignore[import-untyped] # oath ships no types
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from offline_qr.ocra import DataInputError, SuiteError, parse_suite

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "data/ocra_rfc6287.json").read_text(encoding="utf-8")
)
KEY = b"12345678901234567890"
KEY_32 = b"12345678901234567890123456789012"


@pytest.mark.parametrize("vector", PUBLISHED["vectors"], ids=lambda vector: vector["id"])
def test_the_codes_of_the_rfc(vector: dict[str, Any]) -> None:
    """RFC 6287 Appendix C, all 70."""
    code = parse_suite(vector["suite"]).compute(
        bytes.fromhex(vector["key_hex"]),
        vector["question"],
        counter=vector.get("counter"),
        pin_hash=bytes.fromhex(vector["pin_hash_hex"]) if "pin_hash_hex" in vector else None,
        time_step=int(vector["timestep_hex"], 16) if "timestep_hex" in vector else None,
    )
    assert code == vector["expected"]


def test_the_pin_itself_gives_the_code_of_its_hash() -> None:
    """RFC 6287 Appendix C uses the PIN 1234."""
    suite = parse_suite("OCRA-1:HOTP-SHA256-8:QN08-PSHA1")
    assert suite.compute(KEY_32, "00000000", pin="1234") == "83238735"


@pytest.mark.parametrize(
    ("suite", "question", "session", "code"),
    [
        # tiqr-server-libphp, OCRAWrapperTest: a bare S, session shorter than its 64 bytes
        ("OCRA-1:HOTP-SHA1-6:QH10-S", "0000000000", bytes(range(32)), "525367"),
        ("OCRA-1:HOTP-SHA1-6:QH10-S", "3333333333", bytes(range(96, 128)), "067878"),
        ("OCRA-1:HOTP-SHA1-6:QH10-S", "ffffffffff", bytes(range(224, 256)), "570983"),
        # openauth-sim: a full 64 bytes
        (
            "OCRA-1:HOTP-SHA256-8:QA08-S064",
            "SESSION01",
            bytes.fromhex(
                "00112233445566778899AABBCCDDEEFF102132435465768798A9BACBDCEDF0EF"
                "112233445566778899AABBCCDDEEFF0089ABCDEF0123456789ABCDEF01234567"
            ),
            "17477202",
        ),
    ],
)
def test_session_data_as_two_other_projects_compute_it(suite: str, question: str, session: bytes, code: str) -> None:
    """The RFC has no vectors for S, so those of others stand in."""
    assert parse_suite(suite).compute(KEY_32, question, session=session) == code


@pytest.mark.parametrize(
    "suite",
    [case["suite"] for case in PUBLISHED["must_reject_suites"]],
    ids=[c["why"] for c in PUBLISHED["must_reject_suites"]],
)
def test_bad_suites_of_the_published_list(suite: str) -> None:
    """Every suite that other implementations let through by mistake."""
    with pytest.raises(SuiteError):
        parse_suite(suite)


@pytest.mark.parametrize(
    ("suite", "sentence"),
    [
        ("", "3 parts"),
        ("OCRA-1:HOTP-SHA1-6:QN08:", "3 parts"),
        ("ocra-1:HOTP-SHA1-6:QN08", "unknown OCRA version"),
        ("OCRA-1:HOTP-sha1-6:QN08", "unknown hash of the crypto function"),
        ("OCRA-1:HOTP-SHA1-06:QN08", "truncation out of range"),
        ("OCRA-1:HOTP-SHA1--6:QN08", "unknown crypto function"),
        ("OCRA-1:HOTP-SHA1-٦:QN08", "truncation out of range"),
        ("OCRA-1:HOTP-SHA1-6:Q", "bad question"),
        ("OCRA-1:HOTP-SHA1-6:QN8", "bad question"),
        ("OCRA-1:HOTP-SHA1-6:QN008", "bad question"),
        ("OCRA-1:HOTP-SHA1-6:QN٢٣", "bad question"),
        ("OCRA-1:HOTP-SHA1-6:QN08\n", "bad question"),
        ("OCRA-1:HOTP-SHA1-6: QN08", "a question is mandatory"),
        ("OCRA-1:HOTP-SHA1-6:QN08-C", "in this order"),
        ("OCRA-1:HOTP-SHA1-6:C-C-QN08", "a question is mandatory"),
        ("OCRA-1:HOTP-SHA1-6:C1-QN08", "bad counter"),
        ("OCRA-1:HOTP-SHA1-6:QN08-QN08", "in this order"),
        ("OCRA-1:HOTP-SHA1-6:QN08-", "in this order"),
        ("OCRA-1:HOTP-SHA1-6:QN08-P", "unknown hash of the PIN"),
        ("OCRA-1:HOTP-SHA1-6:QN08-S64", "bad session"),
        ("OCRA-1:HOTP-SHA1-6:QN08-S000", "bad session"),
        ("OCRA-1:HOTP-SHA1-6:QN08-S513", "bad session"),
        ("OCRA-1:HOTP-SHA1-6:QN08-T", "bad time step"),
        ("OCRA-1:HOTP-SHA1-6:QN08-T0S", "bad time step"),
        ("OCRA-1:HOTP-SHA1-6:QN08-T01M", "bad time step"),
        ("OCRA-1:HOTP-SHA1-6:QN08-T60M", "bad time step"),
        ("OCRA-1:HOTP-SHA1-6:QN08-T1D", "bad time step"),
        ("OCRA-1:HOTP-SHA1-6:QN08-T1M-PSHA1", "in this order"),
        ("O" * 1000, "up to 46 characters"),
    ],
)
def test_bad_suites_are_refused_with_the_part_that_is_wrong(suite: str, sentence: str) -> None:
    """Whoever typed the suite learns where to look."""
    with pytest.raises(SuiteError, match=sentence):
        parse_suite(suite)


def test_the_longest_suite_has_every_part() -> None:
    """Each letter of a suite ends up in one attribute."""
    suite = parse_suite("OCRA-1:HOTP-SHA512-10:C-QH64-PSHA512-S512-T48H")
    assert (suite.hash_name, suite.digits, suite.counter) == ("sha512", 10, True)
    assert (suite.question_format, suite.question_length) == ("H", 64)
    assert (suite.pin_hash_name, suite.session_length, suite.time_step_seconds) == ("sha512", 512, 48 * 3600)


def test_no_truncation_gives_the_whole_hmac() -> None:
    """RFC 6287 §5.2, t=0: the HMAC of the data input in hex."""
    code = parse_suite("OCRA-1:HOTP-SHA256-0:QN08").compute(KEY, "12345678")
    question = bytes.fromhex("bc614e").ljust(128, b"\0")  # 12345678 in hex
    assert code == rfc2104("sha256", KEY, b"OCRA-1:HOTP-SHA256-0:QN08\0" + question).hex()


def test_ten_digits_are_computed_as_the_rfc_says() -> None:
    """Erratum 3730 is only reported: ten digits work, and the first one tells why nobody should want them."""
    code = parse_suite("OCRA-1:HOTP-SHA1-10:QN08").compute(KEY, "00000000")
    assert len(code) == 10
    assert code[0] in "012"


FULL = "OCRA-1:HOTP-SHA256-8:C-QN08-PSHA1-S004-T1M"
GOOD: dict[str, Any] = {"counter": 1, "pin": "1234", "session": b"abcd", "time_step": 7}


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_input_is_named(name: str) -> None:
    """An input that the suite asks for is never taken to be zero."""
    inputs = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(DataInputError, match=rf"(?i)needs a {name.replace('_', ' ')}"):
        parse_suite(FULL).compute(KEY, "12345678", **inputs)


@pytest.mark.parametrize("name", GOOD)
def test_a_superfluous_input_is_named(name: str) -> None:
    """An input that does not go into the code is never silently dropped."""
    with pytest.raises(DataInputError, match=rf"(?i)takes no {name.replace('_', ' ')}"):
        parse_suite("OCRA-1:HOTP-SHA256-8:QN08").compute(KEY, "12345678", **{name: GOOD[name]})


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"counter": -1}, "the counter does not fit"),
        ({"counter": 2**64}, "the counter does not fit"),
        ({"time_step": -1}, "the time step does not fit"),
        ({"time_step": 2**64}, "the time step does not fit"),
        ({"session": b"abcde"}, "up to 4 bytes, found 5"),
        ({"pin": None, "pin_hash": bytes(32)}, "expected 20 bytes, found 32"),
        ({"pin_hash": bytes(20)}, "the PIN or its hash, found both"),
        ({"pin": "\ud800"}, "lone surrogate"),
        ({"question": ""}, "expected decimal digits"),
        ({"question": "1234567x"}, "expected decimal digits"),
        ({"question": "١٢٣٤"}, "expected decimal digits"),
        ({"question": "1234\n"}, "expected decimal digits"),
        ({"question": "1" * 17}, "twice that in mutual authentication, found 17"),
        ({"key": b""}, "needs a key"),
    ],
)
def test_an_input_out_of_range_is_named_and_no_secret_quoted(changed: dict[str, Any], sentence: str) -> None:
    """Sentences go to logs: they hold lengths and public numbers only."""
    with pytest.raises(DataInputError, match=sentence) as refused:
        parse_suite(FULL).compute(**({"key": KEY, "question": "12345678"} | GOOD | changed))
    assert "abcd" not in str(refused.value)
    assert KEY.decode() not in str(refused.value)


@dataclass(frozen=True)
class Case:
    """A suite and inputs that fit it."""

    suite: str
    hash_name: str
    digits: int
    question: str
    inputs: dict[str, Any]


ALPHABETS = {"A": "09AZaz", "N": "0123456789", "H": "0123456789abcdefABCDEF"}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any suite that RFC 6287 allows, with inputs for it."""
    hash_name, digits = draw(st.sampled_from(["sha1", "sha256", "sha512"])), draw(st.sampled_from([0, *range(4, 11)]))
    form, length = draw(st.sampled_from("ANH")), draw(st.integers(4, 64))
    question = draw(st.text(ALPHABETS[form], min_size=1, max_size=2 * length))
    words, inputs = [f"Q{form}{length:02d}"], dict[str, Any]()
    if draw(st.booleans()):
        words.insert(0, "C")
        inputs["counter"] = draw(st.integers(0, 2**64 - 1))
    if draw(st.booleans()):
        pin_hash = draw(st.sampled_from(["sha1", "sha256", "sha512"]))
        words.append(f"P{pin_hash.upper()}")
        inputs["pin_hash"] = hashlib.new(pin_hash, draw(st.binary(max_size=8))).digest()
    if draw(st.booleans()):
        size = draw(st.integers(1, 512))
        words.append(f"S{size:03d}")
        inputs["session"] = draw(st.binary(max_size=size))
    if draw(st.booleans()):
        unit = draw(st.sampled_from("SMH"))
        words.append(f"T{draw(st.integers(1, 48 if unit == 'H' else 59))}{unit}")
        inputs["time_step"] = draw(st.integers(0, 2**64 - 1))
    return Case(f"OCRA-1:HOTP-{hash_name.upper()}-{digits}:{'-'.join(words)}", hash_name, digits, question, inputs)


def rfc2104(hash_name: str, key: bytes, message: bytes) -> bytes:
    """HMAC from its definition."""
    block = hashlib.new(hash_name).block_size
    key = (hashlib.new(hash_name, key).digest() if len(key) > block else key).ljust(block, b"\0")
    inner = hashlib.new(hash_name, bytes(byte ^ 0x36 for byte in key) + message).digest()
    return hashlib.new(hash_name, bytes(byte ^ 0x5C for byte in key) + inner).digest()


def code_in_the_manner_of_appendix_a(case: Case, key: bytes) -> str:
    """A second path to a code: hex strings as in the RFC's reference code, and HMAC from its definition."""
    form = case.suite.split(":")[2].removeprefix("C-")[1]
    written = {"A": case.question.encode().hex(), "H": case.question, "N": case.question}[form]
    if form == "N":
        written = f"{int(written):x}"
    message = case.suite.encode().hex() + "00"
    if "counter" in case.inputs:
        message += f"{case.inputs['counter']:016x}"
    message += written + "0" * (256 - len(written))
    message += case.inputs.get("pin_hash", b"").hex()
    if "session" in case.inputs:
        length = int(case.suite.split("-S")[-1][:3])
        message += case.inputs["session"].hex().zfill(2 * length)
    if "time_step" in case.inputs:
        message += f"{case.inputs['time_step']:016x}"
    digest = rfc2104(case.hash_name, key, bytes.fromhex(message))
    if case.digits == 0:
        return digest.hex()
    at = digest[-1] % 16
    binary = (digest[at] % 128 << 24) | (digest[at + 1] << 16) | (digest[at + 2] << 8) | digest[at + 3]
    return str(binary)[-case.digits :].zfill(case.digits)


@given(cases(), st.binary(min_size=1, max_size=200))
def test_any_suite_computes_what_a_second_implementation_does(case: Case, key: bytes) -> None:
    """All combinations of inputs, not only those of the RFC's examples."""
    assert parse_suite(case.suite).compute(key, case.question, **case.inputs) == code_in_the_manner_of_appendix_a(
        case, key
    )


@given(cases(), st.binary(min_size=1, max_size=64))
def test_the_package_oath_agrees_where_it_can(case: Case, key: bytes) -> None:
    """It pads no session data, takes no odd hex digits, fails at PIN hashes, and gives the whole HMAC in another form."""
    suite = parse_suite(case.suite)
    assume(suite.digits and suite.pin_hash_name is None and len(case.question) <= suite.question_length)
    assume(suite.question_format != "H" or len(case.question) % 2 == 0)
    inputs = case.inputs
    plain = {"C": inputs.get("counter"), "T_precomputed": inputs.get("time_step")}
    if suite.session_length is not None:
        plain["S"] = inputs["session"].rjust(suite.session_length, b"\0")
    other = oath.str2ocrasuite(case.suite)(key, Q=case.question, **plain)
    assert suite.compute(key, case.question, **inputs) == other


@given(st.one_of(st.text(), st.text("OCRA-1:HOTPSHA256-08:QN08-PT1MS4\n ", max_size=50)))
def test_no_text_does_more_than_parse_or_be_refused(text: str) -> None:
    """What parses stays as it was written."""
    try:
        suite = parse_suite(text)
    except SuiteError:
        return
    assert suite.text == text
    assert text.isascii()
