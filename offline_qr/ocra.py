"""OCRA, the OATH challenge-response algorithm: RFC 6287 in full.

A suite such as ``OCRA-1:HOTP-SHA256-8:C-QH64-PSHA256-S064-T1M`` names a hash, a number of digits and the inputs that
go into the code. ``parse_suite`` reads it strictly; ``Suite.compute`` makes the code.

Where the RFC is silent or has errata, this module decides:

- Truncation is 0 (the full HMAC, given as lower-case hex) or 4 to 10 digits (RFC 6287 §5.2). Erratum 3730 (reported,
  never verified) would drop 10, because the truncated value has 31 bits and so the first of ten digits is 0, 1 or 2.
  The RFC's text wins: 10 is accepted. Nine and ten digits add next to nothing over eight; choose eight.
- Time steps in hours are 1 to 48, never 0 (erratum 3729, verified). No leading zeros: ``T1M``, not ``T01M``.
- A bare ``S`` means 64 bytes, the RFC's default length (§6.3); tiqr uses it (``QH10-S``). No other input may leave out
  its qualifier. Session lengths are 001 to 512, three digits.
- The inputs stand in the order of §5.1: C, Q, P, S, T, any of them but Q optional (errata 4113 to 4115 say the same).
- Suites are upper case. They are part of what is authenticated, so two spellings would be two suites.
- ``Qxx`` bounds one party's question. Mutual authentication (§7.2) concatenates two, so ``compute`` takes one to twice
  that many characters.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from offline_qr.hotp import truncate

_Parsed = TypeVar("_Parsed")

_VERSION = "OCRA-1"
_FUNCTION = "HOTP"
_HASHES = {"SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512"}
_TRUNCATIONS = {"0": 0} | {str(digits): digits for digits in range(4, 11)}
_QUESTION_BYTES = 128
_MAX_UINT64 = 2**64 - 1
_MAX_SUITE = len("OCRA-1:HOTP-SHA512-10:C-QH64-PSHA512-S512-T59M")

_QUESTION = re.compile(r"Q([ANH])([0-9]{2})")
_SESSION = re.compile(r"S([0-9]{3})?")
_TIME = re.compile(r"T([1-9][0-9]?)([SMH])")
_TIME_UNITS = {"S": (1, 59), "M": (60, 59), "H": (3600, 48)}  # seconds in one, how many at most
_DEFAULT_SESSION_LENGTH = 64

_QUESTION_FORMATS = {
    "A": ("letters and digits", re.compile(r"[0-9A-Za-z]+")),
    "N": ("decimal digits", re.compile(r"[0-9]+")),
    "H": ("hexadecimal digits", re.compile(r"[0-9A-Fa-f]+")),
}


class SuiteError(ValueError):
    """A text is not an OCRA suite; the sentence says which part is wrong."""


class DataInputError(ValueError):
    """An input of a computation is missing, superfluous or out of range; the sentence says which. It quotes no secret."""


@dataclass(frozen=True, slots=True)
class Suite:
    """What an OCRA suite asks for (RFC 6287 §6). Made by ``parse_suite``."""

    text: str
    """The suite as written; it is the first part of what is authenticated."""
    hash_name: str
    """The hash of the HMAC, as ``hashlib`` names it."""
    digits: int
    """Length of the code in decimal digits, or 0 for the full HMAC in hex."""
    counter: bool
    """Whether the suite takes a counter."""
    question_format: str
    """``A`` letters and digits, ``N`` decimal, ``H`` hexadecimal."""
    question_length: int
    """The most characters of one party's question, 4 to 64."""
    pin_hash_name: str | None
    """The hash of the PIN as ``hashlib`` names it, or None where the suite takes no PIN."""
    session_length: int | None
    """Bytes of session data, 1 to 512, or None where the suite takes none."""
    time_step_seconds: int | None
    """Seconds in one time step, or None where the suite takes no time."""

    def compute(  # noqa: PLR0913 - RFC 6287 §5.1 has this many inputs, and all but two are named
        self,
        key: bytes,
        question: str,
        *,
        counter: int | None = None,
        pin: str | None = None,
        pin_hash: bytes | None = None,
        session: bytes | None = None,
        time_step: int | None = None,
    ) -> str:
        """The code for these inputs (RFC 6287 §5).

        Args:
            key: the shared secret, not empty; as long as the hash's output is best (RFC 6287 §5.1, RFC 4226 R6).
            question: one question, or two in a row for mutual authentication, in the suite's format.
            counter: the event counter, 0 to 2^64-1.
            pin: the PIN itself, which is hashed as UTF-8; or
            pin_hash: the hash of the PIN, where the PIN itself is not at hand. Never both.
            session: session data; shorter data is padded on the left with zero bytes (as RFC 6287 Appendix A does).
            time_step: whole time steps since 1970, 0 to 2^64-1. Not seconds: divide by ``time_step_seconds``.

        Raises:
            DataInputError: an input that the suite names is missing, one that it does not name is given, or one is
                out of range.
        """
        if not key:
            raise DataInputError(f"{self.text} needs a key: expected at least 1 byte, found none")
        # RFC 6287 §5.1: DataInput = {OCRASuite | 00 | C | Q | P | S | T}
        data_input = b"".join(
            (
                self.text.encode("ascii"),
                b"\0",
                self._number("counter", counter, wanted=self.counter),
                self._question(question),
                self._pin(pin, pin_hash),
                self._session(session),
                self._number("time step", time_step, wanted=self.time_step_seconds is not None),
            )
        )
        digest = hmac.digest(key, data_input, self.hash_name)
        return digest.hex() if self.digits == 0 else truncate(digest, self.digits)

    def _given(self, name: str, *, wanted: bool, given: bool) -> bool:
        if wanted and not given:
            raise DataInputError(f"{self.text} needs a {name}: expected one, found none")
        if given and not wanted:
            raise DataInputError(f"{self.text} takes no {name}: expected none, found one")
        return wanted

    def _number(self, name: str, value: int | None, *, wanted: bool) -> bytes:
        if not self._given(name, wanted=wanted, given=value is not None) or value is None:
            return b""
        if not 0 <= value <= _MAX_UINT64:
            raise DataInputError(f"the {name} does not fit in 8 bytes: expected 0 to 2^64-1, found {value}")
        return value.to_bytes(8)

    def _question(self, question: str) -> bytes:
        kind, pattern = _QUESTION_FORMATS[self.question_format]
        if not pattern.fullmatch(question):
            raise DataInputError(
                f"the question does not fit {self.text}: expected {kind}, found other characters or none"
            )
        if len(question) > 2 * self.question_length:
            raise DataInputError(
                f"the question is too long for {self.text}: expected up to {self.question_length} characters, twice that "
                f"in mutual authentication, found {len(question)}"
            )
        if self.question_format == "A":
            encoded = question.encode("ascii")
        else:
            # RFC 6287 Appendix A: a decimal question is one number, written in hex from its first non-zero nibble on;
            # an odd nibble out is padded on its right, like the rest.
            nibbles = f"{int(question):x}" if self.question_format == "N" else question
            encoded = bytes.fromhex(nibbles + "0" * (len(nibbles) % 2))
        return encoded.ljust(_QUESTION_BYTES, b"\0")

    def _pin(self, pin: str | None, pin_hash: bytes | None) -> bytes:
        if pin is not None and pin_hash is not None:
            raise DataInputError("expected the PIN or its hash, found both")
        given = pin is not None or pin_hash is not None
        if not self._given("PIN or PIN hash", wanted=self.pin_hash_name is not None, given=given):
            return b""
        assert self.pin_hash_name is not None
        if pin_hash is None:
            assert pin is not None
            try:
                return hashlib.new(self.pin_hash_name, pin.encode()).digest()
            except UnicodeEncodeError:
                raise DataInputError("the PIN is no text that UTF-8 can hold: it has a lone surrogate") from None
        expected = hashlib.new(self.pin_hash_name).digest_size
        if len(pin_hash) != expected:
            raise DataInputError(
                f"the PIN hash does not fit {self.text}: expected {expected} bytes, found {len(pin_hash)}"
            )
        return pin_hash

    def _session(self, session: bytes | None) -> bytes:
        wanted = self.session_length is not None
        if not self._given("session", wanted=wanted, given=session is not None) or session is None:
            return b""
        assert self.session_length is not None
        if len(session) > self.session_length:
            raise DataInputError(
                f"the session is too long for {self.text}: expected up to {self.session_length} bytes, found {len(session)}"
            )
        return session.rjust(self.session_length, b"\0")


