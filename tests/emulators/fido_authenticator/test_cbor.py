from types import MappingProxyType
from typing import Any

import pytest
from fido2 import cbor as oracle
from hypothesis import given
from hypothesis import strategies as st

from emulators.fido_authenticator import cbor
from emulators.fido_authenticator.status import CtapError, Status

_LEAVES = st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary(max_size=300) | st.text(max_size=80)
_KEYS = st.integers(-300, 300) | st.text(max_size=30)
_VALUES: st.SearchStrategy[Any] = _LEAVES
for _ in range(cbor.MAX_DEPTH):
    _VALUES = _LEAVES | st.lists(_VALUES, max_size=3) | st.dictionaries(_KEYS, _VALUES, max_size=3)


def _status(data: bytes) -> Status:
    with pytest.raises(CtapError) as refused:
        cbor.decode(data)
    return refused.value.status


@given(_VALUES)
def test_values_survive_and_python_fido2_agrees_on_every_byte(value: Any) -> None:
    """Two encoders that share no code write the same canonical bytes, and the strict decoder takes them."""
    encoded = cbor.encode(value)
    assert encoded == oracle.encode(value)
    assert cbor.decode(encoded) == value


@given(st.binary(max_size=60) | _VALUES.flatmap(lambda value: _damaged(cbor.encode(value))))
def test_what_is_accepted_has_no_other_encoding(data: bytes) -> None:
    """Random and damaged bytes are refused with a status, or are exactly what the encoder would write."""
    try:
        encoded = cbor.encode(cbor.decode(data))
    except CtapError as error:
        status = error.status
    else:
        status = Status.SUCCESS
        assert encoded == data
    assert status in {Status.SUCCESS, Status.INVALID_CBOR, Status.CBOR_UNEXPECTED_TYPE}


def _damaged(encoded: bytes) -> st.SearchStrategy[bytes]:
    cut = st.integers(0, len(encoded)).map(lambda end: encoded[:end])
    flipped = st.tuples(st.integers(0, max(0, len(encoded) - 1)), st.integers(1, 255)).map(
        lambda change: encoded[: change[0]] + bytes([encoded[change[0]] ^ change[1]]) + encoded[change[0] + 1 :]
    )
    return cut | flipped


@pytest.mark.parametrize(
    "encoded",
    [
        "",  # nothing
        "18",  # argument cut off
        "1817",  # 23 in two bytes
        "1900ff",  # 255 in three
        "1a0000ffff",  # 65535 in five
        "1b00000000ffffffff",  # 2^32-1 in nine
        "3817",  # -24 in two
        "45616263",  # byte string cut off
        "5803616263",  # length in two bytes without need
        "62c328",  # invalid UTF-8
        "63eda080",  # a lone surrogate
        "5f4161ff",  # indefinite byte string
        "9f01ff",  # indefinite array
        "bf0102ff",  # indefinite map
        "c0",  # tag
        "d9d9f701",  # self-described CBOR
        "f7",  # undefined
        "f814",  # false in two bytes
        "f90000",  # floats
        "fa00000000",
        "fb0000000000000000",
        "ff",  # break
        "1c",  # reserved
        "0000",  # trailing byte
        "8201",  # array cut off
        "9bffffffffffffffff01",  # array of 2^64-1
        "a2020001",  # map cut off
        "a202000100",  # unsorted
        "a201000100",  # repeated key
        "a2616100616100",  # repeated text key
        "a2626161006162" + "00",  # longer key first
        "a2616100" + "0100",  # text before integer
        "a2200001" + "00",  # negative before positive
        "8181818181" + "01",  # five deep
        "a101a101a101a101a10101",  # five deep
    ],
)
def test_what_is_not_canonical_is_invalid(encoded: str) -> None:
    """Every way to write CBOR other than the one canonical way is refused (CTAP 2.3 §8.1)."""
    assert _status(bytes.fromhex(encoded)) is Status.INVALID_CBOR


@pytest.mark.parametrize("encoded", ["a1410100", "a1800100", "a1f500", "a1f600"])
def test_map_keys_are_integers_or_text(encoded: str) -> None:
    """Bytes, arrays and simple values cannot name a parameter; containers as keys are too deep by definition."""
    assert _status(bytes.fromhex(encoded)) in {Status.CBOR_UNEXPECTED_TYPE, Status.INVALID_CBOR}


def test_four_levels_are_allowed() -> None:
    """The outermost container counts as one level."""
    assert cbor.decode(bytes.fromhex("a101a101a101a101f6")) == {1: {1: {1: {1: None}}}}


def test_the_encoder_takes_relatives_of_its_types_and_refuses_the_rest() -> None:
    """Enumerations and read-only mappings are written as what they are; floats are no CTAP values."""
    assert cbor.encode(MappingProxyType({Status.OTHER: ("a", b"b")})) == bytes.fromhex("a1187f8261614162")
    for wrong in (1.5, {1: 1.5}, object(), 2**64):
        with pytest.raises(TypeError, match="found"):
            cbor.encode(wrong)
