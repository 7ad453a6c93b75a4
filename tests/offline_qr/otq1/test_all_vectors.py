"""Reads ``tests/data/otq1_all.json`` as a token would, and checks each code by other means than ours."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oath  # type: ignore[import-untyped] # oath ships no types
import pytest
import segno

from offline_qr.otq1 import (
    SUITES,
    Command,
    Flags,
    MessageType,
    Otq1Error,
    Profile,
    Secrets,
    Verdict,
    compute_admin_code,
    decode,
    decode_activation,
    decode_admin,
    decode_demo,
    derive_keys,
    judge,
    read_header,
)
from offline_qr.otq1.challenge import Inputs

PUBLISHED: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data/otq1_all.json").read_text(encoding="utf-8"))
SERIAL = PUBLISHED["serial"]
KEYS = derive_keys(SERIAL, bytes.fromhex(PUBLISHED["seed"]))
SECRETS = Secrets(
    bytes.fromhex(PUBLISHED["seed"]), bytes.fromhex(PUBLISHED["factory_key"]), PUBLISHED["activation_code"]
)
DOMAINS = {1: b"OTQ1 login\0", 2: b"OTQ1 txn\0", 3: b"OTQ1 admin\0", 4: b"OTQ1 admin\0"}


def of_types(*types: int) -> pytest.MarkDecorator:
    """Each example of these types in turn."""
    vectors = [vector for vector in PUBLISHED["vectors"] if vector["type"] in types]
    return pytest.mark.parametrize("vector", vectors, ids=[vector["name"] for vector in vectors])


def verify_key(vector: dict[str, Any]) -> bytes | None:
    """The server's key, for a token that takes signed messages."""
    return bytes.fromhex(PUBLISHED["verify_key"]) if vector["flags"] & 1 else None


def plain_question(vector: dict[str, Any], body: str) -> str:
    """The question from the page's formula alone."""
    return hashlib.sha256(DOMAINS[vector["type"]] + bytes.fromhex(vector["header"] + vector[body])).hexdigest()


def test_there_is_an_example_of_everything() -> None:
    """Types, suites, flags, commands and profiles."""
    vectors = PUBLISHED["vectors"]
    assert {vector["type"] for vector in vectors} == set(MessageType)
    assert {vector["suite"] for vector in vectors} == set(SUITES)
    assert {vector.get("command") for vector in vectors} == {None, *Command}
    assert {vector.get("profile") for vector in vectors} == {None, *Profile}
    assert {flag for vector in vectors for flag in Flags(vector["flags"])} >= {Flags(1), Flags(2), Flags(4)}


@of_types(1, 2)
def test_logins_and_transactions(vector: dict[str, Any]) -> None:
    """Read by the token; the codes by the package ``oath``; judged by the server."""
    challenge = decode(vector["text"], KEYS, SERIAL, suites=set(SUITES), verify_key=verify_key(vector))
    assert [[field.tag, field.label, field.value] for field in challenge.fields] == vector["fields"]
    assert challenge.question == vector["question"] == plain_question(vector, "body")
    names = {"counter": "C", "pin": "P", "time_step": "T_precomputed"}
    inputs = {names[name]: value for name, value in vector["inputs"].items()}
    suite, keys = oath.str2ocrasuite(vector["ocra_suite"]), PUBLISHED["keys"]
    key = bytes.fromhex(keys["ocra-login" if vector["type"] == 1 else "ocra-txn"])
    assert suite(key, Q=vector["question"], **inputs) == vector["code"]
    declined = oath.str2ocrasuite("OCRA-1:HOTP-SHA256-8:QH64")(bytes.fromhex(keys["decline"]), Q=vector["question"])
    assert declined == vector["decline_code"]
    said = {"code": Verdict.APPROVED, "decline_code": Verdict.DECLINED}
    if "duress_code" in vector:
        assert suite(bytes.fromhex(keys["ocra-duress"]), Q=vector["question"], **inputs) == vector["duress_code"]
        said["duress_code"] = Verdict.DURESS
    for name, verdict in said.items():
        assert judge(challenge, KEYS, vector[name], [Inputs(**vector["inputs"])]).verdict is verdict


@of_types(3)
def test_activations(vector: dict[str, Any]) -> None:
    """Profile B was made by RFC 9180's formulas, and is opened by the cryptography library."""
    read = decode_activation(vector["text"], SERIAL, SECRETS, verify_key=verify_key(vector))
    assert (read.profile, read.account.label) == (vector["profile"], vector["label"])
    assert (read.account.verify_key.hex() if read.account.verify_key else None) == vector["verify_key"]
    assert (read.seed.hex() if read.seed else None) == vector["new_seed"]
    assert read.question == vector["question"] == plain_question(vector, "content")
    key = derive_keys(SERIAL, bytes.fromhex(vector["new_seed"] or PUBLISHED["seed"])).ocra_admin
    code = oath.str2ocrasuite("OCRA-1:HOTP-SHA256-8:QH64")(key, Q=vector["question"])
    assert read.compute_code() == vector["code"] == code


@of_types(4)
def test_admin_messages(vector: dict[str, Any]) -> None:
    """Sequence, command, argument and code."""
    read = decode_admin(vector["text"], KEYS, SERIAL, verify_key=verify_key(vector))
    assert (read.sequence, read.command, read.argument) == (vector["sequence"], vector["command"], vector["argument"])
    assert read.question == vector["question"] == plain_question(vector, "body")
    key = bytes.fromhex(PUBLISHED["keys"]["ocra-admin"])
    code = oath.str2ocrasuite("OCRA-1:HOTP-SHA256-8:QH64")(key, Q=vector["question"])
    assert compute_admin_code(read, KEYS) == vector["code"] == code


@of_types(5)
def test_demos(vector: dict[str, Any]) -> None:
    """In the clear."""
    demo = decode_demo(vector["text"], SERIAL)
    assert [[field.tag, field.label, field.value] for field in demo.fields] == vector["fields"]
    assert vector["message"] == vector["header"] + vector["body"]


@of_types(1, 2, 3, 4, 5)
def test_each_goes_to_its_own_decoder_and_into_a_small_qr_code(vector: dict[str, Any]) -> None:
    """At level M up to version 12, which a camera of 480 lines reads well."""
    assert read_header(vector["text"]).pack().hex() == vector["header"]
    decoders: tuple[Callable[[], object], ...] = (
        lambda: decode(vector["text"], KEYS, SERIAL, suites=set(SUITES), verify_key=verify_key(vector)),
        lambda: decode_activation(vector["text"], SERIAL, SECRETS, verify_key=verify_key(vector)),
        lambda: decode_admin(vector["text"], KEYS, SERIAL, verify_key=verify_key(vector)),
        lambda: decode_demo(vector["text"], SERIAL),
    )
    right = {1: 0, 2: 0, 3: 1, 4: 2, 5: 3}[vector["type"]]
    for number, decoder in enumerate(decoders):
        if number != right:
            with pytest.raises(Otq1Error):
                decoder()
    qr = segno.make(vector["text"], error="m", boost_error=False, micro=False)
    assert qr.mode == "alphanumeric"
    assert int(qr.version) <= 12