def parse_suite(text: str) -> Suite:
    """Read an OCRA suite strictly (RFC 6287 §6).

    Raises:
        SuiteError: with a sentence that names the part, what was expected and what was found.
    """
    if len(text) > _MAX_SUITE:
        raise SuiteError(f"an OCRA suite has up to {_MAX_SUITE} characters, found {len(text)}")
    parts = text.split(":")
    if len(parts) != 3:
        raise SuiteError(f"an OCRA suite has 3 parts divided by colons, found {len(parts)} in {text!r}")
    version, function, inputs = parts
    if version != _VERSION:
        raise SuiteError(f"unknown OCRA version: expected {_VERSION}, found {version!r}")
    hash_name, digits = _parse_function(function)
    rest = inputs.split("-")
    counter = _take(rest, "C", _parse_counter)
    question = _take(rest, "Q", _parse_question)
    if question is None:
        raise SuiteError(f"a question is mandatory: expected Q after an optional C, found {inputs!r}")
    pin_hash_name = _take(rest, "P", lambda word: _parse_hash(word[1:], "the PIN"))
    session_length = _take(rest, "S", _parse_session)
    time_step_seconds = _take(rest, "T", _parse_time)
    if rest:
        raise SuiteError(f"expected the inputs C, Q, P, S, T each at most once and in this order, found {inputs!r}")
    return Suite(
        text=text,
        hash_name=hash_name,
        digits=digits,
        counter=counter is not None,
        question_format=question[0],
        question_length=question[1],
        pin_hash_name=pin_hash_name,
        session_length=session_length,
        time_step_seconds=time_step_seconds,
    )


