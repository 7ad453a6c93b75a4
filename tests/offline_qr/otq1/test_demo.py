from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr import base45_strict
from offline_qr.otq1 import (
    Challenge,
    Damaged,
    Demo,
    Field,
    Header,
    MessageType,
    NotEncodable,
    NotForThisToken,
    Otq1Error,
    Tag,
    Unsupported,
    decode,
    decode_demo,
    derive_keys,
    encode_demo,
    key_id,
)

SERIAL = "QT1-00000042"
HEADER = Header(MessageType.DEMO, key_id(SERIAL), bytes(12), 1_767_225_600, 180)
DEMO = Demo(HEADER, (Field(Tag.SERVICE, "Hello"),))


def test_a_demo_travels_in_the_clear() -> None:
    """Header and body, nothing else."""
    message = base45_strict.decode(encode_demo(DEMO).removeprefix("OTQ1:").encode())
    assert message == HEADER.pack() + b"\1\x0a\5Hello"
    assert decode_demo(encode_demo(DEMO), SERIAL) == DEMO


def test_a_demo_can_be_for_any_token() -> None:
    """With a key id of zeros, which no other type may use so."""
    anyone = replace(DEMO, header=replace(HEADER, key_id=bytes(4)))
    assert decode_demo(encode_demo(anyone), "QT1-00000043") == anyone
    with pytest.raises(NotForThisToken):
        decode_demo(encode_demo(DEMO), "QT1-00000043")


def test_a_demo_never_gets_a_code() -> None:
    """It is no challenge, and does not become one by a change of hands."""
    with pytest.raises(Unsupported, match=r"found 5 \(demo\)"):
        decode(encode_demo(DEMO), derive_keys(SERIAL, bytes(32)), SERIAL)
    with pytest.raises(NotEncodable, match="found type 5"):
        Challenge(DEMO.header, DEMO.fields)


def test_a_demo_follows_the_rules_for_fields() -> None:
    """On both sides."""
    with pytest.raises(NotEncodable, match="found 1"):
        Demo(replace(HEADER, type=MessageType.LOGIN), ())
    with pytest.raises(NotEncodable, match="normal form C"):
        encode_demo(replace(DEMO, fields=(Field(Tag.SERVICE, "e\u0301"),)))
    text = "OTQ1:" + base45_strict.encode(HEADER.pack() + b"\1\x0a\1\n")
    with pytest.raises(Damaged, match="hidden"):
        decode_demo(text, SERIAL)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_demo_or_refused(body: bytes) -> None:
    """What is one has one spelling."""
    try:
        demo = decode_demo("OTQ1:" + base45_strict.encode(HEADER.pack() + body), SERIAL)
    except Otq1Error:
        return
    assert encode_demo(demo).encode() == b"OTQ1:" + base45_strict.encode(HEADER.pack() + body).encode()
