"""Get info: what the key says about itself (CTAP 2.3 §6.4), and whether it is consistent."""

import pytest
from fido2.ctap2.base import Info

from hil_tests.fido.host import Host

pytestmark = pytest.mark.hil("fido", caps=["CTAP2"])

GET_INFO = 0x04


@pytest.fixture
def members(host: Host) -> dict[int, object]:
    """The response as it came."""
    return host.ask(GET_INFO)


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_versions_are_known_ones(members: dict[int, object]) -> None:
    """At least one version, all defined; FIDO_2_2 does not exist."""
    versions = members[0x01]
    assert isinstance(versions, list)
    assert versions
    assert set(versions) <= {"FIDO_2_0", "FIDO_2_1_PRE", "FIDO_2_1", "FIDO_2_3", "U2F_V2"}


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_aaguid_has_sixteen_bytes(members: dict[int, object]) -> None:
    """The AAGUID is 16 bytes."""
    aaguid = members[0x03]
    assert isinstance(aaguid, bytes)
    assert len(aaguid) == 16


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_answers_alike_twice(host: Host) -> None:
    """Two getInfos in a row say the same, but for what is encrypted anew each time."""
    first, second = host.ask(GET_INFO), host.ask(GET_INFO)
    for encrypted in (0x19, 0x1E):
        first.pop(encrypted, None), second.pop(encrypted, None)
    assert first == second


@pytest.mark.clause("CTAP 2.3 §8")
def test_response_is_canonical(host: Host) -> None:
    """The bytes are those of CTAP2 canonical CBOR: shortest forms, sorted keys, no duplicates."""
    from fido2 import cbor  # noqa: PLC0415 - only to compare

    status, body = host.ask_raw(bytes((GET_INFO,)))
    assert status == 0
    assert cbor.encode(cbor.decode(body)) == body


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_maximum_message_size_is_at_least_1024(info: Info) -> None:
    """The member maxMsgSize is 1024, by default or at least."""
    assert info.max_msg_size >= 1024


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_options_are_booleans(members: dict[int, object]) -> None:
    """Every option is true or false."""
    options = members.get(0x04, {})
    assert isinstance(options, dict)
    assert all(isinstance(name, str) and isinstance(value, bool) for name, value in options.items())


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_extensions_are_texts_without_repetition(members: dict[int, object]) -> None:
    """Each extension is named once."""
    extensions = members.get(0x02, [])
    assert isinstance(extensions, list)
    assert all(isinstance(name, str) and name for name in extensions)
    assert len(set(extensions)) == len(extensions)


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_protocols_follow_from_options(info: Info) -> None:
    """A key with clientPin or pinUvAuthToken names at least one PIN/UV auth protocol, each once."""
    protocols = list(info.pin_uv_protocols or ())
    needed = "clientPin" in info.options or "pinUvAuthToken" in info.options
    assert bool(protocols) or not needed
    assert len(set(protocols)) == len(protocols)


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_token_option_has_something_behind_it(info: Info) -> None:
    """The option pinUvAuthToken is true only with clientPin or uv."""
    if not info.options.get("pinUvAuthToken"):
        pytest.skip("the key has no pinUvAuthTokens")
    assert {"clientPin", "uv"} & set(info.options)


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["credMgmt"])
def test_credential_management_needs_discoverable_credentials(info: Info) -> None:
    """The option credMgmt is true only with rk."""
    assert info.options.get("rk") is True


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["alwaysUv"])
def test_always_uv_excludes_unverified_creation(info: Info) -> None:
    """With alwaysUv true, makeCredUvNotRqd is not, and U2F_V2 is no version."""
    if info.options["alwaysUv"]:
        assert not info.options.get("makeCredUvNotRqd")
        assert "U2F_V2" not in info.versions


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_algorithms_are_unique_public_keys(members: dict[int, object]) -> None:
    """The list of algorithms, if there is one, has entries of the one known type, each once."""
    algorithms = members.get(0x0A)
    if algorithms is None:
        pytest.skip("the key lists no algorithms")
    assert isinstance(algorithms, list)
    assert all(entry["type"] == "public-key" and isinstance(entry["alg"], int) for entry in algorithms)
    assert len({entry["alg"] for entry in algorithms}) == len(algorithms) > 0


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["largeBlobs"])
def test_large_blob_array_has_room(info: Info) -> None:
    """A key with largeBlobs says how much it takes, at least 1024 bytes."""
    assert info.max_large_blob is not None
    assert info.max_large_blob >= 1024


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["largeBlobKey"])
def test_large_blob_key_needs_large_blobs(info: Info) -> None:
    """The extension largeBlobKey goes with the option largeBlobs."""
    assert info.options.get("largeBlobs") is True


@pytest.mark.clause("CTAP 2.3 §12.2")
@pytest.mark.hil("fido", caps=["credBlob"])
def test_cred_blob_has_room(info: Info) -> None:
    """A key with credBlob says how much it takes, at least 32 bytes."""
    assert info.max_cred_blob_length is not None
    assert info.max_cred_blob_length >= 32


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["setMinPINLength"])
def test_minimum_pin_length_is_told(members: dict[int, object]) -> None:
    """A key whose minimum can be set tells it: 4 or more."""
    minimum = members[0x0D]
    assert isinstance(minimum, int)
    assert minimum >= 4


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["hmac-secret-mc"])
def test_hmac_secret_mc_needs_hmac_secret(info: Info) -> None:
    """The extension at creation goes with the one at assertion."""
    assert "hmac-secret" in info.extensions


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_attestation_formats_leave_none_out(members: dict[int, object]) -> None:
    """attestationFormats, if told, names at least one format, and never "none"."""
    formats = members.get(0x16)
    if formats is None:
        pytest.skip("the key lists no attestation formats")
    assert isinstance(formats, list)
    assert formats
    assert "none" not in formats


@pytest.mark.clause("CTAP 2.3 §6.4")
@pytest.mark.hil("fido", caps=["perCredMgmtRO", "PIN"])
def test_identifier_is_encrypted_anew(host: Host) -> None:
    """The member encIdentifier differs from getInfo to getInfo, so that nobody recognizes the key by it."""
    first, second = host.ask(GET_INFO).get(0x19), host.ask(GET_INFO).get(0x19)
    if first is None:
        pytest.skip("the key has no encIdentifier")
    assert first != second
    assert len(first) == 32


@pytest.mark.clause("CTAP 2.3 §8.1")
def test_unknown_command_is_refused(host: Host) -> None:
    """A command byte that nobody has defined is CTAP1_ERR_INVALID_COMMAND."""
    status, body = host.ask_raw(b"\x3f")
    assert (status, body) == (0x01, b"")