def _take(words: list[str], letter: str, parse: Callable[[str], _Parsed]) -> _Parsed | None:
    """Take the next word away and parse it if it is the input ``letter``."""
    return parse(words.pop(0)) if words and words[0].startswith(letter) else None


def _parse_function(function: str) -> tuple[str, int]:
    parts = function.split("-")
    if len(parts) != 3 or parts[0] != _FUNCTION:
        raise SuiteError(f"unknown crypto function: expected {_FUNCTION}-hash-digits, found {function!r}")
    if parts[2] not in _TRUNCATIONS:
        raise SuiteError(f"truncation out of range: expected 0 or 4 to 10 digits, found {parts[2]!r}")
    return _parse_hash(parts[1], "the crypto function"), _TRUNCATIONS[parts[2]]


def _parse_hash(name: str, of_what: str) -> str:
    if name not in _HASHES:
        raise SuiteError(f"unknown hash of {of_what}: expected {', '.join(_HASHES)}, found {name!r}")
    return _HASHES[name]


def _parse_counter(word: str) -> bool:
    if word != "C":
        raise SuiteError(f"bad counter: expected C alone, found {word!r}")
    return True


def _parse_question(word: str) -> tuple[str, int]:
    match = _QUESTION.fullmatch(word)
    if not match or not 4 <= int(match[2]) <= 64:
        raise SuiteError(f"bad question: expected QA, QN or QH and a length from 04 to 64, found {word!r}")
    return match[1], int(match[2])


def _parse_session(word: str) -> int:
    match = _SESSION.fullmatch(word)
    length = int(match[1] or _DEFAULT_SESSION_LENGTH) if match else 0
    if not 1 <= length <= 512:
        raise SuiteError(f"bad session: expected S and a length from 001 to 512, or S alone for 064, found {word!r}")
    return length


def _parse_time(word: str) -> int:
    match = _TIME.fullmatch(word)
    if match:
        seconds, most = _TIME_UNITS[match[2]]
        if int(match[1]) <= most:
            return int(match[1]) * seconds
    raise SuiteError(f"bad time step: expected T1S to T59S, T1M to T59M or T1H to T48H, found {word!r}")
