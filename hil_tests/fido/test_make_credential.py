"""Make credential: a registration step by step (CTAP 2.3 §6.1)."""

import hashlib
from typing import Any

import pytest
from fido2.attestation.base import Attestation
from fido2.ctap2.base import Info
from fido2.webauthn import AuthenticatorData

from authrig.ports.presence import Presence
from hil_tests.fido.host import CLIENT_DATA_HASH, ERR, MAKE_CREDENTIAL, RP_ID, Host, creation, descriptor, refused

pytestmark = pytest.mark.hil("fido", caps=["CTAP2"])

FLAG = AuthenticatorData.FLAG


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 19")
def test_response_has_its_members(host: Host) -> None:
    """fmt, authData and attStmt are there, of the right types."""
    response = host.create()
    assert isinstance(response[0x01], str)
    assert isinstance(response[0x02], bytes)
    assert isinstance(response[0x03], dict)


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 14")
def test_nothing_is_made_without_a_touch(host: Host, presence: Presence, info: Info) -> None:
    """The key asks for a touch; cancelled instead it makes nothing."""
    if info.options.get("clientPin") and not info.options.get("makeCredUvNotRqd"):
        pytest.skip("the key asks for its PIN first")
    with presence.held_back(), refused(ERR.KEEPALIVE_CANCEL):
        host.ask_untouched(MAKE_CREDENTIAL, creation())


@pytest.mark.clause("WebAuthn §6.1")
def test_authenticator_data_names_the_relying_party(host: Host) -> None:
    """The rpIdHash is the SHA-256 of the RP ID."""
    assert host.register().auth_data.rp_id_hash == hashlib.sha256(RP_ID.encode()).digest()


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 14")
def test_user_was_present(host: Host) -> None:
    """A registration has the flags UP and AT, and not ED where no extension was asked."""
    flags = host.register().auth_data.flags
    assert flags & FLAG.UP
    assert flags & FLAG.AT
    assert not flags & FLAG.ED, "the key says more than it was asked"


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 19")
def test_attestation_verifies(host: Host) -> None:
    """The statement is what its format demands, and its signature is right."""
    registered = host.register()
    kind = registered.response[0x01]
    Attestation.for_type(kind)().verify(registered.response[0x03], registered.auth_data, CLIENT_DATA_HASH)


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 19")
def test_aaguid_is_that_of_get_info(host: Host, info: Info) -> None:
    """The AAGUID in the attested data is the key's, or zero with an fido-u2f or none statement."""
    registered = host.register()
    attested = registered.auth_data.credential_data
    assert attested is not None
    assert attested.aaguid == info.aaguid or registered.response[0x01] in ("fido-u2f", "none")


@pytest.mark.clause("CTAP 2.3 §6.4")
def test_credential_id_is_not_too_long(host: Host, info: Info) -> None:
    """It has at least 16 bytes, and no more than maxCredentialIdLength where that is told."""
    length = len(host.register().id)
    assert 16 <= length <= (info.max_cred_id_length or 1023)


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 16")
def test_each_credential_is_new(host: Host) -> None:
    """Two registrations of one user make two ids and two key pairs."""
    first, second = host.register(), host.register()
    assert first.id != second.id
    assert first.public_key != second.public_key


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 3")
def test_public_key_is_of_the_algorithm(host: Host) -> None:
    """ES256 makes a COSE key of type 2 on P-256 with algorithm -7."""
    key = host.register().public_key
    assert (key[1], key[3], key[-1]) == (2, -7, 1)


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 3")
def test_first_algorithm_that_the_key_has_is_used(host: Host) -> None:
    """An algorithm that does not exist is passed over for the next one of the list."""
    unknown = {"type": "public-key", "alg": -65000}
    registered = host.register({0x04: [unknown, {"type": "public-key", "alg": -7}]})
    assert registered.public_key[3] == -7


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 3")
def test_unknown_algorithms_alone_are_refused(host: Host) -> None:
    """A list of none that the key has is UNSUPPORTED_ALGORITHM."""
    with refused(ERR.UNSUPPORTED_ALGORITHM):
        host.create({0x04: [{"type": "public-key", "alg": -65000}]})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 3")
def test_unknown_type_of_credential_is_passed_over(host: Host) -> None:
    """A list with nothing but an unknown type is UNSUPPORTED_ALGORITHM."""
    with refused(ERR.UNSUPPORTED_ALGORITHM):
        host.create({0x04: [{"type": "private-key", "alg": -7}]})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 3")
def test_each_listed_algorithm_makes_a_key_that_attests(host: Host) -> None:
    """Whatever getInfo lists, the key makes credentials of, and they sign."""
    listed = host.ask(0x04).get(0x0A)
    if listed is None:
        pytest.skip("the key lists no algorithms")
    for entry in listed:
        registered = host.register({0x04: [entry]})
        assert registered.public_key[3] == entry["alg"]
        response = host.sign({0x03: [descriptor(registered.id)]})
        registered.public_key.verify(response[0x02] + CLIENT_DATA_HASH, response[0x03])


@pytest.mark.clause("CTAP 2.3 §6.1")
@pytest.mark.parametrize("member", [0x01, 0x02, 0x03, 0x04], ids=["clientDataHash", "rp", "user", "pubKeyCredParams"])
def test_required_member_must_be_there(host: Host, member: int) -> None:
    """Without a required member it is MISSING_PARAMETER."""
    with refused(ERR.MISSING_PARAMETER):
        host.ask(MAKE_CREDENTIAL, creation({member: None}))


