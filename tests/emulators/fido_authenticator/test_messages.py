from typing import Any

import pytest
from fido2 import cbor

from emulators.fido_authenticator.messages import (
    EmptyRequest,
    GetAssertionRequest,
    MakeCredentialRequest,
    UserEntity,
    truncate_name,
)
from emulators.fido_authenticator.status import CtapError, Status
from tests.emulators.fido_authenticator.ctap_requests import HASH, assertion, creation, descriptor

ES256 = {"alg": -7, "type": "public-key"}


def test_a_full_creation_is_read_into_values() -> None:
    """Every member arrives typed; credential types and parameters that nobody knows are left out."""
    request = MakeCredentialRequest.from_cbor(
        cbor.encode(
            creation(
                {
                    4: [{"alg": -257, "type": "public-key"}, {"alg": -7, "type": "future"}, ES256],
                    5: [descriptor(b"one"), {"id": b"two", "type": "future"}, descriptor(b"three")],
                    6: {"credProtect": 2},
                    7: {"rk": True, "future": False},
                    8: bytes(16),
                    9: 2,
                    10: 1,
                    99: "future",
                }
            )
        )
    )
    assert request.client_data_hash == HASH
    assert (request.rp.id, request.rp.name) == ("example.com", "Example")
    assert request.user == UserEntity(b"ada", "ada", "Ada")
    assert request.algorithms == (-257, -7)
    assert request.exclude_list == (b"one", b"three")
    assert (request.extensions, request.options) == ({"credProtect": 2}, {"rk": True, "future": False})
    assert (request.pin_uv_auth.param, request.pin_uv_auth.protocol) == (bytes(16), 2)
    assert request.enterprise_attestation == 1
    assert "pin_uv_auth=PinUvAuth(protocol=2)" in repr(request)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({1: None}, Status.MISSING_PARAMETER),
        ({2: None}, Status.MISSING_PARAMETER),
        ({3: None}, Status.MISSING_PARAMETER),
        ({4: None}, Status.MISSING_PARAMETER),
        ({1: "text"}, Status.CBOR_UNEXPECTED_TYPE),
        ({1: bytes(31)}, Status.INVALID_LENGTH),
        ({2: b"rp"}, Status.CBOR_UNEXPECTED_TYPE),
        ({2: {"name": "no id"}}, Status.MISSING_PARAMETER),
        ({2: {"id": b"example.com"}}, Status.CBOR_UNEXPECTED_TYPE),
        ({3: []}, Status.CBOR_UNEXPECTED_TYPE),
        ({3: {"name": "no id"}}, Status.MISSING_PARAMETER),
        ({3: {"id": "text"}}, Status.CBOR_UNEXPECTED_TYPE),
        ({3: {"id": b""}}, Status.INVALID_LENGTH),
        ({3: {"id": bytes(65)}}, Status.INVALID_LENGTH),
        ({3: {"id": b"u", "displayName": 7}}, Status.CBOR_UNEXPECTED_TYPE),
        ({4: ES256}, Status.CBOR_UNEXPECTED_TYPE),
        ({4: [7]}, Status.CBOR_UNEXPECTED_TYPE),
        ({4: [{"type": "public-key"}]}, Status.MISSING_PARAMETER),
        ({4: [{"alg": -7}]}, Status.MISSING_PARAMETER),
        ({4: [{"alg": "-7", "type": "public-key"}]}, Status.CBOR_UNEXPECTED_TYPE),
        ({4: [ES256, {"alg": -8}]}, Status.MISSING_PARAMETER),
        ({5: {}}, Status.CBOR_UNEXPECTED_TYPE),
        ({5: [{"type": "public-key"}]}, Status.MISSING_PARAMETER),
        ({5: [{"id": "text", "type": "public-key"}]}, Status.CBOR_UNEXPECTED_TYPE),
        ({6: []}, Status.CBOR_UNEXPECTED_TYPE),
        ({6: {1: 2}}, Status.CBOR_UNEXPECTED_TYPE),
        ({7: []}, Status.CBOR_UNEXPECTED_TYPE),
        ({7: {"rk": 1}}, Status.CBOR_UNEXPECTED_TYPE),
        ({7: {"future": "yes"}}, Status.CBOR_UNEXPECTED_TYPE),
        ({8: "text"}, Status.CBOR_UNEXPECTED_TYPE),
        ({9: True}, Status.CBOR_UNEXPECTED_TYPE),
        ({10: b"1"}, Status.CBOR_UNEXPECTED_TYPE),
    ],
)
def test_each_fault_of_a_creation_has_its_own_status(changes: dict[int, Any], expected: Status) -> None:
    """Absent, of the wrong type and of the wrong size are told apart."""
    with pytest.raises(CtapError) as refused:
        MakeCredentialRequest.from_cbor(cbor.encode(creation(changes)))
    assert refused.value.status is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({1: None}, Status.MISSING_PARAMETER),
        ({2: None}, Status.MISSING_PARAMETER),
        ({1: b"example.com"}, Status.CBOR_UNEXPECTED_TYPE),
        ({2: bytes(33)}, Status.INVALID_LENGTH),
        ({3: descriptor(b"one")}, Status.CBOR_UNEXPECTED_TYPE),
        ({3: [b"one"]}, Status.CBOR_UNEXPECTED_TYPE),
        ({5: {"up": 0}}, Status.CBOR_UNEXPECTED_TYPE),
        ({7: "1"}, Status.CBOR_UNEXPECTED_TYPE),
    ],
)
def test_each_fault_of_an_assertion_has_its_own_status(changes: dict[int, Any], expected: Status) -> None:
    """As for a creation."""
    with pytest.raises(CtapError) as refused:
        GetAssertionRequest.from_cbor(cbor.encode(assertion(changes)))
    assert refused.value.status is expected


def test_parameters_are_one_map() -> None:
    """An array is a wrong type; a command that takes no parameters takes none at all."""
    with pytest.raises(CtapError) as refused:
        GetAssertionRequest.from_cbor(b"\x80")
    assert refused.value.status is Status.CBOR_UNEXPECTED_TYPE
    with pytest.raises(CtapError) as refused:
        EmptyRequest.from_cbor(b"\xa0")
    assert refused.value.status is Status.INVALID_LENGTH
    assert EmptyRequest.from_cbor(b"") == EmptyRequest()


def test_long_names_are_cut_between_characters() -> None:
    """64 bytes of UTF-8 are kept, never half a letter."""
    assert truncate_name("é" * 40) == "é" * 32
    assert truncate_name("x" + "é" * 40) == "x" + "é" * 31
    assert truncate_name("short") == "short"
    assert truncate_name(None) is None