WRONG_TYPES: dict[str, tuple[int, Any]] = {
    "clientDataHash a text": (0x01, "hash"),
    "rp a text": (0x02, RP_ID),
    "user a byte string": (0x03, b"alice"),
    "pubKeyCredParams a map": (0x04, {}),
    "excludeList a map": (0x05, {}),
    "extensions a list": (0x06, []),
    "options a list": (0x07, []),
}


@pytest.mark.clause("CTAP 2.3 §8.2")
@pytest.mark.parametrize("case", WRONG_TYPES)
def test_wrong_type_is_refused(host: Host, case: str) -> None:
    """A member of the wrong CBOR type is CBOR_UNEXPECTED_TYPE."""
    member, value = WRONG_TYPES[case]
    with refused(ERR.CBOR_UNEXPECTED_TYPE):
        host.ask(MAKE_CREDENTIAL, creation({member: value}))


@pytest.mark.clause("CTAP 2.3 §6.1")
@pytest.mark.parametrize("member", ["id", "type"])
def test_descriptor_in_exclude_list_must_be_whole(host: Host, member: str) -> None:
    """An entry of excludeList without id or type is refused."""
    entry = {key: value for key, value in descriptor(bytes(32)).items() if key != member}
    with refused(ERR.MISSING_PARAMETER, ERR.INVALID_CBOR, ERR.CBOR_UNEXPECTED_TYPE):
        host.ask(MAKE_CREDENTIAL, creation({0x05: [entry]}))


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 12")
def test_excluded_credential_is_not_made_again(host: Host) -> None:
    """A credential of the relying party in the list is CREDENTIAL_EXCLUDED."""
    known = descriptor(host.register().id)
    with refused(ERR.CREDENTIAL_EXCLUDED):
        host.create({0x05: [known]})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 12")
def test_exclude_list_of_strangers_excludes_nothing(host: Host) -> None:
    """Ids that the key has not made do not matter."""
    host.create({0x05: [descriptor(bytes(range(48)))]})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 12")
def test_credential_of_another_relying_party_excludes_nothing(host: Host) -> None:
    """A credential is only excluded where it belongs."""
    known = descriptor(host.register().id)
    host.create({0x02: {"id": "other.example.invalid"}, 0x05: [known]})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 5")
def test_registration_without_a_touch_does_not_exist(host: Host) -> None:
    """The option up=false is refused."""
    with refused(ERR.INVALID_OPTION, ERR.UNSUPPORTED_OPTION):
        host.create({0x07: {"up": False}})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 5")
def test_unknown_option_is_ignored(host: Host) -> None:
    """Options that nobody has defined change nothing."""
    host.create({0x07: {"future": True}})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 5")
def test_option_uv_needs_a_key_that_can(host: Host, info: Info) -> None:
    """The option uv=true without enrolled built-in verification is refused."""
    if info.options.get("uv"):
        pytest.skip("the key verifies its user itself")
    with refused(ERR.INVALID_OPTION, ERR.UNSUPPORTED_OPTION):
        host.ask(MAKE_CREDENTIAL, creation({0x07: {"uv": True}}))


@pytest.mark.clause("CTAP 2.3 §6.1")
def test_empty_display_name_is_taken(host: Host) -> None:
    """A user may have an empty displayName."""
    host.create({0x03: {"id": b"alice", "name": "alice", "displayName": ""}})


@pytest.mark.clause("CTAP 2.3 §6.1")
def test_user_of_nothing_but_an_id_is_taken(host: Host) -> None:
    """Names are optional."""
    host.create({0x03: {"id": b"alice"}})


@pytest.mark.clause("WebAuthn §6.4.1")
def test_long_names_are_taken(host: Host) -> None:
    """Names beyond 64 bytes of UTF-8 may be cut, not refused."""
    name = "é" * 60
    host.create({0x02: {"id": RP_ID, "name": name}, 0x03: {"id": b"alice", "name": name, "displayName": name}})


@pytest.mark.clause("CTAP 2.3 §12")
def test_unknown_extension_is_ignored(host: Host) -> None:
    """An extension that nobody has defined is no reason to refuse, and has no output."""
    assert "future" not in (host.register({0x06: {"future": True}}).auth_data.extensions or {})


@pytest.mark.clause("CTAP 2.3 §8")
def test_unknown_member_is_ignored(host: Host) -> None:
    """Members that newer hosts may send change nothing."""
    host.create({0x3F: True})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 9")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_nobody_gets_enterprise_attestation_unasked(host: Host) -> None:
    """The member epAtt is absent or false where the host did not ask."""
    assert not host.create().get(0x04, False)


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 9")
@pytest.mark.hil("fido", caps=["FIDO_2_1"])
def test_enterprise_attestation_that_is_off_is_refused(host: Host, info: Info) -> None:
    """The member enterpriseAttestation is INVALID_PARAMETER where ep is not true."""
    if info.options.get("ep"):
        pytest.skip("enterprise attestation is enabled")
    with refused(ERR.INVALID_PARAMETER):
        host.create({0x0A: 1})


@pytest.mark.clause("CTAP 2.3 §6.1.2 step 17")
@pytest.mark.hil("fido", caps=["PIN", "rk", "credMgmt"])
def test_discoverable_credential_replaces_that_of_the_same_user(host: Host) -> None:
    """A second one for the same account takes the place of the first."""
    first = host.register({0x07: {"rk": True}})
    second = host.register({0x07: {"rk": True}})
    with refused(ERR.NO_CREDENTIALS):
        host.sign({0x03: [descriptor(first.id)]})
    host.sign({0x03: [descriptor(second.id)]})
